// `replay`: recordings through the same engine that trades.
#include <algorithm>
#include <cassert>
#include <chrono>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/frame.hpp>
#include <rts/wire/json_compare.hpp>

#include "commands/input.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Where the orders go: a file, a comparison, or both.
class OrderSink {
 public:
  static constexpr std::size_t kMaxDifferences = 10;

  // `file` may be empty: the orders are only compared. Throws CommandError when the expected ones
  // cannot be read.
  OrderSink(std::optional<OutputFile> file, const Invocation& invocation) : file_(std::move(file)) {
    if (!invocation.has("expect")) return;
    expected_.emplace(invocation.option("expect"));
    if (!expected_->error().empty()) throw CommandError(ExitCode::bad_input, expected_->error());
  }

  void take(const std::string& line) {
    ++orders_;
    if (file_) file_->write(line);
    if (!expected_) return;
    const auto expected = next_expected();
    if (!expected) {
      report(fmt::format("order {}: unexpected {}", orders_, line.substr(0, line.size() - 1)));
      return;
    }
    const auto differences = wire::json_differences(*expected, line);
    if (differences.empty()) return;
    report(fmt::format("order {}: {}", orders_, fmt::join(differences, "; ")));
  }

  // Says which orders were expected and did not come, and the result of the comparison. The file is
  // finished; its loss comes behind what the comparison says.
  ExitCode finish() {
    if (expected_) {
      std::uint64_t number = orders_;
      while (const auto missing = next_expected()) {
        report(fmt::format("order {}: missing {}", ++number, *missing));
      }
      print_error("{} orders compared, {} different\n", number, differences_);
    }
    const bool written = !file_ || file_->finish();
    if (expected_ && !expected_->error().empty()) {
      print_error("replay: {}\n", expected_->error());
      return ExitCode::bad_input;
    }
    if (differences_ > 0) return ExitCode::different;
    return written ? ExitCode::ok : ExitCode::output_lost;
  }

  [[nodiscard]] bool is_lost() const noexcept { return file_ && file_->failed(); }
  [[nodiscard]] std::uint64_t orders() const noexcept { return orders_; }

 private:
  std::optional<std::string_view> next_expected() {
    for (;;) {
      const auto line = expected_->next();
      if (!line || line->find_first_not_of(" \r\t") != std::string_view::npos) return line;
    }
  }

  void report(const std::string& difference) {
    if (++differences_ <= kMaxDifferences) print_error("{}\n", difference);
  }

  std::optional<OutputFile> file_;
  std::optional<LineReader> expected_;
  std::uint64_t orders_ = 0;
  std::uint64_t differences_ = 0;
};

// How far along, on a terminal, ten times a second.
class Progress {
 public:
  explicit Progress(bool is_quiet) noexcept : enabled_(!is_quiet && ::isatty(STDERR_FILENO) == 1) {}

  void update(const LineReader& reader, std::uint64_t frames) {
    if (!enabled_ || frames % 1024 != 0 || SteadyClock::now() < next_) return;
    next_ = SteadyClock::now() + std::chrono::milliseconds(100);
    shown_ = true;
    if (reader.bytes_total() == 0) return write_error(fmt::format("\r{} frames", frames));
    constexpr std::size_t kWidth = 30;
    const std::size_t done = reader.bytes_read() * kWidth / reader.bytes_total();
    write_error(fmt::format("\r[{:<{}}] {:3} %  {} frames", std::string(done, '#'), kWidth,
                            reader.bytes_read() * 100 / reader.bytes_total(), frames));
  }

  void erase() {
    if (std::exchange(shown_, false)) write_error(fmt::format("\r{:60}\r", ""));
  }

 private:
  bool enabled_;
  bool shown_ = false;
  SteadyClock::time_point next_ = SteadyClock::now() + std::chrono::milliseconds(100);
};

