// What a service says at "/", as text: shortened where nothing of it is read. For tests only.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace rts::test {

struct StatusText {
  std::string id = "a1";
  bool trading = true;
  std::string notices{};  // as JSON, without the brackets
  std::uint64_t frames = 1000;
  double uptime_seconds = 100;
  std::string symbol = "BTCUSDT";
  std::string settings = "0123456789abcdef";

  [[nodiscard]] std::string text() const {
    constexpr const char* kStrategy =
        R"({{"enabled":{},"paused":{},"paused_by":{},"last":{{"number":7,"time":)"
        R"("2026-11-28T18:00:01.000Z","symbol":"{}","outcome":"neutral","sentence":"{}"}},)"
        R"("minute":{{"since":"2026-11-28T17:59:00Z","events":600,"outcomes":)"
        R"({{"spread_below_minimum":590,"neutral":9,"signal_buy":1}}}},)"
        R"("hour":{{"since":"2026-11-28T17:00:00Z","events":36000,"outcomes":)"
        R"({{"neutral":36000}}}}}})";
    constexpr const char* kHistogram = R"({{"le":[0.01,0.1,1],"count":[{}]}})";
    const auto strategy = [&](bool enabled, bool paused, const char* by, const char* sentence) {
      return fmt::format(fmt::runtime(kStrategy), enabled, paused, by, symbol, sentence);
    };
    const auto histogram = [&](const char* counts) {
      return fmt::format(fmt::runtime(kHistogram), counts);
    };
    return fmt::format(
        R"({{"service":"petrosa-realtime-strategies","version":"1.2.3","commit":"abcdef0",)"
        R"("environment":"test","id":"{}","time":"2026-11-28T18:00:00.000Z","uptime_seconds":{},)"
        R"("trading":{},"notices":[{}],"delivery":{{"mode":"core","breaker":"closed"}},)"
        R"("feed":{{"frames":{},"events":1240,"rates":{{"seconds":5,"book":[1,70.4],"trade":[20],)"
        R"("ticker":[]}},"symbols":[{{"symbol":"BTCUSDT","book":0.12,"trade":null,"ticker":3.2}},)"
        R"({{"symbol":"ETHUSDT","book":0.1,"trade":0.2,"ticker":0.3}}]}},)"
        R"("orders":{{"total":7,"changes":14,"by_result":{{"confirmed":7}}}},"symbol":"{}",)"
        R"("strategies":{{"orderbook_skew":{},"trade_momentum":{},"ticker_velocity":{}}},)"
        R"("latency":{{"lag_book":{},"lag_trade":{},"lag_ticker":{}}},)"
        R"("settings":{{"hash":"{}","sequence":null,"pending":0}},"replicas":[]}})",
        id, uptime_seconds, trading, notices, frames, symbol,
        strategy(true, false, "null", "ratio 1.05: it buys above 1.2, 0.15 away"),
        strategy(true, true, R"("me@here: maintenance")", "momentum 0.1"),
        strategy(false, false, "null", "it is switched off"), histogram("990,10,0,0"),
        histogram("980,15,5,0"), histogram("0,0,0,0"), settings);
  }
};

// What it says at /decisions?outcome=signal of two orders, the older one first.
inline constexpr const char* kOrdersText =
    R"({"decisions":[{"number":5,"time":"2026-11-28T17:58:00.000Z","symbol":"ETHUSDT","strategy":)"
    R"("trade_momentum","outcome":"signal_sell","signal":{"side":"SELL","price":3500.5,)"
    R"("confidence":0.8},"order":{"id":"x","quantity":0.25,"result":null},"sentence":"first"},)"
    R"({"number":7,"time":"2026-11-28T17:59:00.000Z","symbol":"BTCUSDT","strategy":)"
    R"("orderbook_skew","outcome":"signal_buy","signal":{"side":"BUY","price":63993,)"
    R"("confidence":0.8},"order":{"id":"y","quantity":0.002,"result":"confirmed"},)"
    R"("sentence":"BUY 0.95 at 63993: ratio 1.5 is above 1.2"}]})";

}  // namespace rts::test
