#include "app/replay.hpp"

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/json_compare.hpp>
#include <rts/wire/recording.hpp>

#include "app/input.hpp"

namespace rts::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileClose>;

// Where the orders go: a stream, a comparison, or both.
class OrderSink {
 public:
  static constexpr std::size_t kMaxDifferences = 10;

  explicit OrderSink(std::FILE* out) : out_(out) {}

  // False when the file cannot be read; that has been said.
  [[nodiscard]] bool expect(const std::string& path) {
    expected_ = std::make_unique<LineReader>(path);
    return can_compare();
  }

  void take(const std::string& line) {
    ++orders_;
    if (out_ != nullptr) {
      failed_ = std::fwrite(line.data(), 1, line.size(), out_) != line.size() || failed_;
    }
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
    if (out_ != nullptr && std::fflush(out_) != 0) failed_ = true;
    if (!expected_) return;
    std::uint64_t number = orders_;
    while (const auto missing = next_expected()) {
      report(fmt::format("order {}: missing {}", ++number, *missing));
    }
    fmt::print(stderr, "{} orders compared, {} different\n", number, differences_);
  }

  // False when the expected orders could not be read to their end; that has been said.
  [[nodiscard]] bool can_compare() const {
    if (!expected_ || expected_->error().empty()) return true;
    fmt::print(stderr, "replay: {}\n", expected_->error());
    return false;
  }
  [[nodiscard]] bool differs() const noexcept { return differences_ > 0; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  std::optional<std::string_view> next_expected() {
    for (;;) {
      const auto line = expected_->next();
      if (!line || line->find_first_not_of(" \r\t") != std::string_view::npos) return line;
    }
  }

  void report(const std::string& difference) {
    if (++differences_ <= kMaxDifferences) fmt::print(stderr, "{}\n", difference);
  }

  std::FILE* out_;
  std::unique_ptr<LineReader> expected_;
  std::uint64_t orders_ = 0;
  std::uint64_t differences_ = 0;
  bool failed_ = false;
};

// How far along, on a terminal, ten times a second.
class Progress {
 public:
  explicit Progress(bool enabled) noexcept
      : enabled_(enabled && ::isatty(STDERR_FILENO) == 1), next_(SteadyClock::now() + kInterval) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r{:60}\r", "");
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
      fmt::print(stderr, "\r{} frames", frames);
      return;
    }
    constexpr std::size_t kWidth = 30;
    const std::size_t done = reader.bytes_read() * kWidth / reader.bytes_total();
    fmt::print(stderr, "\r[{:<{}}] {:3} %  {} frames", std::string(done, '#'), kWidth,
               reader.bytes_read() * 100 / reader.bytes_total(), frames);
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

// Below this many events a share says nothing.
constexpr std::uint64_t kEnoughEvents = 100;

void print_strategy(const Tally& tally, StrategyId strategy) {
  const std::uint64_t events = tally.events(strategy);
  fmt::print(stderr, "{}: {} events\n", to_string(strategy), events);
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const std::uint64_t count = tally.count(strategy, outcome);
    if (count == 0) continue;
    fmt::print(stderr, "  {:<24} {:>10}\n", to_string(outcome), count);
    const std::string_view setting = setting_behind(strategy, outcome);
    if (!setting.empty() && events >= kEnoughEvents && count * 100 > events * 99) {
      fmt::print(stderr,
                 "  warning: {} refuses {:.1f} % of what {} sees, so it hardly ever trades; "
                 "{} decides that\n",
                 to_string(outcome),
                 100.0 * static_cast<double>(count) / static_cast<double>(events),
                 to_string(strategy), setting);
    }
  }
}

