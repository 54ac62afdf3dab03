// `sweep`: many settings over the same recordings at once, ranked by what their orders came to.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <system_error>
#include <thread>

#include <unistd.h>

#include <rts/base/text.hpp>
#include <rts/wire/frame.hpp>

#include "commands/input.hpp"
#include "commands/output.hpp"
#include "commands/recording_writer.hpp"
#include "commands/report.hpp"
#include "commands/sweep_output.hpp"
#include "commands/sweep_report.hpp"

namespace rts::commands {
namespace {

using SteadyClock = std::chrono::steady_clock;
using research::Objective;

// --- What is asked for ---------------------------------------------------------------------------

// The command line takes the names of these two only.
Objective parse_objective(const Invocation& invocation) {
  const std::string text = invocation.option("by").value_or("pnl");
  return *std::ranges::find(all_of<Objective>, text,
                            [](Objective objective) { return to_string(objective); });
}
std::size_t parse_horizon(const Invocation& invocation) {
  const std::string text = invocation.option("horizon").value_or("1m");
  return static_cast<std::size_t>(std::ranges::find(kHorizonNames, text) - kHorizonNames.begin());
}

// "orders=50..150".
std::optional<Target> parse_target(const Invocation& invocation) {
  const auto text = invocation.option("target");
  if (!text) return std::nullopt;
  constexpr std::string_view kBegin = "orders=";
  const std::size_t dots = text->find("..");
  const auto number = [](std::string_view digits) {
    const auto decimal = Decimal::parse(digits);
    return decimal ? decimal->to_double() : -1;
  };
  Target target{-1, -1};
  if (text->starts_with(kBegin) && dots != std::string::npos) {
    const std::string_view all = *text;
    target = {number(all.substr(kBegin.size(), dots - kBegin.size())),
              number(all.substr(dots + 2))};
  }
  require(target.least >= 0 && target.least <= target.most,
          "--target takes the orders a day that are wanted, as orders=50..150, not '{}'", *text);
  return target;
}

// "train=7d,test=1d".
void parse_walk_forward(const Invocation& invocation, SweepPlan& plan) {
  const auto text = invocation.option("walk-forward");
  if (!text) return;
  std::chrono::seconds train{0}, test{0};
  for (const std::string_view part : split(*text, ',')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    const auto duration = parse_duration(part.substr(std::min(equals + 1, part.size())));
    std::chrono::seconds* const target = name == "train"  ? &train
                                         : name == "test" ? &test
                                                          : nullptr;
    if (target != nullptr && duration) *target = *duration;
  }
  require(train.count() > 0 && test.count() > 0 && train % test == std::chrono::seconds{0},
          "--walk-forward takes train=7d,test=1d, of which the first is a multiple of the second, "
          "not '{}'",
          *text);
  require(plan.by != Objective::evenness, "--walk-forward ranks by pnl, markout or orders");
  plan.period = test;
  plan.walk_forward = {
      .objective = plan.by, .horizon = plan.horizon, .train = train / test, .test = 1};
}

SweepPlan parse_plan(const Invocation& invocation) {
  SweepPlan plan;
  const auto texts = invocation.all_of_option("vary");
  require(!texts.empty(), "sweep: give --vary NAME=first..last:step or NAME=value,value,…");
  for (const std::string& text : texts) {
    auto variation = research::parse_variation(text);
    require(variation.ok(), "--vary: {}", variation ? "" : variation.error());
    const bool is_new = std::ranges::find(plan.variations, variation.value().name,
                                          &research::Variation::name) == plan.variations.end();
    require(is_new, "--vary: {} is given twice", variation.value().name);
    plan.variations.push_back(std::move(variation).value());
  }
  plan.drawn = invocation.whole_number("random", {1, research::kMaxTrials});
  plan.seed = invocation.whole_number("seed", {}).value_or(1);
  const auto unstepped = std::ranges::find_if(
      plan.variations, [](const auto& variation) { return variation.range.has_value(); });
  require(plan.drawn || unstepped == plan.variations.end(),
          "--vary: {} is a range without a step; give one, or --random N",
          unstepped == plan.variations.end() ? "" : unstepped->name);
  plan.by = parse_objective(invocation);
  plan.horizon = parse_horizon(invocation);
  plan.target = parse_target(invocation);
  parse_walk_forward(invocation, plan);
  plan.evaluation = evaluation_terms(invocation);
  plan.is_reported = invocation.has("report");
  plan.top = invocation.whole_number("top", {1, research::kMaxTrials}).value_or(20);
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  plan.threads = invocation.whole_number("threads", {1, 256}).value_or(cores);
  return plan;
}

// --- The trials ----------------------------------------------------------------------------------

struct Trials {
  std::vector<research::Trial> all;  // the first has the settings as they are
  std::uint64_t invalid = 0;
  std::string first_invalid{};
};

Trials make_trials(const SweepPlan& plan, const config::Configuration& configuration) {
  std::vector<research::Combination> combinations;
  if (plan.drawn) {
    combinations = research::draw(plan.variations, *plan.drawn, plan.seed);
  } else if (auto all = research::grid(plan.variations)) {
    combinations = *std::move(all);
  }
  require(!combinations.empty(),
          "--vary: these are more than {} combinations; --random N draws N "
          "of them",
          research::kMaxTrials);
  Trials trials{{{{}, config::engine_parameters(configuration.settings, Clock::replay)}}};
  for (const auto& combination : combinations) {
    auto parameters = config::with_live_values(configuration, combination);
    if (parameters) {
      trials.all.push_back({combination, std::move(parameters).value()});
    } else if (++trials.invalid == 1) {
      trials.first_invalid = parameters.error().front();
    }
  }
  if (trials.all.size() == 1) {
    throw CommandError(ExitCode::configuration, "sweep: every combination is refused; first: {}",
                       trials.first_invalid);
  }
  return trials;
}

// --- Reading -------------------------------------------------------------------------------------

volatile std::sig_atomic_t interrupted = 0;  // NOLINT(*-avoid-non-const-global-variables): signals

// Until it is destroyed, the first Ctrl-C only ends the reading; the next ends the process.
class InterruptGuard {
 public:
  InterruptGuard() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &before_);
  }
  ~InterruptGuard() { ::sigaction(SIGINT, &before_, nullptr); }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  InterruptGuard(InterruptGuard&&) = delete;
  InterruptGuard& operator=(InterruptGuard&&) = delete;

