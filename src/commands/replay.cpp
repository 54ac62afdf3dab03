#include "commands/replay.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/json_compare.hpp>
#include <rts/wire/recording.hpp>

#include "commands/input.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Where the orders go: a file, a comparison, or both.
class OrderSink {
 public:
  static constexpr std::size_t kMaxDifferences = 10;

  // `out` may be null: the orders are only compared.
  explicit OrderSink(OutputFile* out) : out_(out) {}

  // False when the file cannot be read; that has been said.
  [[nodiscard]] bool expect(const std::string& path) {
    expected_ = std::make_unique<LineReader>(path);
    return can_compare();
  }

  void take(const std::string& line) {
    ++orders_;
    if (out_ != nullptr) out_->write(line);
    if (!expected_) return;
    const auto expected = next_expected();
    if (!expected) {
      report(fmt::format("order {}: unexpected {}", orders_, line.substr(0, line.size() - 1)));
      return;
    }
    std::string what;
    for (const auto& difference : wire::json_differences(*expected, line)) {
      what += (what.empty() ? "" : "; ") + difference;
    }
    if (!what.empty()) report(fmt::format("order {}: {}", orders_, what));
  }

  // Orders that were expected and did not come; then the verdict on stderr.
  void conclude() {
    if (!expected_) return;
    std::uint64_t number = orders_;
    while (const auto missing = next_expected()) {
      report(fmt::format("order {}: missing {}", ++number, *missing));
    }
    print_error("{} orders compared, {} different\n", number, differences_);
  }

  // False when the expected orders could not be read to their end; that has been said.
  [[nodiscard]] bool can_compare() const {
    if (!expected_ || expected_->error().empty()) return true;
    print_error("replay: {}\n", expected_->error());
    return false;
  }
  [[nodiscard]] bool differs() const noexcept { return differences_ > 0; }
  [[nodiscard]] bool failed() const noexcept { return out_ != nullptr && out_->failed(); }
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

  OutputFile* out_;
  std::unique_ptr<LineReader> expected_;
  std::uint64_t orders_ = 0;
  std::uint64_t differences_ = 0;
};

// How far along, on a terminal, ten times a second.
class Progress {
 public:
  explicit Progress(bool enabled) noexcept
      : enabled_(enabled && ::isatty(STDERR_FILENO) == 1), next_(SteadyClock::now() + kInterval) {}
  ~Progress() {
    if (shown_) write_error(fmt::format("\r{:60}\r", ""));
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;

  void update(const LineReader& reader, std::uint64_t frames) {
    if (!enabled_ || frames % 1024 != 0 || SteadyClock::now() < next_) return;
    next_ = SteadyClock::now() + kInterval;
    shown_ = true;
    if (reader.bytes_total() == 0) {
      write_error(fmt::format("\r{} frames", frames));
      return;
    }
    constexpr std::size_t kWidth = 30;
    const std::size_t done = reader.bytes_read() * kWidth / reader.bytes_total();
    write_error(fmt::format("\r[{:<{}}] {:3} %  {} frames", std::string(done, '#'), kWidth,
                            reader.bytes_read() * 100 / reader.bytes_total(), frames));
  }

 private:
  static constexpr std::chrono::milliseconds kInterval{100};
  bool enabled_;
  bool shown_ = false;
  SteadyClock::time_point next_;
};

using OrdersPerDay = std::map<std::string, std::array<std::uint64_t, kStrategies.size()>>;

// The setting that loosens a gate, for the warning.
std::string_view setting_behind(StrategyId strategy, Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::spread_below_minimum:
      return "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT";
    case Outcome::spread_above_maximum:
      return "ORDERBOOK_SKEW_MAX_SPREAD_PERCENT";
    case Outcome::below_min_quantity:
      return "TRADE_MOMENTUM_MIN_QUANTITY";
    case Outcome::below_min_price_change:
      return "TICKER_VELOCITY_MIN_PRICE_CHANGE";
    case Outcome::warming_up:
      return strategy == StrategyId::trade_momentum ? "TRADE_MOMENTUM_WINDOW"
                                                    : "TICKER_VELOCITY_TIME_WINDOW";
    case Outcome::paused:
      return "TRADING_PAUSED";
    case Outcome::shorts_disabled:
      return "TRADING_ENABLE_SHORTS";
    case Outcome::low_confidence:
      return "SIGNAL_MIN_CONFIDENCE";
    case Outcome::no_reference:
    case Outcome::price_band:
      return "RISK_PRICE_BAND_PERCENT";
    case Outcome::cooldown:
      return "SIGNAL_COOLDOWN_SECONDS";
    case Outcome::daily_limit:
      return "RISK_MAX_DAILY_SIGNALS";
    case Outcome::rate_limit:
      return "RISK_MAX_ORDERS_PER_MINUTE";
    case Outcome::size_limit:
      return "TRADING_MAX_POSITION_SIZE";
    case Outcome::disabled:  // somebody has said so
    case Outcome::neutral:
    case Outcome::signal_buy:
    case Outcome::signal_sell:
      return {};
  }
  return {};
}

