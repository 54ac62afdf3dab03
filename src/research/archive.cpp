#include "research/archive.hpp"

#include <algorithm>
#include <cassert>
#include <span>

#include <rts/base/json_writer.hpp>
#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/market/units.hpp>

#include "wire/number_text.hpp"

namespace rts::research {
namespace {

using std::chrono::milliseconds;

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// --- Names --------------------------------------------------------------------------------------

std::optional<ArchiveKind> kind_of_name(std::string_view part) noexcept {
  for (const ArchiveKind kind : {ArchiveKind::trades, ArchiveKind::aggtrades}) {
    if (same_but_for_case(part, to_string(kind))) return kind;
  }
  return parse_interval(part) ? std::optional(ArchiveKind::klines) : std::nullopt;
}

// --- Headers ------------------------------------------------------------------------------------

// A column that is read, and how the archives call it: "is_buyer_maker" and "isBuyerMaker" are one.
struct Heading {
  std::size_t Columns::*place;
  std::array<std::string_view, 3> names;
  bool is_required = true;
};
constexpr std::array kOfKlines{Heading{&Columns::time, {"opentime", "date"}},
                               Heading{&Columns::price, {"close"}},
                               Heading{&Columns::close_time, {"closetime"}, false}};
constexpr std::array kOfTrades{
    Heading{&Columns::id, {"id", "tradeid"}}, Heading{&Columns::price, {"price"}},
    Heading{&Columns::quantity, {"qty", "quantity"}}, Heading{&Columns::time, {"time"}},
    Heading{&Columns::is_buyer_maker, {"isbuyermaker"}}};
constexpr std::array kOfAggTrades{Heading{&Columns::id, {"aggtradeid", "a"}},
                                  Heading{&Columns::price, {"price", "p"}},
                                  Heading{&Columns::quantity, {"quantity", "qty", "q"}},
                                  Heading{&Columns::time, {"transacttime", "time", "T"}},
                                  Heading{&Columns::is_buyer_maker, {"isbuyermaker", "m"}}};

std::span<const Heading> headings_of(ArchiveKind kind) noexcept {
  switch (kind) {
    case ArchiveKind::klines: return kOfKlines;
    case ArchiveKind::trades: return kOfTrades;
    case ArchiveKind::aggtrades: return kOfAggTrades;
  }
  return {};
}

// "is_buyer_maker" → "isbuyermaker"; of one letter the case says what it is ("m" and "M").
std::string heading_of(std::string_view name) {
  name = trimmed(name);
  if (name.size() == 1) return std::string(name);
  std::string heading = to_lower(name);
  std::erase_if(heading, [](char c) { return c == '_' || c == ' '; });
  return heading;
}

// Empty when a column that the kind needs is missing.
std::optional<Columns> columns_of(ArchiveKind kind, std::span<const std::string> header) {
  Columns columns{.kind = kind, .count = header.size()};
  for (const Heading& heading : headings_of(kind)) {
    const auto found = std::ranges::find_if(header, [&](const std::string& name) {
      return !name.empty() && std::ranges::count(heading.names, name) > 0;
    });
    if (found != header.end()) {
      columns.*heading.place = static_cast<std::size_t>(found - header.begin());
    } else if (heading.is_required) {
      return std::nullopt;
    }
  }
  return columns;
}

// --- Rows ---------------------------------------------------------------------------------------

// Before the venue's first trade (2017), and what no recording reaches: seconds, ns and other
// numbers are no times in ms or µs.
constexpr UnixMs kFirstTime{std::chrono::sys_days{std::chrono::year{2010} / 1 / 1}};
constexpr UnixMs kEndOfTime{std::chrono::sys_days{std::chrono::year{2100} / 1 / 1}};

std::optional<UnixMs> parse_time(std::string_view text) noexcept {
  std::optional<UnixMs> at;
  if (std::ranges::all_of(text, is_digit)) {
    const auto number = wire::parse_integer(text);
    if (!number) return std::nullopt;
    constexpr std::uint64_t kMicrosecondsFrom = 100'000'000'000'000;  // SPEC §2
    const std::uint64_t ms = *number >= kMicrosecondsFrom ? *number / 1000 : *number;
    at = UnixMs(milliseconds(static_cast<std::int64_t>(ms)));
  } else {
    at = parse_iso8601(text);
  }
  return at && *at >= kFirstTime && *at < kEndOfTime ? at : std::nullopt;
}

std::optional<bool> parse_flag(std::string_view text) noexcept {
  if (same_but_for_case(text, "true")) return true;
  if (same_but_for_case(text, "false")) return false;
  return std::nullopt;
}

// As SPEC §2 has the prices, and the quantities of trades.
bool is_market_number(std::string_view text) noexcept {
  const auto number = wire::parse_number(text);
  return number && Price::from(*number).has_value();
}

std::uint64_t ms_of(UnixMs at) noexcept {
  return static_cast<std::uint64_t>(at.time_since_epoch().count());
}

Result<ArchiveRow, RowFault> read_kline(const Columns& columns,
                                        std::optional<milliseconds> interval,
                                        const Fields& fields) noexcept {
  const auto opened_at = parse_time(fields.values[columns.time]);
  if (!opened_at) return Failure{RowFault::time};
  UnixMs closed_at = *opened_at + interval.value_or(milliseconds(0)) - milliseconds(1);
  if (columns.close_time != Columns::kNone) {
    const auto said = parse_time(fields.values[columns.close_time]);
    if (!said) return Failure{RowFault::close_time};
    closed_at = *said;
  }
  if (closed_at < *opened_at || closed_at >= kEndOfTime) return Failure{RowFault::close_time};
  const std::string_view price = fields.values[columns.price];
  if (!is_market_number(price)) return Failure{RowFault::price};
  return ArchiveRow{.at = closed_at,
                    .opened_at = *opened_at,
                    .id = ms_of(closed_at),
                    .price = price,
                    .quantity = {}};
}

Result<ArchiveRow, RowFault> read_trade(const Columns& columns, const Fields& fields) noexcept {
  const auto id = wire::parse_integer(fields.values[columns.id]);
  if (!id) return Failure{RowFault::id};
  const auto at = parse_time(fields.values[columns.time]);
  if (!at) return Failure{RowFault::time};
  const std::string_view price = fields.values[columns.price];
  if (!is_market_number(price)) return Failure{RowFault::price};
  const std::string_view quantity = fields.values[columns.quantity];
  if (!is_market_number(quantity)) return Failure{RowFault::quantity};
  const auto is_buyer_maker = parse_flag(fields.values[columns.is_buyer_maker]);
  if (!is_buyer_maker) return Failure{RowFault::is_buyer_maker};
  return ArchiveRow{*at, *at, *id, price, quantity, *is_buyer_maker};
}

// The stream's channel and the event's name.
struct Names {
  std::string_view channel, event;
};
Names names_of_kind(ArchiveKind kind) noexcept {
  switch (kind) {
    case ArchiveKind::klines: return {"miniTicker", "24hrMiniTicker"};
    case ArchiveKind::trades: return {"trade", "trade"};
    case ArchiveKind::aggtrades: return {"aggTrade", "aggTrade"};
  }
  return {};
}

}  // namespace

std::optional<Symbol> parse_archive_symbol(std::string_view text) noexcept {
  const bool is_lower = std::ranges::any_of(text, [](char c) { return to_upper(c) != c; });
  if (is_lower || !Symbol::may_name(text) || !is_plain_text(text)) return std::nullopt;
  return Symbol::from(text);
}

std::optional<milliseconds> parse_interval(std::string_view text) noexcept {
  using Unit = std::pair<char, std::chrono::seconds>;
  constexpr std::array<Unit, 5> kUnits{{{'s', std::chrono::seconds(1)},
                                        {'m', std::chrono::minutes(1)},
                                        {'h', std::chrono::hours(1)},
                                        {'d', std::chrono::days(1)},
                                        {'w', std::chrono::weeks(1)}}};
  constexpr int kMost = 1000;
  if (text.empty()) return std::nullopt;
  const auto unit = std::ranges::find(kUnits, text.back(), &Unit::first);
  const auto count = parse_as<int>(text.substr(0, text.size() - 1), 1, kMost);
  if (unit == kUnits.end() || !count) return std::nullopt;
  return *count * unit->second;
}

ArchiveName read_archive_name(std::string_view path) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  name = name.substr(0, name.find('.'));
  const char separator = name.find('-') != std::string_view::npos ? '-' : '_';
  const auto parts = split(name, separator);
  ArchiveName said;
  for (const std::string_view part : std::span(parts).subspan(1)) {
    if (!said.kind) said.kind = kind_of_name(part);
    if (!said.interval) said.interval = parse_interval(part);
  }
  if (said.kind) said.symbol = parse_archive_symbol(parts.front());
  return said;
}