 private:
  struct sigaction before_ {};
};

// How far along the recordings are, and how long the rest will take at this rate.
class Progress {
 public:
  Progress(const Invocation& invocation, const std::vector<std::string>& paths)
      : is_shown_(!invocation.has("quiet") && ::isatty(STDERR_FILENO) == 1) {
    // Of a pipe the size is not known, and to look into it would take from it.
    for (const std::string& path : paths) {
      std::error_code error;
      if (std::filesystem::is_regular_file(path, error)) {
        bytes_total_ += std::filesystem::file_size(path, error);
      }
    }
  }
  ~Progress() {
    if (is_shown_) write_error(fmt::format("\r{:78}\r", ""));
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  Progress(Progress&&) = delete;
  Progress& operator=(Progress&&) = delete;

  // 0 … 1; 0 where the sizes are not known.
  [[nodiscard]] double part(const LineReader& reader) const noexcept {
    if (bytes_total_ == 0) return 0;
    return static_cast<double>(bytes_before_ + reader.bytes_read()) /
           static_cast<double>(bytes_total_);
  }
  void end_file(const LineReader& reader) noexcept { bytes_before_ += reader.bytes_total(); }

  void show(const LineReader& reader, std::uint64_t frames) {
    constexpr std::chrono::milliseconds kBetween{200};
    constexpr std::size_t kWidth = 30;
    const auto now = SteadyClock::now();
    if (!is_shown_ || now - shown_at_ < kBetween) return;
    shown_at_ = now;
    const double done = std::min(1.0, part(reader));
    if (done <= 0) return write_error(fmt::format("\r{} frames", frames));
    const std::chrono::duration<double> took = now - begun_;
    const auto left = static_cast<long>(took.count() / done * (1 - done));
    write_error(fmt::format("\r[{:<{}}] {:3.0f} %  {} frames, {}:{:02} left   ",
                            std::string(static_cast<std::size_t>(done * kWidth), '#'), kWidth,
                            done * 100, frames, left / 60, left % 60));
  }

 private:
  bool is_shown_;
  std::uint64_t bytes_total_ = 0, bytes_before_ = 0;
  SteadyClock::time_point begun_ = SteadyClock::now(), shown_at_{};
};

struct Reading {
  std::uint64_t log_entries = 0;
  std::optional<double> interrupted_at{};
  bool is_complete = true;
};

Reading read_all(const Invocation& invocation, const std::vector<std::string>& paths,
                 research::Sweep& sweep) {
  constexpr std::uint64_t kLinesBetweenLooks = 1 << 10;
  Reading reading;
  Progress progress(invocation, paths);
  std::uint64_t lines = 0;
  for (const std::string& path : paths) {
    LineReader reader(path);
    while (const auto line = reader.next()) {
      if (const auto recorded = wire::parse_recorded_line(*line)) {
        sweep.read(*recorded);
      } else if (wire::parse_recorded_note(*line)) {
        ++reading.log_entries;
      }
      if (++lines % kLinesBetweenLooks != 0) continue;
      progress.show(reader, lines);
      if (interrupted == 0) continue;
      reading.interrupted_at = progress.part(reader);
      return reading;
    }
    progress.end_file(reader);
    if (reader.error().empty()) continue;
    print_error("sweep: {}\n", reader.error());
    reading.is_complete = false;
  }
  return reading;
}

// --- The results ---------------------------------------------------------------------------------

void rank(SweepResult& result) {
  const auto& target = result.plan.target;
  const auto meets = [&](const research::Score& score) {
    const double orders = result.orders_a_day(score);
    return target && orders >= target->least && orders <= target->most;
  };
  const auto first_of_rest =
      std::stable_partition(result.ranked.begin(), result.ranked.end(), meets);
  result.meeting = static_cast<std::size_t>(first_of_rest - result.ranked.begin());
  const auto descending = [](Objective objective) {
    return [objective](const research::Score& a, const research::Score& b) {
      return a.value(objective) > b.value(objective);
    };
  };
  std::stable_sort(result.ranked.begin(), first_of_rest, descending(Objective::evenness));
  std::stable_sort(first_of_rest, result.ranked.end(), descending(result.plan.by));
}

struct Run {
  research::DataQuality quality;  // where there is a report
  research::Scoreboard scoreboard;
  research::Sweep sweep;