void print_summary(const Tally& tally, const OrdersPerDay& days, double seconds) {
  fmt::print(stderr, "{} frames, {} events in {:.2f} s ({:.0f} frames/s)\n", tally.frames(),
             tally.events(), seconds, static_cast<double>(tally.frames()) / seconds);
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const Reason reason = reason_at(i);
    if (tally.count(reason) == 0) continue;
    fmt::print(stderr, "  {} {:<18} {:>10}\n", disposition(reason), to_string(reason),
               tally.count(reason));
  }
  for (const StrategyId strategy : kStrategies) print_strategy(tally, strategy);
  for (const auto& [day, orders] : days) {
    fmt::print(stderr, "orders on {}:", day);
    for (const StrategyId strategy : kStrategies) {
      fmt::print(stderr, " {} {}", to_string(strategy), orders[index_of(strategy)]);
    }
    fmt::print(stderr, "\n");
  }
}

// One replay: the files, one after the other, through one engine.
class Replay {
 public:
  Replay(const config::Configuration& configuration, OrderSink& sink, bool quiet)
      : engine_(config::engine_parameters(configuration.settings, Clock::replay)),
        format_(config::order_format(configuration.settings)),
        sink_(sink),
        quiet_(quiet) {}

  // False when the file could not be read to its end; the error has been said.
  bool read(const std::string& path) {
    LineReader reader(path);
    {
      Progress progress(!quiet_);
      while (const auto line = reader.next()) {
        const auto recorded = wire::parse_recorded_line(*line);
        if (!recorded) continue;
        take(engine_.step(recorded->frame, recorded->received_at));
        progress.update(reader, tally_.frames());
      }
    }
    if (reader.error().empty()) return true;
    fmt::print(stderr, "replay: {}\n", reader.error());
    return false;
  }

  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }
  [[nodiscard]] const OrdersPerDay& days() const noexcept { return days_; }

 private:
  void take(const Step& step) {
    tally_.add(step);
    for (const EventRecord& record : step.events) {
      const Decision* decision = record.decision();
      if (decision == nullptr || !decision->order) continue;
      line_.clear();
      append_json(line_, *decision->order, format_);
      line_ += '\n';
      sink_.take(line_);
      std::string day;
      append_iso8601_date(day, decision->at);
      ++days_[day][index_of(decision->strategy)];
    }
  }

  Engine engine_;
  OrderFormat format_;
  OrderSink& sink_;
  bool quiet_;
  Tally tally_;
  OrdersPerDay days_;
  std::string line_;
};

bool write_file(const std::string& path, const std::string& text) {
  const File file(path == "-" ? ::fdopen(::dup(STDOUT_FILENO), "w")
                              : std::fopen(path.c_str(), "w"));
  return file && std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
         std::fflush(file.get()) == 0;
}

}  // namespace

ExitCode replay(const Invocation& invocation, const config::Configuration& configuration) {
  File file;
  std::FILE* out = invocation.has("expect") ? nullptr : stdout;
  if (invocation.has("orders")) {
    file.reset(std::fopen(invocation.option("orders", "").c_str(), "w"));
    if (!file) {
      std::perror("replay: --orders");
      return ExitCode::unavailable;
    }
    out = file.get();
  }
  OrderSink sink(out);
  if (invocation.has("expect") && !sink.expect(invocation.option("expect", ""))) {
    return ExitCode::bad_input;
  }

  const auto begun = SteadyClock::now();
  Replay run(configuration, sink, invocation.has("quiet"));
  bool complete = true;
  const std::vector<std::string> standard_input{"-"};
  for (const auto& path : invocation.arguments.empty() ? standard_input : invocation.arguments) {
    complete = run.read(path) && complete;
  }
  const std::chrono::duration<double> took = SteadyClock::now() - begun;
  if (!invocation.has("quiet")) print_summary(run.tally(), run.days(), took.count());
  sink.conclude();

  const std::string counts = invocation.option("counts", "");
  if ((!counts.empty() && !write_file(counts, run.tally().to_json())) || sink.failed()) {
    fmt::print(stderr, "replay: cannot write the output\n");
    return ExitCode::unavailable;
  }
  if (!sink.can_compare()) complete = false;
  if (!complete) return ExitCode::bad_input;
  return sink.differs() ? ExitCode::different : ExitCode::ok;
}

}  // namespace rts::app
