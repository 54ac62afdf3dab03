// A small market from a seed: books, trades and tickers of two symbols in arrival order, lively
// enough that every strategy trades. The same seed gives the same text on every platform.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "support/market_text.hpp"

namespace rts::test {

// 0 … below−1. std::uniform_int_distribution differs between libraries.
[[nodiscard]] inline std::uint64_t pick(std::mt19937_64& random, std::uint64_t below) {
  return random() % below;
}

class SeededMarket {
 public:
  explicit SeededMarket(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] std::string frame() {
    at_ms_ += static_cast<std::int64_t>(pick(random_, 400));
    ++id_;
    const bool bitcoin = pick(random_, 2) == 0;
    double& price = bitcoin ? bitcoin_ : ether_;
    price *= 1 + (static_cast<double>(pick(random_, 2001)) - 1000) / 2e6;
    price = static_cast<double>(static_cast<std::int64_t>(price * 100)) / 100;
    const std::string symbol = bitcoin ? "BTCUSDT" : "ETHUSDT";
    switch (pick(random_, 3)) {
      case 0: return book(symbol, price).frame();
      case 1:
        return TradeText{symbol, id_, at_ms_, price, quantity(), pick(random_, 2) == 0}.frame();
      default: return TickerText{symbol, at_ms_, price}.frame();
    }
  }

  [[nodiscard]] std::vector<std::string> frames(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(frame());
    return all;
  }

 private:
  [[nodiscard]] double quantity() { return static_cast<double>(pick(random_, 5000) + 1) / 1000; }
  [[nodiscard]] BookText book(const std::string& symbol, double mid) {
    BookText book{symbol, id_, at_ms_, {}, {}};
    const std::size_t levels = pick(random_, 16) + 5;
    for (std::size_t i = 0; i < levels; ++i) {
      const double away = 0.1 * static_cast<double>(i + 1);
      book.bids.push_back({mid - away, quantity()});
      book.asks.push_back({mid + away, quantity()});
    }
    return book;
  }

  std::mt19937_64 random_;
  std::int64_t at_ms_ = kMidnightMs;
  std::int64_t id_ = 0;
  double bitcoin_ = 64'000;
  double ether_ = 3'400;
};

}  // namespace rts::test