  Run(const SweepPlan& plan, const std::vector<research::Trial>& trials)
      : scoreboard(trials.size(), {.orders = plan.evaluation.orders,
                                   .funding = plan.evaluation.funding,
                                   .period = plan.period}),
        sweep(trials, plan.threads, [&](const std::vector<std::size_t>& of_bench) {
          auto observer = scoreboard.make_observer(of_bench);
          const bool is_watched = plan.is_reported && of_bench.front() == 0;
          return is_watched ? research::watched(std::move(observer), quality) : std::move(observer);
        }) {}
};

// Fills in what the trials have come to. Precondition: an event was evaluated.
void judge(const Run& run, SweepResult& result) {
  const research::TapeCounts& counts = run.sweep.tape_counts(0);
  result.span = run.scoreboard.span();
  result.frames = counts.frames;
  result.events = counts.events;
  result.refused = counts.refused_events();
  for (std::size_t i = 0; i < result.trials.size(); ++i) {
    result.ranked.push_back(run.scoreboard.score(i, result.plan.horizon));
  }
  rank(result);
  if (result.plan.walk_forward) {
    result.walk_forward =
        research::walk_forward(run.scoreboard, result.trials.size(), *result.plan.walk_forward);
  }
}

// The files that are written beside the table.
class Files {
 public:
  Files(const Invocation& invocation, const std::vector<std::string>& recordings) {
    Outputs outputs(invocation);
    for (const std::string& path : recordings) outputs.keep(path);
    for (const std::string& path : invocation.all_of_option("funding")) outputs.keep(path);
    for (const auto& [option, text] : kTexts) {
      if (const auto path = invocation.option(option)) {
        files_.emplace_back(outputs.open(fmt::format("--{}", option), *path), text);
      }
    }
  }
  // False when any of it was lost.
  [[nodiscard]] bool write(const SweepReport& all) {
    bool is_written = true;
    for (auto& [file, text] : files_) {
      file.write(text(all));
      is_written = file.finish() && is_written;
    }
    return is_written;
  }