Fields split_row(std::string_view line) noexcept {
  Fields fields;
  while (true) {
    const std::size_t end = std::min(line.find(','), line.size());
    if (fields.count < Fields::kMaxCount) fields.values[fields.count] = line.substr(0, end);
    ++fields.count;
    if (end == line.size()) return fields;
    line.remove_prefix(end + 1);
  }
}

bool is_header(const Fields& fields) noexcept {
  const std::string_view first = fields.values.front();
  return !first.empty() && is_letter(first.front());
}

Result<Columns, ColumnsFault> columns_of_header(const Fields& header) {
  if (header.count > Fields::kMaxCount) return Failure{ColumnsFault::unknown};
  std::vector<std::string> names;
  for (const std::string_view name : std::span(header.values).first(header.count)) {
    names.push_back(heading_of(name));
    // COIN-M's quantities are contracts.
    if (names.back().starts_with("base")) return Failure{ColumnsFault::coin_margined};
  }
  for (const ArchiveKind kind : all_of<ArchiveKind>) {
    if (const auto columns = columns_of(kind, names)) return *columns;
  }
  return Failure{ColumnsFault::unknown};
}

Result<Columns, ColumnsFault> columns_without_header(std::optional<ArchiveKind> kind,
                                                     std::size_t count) noexcept {
  constexpr Columns kKlines{
      .kind = ArchiveKind::klines, .count = 12, .time = 0, .price = 4, .close_time = 6};
  constexpr Columns kShortKlines{
      .kind = ArchiveKind::klines, .count = 6, .time = 0, .price = 4};  // as pandas users keep them
  constexpr Columns kTrades{.kind = ArchiveKind::trades,
                            .count = 6,
                            .time = 4,
                            .price = 1,
                            .id = 0,
                            .quantity = 2,
                            .is_buyer_maker = 5};
  constexpr Columns kAggTrades{.kind = ArchiveKind::aggtrades,
                               .count = 7,
                               .time = 5,
                               .price = 1,
                               .id = 0,
                               .quantity = 2,
                               .is_buyer_maker = 6};
  Columns found;
  if (!kind) {
    if (count == kTrades.count + 1) return Failure{ColumnsFault::ambiguous};
    found = count == kKlines.count ? kKlines : count == kTrades.count ? kTrades : kAggTrades;
  } else if (*kind == ArchiveKind::klines) {
    found = count == kShortKlines.count ? kShortKlines : kKlines;
  } else {
    found = *kind == ArchiveKind::trades ? kTrades : kAggTrades;
  }
  // Spot's trades and aggTrades have one column more, of which nothing is read.
  const bool may_have_one_more = found.kind != ArchiveKind::klines;
  if (count != found.count && (!may_have_one_more || count != found.count + 1)) {
    return Failure{ColumnsFault::unknown};
  }
  found.count = count;
  return found;
}

