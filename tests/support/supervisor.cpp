#include "support/supervisor.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <span>

#include <fmt/format.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"
#include "support/feed.hpp"
#include "support/nats_server.hpp"
#include "support/sink.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::array kKinds{FaultKind::kill_broker, FaultKind::freeze_broker,
                            FaultKind::stop_replica, FaultKind::kill_replica};
constexpr auto kPatience = loosened(15s);
// One step of the allocator looks like a slope.
constexpr std::size_t kAllocatorStepBytes = std::size_t{256} << 10U;
// A run of a minute or two is still warming up, in which every first reconnect may take a few of
// them: it is held to what the service may have under load at all.
constexpr std::size_t kMostResidentBytes = std::size_t{24} << 20U;
constexpr auto kWarmUp = 180s;
constexpr double kDelayNoise = 0.002;  // seconds; one turn of another process on the same core
constexpr std::size_t kSamplesADelay = 4;

}  // namespace

std::string_view to_string(FaultKind kind) {
  switch (kind) {
    case FaultKind::kill_broker: return "broker killed";
    case FaultKind::freeze_broker: return "broker frozen";
    case FaultKind::stop_replica: return "replica stopped";
    case FaultKind::kill_replica: return "replica killed";
  }
  return "";
}

std::vector<ScheduledFault> make_schedule(const SupervisorOptions& options) {
  std::mt19937_64 random(options.seed);
  const auto draw = [&](milliseconds from, milliseconds below) {
    const auto span = static_cast<std::uint64_t>((below - from).count());
    return from + milliseconds(random() % span);
  };
  std::vector<ScheduledFault> schedule;
  milliseconds at = options.pause;
  while (at < options.length) {
    ScheduledFault fault{
        .at = at, .kind = kKinds[random() % kKinds.size()], .replica = 0, .length = 0ms};
    fault.replica = 1 + random() % (options.replicas - 1);
    if (fault.kind == FaultKind::kill_broker) fault.length = draw(100ms, 3000ms);
    if (fault.kind == FaultKind::freeze_broker) fault.length = draw(500ms, 8000ms);
    schedule.push_back(fault);
    at += fault.length + draw(options.pause / 2, options.pause * 3 / 2);
  }
  return schedule;
}

// --- Growth

// The two halves of one run are compared, for no two machines have the same delays. Those of a
// short run have a few orders each, and a broker killed in one of them.
bool Trend::flat() const {
  const bool short_run = window < kWarmUp;
  const bool steady = short_run ? resident_bytes <= kMostResidentBytes
                                : slope_mb_per_hour < std::max(1.0, resolution_mb_per_hour);
  const bool as_fast =
      short_run || (p99_before && p99_after && *p99_after <= 2 * *p99_before + kDelayNoise);
  return (steady || !kMemoryIsOurs) && as_fast && fds_before == fds_after &&
         threads_before == threads_after;
}

namespace {

// As JSON has it, too.
std::string text_of_ms(std::optional<double> seconds) {
  return seconds ? fmt::format("{:.3f}", *seconds * 1e3) : "null";
}

}  // namespace

std::string Trend::text() const {
  return fmt::format(
      "RSS {:.1f} MB, {:+.2f} MB/h over {} s (resolution {:.2f}), without the {:.1f} MB of files' "
      "pages {:+.2f} MB/h; fds {} to {}, threads {} to {}, p99 {} to {} ms",
      static_cast<double>(resident_bytes) / 1e6, slope_mb_per_hour, window.count(),
      resolution_mb_per_hour, static_cast<double>(file_bytes) / 1e6, own_slope_mb_per_hour,
      fds_before, fds_after, threads_before, threads_after, text_of_ms(p99_before),
      text_of_ms(p99_after));
}

std::string Trend::json() const {
  return fmt::format(
      R"("resident_mb":{:.2f},"file_mb":{:.2f},"slope_mb_per_hour":{:.3f},)"
      R"("own_slope_mb_per_hour":{:.3f},"fds":[{},{}],"threads":[{},{}],"p99_ms":[{},{}])",
      static_cast<double>(resident_bytes) / 1e6, static_cast<double>(file_bytes) / 1e6,
      slope_mb_per_hour, own_slope_mb_per_hour, fds_before, fds_after, threads_before,
      threads_after, text_of_ms(p99_before), text_of_ms(p99_after));
}

namespace {

// `bytes` reads what is looked at from a sample.
template <class Bytes>
double slope_mb_per_hour(std::span<const Growth::Sample> samples, Bytes bytes) {
  double n = 0;
  double sum_t = 0;
  double sum_y = 0;
  double sum_tt = 0;
  double sum_ty = 0;
  for (const Growth::Sample& sample : samples) {
    const double t = std::chrono::duration<double, std::ratio<3600>>(sample.at).count();
    const double y = static_cast<double>(bytes(sample)) / 1e6;
    n += 1;
    sum_t += t;
    sum_y += y;
    sum_tt += t * t;
    sum_ty += t * y;
  }
  const double spread = n * sum_tt - sum_t * sum_t;
  return spread > 0 ? (n * sum_ty - sum_t * sum_y) / spread : 0;
}

}  // namespace

