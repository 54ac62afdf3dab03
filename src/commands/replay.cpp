// `replay`: recordings through the same engine that trades.
#include <algorithm>
#include <cassert>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include <fmt/ranges.h>
#include <unistd.h>

#include <rts/base/text.hpp>
#include <rts/config/explanation.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/answer.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/frame.hpp>
#include <rts/wire/json_compare.hpp>

#include "commands/evaluation.hpp"
#include "commands/input.hpp"
#include "commands/output.hpp"
#include "commands/replay_report.hpp"
#include "commands/report.hpp"
#include "commands/why.hpp"

namespace rts::commands {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Compares the orders that come with those that are expected.
class Comparison {
 public:
  static constexpr std::size_t kMaxDifferences = 10;  // that are shown

  // Throws CommandError when the expected orders cannot be read.
  explicit Comparison(const std::string& path) : expected_(path) {
    if (!expected_.error().empty()) {
      throw CommandError(ExitCode::bad_input,
                         "--expect: {}; give what `replay --orders` has written",
                         expected_.error());
    }
  }

  void take(std::string_view order) {
    ++orders_;
    const auto expected = next_expected();
    if (!expected) return report(fmt::format("unexpected {}", order));
    const auto differences = wire::json_differences(*expected, order);
    if (!differences.empty()) report(fmt::format("{}", fmt::join(differences, "; ")));
  }

  // Says which orders were expected and did not come, and the result.
  ExitCode finish() {
    while (const auto missing = next_expected()) {
      ++orders_;
      report(fmt::format("missing {}", *missing));
    }
    print_error("{} orders compared, {} different\n", orders_, differences_);
    if (expected_.error().empty()) return differences_ > 0 ? ExitCode::different : ExitCode::ok;
    print_error("replay: {}\n", expected_.error());
    return ExitCode::bad_input;
  }

 private:
  std::optional<std::string_view> next_expected() {
    auto line = expected_.next();
    while (line && trimmed(*line).empty()) line = expected_.next();
    return line;
  }

  void report(const std::string& difference) {
    if (++differences_ <= kMaxDifferences) print_error("order {}: {}\n", orders_, difference);
  }

  LineReader expected_;
  std::uint64_t orders_ = 0, differences_ = 0;
};

// How far along.
void print_progress(const LineReader& reader, std::uint64_t frames) {
  if (reader.bytes_total() == 0) return write_error(fmt::format("\r{} frames", frames));
  constexpr std::size_t kWidth = 30;
  const std::size_t done = reader.bytes_read() * kWidth / reader.bytes_total();
  write_error(fmt::format("\r[{:<{}}] {:3} %  {} frames", std::string(done, '#'), kWidth,
                          reader.bytes_read() * 100 / reader.bytes_total(), frames));
}

double percent(std::uint64_t count, std::uint64_t events) noexcept {
  return 100.0 * static_cast<double>(count) / static_cast<double>(events);
}

bool is_nearly_all(std::uint64_t count, std::uint64_t events) noexcept {
  // Below this many events a share says little, unless it is all of them.
  constexpr std::uint64_t kEnoughEvents = 100;
  return count == events || (events >= kEnoughEvents && percent(count, events) > 99);
}

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

// One replay: recordings, one after the other, through one engine.
class Replay {
 public:
  // Opens the files that are written. Throws CommandError.
  Replay(const Invocation& invocation, const std::vector<std::string>& inputs,
         const config::Configuration& configuration)
      : shows_progress_(!invocation.has("quiet") && ::isatty(STDERR_FILENO) == 1),
        configuration_(configuration),
        format_(configuration.settings.delivery.format),
        engine_(config::engine_parameters(configuration.settings, Clock::replay)) {
    const std::vector<std::string> moments = invocation.all_of_option("why");
    require(!moments.empty() || !invocation.has("json"), "--json is for the answers to --why");
    if (!moments.empty()) why_.emplace(moments, configuration, engine_);
    if (invocation.has("json")) answers_as_ = AnswerFormat::json;
    if (auto request = evaluation_request(invocation)) evaluation_.emplace(std::move(*request));
    Outputs outputs(invocation);
    for (const std::string& path : inputs) outputs.keep(path);
    for (const std::string& path : invocation.all_of_option("funding")) outputs.keep(path);
    const auto expected = invocation.option("expect");
    if (expected) outputs.keep(*expected);
    if (const auto path = invocation.option("orders")) {
      orders_file_ = outputs.open("--orders", *path);
    } else if (!expected && !why_) {
      orders_file_ = outputs.open("orders", "-");
    }
    const std::string counts = invocation.option("counts").value_or("");
    if (!counts.empty()) counts_file_ = outputs.open("--counts", counts);
    if (const auto path = invocation.option("evaluation")) {
      evaluation_file_ = outputs.open("--evaluation", *path);
    }
    if (const auto path = invocation.option("report")) {
      report_file_ = outputs.open("--report", *path);
      report_.emplace(invocation, inputs, configuration, evaluation_->terms());
    }
    if (expected) comparison_.emplace(*expected);
  }

