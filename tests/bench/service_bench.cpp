// The whole service through a local broker, beside the bare libraries on the same frames: what a
// frame costs, in rounds that take turns, so that a machine that is slow for a while is slow for
// all; how fast the service becomes ready and what it holds; and `replay` over the same frames.
// Prints one table, and the same as JSON into the file that --json names.
//   service_bench [--quick] [--json FILE]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/bench_frames.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/process.hpp"
#include "support/scratch_files.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
constexpr const char* kFrames = "binance.websocket.data";
constexpr auto kLimit = 120s;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What was measured, a figure a row, and where the target for it lies.
class Report {
 public:
  void add(std::string name, std::vector<double> rounds, std::string unit,
           std::string target = "") {
    const auto [least, most] = std::minmax_element(rounds.begin(), rounds.end());
    fmt::print("{:<46} {:>11.3f} {:<9} {:>23} {}\n", name, median(rounds), unit,
               rounds.size() > 1 ? fmt::format("{:.3f} … {:.3f}", *least, *most) : "", target);
    std::fflush(stdout);
    json_ += fmt::format(
        "{}\n  {{\"figure\":\"{}\",\"median\":{:.6g},\"unit\":\"{}\","
        "\"target\":\"{}\",\"rounds\":[{:.6g}]}}",
        json_.empty() ? "" : ",", name, median(rounds), unit, target, fmt::join(rounds, ","));
  }
  void write(const std::string& path) const {
    std::ofstream file(path);
    file << "[" << json_ << "\n]\n";
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
  }

 private:
  std::string json_;
};

std::vector<double> ratios(const std::vector<double>& of, const std::vector<double>& to) {
  std::vector<double> result;
  std::transform(of.begin(), of.end(), to.begin(), std::back_inserter(result), std::divides<>());
  return result;
}

void publish_all(const std::string& url, const std::vector<std::string>& frames) {
  Peer peer(url);
  for (const std::string& frame : frames) peer.publish(kFrames, frame);
  if (!peer.flush()) throw std::runtime_error("the broker is gone");
}

// The CPU time of a frame in µs, with nothing but the libraries.
double bare(const std::string& mode, const std::string& url,
            const std::vector<std::string>& frames) {
  const std::string beside = binary().substr(0, binary().rfind('/') + 1);
  Process reference({beside + "reference", mode, url, std::to_string(frames.size())},
                    {.env = {}, .capture_stdout = true});
  if (!reference.wait_for_out("subscribed", 10s)) throw std::runtime_error("no subscription");
  publish_all(url, frames);
  const auto ended = reference.wait(kLimit);
  const std::string out = reference.out();
  const std::size_t at = out.find("\"cpu_seconds\":");
  if (!ended || ended->code != 0 || at == std::string::npos) {
    throw std::runtime_error("reference " + mode + " did not end: " + out);
  }
  return std::strtod(out.c_str() + at + std::string_view("\"cpu_seconds\":").size(), nullptr) /
         static_cast<double>(frames.size()) * 1e6;
}

struct ServiceRun {
  double cpu_us = 0;  // of a frame
  double frames_per_second = 0;
  double resident_mib = 0;
};
ServiceRun service(const std::string& url, const std::vector<std::string>& frames) {
  // The frames are of another day.
  Daemon daemon({{"NATS_URL", url}, {"MESSAGE_TTL_SECONDS", "0"}});
  if (!daemon.wait_ready()) throw std::runtime_error("not ready: " + daemon.log());
  const auto count = static_cast<double>(frames.size());
  const auto cpu_before = cpu_time_of(daemon.process().pid());
  const auto begun = Clock::now();
  publish_all(url, frames);
  const auto all_received = [&] { return daemon.metric("rts_frames_received_total") >= count; };
  if (!eventually(all_received, kLimit)) throw std::runtime_error("frames are missing");
  const double took = seconds_since(begun);
  const Usage usage = usage_of(daemon.process().pid());
  const std::chrono::duration<double, std::micro> cpu = usage.cpu - cpu_before;
  return {.cpu_us = cpu.count() / count,
          .frames_per_second = count / took,
          .resident_mib = static_cast<double>(usage.resident_bytes) / 1048576};
}

