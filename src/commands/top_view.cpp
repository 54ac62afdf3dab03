#include "commands/top_view.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>

namespace rts::commands {
namespace {

using wire::ServiceStatus;
using wire::StrategyStatus;

// --- Text of a width -----------------------------------------------------------------------------

// As a terminal shows it: East Asian and pictographic characters take two columns, and what
// combines with the one before takes none.
std::size_t columns(char32_t code) {
  using Block = std::pair<char32_t, char32_t>;
  constexpr std::array kNone{Block{0x300, 0x36F}, Block{0x200B, 0x200F}, Block{0x20D0, 0x20FF},
                             Block{0xFE00, 0xFE0F}};
  constexpr std::array kTwo{Block{0x1100, 0x115F},   Block{0x2E80, 0xA4CF},  Block{0xAC00, 0xD7A3},
                            Block{0xF900, 0xFAFF},   Block{0xFE30, 0xFE6F},  Block{0xFF00, 0xFF60},
                            Block{0x1F300, 0x1FAFF}, Block{0x20000, 0x3FFFD}};
  const auto has = [code](const Block& b) { return code >= b.first && code <= b.second; };
  return std::ranges::any_of(kNone, has) ? 0 : std::ranges::any_of(kTwo, has) ? 2 : 1;
}
std::size_t columns(std::string_view text) {
  std::size_t sum = 0;
  while (!text.empty()) sum += columns(take_character(text).code);
  return sum;
}

// Printable; what does not fit is cut, and ends in "…".
std::string fit(std::string_view text, std::size_t most) {
  const std::string safe = printable(text);
  std::string out;
  std::size_t used = 0, end = 0;  // of what leaves room for the mark
  for (std::string_view rest = safe; !rest.empty();) {
    const Character c = take_character(rest);
    used += columns(c.code);
    if (used > most) return most == 0 ? "" : out.substr(0, end) + "…";
    out += c.bytes;
    if (used < most) end = out.size();
  }
  return out;
}

// Of exactly that width.
std::string left(std::string_view text, std::size_t width) {
  std::string out = fit(text, width);
  return out.append(width - columns(out), ' ');
}
std::string right(std::string_view text, std::size_t width) {
  std::string out = fit(text, width);
  return out.insert(0, width - columns(out), ' ');
}

// In at most so many lines of that width; the last one may be longer.
std::vector<std::string> wrapped(std::string_view text, std::size_t width, std::size_t most) {
  std::vector<std::string> lines(1);
  const std::string safe = printable(text.substr(0, 4 * width * most));
  for (const std::string_view word : split(safe, ' ')) {
    const bool fits = lines.size() == most || columns(lines.back()) + 1 + columns(word) <= width;
    if (!fits && !lines.back().empty()) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
  }
  return lines;
}

// In five columns.
std::string short_number(double value) {
  if (value < 10) return fmt::format("{:.2g}", value);
  if (value < 100) return fmt::format("{:.3g}", value);
  if (value < 1e5) return fmt::format("{:.0f}", value);
  return value < 1e7 ? fmt::format("{:.0f}k", value / 1e3) : fmt::format("{:.3g}M", value / 1e6);
}
std::string short_number(const std::optional<double>& value) {
  return value ? short_number(*value) : "–";
}

std::string short_duration(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.3g}us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g}ms", seconds * 1e3);
  if (seconds < 120) return fmt::format("{:.3g}s", seconds);
  return seconds < 7200 ? fmt::format("{:.0f}min", seconds / 60)
                        : fmt::format("{:.0f}h", seconds / 3600);
}

// "2026-11-28T18:00:00.123Z" → "18:00:00".
std::string_view clock_of(std::string_view time) {
  return time.size() < 19 ? time : time.substr(11, 8);
}

// --- What is said of a replica -------------------------------------------------------------------

