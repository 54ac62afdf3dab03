#include "support/bench_frames.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>

namespace rts::test {
namespace {

constexpr std::string_view kBook = "@depth20@";
constexpr std::string_view kTrade = "@trade\"";
constexpr std::string_view kTicker = "@ticker\"";

// What the market also sends: prints that are none, half frames, books that lost a side.
bool is_whole(const std::string& frame) {
  return frame.back() == '}' && frame.find("\"NA\"") == std::string::npos &&
         frame.find("[]") == std::string::npos;
}

// {"b":[["1","2"],["3","4"]],…} with the first `levels` of each side.
void cut_sides(std::string& frame, std::size_t levels) {
  for (const std::string_view side : {R"("b":[)", R"("a":[)"}) {
    std::size_t at = frame.find(side) + side.size();
    const std::size_t end = frame.find("]]", at) + 1;
    for (std::size_t level = 0; level < levels; ++level) at = frame.find(']', at) + 1;
    if (at < end) frame.erase(at, end - at);
  }
}

void cut_book(std::string& frame, std::size_t levels) {
  constexpr std::string_view kChannel = "depth20";
  frame.replace(frame.find(kChannel), kChannel.size(), fmt::format("depth{}", levels));
  cut_sides(frame, levels);
}

}  // namespace

std::vector<Symbol> bench_symbols(std::size_t count) {
  std::vector<Symbol> symbols{*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"),
                              *Symbol::from("BNBUSDT")};
  while (symbols.size() < count) {
    symbols.push_back(*Symbol::from(fmt::format("COIN{:03}USDT", symbols.size())));
  }
  return symbols;
}

EngineParameters bench_parameters() {
  EngineParameters parameters;
  parameters.symbols = bench_symbols();
  return parameters;
}

BenchFrames::BenchFrames(std::string_view kind, const BenchFeed& feed)
    : kind_(kind),
      start_(feed.start),
      apart_(kind == "ticker" ? 330 : 10),
      market_(feed.symbols, 1) {
  constexpr std::array<std::string_view, 6> kKinds{"book",  "book5",  "book10",
                                                   "trade", "ticker", "mixed"};
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
    throw std::invalid_argument("no such kind of frames: " + kind_);
  }
}

std::string_view BenchFrames::channel_of_next() const {
  if (kind_ == "trade") return kTrade;
  if (kind_ == "ticker") return kTicker;
  if (kind_ != "mixed") return kBook;
  const std::uint64_t at = drawn_ * 61 % 100;  // 61 shares no factor with 100: a fixed shuffle
  return at < 60 ? kBook : at < 97 ? kTrade : kTicker;
}

std::vector<std::string> BenchFrames::next(std::size_t count) {
  std::vector<std::string> frames;
  while (frames.size() < count) {
    std::string frame(market_.next_frame(time()));
    if (frame.find(channel_of_next()) == std::string::npos || !is_whole(frame)) continue;
    if (kind_ == "book5") cut_book(frame, 5);
    if (kind_ == "book10") cut_book(frame, 10);
    frames.push_back(std::move(frame));
    ++drawn_;
  }
  return frames;
}

std::string mark_frame(std::uint64_t id, UnixMs at) {
  const std::int64_t ms = at.time_since_epoch().count();
  std::string sides;
  for (const bool bids : {true, false}) {
    sides += bids ? R"(,"b":[)" : R"(],"a":[)";
    for (int level = 0; level < 20; ++level) {
      const double price = bids ? 10 - level * 0.01 : 10.02 + level * 0.01;
      sides += fmt::format(R"({}["{:.4f}","{}"])", level == 0 ? "" : ",", price,
                           bids ? "1000.000" : "0.001");
    }
  }
  std::string iso;
  append_iso8601(iso, at);
  return fmt::format(R"({{"stream":"markusdt@depth20@100ms","data":{{"e":"depthUpdate","E":{},)"
                     R"("T":{},"s":"{}","U":{},"u":{},"pu":{}{}]}},"timestamp":"{}Z",)"
                     R"("message_id":"6f1c2a9e-4f0a-4b0e-9a53-3f1f6f0c7f11",)"
                     R"("source":"binance-websocket","version":"1.0"}})",
                     ms, ms - 1, kMarkSymbol, id, id, id - 1, sides, iso);
}

}  // namespace rts::test