// With a broker there.
double milliseconds_to_ready(const std::string& url) {
  const auto begun = Clock::now();
  const Daemon daemon({{"NATS_URL", url}});
  if (!daemon.wait_ready()) throw std::runtime_error("not ready: " + daemon.log());
  return seconds_since(begun) * 1000;
}

double replayed_per_second(const std::string& recording, std::size_t frames) {
  const auto begun = Clock::now();
  const RunResult replayed = run_binary({"replay", recording, "--quiet"});
  if (replayed.exit_code != 0) throw std::runtime_error(replayed.err);
  return static_cast<double>(frames) / seconds_since(begun);
}

void measure(bool quick, const std::string& json) {
  const std::size_t rounds = quick ? 3 : 7;
  const std::vector<std::string> frames = BenchFrames("mixed").next(quick ? 40'000 : 200'000);
  const ScratchFiles files;
  const std::string recording =
      files.write("market.ndjson", fmt::format("{}\n", fmt::join(frames, "\n")));
  const NatsServer broker;
  const std::string url = broker.url();

  std::vector<double> counted;
  std::vector<double> numbers;
  std::vector<ServiceRun> served;
  std::vector<double> ready;
  std::vector<double> replayed;
  for (std::size_t round = 0; round < rounds; ++round) {
    fmt::print(stderr, "\rround {} of {} ", round + 1, rounds);
    ready.push_back(milliseconds_to_ready(url));
    counted.push_back(bare("count", url, frames));
    served.push_back(service(url, frames));
    numbers.push_back(bare("numbers", url, frames));
    replayed.push_back(replayed_per_second(recording, frames.size()));
  }
  fmt::print(stderr, "\r");
  const auto each = [&](auto member) {
    std::vector<double> values;
    for (const ServiceRun& run : served) values.push_back(run.*member);
    return values;
  };
  const std::vector<double> cpu = each(&ServiceRun::cpu_us);

  fmt::print("{} mixed frames a round, {} rounds: median, least … most\n", frames.size(), rounds);
  Report report;
  report.add("CPU a frame: nats.c that counts (1)", counted, "us");
  report.add("CPU a frame: and simdjson, every number (2)", numbers, "us");
  report.add("CPU a frame: the service", cpu, "us");
  report.add("the service over (1)", ratios(cpu, counted), "x", "<= 1.6");
  report.add("the service over (2)", ratios(cpu, numbers), "x", "<= 1.15");
  std::vector<double> capacity(cpu.size());
  std::transform(cpu.begin(), cpu.end(), capacity.begin(), [](double us) { return 1e6 / us; });
  report.add("frames a second of one core", capacity, "frames/s", ">= 300000");
  report.add("frames a second, publisher and broker beside", each(&ServiceRun::frames_per_second),
             "frames/s");
  report.add("resident after it", each(&ServiceRun::resident_mib), "MiB", "<= 24");
  report.add("ready after start", ready, "ms", "<= 100");
  report.add("replay from plain NDJSON", replayed, "frames/s", ">= 600000");
  if (!json.empty()) report.write(json);
}

}  // namespace
}  // namespace rts::test

int main(int argc, char** argv) {
  try {
    bool quick = false;
    std::string json;
    for (int i = 1; i < argc; ++i) {
      const std::string_view argument = argv[i];
      if (argument == "--quick") {
        quick = true;
      } else if (argument == "--json" && i + 1 < argc) {
        json = argv[++i];
      } else {
        throw std::runtime_error("usage: service_bench [--quick] [--json FILE]");
      }
    }
    rts::test::measure(quick, json);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "service_bench: %s\n", error.what());
    return 1;
  }
}