  // Until the end of the recording or of what is wanted. False when the recording could not be read
  // to its end; the error has been said.
  bool read(const std::string& path) {
    constexpr std::uint64_t kFramesBetweenProgress = 1 << 14;
    LineReader reader(path);
    while (is_wanted()) {
      const auto line = reader.next();
      if (!line) break;
      const auto recorded = wire::parse_recorded_line(*line);
      if (!recorded) {
        hear(*line, reader);
        continue;
      }
      const Step step = engine_.step(recorded->frame, recorded->received_at);
      if (why_) why_->add(step, recorded->received_at);
      take(step, reader, *line);
      if (report_) report_->read(*recorded);
      const bool is_time = tally_.frames() % kFramesBetweenProgress == 0;
      if (shows_progress_ && is_time) print_progress(reader, tally_.frames());
    }
    if (shows_progress_) write_error(fmt::format("\r{:60}\r", ""));
    if (!reader.error().empty()) print_error("replay: {}\n", reader.error());
    return reader.error().empty();
  }

  // Behind the last recording: what is still open of the orders comes to its end.
  void evaluate() {
    if (evaluation_) evaluation_->finish();
    if (report_) report_->finish();
  }

  // Where only the orders are asked for and they are lost, there is no use in going on.
  [[nodiscard]] bool is_wanted() const noexcept {
    return counts_file_ || comparison_ || why_ || evaluation_ || !orders_file_->failed();
  }
  // Whether there was anything that is a frame.
  [[nodiscard]] bool is_usable() const noexcept {
    return tally_.count(Reason::malformed) + tally_.count(Reason::too_large) < tally_.events();
  }

  void print_summary(double seconds) const {
    print_error("{} frames, {} events in {:.2f} s ({:.0f} frames/s)\n", tally_.frames(),
                tally_.events(), seconds, static_cast<double>(tally_.frames()) / seconds);
    if (notes_ > 0) print_error("{} entries of the logs were heard\n", notes_);
    print_span();
    for (const Reason reason : all_of<Reason>) print_refused(reason);
    for (const StrategyId strategy : all_of<StrategyId>) print_strategy(strategy);
    for (const auto& [day, orders] : days_) {
      print_error("orders on {}:", day);
      for (const StrategyId strategy : all_of<StrategyId>) {
        print_error(" {} {}", to_string(strategy), orders[index_of(strategy)]);
      }
      print_error("\n");
    }
    if (evaluation_) evaluation_->print();
  }

  // Why the recordings could not be used. Precondition: they are not usable.
  void print_unusable(const std::vector<std::string>& inputs) const {
    assert(!is_usable());
    if (tally_.events() == 0) {
      for (const std::string& path : inputs) {
        print_error("replay: {}: holds no frames\n", path == "-" ? "standard input" : path);
      }
      return;
    }
    const Reason reason =
        tally_.count(Reason::malformed) > 0 ? Reason::malformed : Reason::too_large;
    const auto& [where, looks_like] = first_refused_[index_of(reason)];
    print_error(
        "replay: {}: {}{}{}; no line is a frame. A recording has one JSON frame a line, as the "
        "exchange or the relay sends it\n",
        where, to_string(reason), looks_like.empty() ? "" : "; it looks like ", looks_like);
  }

  // Finishes what is written and compared.
  ExitCode finish() {
    if (unheard_ > 0) {
      print_error(
          "replay: {} entries of the logs are not taken into account, for they are no order, no "
          "pause and no revision of the settings, or one with something invalid; first: {}\n",
          unheard_, first_unheard_);
    }
    const bool is_answered = !why_ || !is_usable() || print_answers(*why_, answers_as_);
    const ExitCode compared = comparison_ ? comparison_->finish() : ExitCode::ok;
    bool is_written = !orders_file_ || orders_file_->finish();
    if (counts_file_) {
      counts_file_->write(tally_.to_json());
      is_written = counts_file_->finish() && is_written;
    }
    if (evaluation_file_) {
      evaluation_file_->write(evaluation_->to_json());
      is_written = evaluation_file_->finish() && is_written;
    }
    if (report_file_) {
      report_file_->write(report_page(report_->document({tally_, *evaluation_, notes_})));
      is_written = report_file_->finish() && is_written;
    }
    if (compared != ExitCode::ok) return compared;
    if (!is_written) return ExitCode::output_lost;
    return is_answered ? ExitCode::ok : ExitCode::bad_input;
  }