std::string_view text_of(RowFault fault) noexcept {
  switch (fault) {
    case RowFault::header: return "is no row, and no header of such rows";
    case RowFault::columns: return "has more or fewer columns than the rows before";
    case RowFault::id: return "has no whole number for its id";
    case RowFault::price: return "has no price above 0 and below 10^15";
    case RowFault::quantity: return "has no quantity above 0 and below 10^15";
    case RowFault::time: return "has no time in ms or µs, or as 2024-07-19T00:00Z";
    case RowFault::close_time: return "has no time of its close behind that of its opening";
    case RowFault::is_buyer_maker:
      return "says neither true nor false of the buyer being the maker";
    case RowFault::earlier: return "is earlier than the row before";
    case RowFault::repeated: return "is there already: its id is not above the last one";
    case RowFault::interval: return "lasts longer or shorter than the klines before";
  }
  return {};
}

Result<ArchiveRow, RowFault> read_row(const Columns& columns, std::optional<milliseconds> interval,
                                      const Fields& fields) noexcept {
  if (fields.count != columns.count) return Failure{RowFault::columns};
  return columns.kind == ArchiveKind::klines ? read_kline(columns, interval, fields)
                                             : read_trade(columns, fields);
}

void append_recorded_line(std::string& out, const Symbol& symbol, ArchiveKind kind,
                          const ArchiveRow& row) {
  const auto [channel, event] = names_of_kind(kind);
  std::string stream = to_lower(symbol.text());
  (stream += '@') += channel;
  JsonWriter(out).unsigned_integer(ms_of(row.at) * 1'000'000);
  out += ' ';
  JsonWriter json(out);
  json.begin_object().key("stream").string(stream).key("data").begin_object();
  json.key("e").string(event).key("E").unsigned_integer(ms_of(row.at));
  json.key("s").string(symbol.text());
  if (kind == ArchiveKind::klines) {
    json.key("c").string(row.price);
  } else {
    json.key(kind == ArchiveKind::trades ? "t" : "a").unsigned_integer(row.id);
    json.key("p").string(row.price).key("q").string(row.quantity);
    json.key("T").unsigned_integer(ms_of(row.at)).key("m").boolean(row.is_buyer_maker);
  }
  json.end_object().end_object();
  out += '\n';
}

bool ArchiveSequence::repeats(const ArchiveRow& row) const noexcept {
  // SPEC §2, rule 8: a lower id much later is a reset of the exchange.
  return has_last_ && row.id <= last_id_ && row.at <= last_at_ + kMinSilence;
}

std::optional<ArchiveSequence::Gap> ArchiveSequence::take(ArchiveKind kind,
                                                          const ArchiveRow& row) noexcept {
  Gap gap{last_at_, row.at};
  if (has_last_ && kind == ArchiveKind::klines && row.opened_at > last_at_) {
    const auto between = row.opened_at - last_at_ - milliseconds(1);
    gap.missing = static_cast<std::uint64_t>(between / row.interval());
  } else if (has_last_ && kind != ArchiveKind::klines && row.id > last_id_ &&
             row.at - last_at_ > kMinSilence) {
    gap.missing = row.id - last_id_ - 1;
  }
  has_last_ = true;
  last_at_ = row.at;
  last_id_ = row.id;
  return gap.missing > 0 ? std::optional(gap) : std::nullopt;
}

}  // namespace rts::research
