// Measures the whole service through a local broker, beside the bare libraries on the same frames:
// what a frame costs at four rates, how long an order takes at three, what a scrape and more
// symbols cost, how soon it is ready, how fast it replays. In rounds in which all take turns, so
// that a machine that is slow for a while is slow for all. bench.py makes figures of the numbers.
//   service_bench ROUNDS FRAMES SECONDS [PART…]
// FRAMES: as fast as they go. SECONDS: of each steady rate. PART: cost, latency, stream, symbols,
// scrapes, start, replay; all when none is named. Prints, for every name, what each round has
// measured, as JSON: {"rounds":{"cpu/max/service":[1.9,2.0],…},"versions":{…}}
//
// Where there are two CPUs or more, the last is the subject's alone; publisher and broker have the
// others. So it is one core that is measured, and no round depends on where the kernel puts whom.
// Start and replay may use them all.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/version.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nats/nats.h>
#include <sched.h>
#include <simdjson.h>
#include <spdlog/version.h>
#include <unistd.h>

#include "bench/driver.hpp"
#include "support/bench_frames.hpp"
#include "support/daemon.hpp"
#include "support/nats_server.hpp"
#include "support/order_log.hpp"
#include "support/paths.hpp"
#include "support/process.hpp"
#include "support/scratch_files.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using Microseconds = std::chrono::duration<double, std::micro>;
using Seconds = std::chrono::duration<double>;

// It never gives a subscriber up that is slow, nor holds the publisher back for one.
constexpr const char* kPatientBroker =
    "max_pending: 1GB\nwrite_deadline: \"60s\"\njetstream: enabled\n";
constexpr std::uint64_t kFirstMarkId = 5'000'000'000;
constexpr std::size_t kWarmUpFrames = 500;
constexpr std::array<std::size_t, 3> kSymbolCounts{3, 50, 500};
constexpr int kAttempts = 3;
constexpr std::size_t kSlices = 20;
constexpr std::size_t kScrapesPerSlice = 60;
constexpr const char* kService = "service";

struct Effort {
  std::size_t rounds = 0;
  std::size_t frames = 0;
  double seconds = 0;

  [[nodiscard]] std::size_t frames_at(double rate) const {
    return std::max<std::size_t>(2, static_cast<std::size_t>(rate * seconds));
  }
};

// --- Who runs where -----------------------------------------------------------------------------

class Cpus {
 public:
  Cpus() {
    cpu_set_t ours;
    if (::sched_getaffinity(0, sizeof ours, &ours) != 0) throw std::runtime_error("no CPUs");
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &ours)) all_.push_back(cpu);
    }
    if (all_.size() < 2) return;
    // What we start from now on inherits this.
    CPU_CLR(all_.back(), &ours);
    ::sched_setaffinity(0, sizeof ours, &ours);
  }

  [[nodiscard]] const std::vector<int>& all() const { return all_; }
  // Commands that run the one behind them on the subject's CPU, and on all that there are.
  [[nodiscard]] std::vector<std::string> subjects() const {
    return {"taskset", "-c", std::to_string(all_.back())};
  }
  [[nodiscard]] std::vector<std::string> anywhere() const {
    return {"taskset", "-c", fmt::format("{}", fmt::join(all_, ","))};
  }

 private:
  std::vector<int> all_;
};

