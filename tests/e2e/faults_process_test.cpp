// What the machine, its operator and a bug do to the process: signals, bad settings, another
// locale, too little of what a machine lends, a log that nobody reads, a room with nothing in it.
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rts/base/version.hpp>

#include "e2e/scene.hpp"
#include "support/known_orders.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/probe.hpp"
#include "support/rapidjson.hpp"
#include "support/scratch_files.hpp"
#include "support/setting_edges.hpp"
#include "support/tcp_client.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = loosened(15s);
constexpr int kConfigurationError = 78;
constexpr int kInternalError = 70;

// --- Settings

TEST(ProcessFault, BadSettings) {
  std::size_t runs = 0;
  std::size_t refused = 0;
  Environment all_bad;
  for (const config::Setting& setting : config::table()) {
    const std::string name(setting.name);
    for (const std::string& value : edges_of(setting).outside) {
      const RunResult result = run_binary({"run"}, {{name, value}});
      const bool right = result.exit_code == kConfigurationError &&
                         (result.out + result.err).find(name + "=") != std::string::npos;
      EXPECT_TRUE(right) << name << "='" << value << "' exit " << result.exit_code << result.out
                         << result.err;
      ++runs;
      if (right) ++refused;
      all_bad[name] = value;
    }
  }
  // All of them at once, among secrets that nobody may see.
  std::size_t named = 0;
  const auto is_public = [](const auto& given) { return !config::find(given.first)->is_secret(); };
  const auto wrong =
      static_cast<std::size_t>(std::count_if(all_bad.begin(), all_bad.end(), is_public));
  all_bad["NATS_URL"] = "nats://canary-user:canary-password@bad host:99999";
  for (const config::Setting& setting : config::table()) {
    if (setting.is_secret()) all_bad[std::string(setting.name)] = "canary-value";
  }
  const RunResult result = run_binary({"run"}, all_bad);
  const std::string said = result.out + result.err;
  for (const auto& [name, value] : all_bad) {
    if (!config::find(name)->is_secret() && said.find(name + "=") != std::string::npos) ++named;
  }
  const bool silent = said.find("canary") == std::string::npos;
  EXPECT_EQ(result.exit_code, kConfigurationError);
  EXPECT_EQ(named, wrong) << said;
  EXPECT_TRUE(silent) << said;
  report_fault({.fault = "bad settings: just outside of every row of the table, both sides",
                .promise = "exit 78, all errors at once, no secret echoed",
                .figure = "every row; canary 0 times",
                .measured = fmt::format(
                    "{} of {} values refused by name; {} of {} rows at once; {}", refused, runs,
                    named, wrong, silent ? "no canary" : "a secret was echoed"),
                .held = refused == runs && named == wrong && silent &&
                        result.exit_code == kConfigurationError});
}

// --- Signals

// From a signal to the first answer of /ready that is not 200; no answer at all counts, too.
std::chrono::nanoseconds until_not_ready(Daemon& daemon, int signal) {
  const Stopwatch watch;
  daemon.process().signal(signal);
  EXPECT_TRUE(eventually([&] { return !daemon.ready(); }, kSoon));
  return watch.passed();
}

int exit_code(Daemon& daemon, std::chrono::milliseconds limit) {
  const auto status = daemon.process().wait(limit);
  return status && status->exited ? status->code : -1;
}

TEST(ProcessFault, StopSignals) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(500));
  feed.start();
  std::chrono::nanoseconds slowest{0};
  bool codes_right = true;
  std::vector<FaultWindow> outages;
  for (const int signal : {SIGTERM, SIGINT}) {
    const Outage outage;
    Daemon daemon(environment_of(memoryless_settings(), broker.url()));
    ASSERT_TRUE(daemon.wait_ready());
    ASSERT_TRUE(sink.wait_for(sink.size() + 50, kSoon));
    slowest = std::max(slowest, until_not_ready(daemon, signal));
    codes_right = codes_right && exit_code(daemon, loosened(5s)) == 0;
    outages.push_back(outage.over());

    // The second of two, while draining cannot finish.
    NatsServer frozen;
    Daemon stuck(Environment{{"NATS_URL", frozen.url()}});
    ASSERT_TRUE(stuck.wait_ready());
    frozen.suspend();
    slowest = std::max(slowest, until_not_ready(stuck, signal));
    EXPECT_NE(stuck.get("/ready").body.find(R"("not_draining":{"ok":false)"), std::string::npos);
    stuck.process().signal(signal);
    codes_right = codes_right && exit_code(stuck, loosened(1s)) == 128 + signal;
  }
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = judge(sink.orders(), feed.expected(), {{UnixMs::min(), UnixMs::max()}});
  EXPECT_TRUE(verdict.clean()) << verdict.text();
  report_fault({.fault = "SIGTERM, SIGINT under load; a second one while draining is stuck",
                .promise = "/ready 503, drains, exits 0; the second: at once, 128 + signal",
                .figure = "/ready 503 <= 50 ms; exit codes",
                .measured = fmt::format("{} at most; codes {}", text_of(slowest),
                                        codes_right ? "right" : "wrong"),
                .held = codes_right && slowest <= loosened(50ms)});
}