// The setting that decides about an outcome, for the warning. Outcomes without a row have none: a
// signal, a neutral event, a strategy that is disabled.
struct Setting {
  Outcome outcome;
  std::string_view name;
};
constexpr std::array kSettings{
    Setting{Outcome::spread_below_minimum, "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT"},
    Setting{Outcome::spread_above_maximum, "ORDERBOOK_SKEW_MAX_SPREAD_PERCENT"},
    Setting{Outcome::below_min_quantity, "TRADE_MOMENTUM_MIN_QUANTITY"},
    Setting{Outcome::below_min_price_change, "TICKER_VELOCITY_MIN_PRICE_CHANGE"},
    Setting{Outcome::paused, "TRADING_PAUSED"},
    Setting{Outcome::shorts_disabled, "TRADING_ENABLE_SHORTS"},
    Setting{Outcome::low_confidence, "SIGNAL_MIN_CONFIDENCE"},
    Setting{Outcome::no_reference, "RISK_PRICE_BAND_PERCENT"},
    Setting{Outcome::price_band, "RISK_PRICE_BAND_PERCENT"},
    Setting{Outcome::cooldown, "SIGNAL_COOLDOWN_SECONDS"},
    Setting{Outcome::daily_limit, "RISK_MAX_DAILY_SIGNALS"},
    Setting{Outcome::rate_limit, "RISK_MAX_ORDERS_PER_MINUTE"},
    Setting{Outcome::size_limit, "TRADING_MAX_POSITION_SIZE"},
};

std::string_view setting_behind(StrategyId strategy, Outcome outcome) noexcept {
  if (outcome == Outcome::warming_up) {
    return strategy == StrategyId::trade_momentum ? "TRADE_MOMENTUM_WINDOW"
                                                  : "TICKER_VELOCITY_TIME_WINDOW";
  }
  for (const Setting& row : kSettings) {
    if (row.outcome == outcome) return row.name;
  }
  return {};
}

// What to do about events that are refused for a reason.
struct Remedy {
  Reason reason;
  std::string_view text;
};
constexpr std::array kRemedies{
    Remedy{Reason::symbol_not_traded,
           "TRADING_SYMBOLS and TRADING_QUOTE_ASSETS say what is traded"},
    Remedy{Reason::unsupported_kind, "only books, trades and tickers are of use"},
    Remedy{Reason::diff_depth, "only partial books are books: depth5, depth10 or depth20 streams"},
    Remedy{Reason::malformed, "a line holds one JSON frame as the exchange or the relay sends it"},
    Remedy{Reason::no_event_time,
           "a frame without a time of its own needs a receive time before it"},
    Remedy{Reason::unverified_symbol, "books without a symbol need fresh trades or tickers of it"},
};

// Below this many events a share says little, unless it is all of them.
constexpr std::uint64_t kEnoughEvents = 100;

bool is_nearly_all(std::uint64_t count, std::uint64_t events) noexcept {
  return count == events || (events >= kEnoughEvents && count * 100 > events * 99);
}

double percent(std::uint64_t count, std::uint64_t events) noexcept {
  return 100.0 * static_cast<double>(count) / static_cast<double>(events);
}

// The line an event came from.
struct Place {
  std::string file;
  std::uint64_t line = 0;
  std::string_view looks_like;  // what the line resembles; empty: not known
};

// What a line that is no frame may be instead.
std::string_view resemblance(std::string_view line) noexcept {
  const auto has = [&](char c, int times) {
    return std::count(line.begin(), line.end(), c) >= times;
  };
  if (line == "{" || line == "[") return "JSON spread over several lines";
  if (has('{', 1) || has('[', 1)) return {};
  if (line.starts_with('<')) return "HTML or XML";
  if (has(',', 2)) return "comma-separated values (CSV)";
  if (has(';', 2) || has('\t', 2)) return "a table";
  return {};
}

// What a recording gave, for the summary.
struct Replayed {
  using Span = std::pair<UnixMs, UnixMs>;
  using OrdersPerDay = std::map<std::string, std::array<std::uint64_t, count_of<StrategyId>>>;

  Tally tally;
  OrdersPerDay days;
  std::optional<Span> span;  // event times of what was evaluated
  std::array<std::optional<Place>, count_of<Reason>> first_refused;

  [[nodiscard]] const std::optional<Place>& first(Reason reason) const noexcept {
    return first_refused[index_of(reason)];
  }
  // Whether there was anything that is a frame.
  [[nodiscard]] bool is_usable() const noexcept {
    return tally.count(Reason::malformed) + tally.count(Reason::too_large) < tally.events();
  }
};

