// The market that simulated replicas see: frames as the relay sends them, lively enough that every
// strategy trades, and what a feed does to them besides. A function of its dice.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <rts/base/symbol.hpp>
#include <rts/strategy/verdict.hpp>

#include "property/played_stream.hpp"
#include "support/market_text.hpp"

namespace rts::test {

inline constexpr std::array<const char*, 2> kSimulatedSymbols{"BTCUSDT", "ETHUSDT"};

struct SimulatedFrame {
  std::uint64_t number = 0;
  UnixMs at;  // when it happened; what it says itself may be wrong
  std::string text{};
};

class SimulatedFeed {
 public:
  SimulatedFeed(Dice& dice, std::size_t symbols) : dice_(dice), symbols_(symbols) {}

  // An ordinary one.
  SimulatedFrame frame(UnixMs at) {
    const std::size_t symbol = dice_.pick(symbols_);
    switch (dice_.pick(10)) {
      case 0:
      case 1:
      case 2: return book(symbol, at, dice_.one_of(kLeanings));
      case 3:
      case 4:
      case 5: return trade(symbol, at);
      default: return ticker(symbol, at);
    }
  }

  // A book of this symbol that is a signal.
  SimulatedFrame signal(std::size_t symbol, Side side, UnixMs at) {
    return book(symbol, at, side == Side::buy ? 3 : -3);
  }

  // One that is not as it should be: its clock is wrong, or it is something else. None is so far
  // ahead that only a replica whose clock is wrong, too, would order for it: such an order counts
  // nowhere else (service::order_in).
  SimulatedFrame odd_frame(UnixMs at) {
    constexpr std::array kOdd{R"({"result":null,"id":1})", R"({"stream":"btcusdt@trade","da)",
                              R"({"e":"kline","s":"BTCUSDT"})", R"([1,2])"};
    if (dice_.chance(30)) return {++last_, at, dice_.one_of(kOdd)};
    const milliseconds off = dice_.between(milliseconds(-30'000), milliseconds(9'500));
    SimulatedFrame wrong = frame(at + off);
    wrong.at = at;
    return wrong;
  }

 private:
  // Of the volumes: to the bids above 1, to the asks below −1.
  static constexpr std::array<int, 5> kLeanings{3, 3, -3, -3, 1};

  SimulatedFrame book(std::size_t symbol, UnixMs at, int leaning) {
    ++last_;
    const BookText text{kSimulatedSymbols.at(symbol),
                        static_cast<std::int64_t>(last_),
                        ms_of(at),
                        {{99.9, leaning > 0 ? 1.0 * leaning : 1.0}},
                        {{100, leaning < 0 ? -1.0 * leaning : 1.0}}};
    return {last_, at, text.frame()};
  }
  // Every other one comes with a move of the price and much more than usual.
  SimulatedFrame trade(std::size_t symbol, UnixMs at) {
    ++last_;
    const bool is_large = dice_.chance(50);
    const bool sells = dice_.chance(40);
    const double price = !is_large ? 100 : sells ? 99.8 : 100.2;
    const TradeText text{kSimulatedSymbols.at(symbol),
                         static_cast<std::int64_t>(last_),
                         ms_of(at),
                         price,
                         is_large ? 20.0 : 1.0,
                         sells};
    return {last_, at, text.frame()};
  }
  SimulatedFrame ticker(std::size_t symbol, UnixMs at) {
    ++last_;
    const double price = 99.8 + 0.1 * static_cast<double>(dice_.pick(5));
    return {last_, at, TickerText{kSimulatedSymbols.at(symbol), ms_of(at), price}.frame()};
  }
  static std::int64_t ms_of(UnixMs at) { return at.time_since_epoch().count(); }

  Dice& dice_;
  const std::size_t symbols_;
  std::uint64_t last_ = 0;
};

}  // namespace rts::test