TEST(ProcessFault, SignalsThatMeanNothing) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(1000));
  Daemon daemon(environment_of(memoryless_settings(), broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  feed.start();
  for (int i = 0; i < 20; ++i) {
    for (const int signal : {SIGHUP, SIGPIPE}) daemon.process().signal(signal);
    ASSERT_TRUE(sink.wait_for(sink.size() + 10, kSoon));
  }
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = sink.settle(feed.expected(), {}, kSoon);
  daemon.expect_accounts_balance();
  report_fault({.fault = "SIGHUP and SIGPIPE, 20 of each under load",
                .promise = "nothing happens",
                .figure = "ready; every order once",
                .measured = verdict.text(),
                .held = verdict.clean() && daemon.ready()});
}

// --- A bug, and a process that stands still

// The last line of a log, read as JSON.
rapidjson::Document last_line_of(const std::string& log) {
  const std::size_t end = log.find_last_not_of('\n') + 1;
  const std::size_t begin = log.rfind('\n', end - 1) + 1;
  rapidjson::Document line;
  line.Parse(log.data() + begin, end - begin);
  return line;
}

std::string text_in(const rapidjson::Document& line, const char* name) {
  const bool is_text = line.IsObject() && line.HasMember(name) && line[name].IsString();
  return is_text ? line[name].GetString() : "";
}

TEST(ProcessFault, ABugsSignalLeavesALastLine) {
  // A sanitizer keeps the others for its own report.
  const std::vector<std::pair<int, std::string>> signals =
      kMemoryIsOurs ? std::vector<std::pair<int, std::string>>{{SIGSEGV, "SIGSEGV"},
                                                               {SIGBUS, "SIGBUS"},
                                                               {SIGABRT, "SIGABRT"}}
                    : std::vector<std::pair<int, std::string>>{{SIGABRT, "SIGABRT"}};
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(500));
  feed.start();
  std::size_t right = 0;
  for (const auto& [number, name] : signals) {
    Daemon daemon(environment_of(memoryless_settings(), broker.url()));
    ASSERT_TRUE(daemon.wait_ready());
    ASSERT_TRUE(sink.wait_for(sink.size() + 50, kSoon));
    daemon.process().signal(number);
    const auto status = daemon.process().wait(kSoon);
    ASSERT_TRUE(status);
    EXPECT_FALSE(status->exited);
    EXPECT_EQ(status->code, number);
    const std::string log = daemon.log();
    const rapidjson::Document line = last_line_of(log);
    EXPECT_EQ(text_in(line, "event"), "crashed") << log.substr(log.size() - 500);
    EXPECT_EQ(text_in(line, "signal"), name);
    EXPECT_EQ(text_in(line, "commit"), kCommit);
    EXPECT_THAT(text_in(line, "last_event_symbol"), testing::EndsWith("USDT"));
    EXPECT_THAT(text_in(line, "last_event_id"), testing::ContainsRegex("^[A-Za-z]:[0-9]+$"));
    right += testing::Test::HasFailure() ? 0 : 1;
  }
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = judge(sink.orders(), feed.expected(), {{UnixMs::min(), UnixMs::max()}});
  report_fault({.fault = "SIGSEGV, SIGBUS, SIGABRT under load",
                .promise = "the last line says version, commit and event; ends by the signal",
                .figure = "each; nothing late, doubled or unknown",
                .measured = fmt::format("{} of {}; {}", right, signals.size(), verdict.text()),
                .held = right == signals.size() && verdict.clean()});
}