void print_strategy(const Tally& tally, StrategyId strategy) {
  const std::uint64_t events = tally.events(strategy);
  print_error("{}: {} events\n", to_string(strategy), events);
  for (const Outcome outcome : all_of<Outcome>) {
    const std::uint64_t count = tally.count(strategy, outcome);
    if (count == 0) continue;
    print_error("  {:<24} {:>10}\n", to_string(outcome), count);
    const std::string_view setting = setting_behind(strategy, outcome);
    if (setting.empty() || !is_nearly_all(count, events)) continue;
    print_error("  warning: {} refuses {:.1f} % of what {} sees, so it hardly ever trades; {}{}\n",
                to_string(outcome), percent(count, events), to_string(strategy), setting,
                outcome == Outcome::spread_below_minimum ? "=0 wakes it" : " decides that");
  }
}

void print_refused(const Replayed& replayed, Reason reason) {
  const std::uint64_t count = replayed.tally.count(reason);
  if (count == 0) return;
  const auto& first = replayed.first(reason);
  print_error("  {} {:<18} {:>10}", disposition(reason), to_string(reason), count);
  if (first && !is_ignored(reason)) {
    print_error("  first: {} line {}", first->file, first->line);
  }
  print_error("\n");
  const std::uint64_t events = replayed.tally.events();
  const bool decides = !replayed.span && count * 2 > events;  // nothing else came of the feed
  if (!decides && !is_nearly_all(count, events)) return;
  for (const Remedy& remedy : kRemedies) {
    if (remedy.reason != reason) continue;
    print_error("  warning: {:.1f} % of the events are {} for {}; {}\n", percent(count, events),
                disposition(reason), to_string(reason), remedy.text);
  }
}

void print_span(const Replayed& replayed, std::uint64_t orders) {
  if (!replayed.span) {
    print_error("no event was evaluated, so nothing could be ordered\n");
    return;
  }
  const auto& [first, last] = *replayed.span;
  std::string from;
  std::string to;
  append_iso8601(from, first);
  append_iso8601(to, last);
  const std::chrono::duration<double, std::ratio<3600>> hours = last - first;
  print_error("from {}Z to {}Z ({:.2f} h): {} orders", from, to, hours.count(), orders);
  if (last > first) print_error(", {:.1f} an hour", static_cast<double>(orders) / hours.count());
  print_error("\n");
}

void print_summary(const Replayed& replayed, std::uint64_t orders, double seconds) {
  const Tally& tally = replayed.tally;
  print_error("{} frames, {} events in {:.2f} s ({:.0f} frames/s)\n", tally.frames(),
              tally.events(), seconds, static_cast<double>(tally.frames()) / seconds);
  print_span(replayed, orders);
  for (const Reason reason : all_of<Reason>) print_refused(replayed, reason);
  for (const StrategyId strategy : all_of<StrategyId>) print_strategy(tally, strategy);
  for (const auto& [day, of_day] : replayed.days) {
    print_error("orders on {}:", day);
    for (const StrategyId strategy : all_of<StrategyId>) {
      print_error(" {} {}", to_string(strategy), of_day[index_of(strategy)]);
    }
    print_error("\n");
  }
}

// Why a recording could not be used. Precondition: it is not usable.
void print_unusable(const Replayed& replayed, const std::vector<std::string>& inputs) {
  assert(!replayed.is_usable());
  if (replayed.tally.events() == 0) {
    for (const std::string& path : inputs) {
      print_error("replay: {}: holds no frames\n", path == "-" ? "standard input" : path);
    }
    return;
  }
  const Reason reason = replayed.first(Reason::malformed) ? Reason::malformed : Reason::too_large;
  const Place& first = *replayed.first(reason);
  print_error("replay: {} line {}: {}", first.file, first.line, to_string(reason));
  if (!first.looks_like.empty()) print_error("; it looks like {}", first.looks_like);
  print_error(
      "; no line is a frame. A recording has one JSON frame a line, as the exchange or the "
      "relay sends it\n");
}

// One replay: the files, one after the other, through one engine.
class Replay {
 public:
  Replay(const config::Configuration& configuration, OrderSink& sink)
      : engine_(config::engine_parameters(configuration.settings, Clock::replay)),
        format_(configuration.settings.delivery.format),
        sink_(sink) {}

  // Until the end of the file or of what is wanted. False when the file could not be read to its
  // end; the error has been said.
  template <class IsWanted>
  bool read(const std::string& path, Progress progress, const IsWanted& is_wanted) {
    LineReader reader(path);
    while (is_wanted()) {
      const auto line = reader.next();
      if (!line) break;
      const auto recorded = wire::parse_recorded_line(*line);
      if (!recorded) continue;
      take(engine_.step(recorded->frame, recorded->received_at), reader, *line);
      progress.update(reader, result_.tally.frames());
    }
    progress.erase();
    if (!reader.error().empty()) print_error("replay: {}\n", reader.error());
    return reader.error().empty();
  }