std::vector<std::string> joined(std::vector<std::string> words,
                                const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Keeps the CPUs from going to sleep, with threads that run only where nobody else wants to. How
// soon an idle CPU wakes up is the hypervisor's affair, and another time every few seconds.
class Sleepless {
 public:
  explicit Sleepless(const Cpus& cpus) {
    for (const int cpu : cpus.all()) threads_.emplace_back([this, cpu] { spin(cpu); });
  }
  ~Sleepless() {
    ending_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Sleepless(const Sleepless&) = delete;
  Sleepless& operator=(const Sleepless&) = delete;
  Sleepless(Sleepless&&) = delete;
  Sleepless& operator=(Sleepless&&) = delete;

 private:
  void spin(int cpu) const {
    const sched_param lowest{};
    if (::sched_setscheduler(0, SCHED_IDLE, &lowest) != 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    while (!ending_) {
    }
  }

  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
};

// --- What is published --------------------------------------------------------------------------

// A part of a load, at its rate.
struct Part {
  std::string name;
  Drive drive;
};

// Mixed frames with marks among them, part by part.
class Traffic {
 public:
  // The service takes frames of the last hours only because it is told to; none lies ahead.
  explicit Traffic(std::size_t symbols = 3)
      : frames_("mixed", {.symbols = bench_symbols(symbols), .start = start()}) {}

  // A mark behind them, late enough to be an order with every default cooldown.
  void add_part(const std::string& name, std::size_t count, double rate) {
    const std::size_t first = load_.size();
    for (const std::string& frame : frames_.next(count)) load_.add(frame);
    last_mark_at_ = std::max(last_mark_at_, frames_.time()) + 30min;
    add_mark(last_mark_at_);
    parts_.push_back({name, {first, load_.size(), rate}});
  }
  // Every n-th frame is a mark.
  void add_marked_part(const std::string& name, std::size_t count, double rate, std::size_t n) {
    const std::size_t first = load_.size();
    for (std::size_t i = 0; i < count / n; ++i) {
      for (const std::string& frame : frames_.next(n - 1)) load_.add(frame);
      add_mark(frames_.time());
    }
    parts_.push_back({name, {first, load_.size(), rate}});
  }

  [[nodiscard]] const Load& load() const { return load_; }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  // Of the marks, as `reference` takes them.
  [[nodiscard]] std::string gaps() const {
    std::vector<std::size_t> gaps;
    std::size_t behind = 0;
    for (const Load::Mark& mark : load_.marks()) {
      gaps.push_back(mark.frame + 1 - behind);
      behind = mark.frame + 1;
    }
    return fmt::format("{}", fmt::join(gaps, ","));
  }

 private:
  static UnixMs start() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) - 12h;
  }
  void add_mark(UnixMs at) {
    load_.add_marked(mark_frame(mark_id_, at), std::to_string(mark_id_));
    ++mark_id_;
  }

  BenchFrames frames_;
  Load load_;
  std::vector<Part> parts_;
  std::uint64_t mark_id_ = kFirstMarkId;
  UnixMs last_mark_at_;
};

// The defaults, but for what makes them refuse frames of another time, or marks.
Environment usual_settings(const std::string& url) {
  return {{"NATS_URL", url},
          {"TRADING_SYMBOLS", fmt::format("BTCUSDT,ETHUSDT,BNBUSDT,{}", kMarkSymbol)},
          {"MESSAGE_TTL_SECONDS", "0"},
          {"ORDER_TTL_SECONDS", "86400"},
          {"RISK_MAX_DAILY_SIGNALS", "0"},
          {"RISK_MAX_ORDERS_PER_MINUTE", "0"}};
}

// Every mark is an order and nothing else is.
Environment marks_only_settings(const std::string& url) {
  Environment settings = usual_settings(url);
  settings.merge(Environment{{"SIGNAL_COOLDOWN_SECONDS", "0"},
                             {"RISK_PRICE_BAND_PERCENT", "0"},
                             {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                             {"ORDERBOOK_SKEW_BUY_THRESHOLD", "10000"},
                             {"ORDERBOOK_SKEW_SELL_THRESHOLD", "0.0001"},
                             {"TRADE_MOMENTUM_BUY_THRESHOLD", "1"},
                             {"TRADE_MOMENTUM_SELL_THRESHOLD", "-1"},
                             {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "1000"}});
  return settings;
}

// By way of the order log.
Environment stream_settings(Environment settings) {
  settings["ORDER_DELIVERY"] = "jetstream";
  return settings;
}

// --- What is measured ---------------------------------------------------------------------------

// A process that takes the frames: the service, or a reference in its place.
class Subject {
 public:
  Subject(const Cpus& cpus, const std::string& name, const Environment& settings,
          const std::string& gaps = {}) {
    if (name == kService) {
      service_.emplace(settings, cpus.subjects());
      if (!service_->wait_ready()) throw std::runtime_error("not ready: " + service_->log());
      return;
    }
    const std::string beside = binary().substr(0, binary().rfind('/') + 1);
    const std::vector<std::string> command{beside + "reference", name, settings.at("NATS_URL"),
                                           gaps};
    reference_.emplace(joined(cpus.subjects(), command),
                       ProcessOptions{.env = {}, .capture_stdout = true});
    if (!reference_->wait_for_out("subscribed", 10s)) {
      throw std::runtime_error("the reference does not subscribe");
    }
  }

  [[nodiscard]] pid_t pid() { return service_ ? service_->process().pid() : reference_->pid(); }
  [[nodiscard]] std::uint16_t http_port() const { return service_->port(); }
  // What may have become of an answer that does not come: on a machine that is taken away for two
  // seconds the service holds its orders back, for it has no proof that they would arrive.
  [[nodiscard]] std::string orders_not_sent() const {
    if (!service_) return "";
    const Scrape scrape(service_->port());
    std::string text;
    for (const char* result : {"disconnected", "expired", "circuit_open", "buffer_full"}) {
      const double count = scrape.sum("rts_orders_total", fmt::format("result=\"{}\"", result));
      if (count > 0) text += fmt::format(", {} orders {}", count, result);
    }
    return text;
  }
  // What was published was taken, whole and by the rules.
  void expect_all_taken(std::size_t frames) const {
    if (!service_) return;
    const Scrape scrape(service_->port());
    const double received = scrape.sum("rts_frames_received_total");
    const double refused =
        scrape.sum("rts_events_dropped_total") + scrape.sum("rts_events_ignored_total");
    if (received != static_cast<double>(frames) || refused != 0) {
      throw std::runtime_error(
          fmt::format("{} frames published, {} received, {} refused", frames, received, refused));
    }
  }

 private:
  std::optional<Daemon> service_;
  std::optional<Process> reference_;
};

// Numbers by name, one a round; those of a latency are all that were measured in the round.
class Rounds {
 public:
  void add(const std::string& name, double value) {
    values_[name].push_back(fmt::format("{:.6g}", value));
  }
  void add(const std::string& name, const std::vector<Microseconds>& values) {
    std::vector<std::string> texts;
    for (const Microseconds& value : values) texts.push_back(fmt::format("{:.1f}", value.count()));
    values_[name].push_back(fmt::format("[{}]", fmt::join(texts, ",")));
  }
  [[nodiscard]] std::string json() const {
    std::vector<std::string> members;
    for (const auto& [name, values] : values_) {
      members.push_back(fmt::format("\"{}\":[{}]", name, fmt::join(values, ",")));
    }
    return fmt::format("{{{}}}", fmt::join(members, ",\n"));
  }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

class Bench {
 public:
  Bench(const Effort& effort, std::set<std::string> parts)
      : effort_(effort), parts_(std::move(parts)), broker_(kPatientBroker) {}

  void run() {
    // First, while we are small: a large process takes long to start another.
    if (wants("replay")) write_recording();
    for (round_ = 0; round_ < effort_.rounds; ++round_) {
      if (wants("start")) start();
      if (wants("replay")) replay();
    }
    if (std::ranges::any_of(std::array{"cost", "latency", "stream", "symbols", "scrapes"},
                            [this](const char* part) { return wants(part); })) {
      make_feeds();
    }
    for (round_ = 0; round_ < effort_.rounds; ++round_) {
      if (wants("cost")) {
        for (const std::string& name : in_turn({kService, "count", "numbers"})) {
          take([&] { cost(name); });
        }
      }
      if (wants("latency")) {
        for (const std::string& name : in_turn({kService, "count"})) take([&] { latency(name); });
      }
      if (wants("stream")) {
        for (const std::string& name : in_turn({kService, "store"})) take([&] { stream(name); });
      }
      if (wants("symbols")) {
        for (const std::size_t symbols : kSymbolCounts) take([&] { cost_of_symbols(symbols); });
      }
      if (wants("scrapes")) take([&] { cost_of_scrapes(); });
    }
    if (terminal_) fmt::print(stderr, "\r{:60}\r", "");
  }
  [[nodiscard]] std::string json() const { return rounds_.json(); }

 private:
  void make_feeds() {
    costs_.add_part("warm up", kWarmUpFrames, 0);
    costs_.add_part("1000", effort_.frames_at(1'000), 1'000);
    costs_.add_part("10000", effort_.frames_at(10'000), 10'000);
    costs_.add_part("100000", effort_.frames_at(100'000) / 3, 100'000);
    costs_.add_part("max", effort_.frames, 0);

    latencies_.add_marked_part("warm up", kWarmUpFrames, 5'000, 10);
    latencies_.add_marked_part("500", effort_.frames_at(500), 500, 2);
    latencies_.add_marked_part("5000", effort_.frames_at(5'000), 5'000, 10);
    latencies_.add_marked_part("50000", effort_.frames_at(50'000), 50'000, 100);

    for (const std::size_t symbols : kSymbolCounts) {
      Traffic& feed = symbols_.emplace(symbols, symbols).first->second;
      feed.add_part("warm up", kWarmUpFrames, 0);
      feed.add_part("max", effort_.frames / 3, 0);
    }
  }

  // Once more where an answer is missing: this machine is not ours alone.
  template <class Measure>
  void take(Measure measure) {
    const Rounds before = rounds_;
    for (int attempt = 1;; ++attempt) {
      try {
        measure();
        return;
      } catch (const NoAnswer& missing) {
        if (attempt == kAttempts) throw;
        fmt::print(stderr, "{}once more: {}\n", terminal_ ? "\n" : "", missing.what());
        rounds_ = before;
      }
    }
  }
  static Driven play(Subject& subject, Driver& driver, const Traffic& traffic, const Drive& drive) {
    try {
      return driver.run(traffic.load(), drive);
    } catch (const NoAnswer& missing) {
      throw NoAnswer(missing.what() + subject.orders_not_sent());
    }
  }

  void write_recording() {
    BenchFrames frames("mixed");
    std::ofstream file(recording_, std::ios::binary);
    for (std::size_t i = 0; i < effort_.frames; ++i) file << frames.next(1).front() << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + recording_);
  }

  [[nodiscard]] bool wants(const std::string& part) const {
    return parts_.empty() || parts_.contains(part);
  }
  void say(const std::string& what) const {
    const std::string line = fmt::format("round {} of {}: {}", round_ + 1, effort_.rounds, what);
    terminal_ ? fmt::print(stderr, "\r{:60}", line) : fmt::print(stderr, "{}\n", line);
  }
  // Every round begins with another.
  [[nodiscard]] std::vector<std::string> in_turn(std::vector<std::string> names) const {
    const auto shift = static_cast<std::ptrdiff_t>(round_ % names.size());
    std::rotate(names.begin(), names.begin() + shift, names.end());
    return names;
  }

  // CPU time a frame, memory, and what rate was really reached.
  void cost(const std::string& name) {
    say("cost, " + name);
    Subject subject(cpus_, name, usual_settings(broker_.url()), costs_.gaps());
    Driver driver(broker_.port());
    for (const Part& part : costs_.parts()) {
      cost_of(subject, driver, costs_, part, fmt::format("{}/{}", part.name, name));
    }
    subject.expect_all_taken(costs_.load().size());
  }

  void cost_of(Subject& subject, Driver& driver, const Traffic& feed, const Part& part,
               const std::string& name) {
    const auto before = cpu_time_of(subject.pid());
    const Driven driven = play(subject, driver, feed, part.drive);
    const Usage usage = usage_of(subject.pid());
    if (part.name == "warm up") return;
    const auto frames = static_cast<double>(part.drive.last - part.drive.first);
    const Seconds took = part.drive.frames_per_second > 0 ? driven.publishing : driven.answered;
    rounds_.add("cpu/" + name, Microseconds(usage.cpu - before).count() / frames);
    rounds_.add("rate/" + name, frames / took.count());
    rounds_.add("rss/" + name, static_cast<double>(usage.resident_bytes) / 1048576);
  }

  void latency(const std::string& name) {
    say("latency, " + name);
    latencies("latency", name, marks_only_settings(broker_.url()));
  }

  // Each time into an empty log: the marks are the same each time.
  void stream(const std::string& name) {
    say("stream, " + name);
    const Environment settings = stream_settings(marks_only_settings(broker_.url()));
    make_empty_log(settings);
    latencies("stream", name, settings);
  }

  void make_empty_log(const Environment& settings) const {
    try {
      OrderLogAdmin(broker_.url()).remove();
    } catch (const std::runtime_error&) {  // the first time
    }
    const RunResult made = run_binary({"provision", "--daily-cap", "0"}, settings);
    if (made.exit_code != 0) throw std::runtime_error("no order log: " + made.err);
  }

  void latencies(const std::string& part_name, const std::string& name,
                 const Environment& settings) {
    const Sleepless sleepless(cpus_);
    Subject subject(cpus_, name, settings, latencies_.gaps());
    Driver driver(broker_.port());
    for (const Part& part : latencies_.parts()) {
      const Driven driven = play(subject, driver, latencies_, part.drive);
      if (part.name == "warm up") continue;
      const auto frames = static_cast<double>(part.drive.last - part.drive.first);
      rounds_.add(fmt::format("{}/{}/{}", part_name, part.name, name), driven.latencies);
      rounds_.add(fmt::format("{}_rate/{}/{}", part_name, part.name, name),
                  frames / driven.publishing.count());
    }
    rounds_.add(fmt::format("{}_rss/{}", part_name, name),
                static_cast<double>(usage_of(subject.pid()).resident_bytes) / 1048576);
    subject.expect_all_taken(latencies_.load().size());
  }

  void cost_of_symbols(std::size_t count) {
    say(fmt::format("{} symbols", count));
    Environment settings = usual_settings(broker_.url());
    settings["TRADING_SYMBOLS"] = symbol_list(count);
    const Traffic& feed = symbols_.at(count);
    Subject subject(cpus_, kService, settings);
    Driver driver(broker_.port());
    for (const Part& part : feed.parts()) {
      cost_of(subject, driver, feed, part, fmt::format("symbols/{}", count));
    }
    subject.expect_all_taken(feed.load().size());
  }

  // The bound of * is 512.
  static std::string symbol_list(std::size_t count) {
    if (count > 100) return "*";
    std::string list(kMarkSymbol);
    for (const Symbol& symbol : bench_symbols(count)) list += fmt::format(",{}", symbol.text());
    return list;
  }

  // At 10,000 frames a second, in slices: in every second one /metrics is asked for again and
  // again. What these cost more than the others, for their frames, is the scrapes'.
  void cost_of_scrapes() {
    say("scrapes");
    Subject subject(cpus_, kService, usual_settings(broker_.url()));
    Driver driver(broker_.port());
    play(subject, driver, costs_, costs_.parts()[0].drive);
    const Drive& drive = costs_.parts()[2].drive;
    const Seconds whole(static_cast<double>(drive.last - drive.first) / drive.frames_per_second);
    struct Cost {
      double frames = 0;
      Microseconds cpu{};
    };
    Cost quiet;
    Cost scraped;
    std::vector<Microseconds> times;
    std::jthread scraper([&] {
      const auto look = [&]() -> Cost {
        const double frames = Scrape(subject.http_port()).sum("rts_frames_received_total");
        return {frames, cpu_time_of(subject.pid())};
      };
      Cost before = look();
      for (std::size_t slice = 0; slice < kSlices; ++slice) {
        const auto begun = SteadyClock::now();
        const bool scrapes = slice % 2 == 1;
        if (scrapes) scrape(subject.http_port(), whole / kSlices, times);
        std::this_thread::sleep_until(begun + whole / kSlices);
        const Cost now = look();
        Cost& sum = scrapes ? scraped : quiet;
        sum.frames += now.frames - before.frames;
        sum.cpu += now.cpu - before.cpu;
        before = now;
      }
    });
    play(subject, driver, costs_, drive);
    scraper.join();
    const Microseconds frames = quiet.cpu / quiet.frames * scraped.frames;
    rounds_.add("scrape_cpu", ((scraped.cpu - frames) / times.size()).count());
    rounds_.add("scrape_time", times);
  }

  // kScrapesPerSlice of them, spread over that time.
  static void scrape(std::uint16_t port, Seconds over, std::vector<Microseconds>& times) {
    const auto begun = SteadyClock::now();
    for (std::size_t i = 0; i < kScrapesPerSlice; ++i) {
      std::this_thread::sleep_until(begun + over * (static_cast<double>(i) / kScrapesPerSlice));
      const auto asked = SteadyClock::now();
      if (http_get(port, "/metrics").status == 200) {
        times.emplace_back(SteadyClock::now() - asked);
      }
    }
  }

  // From its start to /ready, with a broker there, and with an empty order log there.
  void start() {
    say("start");
    const Environment settings = usual_settings(broker_.url());
    start("ready", settings);
    make_empty_log(settings);
    start("ready_stream", stream_settings(settings));
  }
  void start(const std::string& name, const Environment& settings) {
    const auto begun = SteadyClock::now();
    const Daemon daemon(settings, cpus_.anywhere());
    if (!daemon.wait_ready()) throw std::runtime_error("not ready: " + daemon.log());
    rounds_.add(name, Seconds(SteadyClock::now() - begun).count() * 1000);
  }

  void replay() {
    say("replay");
    const auto begun = SteadyClock::now();
    Process process(joined(cpus_.anywhere(), {binary(), "replay", recording_, "--quiet"}),
                    {.env = {}, .capture_stdout = true});
    const auto ended = process.wait(60s);
    const Seconds took = SteadyClock::now() - begun;
    if (!ended || !ended->exited || ended->code != 0) throw std::runtime_error("replay failed");
    rounds_.add("replay", static_cast<double>(effort_.frames) / took.count());
  }

  Effort effort_;
  std::set<std::string> parts_;
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  Cpus cpus_;  // before what inherits
  NatsServer broker_;
  ScratchFiles files_;
  std::string recording_ = files_.path("market.ndjson");
  Traffic costs_;
  Traffic latencies_;
  std::map<std::size_t, Traffic> symbols_;
  Rounds rounds_;
  std::size_t round_ = 0;
};

std::string versions_json() {
  const std::map<std::string, std::string> versions{
      {"nats.c", nats_GetVersion()},
      {"simdjson", fmt::format("{}.{}.{}", static_cast<int>(simdjson::SIMDJSON_VERSION_MAJOR),
                               static_cast<int>(simdjson::SIMDJSON_VERSION_MINOR),
                               static_cast<int>(simdjson::SIMDJSON_VERSION_REVISION))},
      {"Boost", BOOST_LIB_VERSION},
      {"spdlog", fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)},
      {"GCC", __VERSION__}};
  std::vector<std::string> members;
  for (const auto& [name, version] : versions) {
    members.push_back(fmt::format(R"("{}":"{}")", name, version));
  }
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

}  // namespace
}  // namespace rts::test

int main(int argc, char** argv) {
  try {
    if (argc < 4) throw std::runtime_error("usage: service_bench ROUNDS FRAMES SECONDS [PART…]");
    rts::test::Bench bench({.rounds = std::strtoull(argv[1], nullptr, 10),
                            .frames = std::strtoull(argv[2], nullptr, 10),
                            .seconds = std::strtod(argv[3], nullptr)},
                           {argv + 4, argv + argc});
    bench.run();
    std::printf("{\"rounds\":%s,\n\"versions\":%s}\n", bench.json().c_str(),
                rts::test::versions_json().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "service_bench: %s\n", error.what());
    return 1;
  }
}