TEST(ProcessFault, StoppedForFifteenSeconds) {
  constexpr auto kStopped = 15s;
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(1000));
  Daemon daemon(environment_of(memoryless_settings(), broker.url()));
  ASSERT_TRUE(daemon.wait_ready());
  feed.start();
  ASSERT_TRUE(sink.wait_for(100, kSoon));
  const Outage outage;
  daemon.process().signal(SIGSTOP);
  (void)throughout(kStopped, [] { return true; });
  daemon.process().signal(SIGCONT);
  const Stopwatch watch;
  const std::size_t before = sink.size();
  ASSERT_TRUE(sink.wait_for(before + 50, kSoon));
  EXPECT_TRUE(daemon.wait_ready());
  const auto back = watch.passed();
  const FaultWindow window = outage.over();
  ASSERT_TRUE(sink.wait_for(sink.size() + 50, kSoon));
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = sink.settle(feed.expected(), {window}, kSoon);
  daemon.expect_accounts_balance();
  report_fault({.fault = "SIGSTOP for 15 s under load, then SIGCONT",
                .promise = "what has become old meanwhile is dropped; goes on",
                .figure = "late 0, duplicates 0; orders again <= 3 s",
                .measured = fmt::format("orders again after {}; {}", text_of(back), verdict.text()),
                .held = verdict.clean() && back <= loosened(3s)});
}

// --- Another locale

// An environment whose locale writes one and a half as 1,5; nothing where it cannot be made.
std::optional<Environment> german(const ScratchFiles& files) {
  constexpr const char* kName = "de_DE.UTF-8";
  const std::string folder = files.path(kName);
  const auto made = run_shell(fmt::format("localedef -i de_DE -f UTF-8 '{}'", folder));
  if (made.exit_code != 0) return std::nullopt;
  return Environment{{"LOCPATH", files.directory()}, {"LC_ALL", kName}};
}

std::string without(std::string line, std::string_view begin, std::string_view end) {
  const std::size_t from = line.find(begin);
  if (from != std::string::npos) line.erase(from, line.find(end, from) + end.size() - from);
  return line;
}

// What is the same in two services that have heard the same, and where they write numbers.
struct Written {
  std::vector<std::string> orders;
  std::string series;  // each metric's name, labels and, where no time is measured, value
  std::string log;     // decisions and orders, without the time at which they were written
  std::string replay;
  std::string settings;
};

std::string series_of(const std::string& metrics) {
  std::string text;
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t value = line.rfind(' ') + 1;
    double number = 0;
    const char* const end = line.data() + line.size();
    const bool is_number = line.starts_with('#') || line.ends_with("+Inf") ||
                           std::from_chars(line.data() + value, end, number).ptr == end;
    EXPECT_TRUE(is_number) << line;
    const bool is_counted = line.starts_with("rts_events") || line.starts_with("rts_decisions") ||
                            line.starts_with("rts_orders") || line.starts_with("rts_frames");
    text += (is_counted ? line : line.substr(0, value)) + "\n";
  }
  return text;
}

std::string decisions_of(const std::string& log) {
  std::string text;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    rapidjson::Document read;
    EXPECT_FALSE(read.Parse(line.data(), line.size()).HasParseError()) << line;
    const bool of_events = line.find(R"("event":"decision")") != std::string::npos ||
                           line.find(R"("event":"order")") != std::string::npos;
    if (of_events)
      text += without(without(line, R"("ts":")", "\","), R"("answer_ms":)", "}") + "\n";
  }
  return text;
}