struct State {
  std::string_view what, text;
  Mood mood;
};
constexpr std::array kStates{
    State{"draining", "Draining", Mood::bad},
    State{"not_ready", "Not ready", Mood::bad},
    State{"paused", "Paused", Mood::warning},
    State{"disabled", "Off", Mood::bad},
    State{"dry_run", "Dry run", Mood::warning},
    State{"impaired", "Impaired", Mood::bad},
    State{"simulated_feed", "Simulated", Mood::warning},
    State{"no_feed", "No feed", Mood::bad},
    State{"strategy_paused", "In part", Mood::warning},
    State{"strategy_silent", "In part", Mood::warning},
};

State state_of(const Replica& replica) {
  if (!replica.status) return {"", "No answer", Mood::bad};
  const auto& notices = replica.status->notices;
  const std::string_view gravest = notices.empty() ? std::string_view() : notices.front().what;
  const auto known = std::ranges::find(kStates, gravest, &State::what);
  if (known != kStates.end()) return *known;
  return replica.status->trading ? State{"", "Trading", Mood::plain}
                                 : State{"", "Stopped", Mood::warning};
}

// The settings, by their hash, that do not have the most replicas.
std::vector<std::string_view> odd_settings(const TopView& view) {
  std::map<std::string_view, std::size_t> counts;
  for (const Replica& replica : view.replicas) {
    if (replica.status) ++counts[replica.status->settings_hash];
  }
  std::vector<std::string_view> odd;
  for (const auto& one : counts) {
    const auto has_as_many = [&](const auto& c) { return c.second >= one.second; };
    if (std::ranges::count_if(counts, has_as_many) > 1) odd.push_back(one.first);
  }
  return odd;
}

struct Column {
  std::string_view title;
  std::size_t width;
  std::string (*text)(const ServiceStatus& status, const Replica& replica);
};
std::string shown_lag(const ServiceStatus& status, const Replica& /*replica*/) {
  if (!status.lag) return "–";
  return (status.lag->beyond ? ">" : "≤") + short_duration(status.lag->seconds);
}
// On a narrow screen the last ones are left out; the name and the state stand in front.
constexpr std::array kColumns{
    Column{"FRAMES/S", 8,
           [](const auto&, const auto& r) { return short_number(r.frames_a_second); }},
    Column{"BOOK", 5, [](const auto& s, const auto&) { return short_number(s.rates[0]); }},
    Column{"TRADE", 5, [](const auto& s, const auto&) { return short_number(s.rates[1]); }},
    Column{"TICKER", 6, [](const auto& s, const auto&) { return short_number(s.rates[2]); }},
    Column{"P99 LAG", 7, shown_lag},
    Column{"ORDERS", 6, [](const auto& s, const auto&) { return std::to_string(s.orders); }},
    Column{"SETTINGS", 9, [](const auto& s, const auto&) { return s.settings_hash.substr(0, 8); }},
    Column{"BREAKER", 9, [](const auto& s, const auto&) { return s.breaker; }},
    Column{"UP", 6, [](const auto& s, const auto&) { return short_duration(s.uptime_seconds); }},
    Column{"VERSION", 16, [](const auto& s, const auto&) { return s.version; }},
};
constexpr std::size_t kNameWidth = 16, kStateWidth = 9;
constexpr std::size_t kOtherWidth = 63;  // the state and the columns up to the settings, on 80

std::string funnel_text(const StrategyStatus& strategy, bool is_hour) {
  if (!strategy.enabled) return "disabled";
  const wire::Funnel& funnel = is_hour ? strategy.hour : strategy.minute;
  std::string text = strategy.paused ? "paused: " : "";
  if (strategy.paused && !strategy.paused_by.empty()) {
    text = fmt::format("paused by {}; ", strategy.paused_by);
  }
  text += fmt::format("{} events", funnel.events);
  std::string_view separator = ": ";
  for (const auto& [outcome, count] : funnel.outcomes) {
    text += fmt::format("{}{} {}", std::exchange(separator, ", "), outcome, count);
    if (funnel.events > 0) {
      text += fmt::format(" ({:.1f}%)",
                          100.0 * static_cast<double>(count) / static_cast<double>(funnel.events));
    }
  }
  return text;
}