// What comes and goes (a probe's connection, the thread that connects) is not growth: the least of
// the first half is compared with the least of the second.
Trend Growth::trend() const {
  Trend trend;
  const std::size_t begin = samples_.size() / 3;
  const std::size_t middle = begin + (samples_.size() - begin) / 2;
  if (samples_.size() < 10) return trend;
  const auto least = [&](std::size_t from, std::size_t to, std::size_t Sample::*member) {
    std::size_t value = samples_[from].*member;
    for (std::size_t i = from; i < to; ++i) value = std::min(value, samples_[i].*member);
    return value;
  };
  trend.fds_before = least(begin, middle, &Sample::fds);
  trend.fds_after = least(middle, samples_.size(), &Sample::fds);
  trend.threads_before = least(begin, middle, &Sample::threads);
  trend.threads_after = least(middle, samples_.size(), &Sample::threads);
  const auto window = samples_.back().at - samples_[begin].at;
  trend.window = std::chrono::duration_cast<std::chrono::seconds>(window);
  const auto behind_warm_up = std::span(samples_).subspan(begin);
  trend.slope_mb_per_hour =
      slope_mb_per_hour(behind_warm_up, [](const Sample& at) { return at.resident_bytes; });
  trend.own_slope_mb_per_hour = slope_mb_per_hour(
      behind_warm_up, [](const Sample& at) { return at.resident_bytes - at.file_bytes; });
  trend.resolution_mb_per_hour = static_cast<double>(kAllocatorStepBytes) / 1e6 /
                                 std::chrono::duration<double, std::ratio<3600>>(window).count();
  trend.resident_bytes = samples_.back().resident_bytes;
  trend.file_bytes = samples_.back().file_bytes;
  trend.p99_before = p99(begin, middle);
  trend.p99_after = p99(middle, samples_.size());
  return trend;
}

std::optional<double> Growth::p99(std::size_t from, std::size_t to) const {
  const Delays* first = nullptr;
  const Delays* last = nullptr;
  for (const Delays& reading : delays_) {
    if (reading.sample < from || reading.sample > to) continue;
    if (first == nullptr) first = &reading;
    last = &reading;
  }
  if (first == last) return std::nullopt;
  const double seconds = quantile(0.99, first->buckets, last->buckets);
  return seconds > 0 ? std::optional(seconds) : std::nullopt;
}

// --- The run

namespace {

Environment replica_environment(const std::string& url) {
  Environment environment = memoryless_settings();
  environment["NATS_URL"] = url;
  return environment;
}

class Run {
 public:
  explicit Run(const SupervisorOptions& options)
      : options_(options),
        broker_(kAttentiveBroker),
        sink_(broker_.url(), "tradeengine.orders", Answer::accepted),
        feed_(broker_.url(),
              {.seed = options.seed, .rate = options.rate, .settings = memoryless_settings()}) {
    result_.faults.resize(kKinds.size());
    for (std::size_t i = 0; i < options.replicas; ++i) {
      replicas_.push_back(std::make_unique<Daemon>(replica_environment(broker_.url())));
    }
    expect(wait_all_ready(), "the replicas do not become ready");
  }

  SupervisorResult operator()() {
    feed_.start();
    for (const ScheduledFault& fault : make_schedule(options_)) {
      pass_time_until(fault.at);
      say(fmt::format(
          "{:6.1f} s  {} {}", seconds_passed(), to_string(fault.kind),
          fault.length > 0ms ? text_of(fault.length) : fmt::format("{}", fault.replica)));
      ++result_.faults[static_cast<std::size_t>(fault.kind)];
      apply(fault);
    }
    pass_time_until(options_.length);
    finish();
    return std::move(result_);
  }

 private:
  void apply(const ScheduledFault& fault) {
    switch (fault.kind) {
      case FaultKind::kill_broker:
        return silence_broker([&] { broker_.kill(); }, [&] { broker_.restart(); }, fault.length);
      case FaultKind::freeze_broker:
        silence_broker([&] { broker_.suspend(); }, [&] { broker_.resume(); }, fault.length);
        // What it had taken by then it delivers when it goes on.
        windows_.back().handed_over = windows_.back().from + loosened(kWindowMargin);
        return;
      case FaultKind::stop_replica: return stop(fault.replica);
      case FaultKind::kill_replica: return kill(fault.replica);
    }
  }

  template <class Begin, class End>
  void silence_broker(Begin begin, End end, milliseconds length) {
    const UnixMs from = begin_window();
    begin();
    (void)throughout(length, [] { return true; });
    end();
    const Stopwatch since_return;
    expect(wait_all_ready(), "not ready after the broker's return");
    result_.slowest_ready =
        std::max<std::chrono::nanoseconds>(result_.slowest_ready, since_return.passed());
    expect(since_return.passed() <= loosened(2s), "not ready 2 s after the broker's return");
    expect(sink_.wait_subscribed(kPatience), "the sink does not come back");
    expect(feed_.wait_in_step(kPatience), "the feed does not catch up");
    end_window(from);
  }