// A service in the environment hears the frames, and `replay` reads them.
Written written_in(const Environment& locale, const NatsServer& broker, const Frames& frames) {
  Environment environment = environment_of(lively_settings(), broker.url());
  environment.insert(locale.begin(), locale.end());
  environment["DEBUG_MODE"] = "true";
  environment["LOG_LEVEL"] = "DEBUG";
  Peer peer(broker.url());
  peer.subscribe(kOrderSubject);
  Daemon daemon(environment);
  EXPECT_TRUE(daemon.wait_ready());
  std::string recording;
  for (const std::string& frame : frames) {
    peer.publish("binance.websocket.data", frame);
    recording += frame + "\n";
  }
  const auto all_heard = [&] {
    return daemon.metric("rts_frames_received_total") == static_cast<double>(frames.size());
  };
  EXPECT_TRUE(peer.flush() && eventually(all_heard, kSoon) && daemon.wait_settled(kSoon));
  Written written;
  for (const Received& order : peer.received()) written.orders.push_back(order.payload);
  written.series = series_of(daemon.get("/metrics").body);
  EXPECT_EQ(daemon.terminate(kSoon), 0);
  written.log = decisions_of(daemon.log());
  const ScratchFiles files;
  const RunResult replay = run_binary({"replay", files.write("market.ndjson", recording)},
                                      with_test_defaults(environment));
  EXPECT_EQ(replay.exit_code, 0) << replay.err;
  written.replay = replay.out;
  written.settings = run_binary({"config"}, with_test_defaults(environment)).out;
  return written;
}

TEST(ProcessFault, ALocaleThatWritesCommas) {
  const ScratchFiles files;
  const auto locale = german(files);
  if (!locale) GTEST_SKIP() << "localedef cannot make de_DE.UTF-8 here: not tested";
  // By the program of that name, for a shell's own printf may know no locale.
  ASSERT_EQ(run_shell("env printf %.1f 1.5", *locale).out, "1,5");
  const NatsServer broker;
  const Frames frames = lively_market(7);
  const Written plain = written_in({{"LC_ALL", "C"}}, broker, frames);
  const Written german = written_in(*locale, broker, frames);
  EXPECT_GT(plain.orders.size(), 20U);
  EXPECT_EQ(plain.orders.size(), decided_ids(lively_settings(), frames).size());
  const auto same = [&](auto Written::*part) {
    EXPECT_EQ(plain.*part, german.*part);
    return !(plain.*part).empty() && plain.*part == german.*part ? "the same" : "ANOTHER";
  };
  const std::string measured =
      fmt::format("{} orders {}, metrics {}, log {}, replay {}, settings {}", plain.orders.size(),
                  same(&Written::orders), same(&Written::series), same(&Written::log),
                  same(&Written::replay), same(&Written::settings));
  report_fault({.fault = "LC_ALL=de_DE.UTF-8, where 1.5 is written 1,5",
                .promise = "orders, metrics, log and replay as under C",
                .figure = "byte for byte",
                .measured = measured,
                .held = measured.find("ANOTHER") == std::string::npos});
}

// --- Too few descriptors, and memory that is refused

bool answers_probe(const Daemon& daemon) {
  TcpClient client(daemon.port());
  return client.say("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") &&
         client.hear("200 OK", loosened(1s));
}

TEST(ProcessFault, SixtyFourDescriptorsAndARushOfConnections) {
  constexpr auto kLooked = 3s;
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(1000));
  Daemon daemon(environment_of(memoryless_settings(), broker.url()), {"prlimit", "--nofile=64:64"});
  ASSERT_TRUE(daemon.wait_ready());
  feed.start();
  ASSERT_TRUE(sink.wait_for(50, kSoon));
  const pid_t pid = daemon.process().pid();
  // The load's own, to compare with.
  const CpuMeter before(pid);
  (void)throughout(kLooked, [] { return true; });
  const double without_rush = before.share();

  std::vector<TcpClient> crowd;
  for (int i = 0; i < 200; ++i) crowd.emplace_back(daemon.port());
  const CpuMeter during(pid);
  int asked = 0;
  int answered = 0;
  (void)throughout(kLooked, [&] {
    ++asked;
    answered += answers_probe(daemon) ? 1 : 0;
    return true;
  });
  const double added = during.share() - without_rush;
  const std::size_t fds = usage_of(pid).fds;
  const std::size_t lines = daemon.log("http_problem").size();

  // A new connection to the broker takes descriptors, too.
  const Outage outage;
  broker.stop();
  EXPECT_TRUE(eventually([&] { return !daemon.ready(); }, kSoon));
  broker.restart();
  const bool back = daemon.wait_ready(kSoon);
  ASSERT_TRUE(feed.wait_in_step(kSoon) && sink.wait_subscribed(kSoon));
  const FaultWindow window = outage.over();
  EXPECT_TRUE(sink.wait_for(sink.size() + 50, kSoon));
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = sink.settle(feed.expected(), {window}, kSoon);
  daemon.expect_accounts_balance();
  report_fault({.fault = "ulimit -n 64 under load, 200 connections, then the broker restarted",
                .promise = "probes answered, no storm in the log, every order right",
                .figure = "every probe <= 1 s; + 5 % CPU; log <= 10 lines/s",
                .measured = fmt::format("{} of {} probes; {:+.1f} % CPU; {} descriptors, {} lines; "
                                        "{} after the restart; {}",
                                        answered, asked, added * 100, fds, lines,
                                        back ? "ready" : "NOT READY", verdict.text()),
                .held = answered == asked && asked > 10 && added <= loosened(0.05) && fds <= 64 &&
                        lines <= 40 && back && verdict.clean()});
}