  [[nodiscard]] const Replayed& result() const noexcept { return result_; }

 private:
  void take(const Step& step, const LineReader& reader, std::string_view line) {
    result_.tally.add(step);
    for (const EventRecord& record : step.events) {
      if (const Reason* reason = record.reason()) {
        auto& first = result_.first_refused[static_cast<std::size_t>(*reason)];
        if (!first) first = Place{reader.name(), reader.line_number(), resemblance(line)};
      } else {
        take(*record.decision());
      }
    }
  }

  void take(const Decision& decision) {
    auto& span = result_.span;
    if (!span) span = {decision.at, decision.at};
    span = {std::min(span->first, decision.at), std::max(span->second, decision.at)};
    if (!decision.order) return;
    line_.clear();
    append_json(line_, *decision.order, format_);
    line_ += '\n';
    sink_.take(line_);
    std::string day;
    append_iso8601_date(day, decision.at);
    ++result_.days[day][index_of(decision.strategy)];
  }

  Engine engine_;
  OrderFormat format_;
  OrderSink& sink_;
  Replayed result_;
  std::string line_;
};

ExitCode replay(const Invocation& invocation, const config::Configuration& configuration) {
  const std::vector<std::string> inputs =
      invocation.arguments.empty() ? std::vector<std::string>{"-"} : invocation.arguments;
  const auto is_missing = [](const std::string& path) {
    return path != "-" && ::access(path.c_str(), R_OK) != 0;
  };
  if (std::all_of(inputs.begin(), inputs.end(), is_missing)) {
    // Before an output is opened: a slip in a name must not empty an earlier result.
    for (const std::string& path : inputs) print_error("replay: {}: cannot be read\n", path);
    return ExitCode::bad_input;
  }
  const bool compares = invocation.has("expect");
  Outputs outputs(invocation);
  for (const std::string& path : inputs) outputs.keep(path);
  if (compares) outputs.keep(invocation.option("expect"));
  std::optional<OutputFile> orders, counts;
  if (invocation.has("orders")) {
    orders = outputs.open("--orders", invocation.option("orders"));
  } else if (!compares) {
    orders = outputs.open("orders", "-");
  }
  if (!invocation.option("counts").empty()) {
    counts = outputs.open("--counts", invocation.option("counts"));
  }
  OrderSink sink(std::move(orders), invocation);

  const auto begun = SteadyClock::now();
  const bool is_quiet = invocation.has("quiet");
  // Where only the orders are asked for and they are lost, there is no use in going on.
  const auto is_wanted = [&] { return counts || compares || !sink.is_lost(); };
  Replay run(configuration, sink);
  bool is_complete = true;
  for (const std::string& path : inputs) {
    is_complete = run.read(path, Progress(is_quiet), is_wanted) && is_complete;
  }
  const std::chrono::duration<double> took = SteadyClock::now() - begun;
  const Replayed& result = run.result();
  if (!is_quiet && is_wanted() && result.is_usable()) {
    print_summary(result, sink.orders(), took.count());
  }
  const ExitCode compared = sink.finish();
  bool is_written = true;
  if (counts) {
    counts->write(result.tally.to_json());
    is_written = counts->finish();
  }
  if (!is_complete) return ExitCode::bad_input;
  if (compared == ExitCode::bad_input || compared == ExitCode::different) return compared;
  if (!result.is_usable()) {
    print_unusable(result, inputs);
    return ExitCode::bad_input;
  }
  return is_written ? compared : ExitCode::output_lost;
}

constexpr std::array kOptions{
    Option{"--orders", "FILE", "write the orders there instead of standard output"},
    Option{"--counts", "FILE", "write how many events ended how, as JSON"},
    Option{"--expect", "FILE", "compare the orders with these; exit 1 with the differences"},
    Option{"--force", "", "overwrite the files of --orders and --counts where they exist"},
    Option{"--quiet", "", "no summary and no progress"}};

}  // namespace

constinit const Command kReplay{
    "replay",
    "[FILE…|-]",
    "run recordings through the same engine; orders as NDJSON to standard output",
    "realtime-strategies replay --counts counts.json recording.ndjson.gz",
    kOptions,
    Needs::decisions,
    replay};

}  // namespace rts::commands
