// The venue's public archives (data.binance.vision), row by row: what a file is by its name, its
// header or its columns, what a row says, and the frame that it becomes. Spot and USD-M have the
// same rows but for columns that nobody reads. Nothing is guessed: what is not clear is a fault.
// No file and no clock. Usable from any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rts/base/enum_names.hpp>
#include <rts/base/result.hpp>
#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>

namespace rts::research {

BOOST_DEFINE_FIXED_ENUM_CLASS(ArchiveKind, std::uint8_t, klines, trades, aggtrades)

// What a file's name says; what it does not say is empty. The venue's own form is
// BTCUSDT-trades-2024-07-19.zip or BTCUSDT-1m-2023-01.csv; others write '_' for '-'. A name says no
// symbol unless it also says a kind or an interval.
struct ArchiveName {
  std::optional<Symbol> symbol;
  std::optional<ArchiveKind> kind;
  std::optional<std::chrono::milliseconds> interval;  // of klines
};
[[nodiscard]] ArchiveName read_archive_name(std::string_view path);

// A symbol as a file's name or a user has it; empty when no venue has such a one. Lower case is
// none: "data-1m.csv" is not of an instrument DATA.
[[nodiscard]] std::optional<Symbol> parse_archive_symbol(std::string_view text) noexcept;

// "1s", "5m", "4h", "1d", "1w"; empty when it is none.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_interval(
    std::string_view text) noexcept;

// A line of comma-separated values. The views are parts of the line.
struct Fields {
  static constexpr std::size_t kMaxCount = 16;  // the venue's archives have 12 at most

  std::array<std::string_view, kMaxCount> values;
  std::size_t count = 0;  // all that the line has, also those beyond kMaxCount
};
[[nodiscard]] Fields split_row(std::string_view line) noexcept;
// A header begins with a letter, a row with a digit.
[[nodiscard]] bool is_header(const Fields& fields) noexcept;

// Where in a row what is read stands.
struct Columns {
  static constexpr std::size_t kNone = Fields::kMaxCount;

  ArchiveKind kind = ArchiveKind::klines;
  std::size_t count = 0;
  std::size_t time = kNone;   // of klines: when they open
  std::size_t price = kNone;  // of klines: the close
  std::size_t close_time = kNone;
  std::size_t id = kNone, quantity = kNone, is_buyer_maker = kNone;  // not of klines
};

BOOST_DEFINE_FIXED_ENUM_CLASS(ColumnsFault, std::uint8_t, unknown, coin_margined, ambiguous)

[[nodiscard]] Result<Columns, ColumnsFault> columns_of_header(const Fields& header);
// The kind, where it is known, has to have rows of so many columns. Ambiguous: 7 columns are trades
// of spot or aggTrades of USD-M.
[[nodiscard]] Result<Columns, ColumnsFault> columns_without_header(std::optional<ArchiveKind> kind,
                                                                   std::size_t count) noexcept;

struct ArchiveRow {
  UnixMs at;                         // when it happened; klines: when they close
  UnixMs opened_at;                  // klines; else as `at`
  std::uint64_t id = 0;              // of the trade or aggTrade; klines: when they close, ms
  std::string_view price, quantity;  // as written; klines have no quantity
  bool is_buyer_maker = false;

  [[nodiscard]] std::chrono::milliseconds interval() const noexcept {  // of klines
    return at - opened_at + std::chrono::milliseconds(1);
  }
};

BOOST_DEFINE_FIXED_ENUM_CLASS(RowFault, std::uint8_t, header, columns, id, price, quantity, time,
                              close_time, is_buyer_maker, earlier, repeated, interval)
// As it is said of a row: "is earlier than the row before".
[[nodiscard]] std::string_view text_of(RowFault fault) noexcept;

// Times are ms, µs (the venue's spot files from 2025 on) or ISO 8601; prices and quantities as
// SPEC §2 has them. Klines without a close time last for `interval`. Precondition: where there is
// neither, it has been said (time) before.
[[nodiscard]] Result<ArchiveRow, RowFault> read_row(
    const Columns& columns, std::optional<std::chrono::milliseconds> interval,
    const Fields& fields) noexcept;

// Appends the row as a line of a recording: the time it happened as the time of receipt, and the
// frame of the venue's combined stream. A kline is a ticker with its close.
void append_recorded_line(std::string& out, const Symbol& symbol, ArchiveKind kind,
                          const ArchiveRow& row);

// The rows of one symbol and kind as they follow each other.
class ArchiveSequence {
 public:
  // Trades that are missing count as a gap when they are of a longer time: single ones are missing
  // everywhere, for what nobody traded in the book has a number, too.
  static constexpr std::chrono::seconds kMinSilence{60};

  struct Gap {
    UnixMs from, to;            // of the rows around it
    std::uint64_t missing = 0;  // rows
  };

  // Whether the engine would take the row for one it has seen. Rows come in the order of time.
  [[nodiscard]] bool repeats(const ArchiveRow& row) const noexcept;
  // The gap between this row and the last, where there is one.
  std::optional<Gap> take(ArchiveKind kind, const ArchiveRow& row) noexcept;

 private:
  bool has_last_ = false;
  UnixMs last_at_{};
  std::uint64_t last_id_ = 0;
};

}  // namespace rts::research