// How a service whose allocations fail, each with this probability, has ended; `seed` decides which
// of them do.
struct Refusal {
  double probability;
  std::uint64_t seed;
};

enum class EndedBy { going_on, reason, crash_line, nothing };

// Under load: its orders are the sink's, which outlives it.
EndedBy refuse_memory(const Refusal& refusal, const NatsServer& broker, const Sink& sink) {
  const ScratchFiles files;
  const std::string control = files.path("fiu");
  Environment environment = environment_of(memoryless_settings(), broker.url());
  environment["FIU_PRNG_SEED"] = std::to_string(refusal.seed);
  Daemon daemon(environment, {"fiu-run", "-x", "-f", control});
  EXPECT_TRUE(daemon.wait_ready());
  EXPECT_TRUE(sink.wait_for(sink.size() + 20, kSoon));
  // It may end before it has answered.
  const auto tell = [&](const std::string& command) {
    std::ignore = run_shell(fmt::format("timeout 5 fiu-ctrl -f '{}' -c '{}' {}", control, command,
                                        daemon.process().pid()));
  };
  tell(fmt::format("enable_random name=libc/mm/malloc,probability={}", refusal.probability));
  if (!daemon.process().wait(2s)) tell("disable name=libc/mm/malloc");
  if (const auto status = daemon.process().wait(0ms)) {
    if (status->exited) {
      const bool said = status->code == kInternalError && !daemon.log("internal_error").empty();
      return said ? EndedBy::reason : EndedBy::nothing;
    }
    const rapidjson::Document last = last_line_of(daemon.log());
    return text_in(last, "event") == "crashed" ? EndedBy::crash_line : EndedBy::nothing;
  }
  // There is memory again: it is as if nothing had been.
  EXPECT_TRUE(daemon.wait_ready());
  EXPECT_TRUE(sink.wait_for(sink.size() + 20, kSoon));
  daemon.expect_accounts_balance();
  return daemon.terminate(kSoon) == 0 ? EndedBy::going_on : EndedBy::nothing;
}

TEST(ProcessFault, AllocationsFail) {
  if (!kMemoryIsOurs) GTEST_SKIP() << "a sanitizer's own malloc cannot be made to fail: not tested";
  if (run_shell("command -v fiu-run").exit_code != 0) GTEST_SKIP() << "no fiu-run: not tested";
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(500));
  feed.start();
  std::array<int, 4> counts{};
  for (const double probability : {0.00003, 0.0003, 0.003}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const EndedBy ended = refuse_memory({probability, seed}, broker, sink);
      EXPECT_NE(ended, EndedBy::nothing) << "probability " << probability << ", seed " << seed;
      ++counts[static_cast<std::size_t>(ended)];
    }
  }
  EXPECT_TRUE(feed.stop());
  const Verdict verdict = judge(sink.orders(), feed.expected(), {{UnixMs::min(), UnixMs::max()}});
  const auto times = [&](EndedBy end) { return counts[static_cast<std::size_t>(end)]; };
  report_fault(
      {.fault = "malloc fails at random under load (libfiu, 0.003 to 0.3 % of all)",
       .promise = "goes on, or ends and says why; no order is wrong",
       .figure = "a reason each time; late, doubled, unknown, invalid 0",
       .measured = fmt::format("went on {}, ended with a reason {}, with the crash line {}, "
                               "without a word {}; {}",
                               times(EndedBy::going_on), times(EndedBy::reason),
                               times(EndedBy::crash_line), times(EndedBy::nothing), verdict.text()),
       .held = times(EndedBy::nothing) == 0 &&
               times(EndedBy::reason) + times(EndedBy::crash_line) > 0 && verdict.clean()});
}