// What would make events of a recording count that are refused for a reason.
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
  std::string_view looks_like;  // what the line resembles; empty: nothing we know
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

// What was seen, for the summary.
struct Findings {
  using Span = std::pair<UnixMs, UnixMs>;

  Tally tally;
  OrdersPerDay days;
  std::optional<Span> span;  // event times of what was evaluated
  std::array<std::optional<Place>, kReasonCount> first_refused;

  // Whether there was anything that is a frame.
  [[nodiscard]] bool usable() const noexcept {
    return tally.count(Reason::malformed) + tally.count(Reason::too_large) < tally.events();
  }
};

void print_strategy(const Tally& tally, StrategyId strategy) {
  const std::uint64_t events = tally.events(strategy);
  print_error("{}: {} events\n", to_string(strategy), events);
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
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

void print_refused(const Findings& findings, Reason reason) {
  const std::uint64_t count = findings.tally.count(reason);
  if (count == 0) return;
  const auto& first = findings.first_refused[static_cast<std::size_t>(reason)];
  print_error("  {} {:<18} {:>10}", disposition(reason), to_string(reason), count);
  if (first && !is_ignored(reason)) {
    print_error("  first: {} line {}", first->file, first->line);
  }
  print_error("\n");
  const std::uint64_t events = findings.tally.events();
  const bool decides = !findings.span && count * 2 > events;  // nothing else came of the feed
  if (!decides && !is_nearly_all(count, events)) return;
  for (const Remedy& remedy : kRemedies) {
    if (remedy.reason != reason) continue;
    print_error("  warning: {:.1f} % of the events are {} for {}; {}\n", percent(count, events),
                disposition(reason), to_string(reason), remedy.text);
  }
}

void print_span(const Findings& findings, std::uint64_t orders) {
  if (!findings.span) {
    print_error("no event was evaluated, so nothing could be ordered\n");
    return;
  }
  const auto& [first, last] = *findings.span;
  std::string from;
  std::string to;
  append_iso8601(from, first);
  append_iso8601(to, last);
  const std::chrono::duration<double, std::ratio<3600>> hours = last - first;
  print_error("from {}Z to {}Z ({:.2f} h): {} orders", from, to, hours.count(), orders);
  if (last > first) print_error(", {:.1f} an hour", static_cast<double>(orders) / hours.count());
  print_error("\n");
}

void print_summary(const Findings& findings, std::uint64_t orders, double seconds) {
  const Tally& tally = findings.tally;
  print_error("{} frames, {} events in {:.2f} s ({:.0f} frames/s)\n", tally.frames(),
              tally.events(), seconds, static_cast<double>(tally.frames()) / seconds);
  print_span(findings, orders);
  for (std::size_t i = 0; i < kReasonCount; ++i) print_refused(findings, reason_at(i));
  for (const StrategyId strategy : kStrategies) print_strategy(tally, strategy);
  for (const auto& [day, of_day] : findings.days) {
    print_error("orders on {}:", day);
    for (const StrategyId strategy : kStrategies) {
      print_error(" {} {}", to_string(strategy), of_day[index_of(strategy)]);
    }
    print_error("\n");
  }
}

// Why a recording could not be used. Precondition: it was read to its end and is not usable.
void print_unusable(const Findings& findings, const std::vector<std::string>& inputs) {
  if (findings.tally.events() == 0) {
    for (const std::string& path : inputs) {
      print_error("replay: {}: holds no frames\n", path == "-" ? "standard input" : path);
    }
    return;
  }
  const auto& malformed = findings.first_refused[static_cast<std::size_t>(Reason::malformed)];
  const auto& large = findings.first_refused[static_cast<std::size_t>(Reason::too_large)];
  const Reason reason = malformed ? Reason::malformed : Reason::too_large;
  const Place& first = malformed ? *malformed : *large;
  print_error("replay: {} line {}: {}", first.file, first.line, to_string(reason));
  if (!first.looks_like.empty()) print_error("; it looks like {}", first.looks_like);
  print_error(
      "; no line is a frame. A recording has one JSON frame a line, as the exchange or the "
      "relay sends it\n");
}

struct ReplayOptions {
  bool quiet = false;
  bool only_orders = false;  // nothing else is told: without a reader there is no use in going on
};

// One replay: the files, one after the other, through one engine.
class Replay {
 public:
  Replay(const config::Configuration& configuration, OrderSink& sink, ReplayOptions options)
      : engine_(config::engine_parameters(configuration.settings, Clock::replay)),
        format_(configuration.settings.delivery.format),
        sink_(sink),
        options_(options) {}

  // False when the file could not be read to its end; the error has been said.
  bool read(const std::string& path) {
    LineReader reader(path);
    {
      Progress progress(!options_.quiet);
      while (!is_pointless()) {
        const auto line = reader.next();
        if (!line) break;
        const auto recorded = wire::parse_recorded_line(*line);
        if (!recorded) continue;
        take(engine_.step(recorded->frame, recorded->received_at), reader, *line);
        progress.update(reader, findings_.tally.frames());
      }
    }
    if (reader.error().empty()) return true;
    print_error("replay: {}\n", reader.error());
    return false;
  }

  // Whether nobody would learn of what is still to come.
  [[nodiscard]] bool is_pointless() const noexcept {
    return options_.only_orders && sink_.failed();
  }
  [[nodiscard]] const Findings& findings() const noexcept { return findings_; }

 private:
  void take(const Step& step, const LineReader& reader, std::string_view line) {
    findings_.tally.add(step);
    for (const EventRecord& record : step.events) {
      if (const Reason* reason = record.reason()) {
        auto& first = findings_.first_refused[static_cast<std::size_t>(*reason)];
        if (!first) first = Place{reader.name(), reader.line_number(), resemblance(line)};
        continue;
      }
      take(*record.decision());
    }
  }

  void take(const Decision& decision) {
    auto& span = findings_.span;
    if (!span) span = {decision.at, decision.at};
    span = {std::min(span->first, decision.at), std::max(span->second, decision.at)};
    if (!decision.order) return;
    line_.clear();
    append_json(line_, *decision.order, format_);
    line_ += '\n';
    sink_.take(line_);
    std::string day;
    append_iso8601_date(day, decision.at);
    ++findings_.days[day][index_of(decision.strategy)];
  }

  Engine engine_;
  OrderFormat format_;
  OrderSink& sink_;
  ReplayOptions options_;
  Findings findings_;
  std::string line_;
};

// The files of one replay, opened before anything is read.
struct Files {
  std::vector<std::string> inputs;
  std::optional<OutputFile> orders, counts;

  // `ok`, or what the command ends with; why has been said.
  ExitCode open(const Invocation& invocation) {
    inputs = invocation.arguments.empty() ? std::vector<std::string>{"-"} : invocation.arguments;
    Outputs outputs(invocation.has("force") ? Outputs::Existing::overwrite
                                            : Outputs::Existing::refuse);
    const auto is_missing = [](const std::string& path) {
      return path != "-" && ::access(path.c_str(), R_OK) != 0;
    };
    if (std::all_of(inputs.begin(), inputs.end(), is_missing)) {
      // Before an output is opened: a slip in a name must not empty an earlier result.
      for (const std::string& path : inputs) {
        print_error("replay: {}: cannot be read\n", path);
      }
      return ExitCode::bad_input;
    }
    for (const std::string& path : inputs) outputs.keep(path);
    const bool compares = invocation.has("expect");
    if (compares) outputs.keep(invocation.option("expect", ""));
    ExitCode code = ExitCode::ok;
    const auto open_one = [&](const std::string& option, const std::string& path) {
      std::optional<OutputFile> file;
      auto opened = outputs.open(option, path);
      if (opened) {
        file = std::move(opened).value();
      } else {
        print_error("replay: {}\n", opened.error().text);
        code = opened.error().code;
      }
      return file;
    };
    const std::string counts_path = invocation.option("counts", "");
    if (invocation.has("orders")) {
      orders = open_one("--orders", invocation.option("orders", ""));
    } else if (!compares) {
      orders = open_one("orders", "-");
    }
    if (code == ExitCode::ok && !counts_path.empty()) counts = open_one("--counts", counts_path);
    return code;
  }
};

}  // namespace