 private:
  // The first line whose event was refused for a reason.
  struct RefusedLine {
    std::string where;            // "recording.ndjson line 3"; empty: there is none
    std::string_view looks_like;  // what the line resembles; empty: not known
  };

  // Of the order log.
  struct HeardOrder {
    Uuid id;
    UnixMs at;  // event time
  };

  // A line that is no frame may carry what was heard from the logs at the broker.
  void hear(std::string_view line, const LineReader& reader) {
    const auto note = wire::parse_recorded_note(line);
    if (!note) return;
    ++notes_;
    if (is_heard(*note, reader)) return;
    if (++unheard_ == 1) first_unheard_ = place_in(reader);
  }

  // False when it is nothing that could be taken into account.
  bool is_heard(const wire::RecordedNote& note, const LineReader& reader) {
    switch (note.log) {
      case wire::RecordedLog::order: {
        const auto order = wire::parse_counted_order(note.json);
        if (!order) return false;
        engine_.hear(*order);
        if (why_) why_->hear(*order);
        if (heard_orders_.size() == OrderMemory::kMaxStored) heard_orders_.pop_front();
        heard_orders_.push_back({order->id, order->at});
        return true;
      }
      case wire::RecordedLog::pause: {
        const auto command = wire::parse_pause(note.json);
        if (command) engine_.hear_pause(command->strategy, command->pause);
        return command.has_value();
      }
      case wire::RecordedLog::settings: return is_revision_heard(note.json, reader);
    }
    return false;
  }

  // All of it or nothing, as a service does.
  bool is_revision_heard(std::string_view json, const LineReader& reader) {
    const auto revision = wire::parse_settings_value(json);
    if (!revision) return false;
    auto parameters = config::with_live_values(configuration_, revision->values);
    if (!parameters) {
      for (const std::string& problem : parameters.error()) {
        print_error("replay: {}: {}\n", place_in(reader), problem);
      }
      return false;
    }
    SettingsRevision heard{revision->effective_from, std::move(parameters).value()};
    if (why_) why_->hear(heard, revision->values);
    engine_.hear(std::move(heard));
    return true;
  }

  static std::string place_in(const LineReader& reader) {
    return fmt::format("{} line {}", reader.name(), reader.line_number());
  }

  void take(const Step& step, const LineReader& reader, std::string_view line) {
    tally_.add(step);
    for (const EventRecord& record : step.events) {
      if (const Decision* decision = record.decision()) {
        take(*decision);
      } else if (RefusedLine& first = first_refused_[index_of(*record.reason())];
                 first.where.empty()) {
        first = {place_in(reader), resemblance(line)};
      }
    }
  }

  void take(const Decision& decision) {
    first_at_ = std::min(first_at_, decision.at);
    last_at_ = std::max(last_at_, decision.at);
    if (is_of_another_event(decision)) {
      Decision duplicate = decision;
      duplicate.order.reset();
      return take(duplicate);
    }
    if (evaluation_) evaluation_->take(engine_.symbols(), decision);
    if (report_) report_->take(engine_.symbols(), decision);
    if (!decision.order) return;
    ++orders_;
    std::string line, day;
    append_json(line, *decision.order, format_);
    if (comparison_) comparison_->take(line);
    if (orders_file_) orders_file_->write(line += '\n');
    append_iso8601_date(day, decision.at);
    ++days_[day][index_of(decision.strategy)];
  }

  // The log has the order of this id, and of another event: of one that is not in the recording,
  // for instance, which begins behind it. That one was sent; a service ends this one as a
  // duplicate.
  [[nodiscard]] bool is_of_another_event(const Decision& decision) const {
    if (!decision.order || !decision.in_log) return false;
    const auto heard = std::ranges::find(heard_orders_, decision.order->id, &HeardOrder::id);
    return heard != heard_orders_.end() && heard->at != decision.at;
  }

  void print_span() const {
    if (is_nothing_evaluated()) {
      return print_error("no event was evaluated, so nothing could be ordered\n");
    }
    std::string span = "from ";
    append_iso8601(span, first_at_);
    append_iso8601(span += "Z to ", last_at_);
    const std::chrono::duration<double, std::ratio<3600>> hours = last_at_ - first_at_;
    print_error("{}Z ({:.2f} h): {} orders{}\n", span, hours.count(), orders_,
                hours.count() > 0
                    ? fmt::format(", {:.1f} an hour", static_cast<double>(orders_) / hours.count())
                    : "");
  }

  void print_refused(Reason reason) const {
    const std::uint64_t count = tally_.count(reason);
    if (count == 0) return;
    print_error("  {} {:<18} {:>10}", disposition(reason), to_string(reason), count);
    if (!is_ignored(reason)) print_error("  first: {}", first_refused_[index_of(reason)].where);
    print_error("\n");
    const std::uint64_t events = tally_.events();
    const bool decides = is_nothing_evaluated() && count * 2 > events;
    const std::string advice = config::advice({}, reason);
    if (advice.empty() || (!decides && !is_nearly_all(count, events))) return;
    print_error("  warning: {:.1f} % of the events are {} for {}; {}\n", percent(count, events),
                disposition(reason), to_string(reason), advice);
  }