// --- Standard output

// The service with standard output as the shell command says, under load with a line a decision;
// what its loop does meanwhile.
struct OutputFault {
  std::string name;
  std::string redirection;
  std::function<void()> once_ready = [] {};
};

struct OutputResult {
  LoopProbe::Result loop;
  Verdict verdict;
  double lost_lines = 0;
  bool ended_well = false;
};

OutputResult run_with_output(const OutputFault& fault) {
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(2000));
  Environment environment = with_test_defaults(environment_of(memoryless_settings(), broker.url()));
  const std::uint16_t port = free_port();
  environment["HEALTH_CHECK_PORT"] = std::to_string(port);
  environment["DEBUG_MODE"] = "true";
  environment["LOG_FORMAT"] = "json";
  Process process({"sh", "-c", fmt::format("exec '{}' run {}", binary(), fault.redirection)},
                  {.env = environment});
  EXPECT_TRUE(eventually([&] { return http_get(port, "/ready").status == 200; }, kSoon));
  fault.once_ready();
  LoopProbe probe(port, process.pid());
  // Far more lines than a pipe and the queue hold.
  EXPECT_TRUE(feed.publish(lightened(20'000)));
  OutputResult result;
  result.verdict = sink.settle(feed.expected(), {}, kSoon);
  result.loop = probe.stop();
  const Scrape scrape(port);
  EXPECT_EQ(scrape.accounts_problem(), "");
  result.lost_lines = scrape.sum("rts_log_lines_lost_total");
  process.signal(SIGTERM);
  const auto status = process.wait(loosened(5s));
  result.ended_well = status && status->exited && status->code == 0;
  return result;
}

void report_output(const OutputFault& fault) {
  const OutputResult result = run_with_output(fault);
  report_fault({.fault = fault.name,
                .promise = "service unaffected, losses counted",
                .figure = "loop block <= 1 ms (99.9 %)",
                .measured = fmt::format("loop {}; {} lines lost; {}; {}", result.loop.text(),
                                        result.lost_lines, result.verdict.text(),
                                        result.ended_well ? "exit 0" : "did not end well"),
                .held = result.loop.failures == 0 && result.loop.blocked_mostly <= loosened(1ms) &&
                        result.lost_lines > 0 && result.verdict.clean() && result.ended_well});
}

class Fifo {
 public:
  Fifo() : path_(files_.path("log")) {
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    reader_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  ~Fifo() { leave(); }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  Fifo(Fifo&&) = delete;
  Fifo& operator=(Fifo&&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void leave() {
    if (reader_ >= 0) ::close(std::exchange(reader_, -1));
  }

 private:
  ScratchFiles files_;
  std::string path_;
  int reader_ = -1;
};

TEST(ProcessFault, StandardOutputStalls) {
  const Fifo nobody_reads;
  report_output({"stdout stalled: a pipe that nobody reads", "> '" + nobody_reads.path() + "'"});
}

TEST(ProcessFault, StandardOutputsReaderLeaves) {
  Fifo fifo;
  report_output({"stdout's reader leaves", "> '" + fifo.path() + "'", [&] { fifo.leave(); }});
}

TEST(ProcessFault, StandardOutputIsClosed) {
  report_output({"stdout closed from the start", ">&-"});
}

// The lowest free number is the next descriptor's: lines were once written into an eventfd of the
// loop, and could have been written into the socket to the broker.
TEST(ProcessFault, NothingTakesThePlaceOfAClosedStandardDescriptor) {
  NatsServer broker;
  Environment environment = with_test_defaults(environment_of(memoryless_settings(), broker.url()));
  const std::uint16_t port = free_port();
  environment["HEALTH_CHECK_PORT"] = std::to_string(port);
  const Process process({"sh", "-c", fmt::format("exec '{}' run <&- >&- 2>&-", binary())},
                        {.env = environment});
  ASSERT_TRUE(eventually([&] { return http_get(port, "/ready").status == 200; }, kSoon));
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    const std::string link = fmt::format("/proc/{}/fd/{}", process.pid(), fd);
    EXPECT_EQ(std::filesystem::read_symlink(link), "/dev/null") << fd;
  }
}

TEST(ProcessFault, StandardOutputIsFull) {
  report_output({"stdout full (/dev/full)", "> /dev/full"});
}

// --- A room with nothing in it

// A mount namespace in which all is read-only and /tmp and /dev/shm cannot even be looked into, a
// memory limit where there is a control group to be had, then nobody's user without any capability.
// What a container of the "restricted" kind is made of.
constexpr const char* kConfine = R"(
set -e
mount -o remount,bind,ro /
for d in /tmp /dev/shm; do mount -t tmpfs -o ro,size=4k,mode=000 none "$d"; done
if [ -n "$1" ]; then echo $$ > "$1/cgroup.procs"; fi
shift
exec setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all "$@")";

// A control group of 64 MB, of either version; empty where the machine lends none.
class MemoryLimit {
 public:
  MemoryLimit() {
    const std::string name = fmt::format("rts-test-{}", ::getpid());
    for (const auto& [parent, file] : {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
                                       std::pair{"/sys/fs/cgroup", "memory.max"}}) {
      const std::string path = fmt::format("{}/{}", parent, name);
      std::error_code refused;
      std::filesystem::create_directory(path, refused);
      if (refused) continue;
      std::ofstream limit(path + "/" + file);
      if (limit << 64'000'000 << std::flush) {
        directory_ = path;
        return;
      }
      std::filesystem::remove(path, refused);
    }
  }
  ~MemoryLimit() {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove(directory_, ignored);
  }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;
  MemoryLimit(MemoryLimit&&) = delete;
  MemoryLimit& operator=(MemoryLimit&&) = delete;

  [[nodiscard]] const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

bool confinement_works() {
  Process process({"unshare", "--mount", "sh", "-c", kConfine, "sh", "", "true"},
                  {.env = {}, .capture_stderr = true});
  const auto status = process.wait(5s);
  return status && status->exited && status->code == 0;
}

std::string status_line(pid_t pid, const std::string& name) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return line;
  }
  return {};
}

bool is_confined(pid_t pid, const std::string& group) {
  const auto file = [&](const char* name) {
    return read_file(fmt::format("/proc/{}/{}", pid, name));
  };
  const std::string mounts = file("mountinfo");
  return status_line(pid, "Uid:").find("65532\t65532") != std::string::npos &&
         status_line(pid, "CapEff:").ends_with("0000000000000000") &&
         status_line(pid, "CapBnd:").ends_with("0000000000000000") &&
         mounts.find(" / ro,") != std::string::npos &&
         mounts.find(" /tmp ro,") != std::string::npos &&
         (group.empty() || file("cgroup").find("rts-test-") != std::string::npos);
}

TEST(ProcessFault, ConfinedToAnEmptyRoom) {
  if (!confinement_works()) {
    GTEST_SKIP() << "this machine allows no mount namespace: not tested here";
  }
  // Sanitizers reserve terabytes of shadow.
  const std::optional<MemoryLimit> limit =
      kMemoryIsOurs ? std::make_optional<MemoryLimit>() : std::nullopt;
  const std::string group = limit ? limit->directory() : "";
  NatsServer broker;
  Sink sink(broker.url(), kOrderSubject);
  Feed feed(broker.url(), memoryless_feed(5000));
  std::size_t resident = 0;
  bool confined = false;
  Verdict verdict;
  {
    Daemon daemon(environment_of(memoryless_settings(), broker.url()),
                  {"unshare", "--mount", "sh", "-c", kConfine, "sh", group});
    ASSERT_TRUE(daemon.wait_ready());
    const pid_t pid = daemon.process().pid();
    confined = is_confined(pid, group);
    EXPECT_TRUE(feed.publish(lightened(20'000)));
    verdict = sink.settle(feed.expected(), {}, kSoon);
    resident = usage_of(pid).resident_bytes;
    daemon.expect_accounts_balance();
    EXPECT_EQ(daemon.terminate(loosened(5s)), 0);
  }
  report_fault(
      {.fault = fmt::format("read-only root, no /tmp, uid 65532, no capabilities, {}",
                            group.empty() ? "memory not limited here" : "64 MB"),
       .promise = "runs",
       .figure = "every order once",
       .measured = fmt::format("{}; {:.1f} MB resident; {}", confined ? "confined" : "NOT CONFINED",
                               static_cast<double>(resident) / 1e6, verdict.text()),
       .held = confined && verdict.clean()});
}

}  // namespace
}  // namespace rts::test
