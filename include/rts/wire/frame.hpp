// One frame as it stands on the wire → the event objects it carries, field by field, before any
// rule of ours has looked at them. The only room that knows the venue's key names and simdjson.
// Formats: the relay's envelope, Binance's combined stream, bare events, arrays of events.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <rts/base/enum_names.hpp>
#include <rts/base/time.hpp>
#include <rts/market/events.hpp>

namespace rts::wire {

inline constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 20U;
// An array frame with more elements is refused as too large; Binance's largest has under 1,000.
inline constexpr std::size_t kMaxEventsPerFrame = 4096;
inline constexpr std::size_t kMaxNesting = 512;

enum class FieldState : std::uint8_t {
  absent,  // no such key, or null
  valid,
  invalid,  // the right type, but not a number in the grammar or range that is asked for
  wrong_type,
};

template <class T>
struct Field {
  FieldState state = FieldState::absent;
  T value{};

  [[nodiscard]] bool valid() const noexcept { return state == FieldState::valid; }
};

using TextField = Field<std::string_view>;  // lives until the next open()
using IntegerField = Field<std::uint64_t>;  // 0 … 2^63−1
using NumberField = Field<double>;          // finite; sign and zero are the rules' business
using FlagField = Field<bool>;

// A side of a book as sent: the first 20 levels, and what was odd about the rest.
struct SideField {
  static constexpr std::size_t kMaxLevels = 20;

  FieldState state = FieldState::absent;  // of the first level that is not two numbers in range
  std::size_t level_count = 0;            // all that were sent
  bool has_zero_quantity = false;
  std::array<Level, kMaxLevels> first_levels;

  // Precondition: the state is valid.
  [[nodiscard]] std::span<const Level> levels() const noexcept {
    return {first_levels.data(), std::min(level_count, kMaxLevels)};
  }
};

// Events of one kind that number themselves independently of each other. Of one kind, the preferred
// source comes first.
BOOST_DEFINE_FIXED_ENUM_CLASS(Sequence, std::uint8_t, book, trade, aggregate_trade, ticker_24h,
                              mini_ticker_24h, ticker_1h, ticker_4h, ticker_1d)

// The sequence of the same kind, prints or prices, that is preferred above all others: those
// between it and the sequence itself are preferred to that, too.
[[nodiscard]] constexpr Sequence most_preferred(Sequence sequence) noexcept {
  if (sequence == Sequence::book) return Sequence::book;
  return sequence <= Sequence::aggregate_trade ? Sequence::trade : Sequence::ticker_24h;
}

// The letter under which a sequence's ids are quoted in an order's event_id ("u:50093239224").
[[nodiscard]] char id_letter(Sequence sequence) noexcept;

struct WireEvent {
  EventKind kind = EventKind::unknown;  // unknown: an object or element that is no event
  Sequence sequence = Sequence::book;
  bool is_depth_update = false;  // books: it says so itself, as spot's partial books do not
  TextField symbol;
  IntegerField event_time;          // as sent: milliseconds, or microseconds from 10^14 on
  IntegerField trade_time;          // T, likewise: when the venue's engine made the event
  IntegerField symbol_type;         // st: 1 USD-M, 2 COIN-M
  IntegerField id;                  // of the sequence; tickers have none but their event time
  NumberField price;                // trades; last price of tickers
  NumberField quantity;             // trades
  FlagField buyer_is_maker;         // trades
  TextField execution_type;         // trades
  const SideField* bids = nullptr;  // books; lives as long as the event
  const SideField* asks = nullptr;  // books
};

// What the relay or the combined stream wrote around the event. Views live until the next open().
struct Envelope {
  TextField stream;
  TextField timestamp;  // ISO 8601
  TextField message_id;
  TextField traceparent;  // W3C trace context, as sent
  TextField source;       // "simulation" is a made-up market's

  // "btcusdt@depth20@100ms" → "btcusdt"; empty for "!ticker@arr" and without a stream.
  [[nodiscard]] std::string_view symbol_prefix() const noexcept;
  // "btcusdt@depth20@100ms" → "depth20".
  [[nodiscard]] std::string_view channel() const noexcept;
};

// A line of a recording, which is text with one frame a line, either bare or
// "<receive time in ns> <frame>" (the format of hftbacktest's collector, so recordings
// interchange).
struct RecordedFrame {
  std::optional<UnixNs> received_at;  // empty: the recording has no receive times
  std::string_view frame;             // part of the line
};

// `line` without its line end. Empty for a line that carries no frame: a blank one, or a comment,
// which begins with '#'.
[[nodiscard]] std::optional<RecordedFrame> parse_recorded_line(std::string_view line) noexcept;

// What the service had heard at that point from the logs at the broker: an entry of the order log,
// a pause, a revision of the settings.
BOOST_DEFINE_FIXED_ENUM_CLASS(RecordedLog, std::uint8_t, order, pause, settings)

struct RecordedNote {
  RecordedLog log;
  std::string_view json;  // part of the line
};

// `line` without its line end: "# order {…}". Empty for every other line; "# order" without a '{'
// behind it is somebody's comment.
[[nodiscard]] std::optional<RecordedNote> parse_recorded_note(std::string_view line) noexcept;

enum class FrameError : std::uint8_t { too_large, malformed };

// Reads one frame at a time. All buffers are made at construction; open() and next() do not
// allocate. Not thread-safe; frames of any content are safe.
class FrameReader {
 public:
  FrameReader();
  ~FrameReader();
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;
  FrameReader(FrameReader&&) = delete;
  FrameReader& operator=(FrameReader&&) = delete;

  // Copies the frame and checks it whole: valid UTF-8, one complete JSON value, also in the
  // parts that are not used. Empty on success; then next() yields its events.
  [[nodiscard]] std::optional<FrameError> open(std::string_view frame);

  // The next event object, or null after the last. Lives until the next call of either function.
  [[nodiscard]] const WireEvent* next();

  // Valid after a successful open().
  [[nodiscard]] const Envelope& envelope() const noexcept;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace rts::wire