std::string order_text(const wire::OrderStatus& order) {
  // A sentence begins with the side and the price, too.
  const std::size_t colon = order.sentence.find(": ");
  const bool is_told = order.sentence.starts_with(order.side + ' ') && colon != std::string::npos;
  return fmt::format("{} {} {} {} at {} {} {}: {}", clock_of(order.time), order.symbol, order.side,
                     order.quantity, order.price, order.result.empty() ? "in flight" : order.result,
                     order.strategy, is_told ? order.sentence.substr(colon + 2) : order.sentence);
}

constexpr std::array kHelp{
    "q, Ctrl-C   quit",
    "↑ ↓, k j    another replica: funnels and orders are what it sees",
    "s, S        the next symbol, the one before",
    "m           the last minute, the last hour",
    "p           stop looking, and go on",
    "?           this, and back",
    "",
    "FRAMES/S    since the last look; BOOK, TRADE, TICKER: events a second, over 5 s",
    "P99 LAG     99 of 100 events were no older when they came, since the start",
    "SETTINGS    their hash; ≠ where more replicas, or as many, have others",
    "In part     a strategy is paused, or nothing comes that it looks at",
};
constexpr const char* kKeys = " q quit   ↑↓ replica   s/S symbol   m minute/hour   p stop   ? help";

// --- The page ------------------------------------------------------------------------------------

// Line by line, as far as there is room.
class Page {
 public:
  Page(const TopView& view, ScreenSize size)
      : view_(view), size_(size), rows_(size.rows - (view.has_keys && size.rows > 0 ? 1 : 0)) {}

  std::vector<TopLine> lines() {
    add_title();
    if (view_.has_help) {
      for (const char* const line : kHelp) add(line);
    } else {
      add_replicas();
      add_notices();
      add_gap();
      add_strategies();
      add_gap();
      add_orders();
    }
    if (rows_ == size_.rows) return std::move(lines_);
    lines_.resize(rows_);
    lines_.push_back({fit(kKeys, size_.columns), Mood::faint});
    return std::move(lines_);
  }

 private:
  void add(std::string_view text, Mood mood = Mood::plain) {
    if (lines_.size() < rows_) lines_.push_back({fit(text, size_.columns), mood});
  }
  // Behind `begin`, in at most times() lines.
  void add_wrapped(std::string begin, std::string_view text, Mood mood) {
    begin = fit(begin, size_.columns / 2);
    const std::size_t indent = columns(begin);
    for (const auto& line : wrapped(text, size_.columns - indent, times())) {
      add(std::exchange(begin, std::string(indent, ' ')) + line, mood);
    }
  }
  void add_gap() {
    if (size_.rows >= 24) add("");
  }
  // How much more there is of everything on a high screen.
  [[nodiscard]] std::size_t times() const { return std::max<std::size_t>(size_.rows / 16, 1); }
  [[nodiscard]] const Replica& selected() const { return view_.replicas[view_.selected]; }

  void add_title() {
    std::size_t answering = 0;
    double events = 0;
    for (const Replica& replica : view_.replicas) {
      if (!replica.status) continue;
      ++answering;
      for (const auto& rate : replica.status->rates) events += rate.value_or(0);
    }
    std::string time;
    append_iso8601(time, view_.at);
    add(fmt::format("top  {} UTC  {} of {} replicas answer  {} events/s in all{}", clock_of(time),
                    answering, view_.replicas.size(), short_number(events),
                    view_.is_stopped ? "  STOPPED" : ""),
        Mood::heading);
  }

  // Behind the name and the state, what `text` says of each column that there is room for.
  template <class Text>
  [[nodiscard]] std::string with_columns(std::string row, Text text) const {
    std::size_t used = columns(row);
    for (const Column& column : kColumns) {
      used += 1 + column.width;
      if (used > size_.columns) break;
      row += ' ' + right(text(column), column.width);
    }
    return row;
  }

