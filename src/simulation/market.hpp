// A made-up market for demonstrations, smoke tests and load: a few symbols that are calm, trend,
// burst or have one-sided books, written in Binance's wire formats inside the relay's envelope, a
// few broken frames among them. Every envelope says `"source":"simulation"`, so that a service in
// production can refuse it. The same seed gives the same frames. No clock: time is passed in.
#pragma once

#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>

namespace rts::simulation {

class Market {
 public:
  // Precondition: `symbols` is not empty. The frames' ids count from `first_id`.
  Market(const std::vector<Symbol>& symbols, std::uint64_t seed, std::uint64_t first_id = 0);

  // The next frame, as of `now`. It lives until the next call. Of 100 frames about 55 are depth20
  // books, 38 trades, 4 tickers, 2 of kinds that are not traded on and 1 broken or not a print.
  [[nodiscard]] std::string_view next_frame(UnixMs now);

 private:
  enum class Mood : std::uint8_t { calm, up, down, burst, bid_heavy, ask_heavy };
  struct Listing {
    std::string_view symbol;
    double tick;
    int decimals;
    std::int64_t open_ticks;
  };
  struct Instrument : Listing {
    std::string name;         // "BTCUSDT"
    std::string stream_name;  // "btcusdt"
    std::int64_t mid_ticks = open_ticks;
    std::uint64_t trade_id = 1'000'000;
    std::uint64_t update_id = 1'000'000'000;
    Mood mood = Mood::calm;
    UnixMs mood_until{};

    [[nodiscard]] std::string price(std::int64_t ticks) const;
  };

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  [[nodiscard]] std::int64_t now_ms() const { return now_.time_since_epoch().count(); }
  void move(Instrument& instrument);
  void write_book(Instrument& instrument);
  void write_trade(Instrument& instrument, std::string_view execution_type);
  void write_ticker(const Instrument& instrument);
  void write_book_ticker(const Instrument& instrument);
  void write_broken(Instrument& instrument);
  // The frame: an event, whose members are formatted, in the relay's envelope.
  template <class... Values>
  void write(const Instrument& instrument, std::string_view channel,
             fmt::format_string<Values...> members, Values&&... values) {
    frame_ = fmt::format(R"({{"stream":"{}@{}","data":{{)", instrument.stream_name, channel);
    fmt::format_to(std::back_inserter(frame_), members, std::forward<Values>(values)...);
    end_envelope();
  }
  void end_envelope();

  UnixMs now_{};
  std::mt19937_64 random_;
  std::vector<Instrument> instruments_;
  std::string frame_;
};

}  // namespace rts::simulation