  // Nothing may be lost: no window.
  void stop(std::size_t index) {
    auto& replica = replicas_[index];
    expect_accounts(*replica);
    expect(replica->terminate(loosened(milliseconds(5000))) == 0, "a replica does not end with 0");
    restart(index);
  }

  void kill(std::size_t index) {
    const UnixMs from = begin_window();
    replicas_[index]->process().signal(SIGKILL);
    expect(replicas_[index]->process().wait(kPatience).has_value(), "a replica survives SIGKILL");
    const Stopwatch since_restart;
    restart(index);
    expect(since_restart.passed() <= loosened(1s), "not ready 1 s after a restart");
    end_window(from);
  }

  void restart(std::size_t index) {
    replicas_[index] = std::make_unique<Daemon>(replica_environment(broker_.url()));
    expect(replicas_[index]->wait_ready(kPatience), "a replica does not become ready");
  }

  [[nodiscard]] bool wait_all_ready() const {
    return std::all_of(replicas_.begin(), replicas_.end(),
                       [](const auto& replica) { return replica->wait_ready(kPatience); });
  }

  static constexpr milliseconds kWindowMargin{200};

  [[nodiscard]] static UnixMs begin_window() {
    return to_ms(wall_clock()) - loosened(kWindowMargin);
  }
  void end_window(UnixMs from) {
    windows_.push_back({from, to_ms(wall_clock()) + loosened(kWindowMargin)});
  }

  void pass_time_until(milliseconds at) {
    const auto left = at - std::chrono::duration_cast<milliseconds>(watch_.passed());
    if (left <= 0ms) return;
    (void)throughout(left, [this] {
      if (watch_.passed() - sampled_ >= 500ms) sample();
      return true;
    });
  }

  void sample() {
    sampled_ = watch_.passed();
    Daemon& witness = *replicas_.front();
    const Usage usage = usage_of(witness.process().pid());
    if (!witness.ready()) return;
    growth_.add({std::chrono::duration_cast<milliseconds>(sampled_), usage.resident_bytes,
                 usage.file_bytes, usage.fds, usage.threads});
    if (samples_++ % kSamplesADelay == 0) {
      growth_.add(Scrape(witness.port()).histogram("rts_receive_to_publish_seconds"));
    }
  }

  void finish() {
    expect(feed_.stop(), "the broker does not take the last frames");
    result_.frames = feed_.published();
    result_.orders = sink_.settle(feed_.expected(), windows_, kPatience);
    result_.trend = growth_.trend();
    for (const auto& replica : replicas_) {
      expect_accounts(*replica);
      expect(replica->terminate(loosened(milliseconds(5000))) == 0,
             "a replica does not end with 0");
    }
  }

  void expect_accounts(const Daemon& replica) {
    const std::string problem = Scrape(replica.port()).accounts_problem();
    expect(problem.empty(), problem);
  }
  void expect(bool held, const std::string& complaint) {
    if (held) return;
    result_.complaints.push_back(fmt::format("{:.1f} s: {}", seconds_passed(), complaint));
    say(result_.complaints.back());
  }
  void say(const std::string& text) const {
    if (!options_.talk) return;
    fmt::print("{}\n", text);
    std::fflush(stdout);
  }
  [[nodiscard]] double seconds_passed() const {
    return std::chrono::duration<double>(watch_.passed()).count();
  }

  SupervisorOptions options_;
  NatsServer broker_;
  Sink sink_;
  Feed feed_;
  std::vector<std::unique_ptr<Daemon>> replicas_;
  std::vector<FaultWindow> windows_;
  Stopwatch watch_;
  std::chrono::steady_clock::duration sampled_{0};
  std::size_t samples_ = 0;
  Growth growth_;
  SupervisorResult result_;
};

}  // namespace

std::string SupervisorResult::text() const {
  std::string text = fmt::format("{} frames; {}; ready {} after the broker at most; {}", frames,
                                 orders.text(), text_of(slowest_ready), trend.text());
  for (const std::string& complaint : complaints) text += "; " + complaint;
  return text;
}

std::string SupervisorResult::json(const SupervisorOptions& options) const {
  std::size_t all_faults = 0;
  for (const std::size_t of_a_kind : faults) all_faults += of_a_kind;
  return fmt::format(
      R"({{"seconds":{},"seed":{},"faults":{},"frames":{},"orders":"{}","slowest_ready_ms":{:.1f},)"
      R"({},"held":{}}})",
      options.length.count(), options.seed, all_faults, frames, orders.text(),
      std::chrono::duration<double, std::milli>(slowest_ready).count(), trend.json(), held());
}

SupervisorResult supervise(const SupervisorOptions& options) { return Run(options)(); }

}  // namespace rts::test
