#include "support/daemon.hpp"

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <istream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/deadline.hpp"
#include "support/paths.hpp"

namespace rts::test {
namespace {

using std::chrono::seconds;

ProcessOptions options_of(Environment environment) {
  ProcessOptions options;
  // Nothing of the machine's own settings may leak into a test.
  options.inherit_env = false;
  for (const char* name : {"PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) options.env[name] = value;
  }
  options.env.merge(environment);
  options.capture_stdout = true;
  options.capture_stderr = true;
  return options;
}

std::vector<std::string> command(std::vector<std::string> wrapper) {
  wrapper.push_back(binary());
  wrapper.emplace_back("run");
  return wrapper;
}

double series_value(std::string_view line) {
  return std::strtod(std::string(line.substr(line.rfind(' ') + 1)).c_str(), nullptr);
}

RunResult run_to_its_end(const std::vector<std::string>& argv, const Environment& environment) {
  Process process(argv, options_of(environment));
  const auto status = process.wait(seconds(60));
  RunResult result;
  if (status && status->exited) result.exit_code = status->code;
  result.out = process.out();
  result.err = process.err();
  return result;
}

}  // namespace

Environment with_test_defaults(Environment environment) {
  environment.try_emplace("HEALTH_CHECK_PORT", "0");
  environment.try_emplace("HEALTH_CHECK_HOST", "127.0.0.1");
  environment.try_emplace("ENVIRONMENT", "test");
  environment.try_emplace("RISK_PRICE_BAND_PERCENT", "0");
  return environment;
}

HttpAnswer http_get(std::uint16_t port, std::string_view path, std::string_view fields) {
  boost::asio::ip::tcp::iostream stream;
  stream.expires_after(seconds(5));
  stream.connect("127.0.0.1", std::to_string(port));
  stream << "GET " << path << " HTTP/1.0\r\nHost: localhost\r\n" << fields << "\r\n" << std::flush;
  HttpAnswer answer;
  std::string version;
  std::string line;
  stream >> version >> answer.status;
  std::getline(stream, line);
  while (std::getline(stream, line) && line != "\r") {
  }
  answer.body.assign(std::istreambuf_iterator<char>(stream), {});
  return answer;
}

Scrape::Scrape(std::uint16_t port) : text_(http_get(port, "/metrics").body) {}

double Scrape::sum(std::string_view name, std::string_view labels) const {
  std::istringstream lines(text_);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool named =
        line.starts_with(name) && (line[name.size()] == '{' || line[name.size()] == ' ');
    if (named && line.find(labels) != std::string::npos) sum += series_value(line);
  }
  return sum;
}

std::vector<Bucket> Scrape::histogram(std::string_view name) const {
  const std::string begin = fmt::format("{}_bucket{{le=\"", name);
  std::istringstream lines(text_);
  std::vector<Bucket> buckets;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(begin)) continue;
    const std::string bound =
        line.substr(begin.size(), line.find('"', begin.size()) - begin.size());
    buckets.push_back({std::strtod(bound.c_str(), nullptr), series_value(line)});
  }
  return buckets;
}

double quantile(double q, const std::vector<Bucket>& earlier, const std::vector<Bucket>& later) {
  if (later.empty() || earlier.size() != later.size()) return 0;
  const auto seen = [&](std::size_t i) { return later[i].count - earlier[i].count; };
  const double wanted = q * seen(later.size() - 1);
  double lower_bound = 0;
  double below = 0;
  for (std::size_t i = 0; i < later.size(); ++i) {
    if (seen(i) >= wanted && seen(i) > below) {
      if (std::isinf(later[i].bound)) return lower_bound;
      return lower_bound + (later[i].bound - lower_bound) * (wanted - below) / (seen(i) - below);
    }
    lower_bound = later[i].bound;
    below = seen(i);
  }
  return 0;
}

std::string Scrape::accounts_problem() const {
  if (text_.empty()) return "/metrics does not answer";
  const double events = sum("rts_events_received_total");
  const double ignored = sum("rts_events_ignored_total");
  const double dropped = sum("rts_events_dropped_total");
  const double decisions = sum("rts_decisions_total");
  std::string problem;
  if (events != ignored + dropped + decisions) {
    problem = fmt::format("{} events, but {} ignored + {} dropped + {} decisions. ", events,
                          ignored, dropped, decisions);
  }
  const double signals = sum("rts_decisions_total", R"(outcome="signal_)");
  const double orders = sum("rts_orders_total");
  const double in_flight = sum("rts_orders_in_flight");
  if (signals != orders + in_flight) {
    problem += fmt::format("{} signals, but {} orders + {} in flight.", signals, orders, in_flight);
  }
  return problem;
}

RunResult run_binary(const std::vector<std::string>& arguments, const Environment& environment) {
  std::vector<std::string> argv{binary()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_to_its_end(argv, environment);
}

RunResult run_shell(const std::string& line, const Environment& environment) {
  Environment with_binary = environment;
  with_binary["RTS"] = binary();
  return run_to_its_end({"sh", "-c", line}, with_binary);
}

Daemon::Daemon(Environment environment, std::vector<std::string> wrapper)
    : process_(command(std::move(wrapper)),
               options_of(with_test_defaults(std::move(environment)))) {
  const std::string_view key = "\"http_port\":";
  if (!process_.wait_for_out(key, seconds(20))) {
    throw std::runtime_error("the service did not start:\n" + process_.out() + process_.err());
  }
  const std::string out = process_.out();
  port_ = static_cast<std::uint16_t>(
      std::strtoul(out.c_str() + out.find(key) + key.size(), nullptr, 10));
}

bool Daemon::wait_ready(std::chrono::milliseconds limit) const {
  return eventually([&] { return ready(); }, limit);
}

double Daemon::metric(std::string_view name, std::string_view labels) const {
  return Scrape(port_).sum(name, labels);
}

bool Daemon::wait_settled(std::chrono::milliseconds limit) const {
  return eventually([&] { return metric("rts_orders_in_flight") == 0; }, limit);
}

void Daemon::expect_accounts_balance() const { EXPECT_EQ(Scrape(port_).accounts_problem(), ""); }

std::vector<std::string> Daemon::log(std::string_view event, std::size_t awaited) const {
  const std::string key = "\"event\":\"" + std::string(event) + "\"";
  std::vector<std::string> found;
  const auto look = [&] {
    found.clear();
    std::istringstream lines(process_.out());
    for (std::string line; std::getline(lines, line);) {
      if (line.find(key) != std::string::npos) found.push_back(line);
    }
    return found.size() >= awaited;
  };
  std::ignore = eventually(look, std::chrono::seconds(5));
  return found;
}

int Daemon::terminate(std::chrono::milliseconds limit) {
  process_.signal(SIGTERM);
  const auto status = process_.wait(limit);
  return status && status->exited ? status->code : -1;
}

}  // namespace rts::test
