#include "support/bench_frames.hpp"

#include <chrono>
#include <stdexcept>

#include "support/frames.hpp"

namespace rts::test {
namespace {

const std::vector<Symbol>& symbols() {
  static const std::vector kSymbols{*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"),
                                    *Symbol::from("BNBUSDT")};
  return kSymbols;
}

constexpr std::string_view kBook = "@depth20@";
constexpr std::string_view kTrade = "@trade\"";
constexpr std::string_view kTicker = "@ticker\"";

// What the market also sends: prints that are none, half frames, books that lost a side.
bool is_whole(const std::string& frame) {
  return frame.back() == '}' && frame.find("\"NA\"") == std::string::npos &&
         frame.find("[]") == std::string::npos;
}

}  // namespace

EngineParameters bench_parameters() {
  EngineParameters parameters;
  parameters.symbols = symbols();
  return parameters;
}

BenchFrames::BenchFrames(std::string_view kind, std::uint64_t seed)
    : kind_(kind), market_(symbols(), seed) {
  if (kind != "book" && kind != "trade" && kind != "ticker" && kind != "mixed") {
    throw std::invalid_argument("no such kind of frames: " + kind_);
  }
}

std::string_view BenchFrames::channel_of_next() {
  if (kind_ == "book") return kBook;
  if (kind_ == "trade") return kTrade;
  if (kind_ == "ticker") return kTicker;
  const std::uint64_t at = drawn_ * 61 % 100;  // 61 shares no factor with 100: a fixed shuffle
  return at < 60 ? kBook : at < 97 ? kTrade : kTicker;
}

std::vector<std::string> BenchFrames::next(std::size_t count) {
  std::vector<std::string> frames;
  while (frames.size() < count) {
    const UnixMs at = kNoon + std::chrono::milliseconds(10 * static_cast<std::int64_t>(drawn_));
    std::string frame(market_.next_frame(at));
    if (frame.find(channel_of_next()) == std::string::npos || !is_whole(frame)) continue;
    frames.push_back(std::move(frame));
    ++drawn_;
  }
  return frames;
}

}  // namespace rts::test
