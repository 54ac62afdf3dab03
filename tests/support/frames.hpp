// Hand-made frames in Binance's and the relay's formats, for every kind of test. A frame is built
// as an Object: an ordered list of keys and raw JSON values, so that a test can bend one of them:
//   trade({.price = "100"}).set("p", "1e400").without("m").json()
// Facts of the format: Binance's stream documentation; times, ids and prices are invented.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rts/base/time.hpp>

namespace rts::test {

// 2024-07-19T12:00:00Z, a multiple of every cooldown the tests use.
inline constexpr std::int64_t kNoonMs = 1'721'390'400'000;
inline constexpr UnixMs kNoon{std::chrono::milliseconds(kNoonMs)};

// `text` between quotes, as it is.
[[nodiscard]] std::string quote(std::string_view text);

class Object {
 public:
  // Replaces the value of a key where it stands, or appends the key. `raw` is any text.
  Object& set(std::string_view key, std::string raw);
  // Appends the key whether or not it is there: duplicates.
  Object& add(std::string_view key, std::string raw);
  Object& without(std::string_view key);

  // {"e":"trade","E":1721390400000,…}
  [[nodiscard]] std::string json() const;
  // The same keys and values from the last to the first.
  [[nodiscard]] std::string reversed_json() const;
  operator std::string() const { return json(); }  // NOLINT(*-explicit-*): an object is a frame

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

struct TradeParts {
  std::string symbol = "BTCUSDT";
  std::int64_t at_ms = kNoonMs;
  std::uint64_t id = 1;
  std::string price = "100";
  std::string quantity = "1";
  bool buyer_is_maker = false;
  std::string execution_type = "MARKET";
};
// USD-M: e,E,T,s,t,p,q,X,m
[[nodiscard]] Object trade(const TradeParts& parts = {});
// USD-M: e,E,a,s,p,q,f,l,T,m; it has no X.
[[nodiscard]] Object agg_trade(const TradeParts& parts = {});

inline constexpr std::string_view kTickerEvents[]{"24hrTicker", "24hrMiniTicker", "1hTicker",
                                                  "4hTicker", "1dTicker"};
struct TickerParts {
  std::string event = "24hrTicker";
  std::string symbol = "BTCUSDT";
  std::int64_t at_ms = kNoonMs;
  std::string price = "100";
};
// With the keys around the price that each of the five kinds has.
[[nodiscard]] Object ticker(const TickerParts& parts = {});

struct LevelParts {
  std::string price;
  std::string quantity;
};
using Levels = std::vector<LevelParts>;
// `count` levels of quantity 1 from `best` on, `step` apart: {100, -1, 3} is 100, 99, 98.
[[nodiscard]] Levels ladder(int best, int step, int count);
// A partial book has 5 levels a side at least. One that is given fewer gets the rest far away from
// the market, of so little that no volume changes by it; a side without levels stays without.
[[nodiscard]] Levels filled_bids(Levels levels);
[[nodiscard]] Levels filled_asks(Levels levels);
// [["100","1"],["99","2"]]
[[nodiscard]] std::string levels_json(const Levels& levels);

struct BookParts {
  std::string symbol = "BTCUSDT";
  std::int64_t at_ms = kNoonMs;
  std::uint64_t id = 1;
  Levels bids{{"100", "3"}};  // filled, as asks are; a test of thin books sets "b" or "a" itself
  Levels asks{{"100.2", "2"}};
};
// A futures partial book, told from a diff by its stream name only: e,E,T,s,U,u,pu,b,a
[[nodiscard]] Object futures_book(const BookParts& parts = {});
// A spot partial book, without symbol and time: lastUpdateId,bids,asks
[[nodiscard]] Object spot_book(const BookParts& parts = {});

// {"stream":"btcusdt@trade","data":…}
[[nodiscard]] std::string combined(std::string_view stream, const std::string& data);
// A futures partial book as it must come: in the stream btcusdt@depth20@100ms of its symbol.
[[nodiscard]] std::string book_frame(const BookParts& parts = {});

struct EnvelopeParts {
  std::string stream = "btcusdt@trade";
  std::string timestamp = "2024-07-19T12:00:00.250000Z";
  std::string message_id = "6f1c2a9e-4f0a-4b0e-9a53-3f1f6f0c7f11";
  std::string traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
};
// The relay's: stream,data,timestamp,message_id,source,version,_otel_trace_context
[[nodiscard]] Object envelope(const EnvelopeParts& parts, const std::string& data);

// [a,b,c]
[[nodiscard]] std::string array(const std::vector<std::string>& elements);

// `depth` brackets around nothing: [[[]]] is 3.
[[nodiscard]] std::string nested_arrays(std::size_t depth);

// Answers of the venue in the middle of the data.
inline constexpr std::string_view kControlFrames[]{
    R"({"result":null,"id":1})",
    R"({"result":null,"id":1790526538965})",
    R"({"result":null,"id":"abc-1"})",
    R"({"result":null,"id":null})",
    R"({"result":[],"id":1})",
    R"({"result":["btcusdt@aggTrade"],"id":3})",
    R"({"result":true,"id":2})",
    R"({"error":{"code":2,"msg":"Invalid request"},"id":2})",
    R"({"error":"blahblah"})",
    R"({"code":2,"msg":"Invalid request: property name must be a string"})",
    R"({"code":-1121,"msg":"Invalid symbol.","id":3})",
    R"({"id":7})",
    R"({"id":null,"result":null})",
    R"([])",
    R"({"stream":"!ticker@arr","data":[]})",
};

}  // namespace rts::test