 private:
  using Text = std::string (*)(const SweepReport& all);
  static constexpr std::array<std::pair<std::string_view, Text>, 4> kTexts{
      {{"csv", [](const SweepReport& all) { return sweep_csv(all.result); }},
       {"json", [](const SweepReport& all) { return sweep_json(all.result); }},
       {"write-env", [](const SweepReport& all) { return sweep_env(all.result); }},
       {"report", [](const SweepReport& all) { return report_page(all.document()); }}}};

  std::vector<std::pair<OutputFile, Text>> files_;
};

ExitCode sweep(const Invocation& invocation, const config::Configuration& configuration) {
  const SweepPlan plan = parse_plan(invocation);
  const std::vector<std::string> paths =
      invocation.arguments.empty() ? std::vector<std::string>{"-"} : invocation.arguments;
  for (const std::string& path : paths) {
    if (path != "-" && ::access(path.c_str(), R_OK) != 0) {
      throw CommandError(ExitCode::bad_input, "sweep: {}", LineReader(path).error());
    }
  }
  const Trials trials = make_trials(plan, configuration);
  Files files(invocation, paths);

  const InterruptGuard guard;
  const auto begun = SteadyClock::now();
  Run run(plan, trials.all);
  const Reading reading = read_all(invocation, paths, run.sweep);
  run.sweep.finish();
  run.scoreboard.finish();
  const std::chrono::duration<double> took = SteadyClock::now() - begun;
  if (!run.scoreboard.span()) {
    print_error("sweep: no event of {} frames was evaluated; `replay` says why\n",
                run.sweep.tape_counts(0).frames);
    return ExitCode::bad_input;
  }
  SweepResult result{.configuration = configuration,
                     .plan = plan,
                     .trials = trials.all,
                     .invalid = trials.invalid,
                     .first_invalid = trials.first_invalid,
                     .log_entries = reading.log_entries,
                     .read_part = reading.interrupted_at};
  judge(run, result);
  if (!invocation.has("quiet")) {
    const double decided = static_cast<double>(result.events - result.refused) *
                           static_cast<double>(trials.all.size());
    print_error("{:.2f} s, {:.1f} million events × settings a second\n", took.count(),
                decided / took.count() / 1e6);
  }
  write_out(sweep_table(result));
  if (!files.write({invocation, paths, result, run.quality, run.sweep.tape_counts(0)})) {
    return ExitCode::output_lost;
  }
  return reading.is_complete ? ExitCode::ok : ExitCode::bad_input;
}

constexpr std::array kOptions{
    Option{"--vary", "NAME=VALUES", "first..last:step or value,value,…; repeatable"},
    Option{"--random", "N", "draw N combinations; a range needs no step then"},
    Option{"--seed", "S", "of --random (1)"},
    Option{"--by", "pnl|markout|orders|evenness", "what ranks them (pnl)"},
    Option{"--horizon", "1s|10s|1m|5m|15m|60m", "of markout (1m)"},
    Option{"--target", "orders=LEAST..MOST", "a day; the most even of these first"},
    Option{"--walk-forward", "train=TIME,test=TIME", "choose on the one, test the other"},
    kFeeOption,
    kLatencyOption,
    kFundingOption,
    Option{"--top", "N", "settings shown (20)"},
    Option{"--csv", "FILE", "all settings as a table"},
    Option{"--json", "FILE", "all settings as JSON"},
    kReportOption,
    Option{"--write-env", "FILE", "the best settings, each with its evidence"},
    Option{"--threads", "N", "default: one a core"},
    Option{"--force", "", "overwrite files that exist"},
    Option{"--quiet", "", "no progress"}};

}  // namespace

constinit const Command kSweep{
    {"sweep", "try many settings on recordings at once; which gave what",
     "realtime-strategies sweep day.zst --vary TRADE_MOMENTUM_WINDOW=50,100", "[FILE…|-]"},
    Needs::decisions,
    sweep,
    kOptions};

}  // namespace rts::commands