  void add_replicas() {
    std::size_t width = kNameWidth;
    for (const Replica& replica : view_.replicas) {
      width = std::max(width, 1 + columns(replica.name));
    }
    width = std::min(width, std::max(size_.columns, kNameWidth + kOtherWidth) - kOtherWidth);
    add(with_columns(left(" REPLICA", width) + ' ' + left("STATE", kStateWidth),
                     [](const Column& column) { return std::string(column.title); }),
        Mood::heading);
    const auto odd = odd_settings(view_);
    const std::size_t count = view_.replicas.size();
    const std::size_t shown = std::min(count, std::max<std::size_t>(size_.rows / 3, 1));
    const std::size_t first = view_.selected < shown ? 0 : view_.selected + 1 - shown;
    for (std::size_t i = first; i < first + shown; ++i) {
      const Replica& replica = view_.replicas[i];
      const State state = state_of(replica);
      const std::string row = left((i == view_.selected ? '>' : ' ') + replica.name, width) + ' ' +
                              left(state.text, kStateWidth);
      if (!replica.status) {
        add(row + ' ' + replica.problem, state.mood);
        continue;
      }
      const bool is_odd = std::ranges::count(odd, replica.status->settings_hash) > 0;
      add(with_columns(row,
                       [&](const Column& column) {
                         const bool is_marked = is_odd && column.title == "SETTINGS";
                         return (is_marked ? "≠" : "") + column.text(*replica.status, replica);
                       }),
          state.mood);
    }
    if (shown < count) add(fmt::format(" … {} more", count - shown), Mood::faint);
  }

  // Each text once, behind the names of those who say it.
  void add_notices() {
    std::map<std::string_view, std::vector<std::string_view>> names;
    std::vector<std::string_view> texts;  // in the order in which they are met
    const auto note = [&](std::string_view text, std::string_view name) {
      if (names[text].empty()) texts.push_back(text);
      names[text].push_back(name);
    };
    const auto odd = odd_settings(view_);
    for (const Replica& replica : view_.replicas) {
      if (!replica.status) continue;
      for (const wire::Notice& notice : replica.status->notices) note(notice.text, replica.name);
      if (std::ranges::count(odd, replica.status->settings_hash) > 0) {
        note("has settings that others do not have; /info lists them", replica.name);
      }
    }
    const std::size_t shown = std::min(texts.size(), size_.rows / 5);
    for (const std::string_view text : std::span(texts).first(shown)) {
      const auto& those = names[text];
      add_wrapped(those.size() > 1 && those.size() == view_.replicas.size()
                      ? "! all: "
                      : fmt::format("! {}: ", fmt::join(those, ", ")),
                  text, Mood::warning);
    }
    if (shown < texts.size()) add(fmt::format("! … {} more", texts.size() - shown), Mood::warning);
  }

  void add_strategies() {
    const auto& status = selected().status;
    if (!status) return add(selected().name + " does not answer", Mood::heading);
    add(fmt::format("{}  the last {}, as {} sees it",
                    status->symbol.empty() ? "no symbol yet" : status->symbol,
                    view_.is_hour ? "hour" : "minute", selected().name),
        Mood::heading);
    for (const StrategyStatus& strategy : status->strategies) {
      add_wrapped(fmt::format("{:<16}", strategy.name), funnel_text(strategy, view_.is_hour),
                  !strategy.enabled ? Mood::faint
                  : strategy.paused ? Mood::warning
                                    : Mood::plain);
      if (!strategy.enabled || strategy.last_sentence.empty()) continue;
      add_wrapped(fmt::format("  {} ", clock_of(strategy.last_time)),
                  fmt::format("{}: {}", strategy.last_outcome, strategy.last_sentence),
                  Mood::plain);
    }
  }

  void add_orders() {
    add(fmt::format("last orders of {}{}", selected().name,
                    !view_.orders           ? ": not known"
                    : view_.orders->empty() ? ": none yet"
                                            : ""),
        Mood::heading);
    if (!view_.orders) return;
    for (auto order = view_.orders->rbegin(); order != view_.orders->rend(); ++order) {
      add(order_text(*order));
    }
  }

  const TopView& view_;
  ScreenSize size_;
  std::size_t rows_;  // without that of the keys
  std::vector<TopLine> lines_;
};

}  // namespace

std::vector<TopLine> lines_of(const TopView& view, ScreenSize size) {
  return Page(view, size).lines();
}

}  // namespace rts::commands
