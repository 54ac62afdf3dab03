// Frames in Binance's formats from a few named numbers, as text. For tests that speak of prices and
// quantities; tests that speak of the wire format write their frames out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace rts::test {

inline constexpr std::int64_t kMidnightMs = 1'721'347'200'000;  // 2024-07-19T00:00:00Z

[[nodiscard]] inline std::string stream_name(std::string symbol, const char* channel) {
  for (char& c : symbol) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return symbol + "@" + channel;
}

struct TradeText {
  std::string symbol = "BTCUSDT";
  std::int64_t id = 1;
  std::int64_t at_ms = kMidnightMs;
  double price = 100;
  double quantity = 1;
  bool buyer_is_maker = false;

  [[nodiscard]] std::string frame() const {
    return fmt::format(R"({{"stream":"{}","data":{{"e":"trade","E":{},"T":{},"s":"{}","t":{},)"
                       R"("p":"{}","q":"{}","X":"MARKET","m":{}}}}})",
                       stream_name(symbol, "trade"), at_ms, at_ms, symbol, id, price, quantity,
                       buyer_is_maker);
  }
};

struct LevelText {
  double price, quantity;
};

// Sides of fewer levels than a partial book has get the rest far away from the market, of so little
// that no volume changes by it.
struct BookText {
  static constexpr std::size_t kLeastLevels = 5;

  std::string symbol = "BTCUSDT";
  std::int64_t id = 1;
  std::int64_t at_ms = kMidnightMs;
  std::vector<LevelText> bids{{99, 3}};
  std::vector<LevelText> asks{{100, 1}};

  [[nodiscard]] std::string frame() const {
    return fmt::format(
        R"({{"stream":"{}","data":{{"e":"depthUpdate","E":{},"T":{},"s":"{}","U":{},"u":{},)"
        R"("pu":{},"b":[{}],"a":[{}]}}}})",
        stream_name(symbol, "depth20@100ms"), at_ms, at_ms, symbol, id, id, id - 1,
        side(bids, "1e-30{}"), side(asks, "9{}e13"));
  }

 private:
  [[nodiscard]] static std::string side(const std::vector<LevelText>& levels,
                                        const char* far_price) {
    std::string text;
    for (const LevelText& level : levels) {
      text += fmt::format(R"({}["{}","{}"])", text.empty() ? "" : ",", level.price, level.quantity);
    }
    for (std::size_t i = levels.size(); i > 0 && i < kLeastLevels; ++i) {
      text += fmt::format(R"(,["{}","1e-300"])", fmt::format(fmt::runtime(far_price), i));
    }
    return text;
  }
};

struct TickerText {
  std::string symbol = "BTCUSDT";
  std::int64_t at_ms = kMidnightMs;
  double price = 100;

  [[nodiscard]] std::string frame() const {
    return fmt::format(
        R"({{"stream":"{}","data":{{"e":"24hrTicker","E":{},"s":"{}","p":"1.0","P":"0.01",)"
        R"("c":"{}","Q":"0.1","o":"99"}}}})",
        stream_name(symbol, "ticker"), at_ms, symbol, price);
  }
};

}  // namespace rts::test