ExitCode replay(const Invocation& invocation, const config::Configuration& configuration) {
  Files files;
  if (const ExitCode code = files.open(invocation); code != ExitCode::ok) return code;
  OrderSink sink(files.orders ? &*files.orders : nullptr);
  if (invocation.has("expect") && !sink.expect(invocation.option("expect", ""))) {
    return ExitCode::bad_input;
  }

  const auto begun = SteadyClock::now();
  const bool quiet = invocation.has("quiet");
  Replay run(configuration, sink,
             {.quiet = quiet, .only_orders = !files.counts && !invocation.has("expect")});
  bool complete = true;
  for (const std::string& path : files.inputs) complete = run.read(path) && complete;
  const std::chrono::duration<double> took = SteadyClock::now() - begun;
  const Findings& findings = run.findings();
  const bool summarised = !quiet && !run.is_pointless() && findings.usable();
  if (summarised) print_summary(findings, sink.orders(), took.count());
  sink.conclude();

  bool written = !files.orders || files.orders->finish("replay");
  if (files.counts) {
    files.counts->write(findings.tally.to_json());
    written = files.counts->finish("replay") && written;
  }
  if (!complete || !sink.can_compare()) return ExitCode::bad_input;
  if (sink.differs()) return ExitCode::different;
  if (!findings.usable()) {
    print_unusable(findings, files.inputs);
    return ExitCode::bad_input;
  }
  return written ? ExitCode::ok : ExitCode::output_lost;
}

}  // namespace rts::commands