  void print_strategy(StrategyId strategy) const {
    const std::uint64_t events = tally_.events(strategy);
    print_error("{}: {} events\n", to_string(strategy), events);
    for (const Outcome outcome : all_of<Outcome>) {
      const std::uint64_t count = tally_.count(strategy, outcome);
      if (count == 0) continue;
      print_error("  {:<24} {:>10}\n", to_string(outcome), count);
      const std::string advice = config::advice(strategy, outcome);
      // To be neutral, or switched off, is as it should be.
      const bool is_usual = outcome == Outcome::neutral || outcome == Outcome::disabled;
      if (is_usual || advice.empty() || !is_nearly_all(count, events)) continue;
      print_error("  warning: {} refuses {:.1f} % of what {} sees, so it hardly ever trades; {}\n",
                  to_string(outcome), percent(count, events), to_string(strategy), advice);
    }
  }

  [[nodiscard]] bool is_nothing_evaluated() const noexcept { return first_at_ > last_at_; }

  bool shows_progress_;
  const config::Configuration& configuration_;
  OrderFormat format_;
  Engine engine_;
  std::optional<OutputFile> orders_file_, counts_file_, evaluation_file_, report_file_;
  std::optional<Evaluation> evaluation_;
  std::optional<ReplayReport> report_;
  std::optional<Comparison> comparison_;
  std::optional<Why> why_;
  AnswerFormat answers_as_ = AnswerFormat::text;
  Tally tally_;
  std::uint64_t orders_ = 0;
  std::uint64_t notes_ = 0, unheard_ = 0;  // of the logs
  std::deque<HeardOrder> heard_orders_;    // in the log's order; as many as the gate knows
  std::string first_unheard_;
  std::map<std::string, std::array<std::uint64_t, count_of<StrategyId>>> days_;  // of the orders
  UnixMs first_at_ = UnixMs::max(), last_at_ = UnixMs::min();  // of what was evaluated
  std::array<RefusedLine, count_of<Reason>> first_refused_;
};

ExitCode replay(const Invocation& invocation, const config::Configuration& configuration) {
  const std::vector<std::string> inputs =
      invocation.arguments.empty() ? std::vector<std::string>{"-"} : invocation.arguments;
  const auto is_missing = [](const std::string& path) {
    return path != "-" && ::access(path.c_str(), R_OK) != 0;
  };
  if (std::all_of(inputs.begin(), inputs.end(), is_missing)) {
    // Before an output is opened: a slip in a name must not empty an earlier result.
    for (const std::string& path : inputs) {
      print_problem(invocation, fmt::format("replay: {}; give recordings, or - for standard input",
                                            LineReader(path).error()));
    }
    return ExitCode::bad_input;
  }
  Replay run(invocation, inputs, configuration);
  const bool is_quiet = invocation.has("quiet");
  const auto begun = SteadyClock::now();
  bool is_complete = true;
  for (const std::string& path : inputs) {
    is_complete = run.read(path) && is_complete;
  }
  const std::chrono::duration<double> took = SteadyClock::now() - begun;
  run.evaluate();
  if (!is_quiet && run.is_wanted() && run.is_usable()) run.print_summary(took.count());
  const ExitCode result = run.finish();
  if (!is_complete) return ExitCode::bad_input;
  if (result == ExitCode::bad_input || result == ExitCode::different || run.is_usable()) {
    return result;
  }
  run.print_unusable(inputs);
  return ExitCode::bad_input;
}

constexpr std::array kOptions{
    Option{"--orders", "FILE", "orders, instead of standard output"},
    Option{"--counts", "FILE", "how many events ended how, as JSON"},
    Option{"--expect", "FILE", "compare orders with these; 1: different"},
    Option{"--why", "SYMBOL@TIME", "what was decided then, and why; repeatable"},
    Option{"--json", "", "the answers to --why as JSON, one a line"},
    kMarkoutsOption,
    kPaperOption,
    kEvaluationOption,
    kReportOption,
    kFeeOption,
    kLatencyOption,
    kFundingOption,
    Option{"--force", "", "overwrite files that exist"},
    Option{"--quiet", "", "no summary and no progress"}};

}  // namespace

constinit const Command kReplay{
    {"replay", "run recordings through the same engine; orders to standard output",
     "realtime-strategies replay --counts counts.json recording.ndjson.gz", "[FILE…|-]"},
    Needs::decisions,
    replay,
    kOptions};

}  // namespace rts::commands
