// Clients that mean harm at the port of the probes.
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "e2e/scene.hpp"
#include "support/tcp_client.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr int kProbes = 60;
constexpr std::size_t kMostConnections = 10'000;
constexpr std::size_t kOwnDescriptors = 500;  // of the test itself, generously

// How many connections this process may hold, up to the number wanted.
std::size_t connections_allowed() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t allowed = limit.rlim_max;
  return std::min(kMostConnections, allowed > kOwnDescriptors ? allowed - kOwnDescriptors : 0);
}

// Over a connection of its own, as kubelet does.
bool probe(const Daemon& daemon) {
  TcpClient client(daemon.port());
  return client.say("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") &&
         client.hear("200 OK", loosened(1s));
}

// One probe every 100 ms; `meanwhile` runs before each.
template <class Meanwhile>
int answered_probes(const Daemon& daemon, Meanwhile meanwhile) {
  int answered = 0;
  for (int i = 0; i < kProbes; ++i) {
    meanwhile();
    if (probe(daemon)) ++answered;
    (void)throughout(100ms, [] { return true; });
  }
  return answered;
}

TEST(HttpFault, TenThousandConnectionsSlowlorisAndSlowReaders) {
  NatsServer broker;
  Daemon daemon(Environment{{"NATS_URL", broker.url()}});
  ASSERT_TRUE(daemon.wait_ready());
  const pid_t pid = daemon.process().pid();
  ASSERT_TRUE(probe(daemon));
  const std::size_t resident = usage_of(pid).resident_bytes;

  std::vector<TcpClient> crowd;
  const std::size_t wanted = connections_allowed();
  crowd.reserve(wanted);
  for (std::size_t i = 0; i < wanted; ++i) crowd.emplace_back(daemon.port());
  std::vector<TcpClient> dribblers;
  std::vector<TcpClient> slow_readers;
  for (int i = 0; i < 60; ++i) {
    dribblers.emplace_back(daemon.port()).say("GET /healthz HTTP/1.1\r\nX: ");
    slow_readers.emplace_back(daemon.port(), 4096);
    for (int j = 0; j < 20; ++j)
      slow_readers.back().say("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  ASSERT_TRUE(probe(daemon));  // so that all of that has been looked at
  const CpuMeter cpu(pid);
  std::size_t most_resident = 0;
  const int answered = answered_probes(daemon, [&] {
    for (TcpClient& client : dribblers) client.say("x");
    most_resident = std::max(most_resident, usage_of(pid).resident_bytes);
  });
  const double share = cpu.share();
  const std::size_t growth = most_resident > resident ? most_resident - resident : 0;
  EXPECT_TRUE(daemon.ready());
  daemon.expect_accounts_balance();
  report_fault({.fault = fmt::format("{} HTTP connections, 60 slowloris, 60 slow readers", wanted),
                .promise = "probes still answered",
                .figure = "60 of 60 within 1 s; <= 5 % CPU; RSS + <= 16 MB",
                .measured = fmt::format("{} of {}; {:.1f} % CPU; + {:.1f} MB", answered, kProbes,
                                        share * 100, static_cast<double>(growth) / 1e6),
                .held = answered == kProbes && share <= loosened(0.05) &&
                        (growth <= 16'000'000 || !kMemoryIsOurs)});
}

TEST(HttpFault, DescriptorsRunOut) {
  NatsServer broker;
  Daemon daemon(Environment{{"NATS_URL", broker.url()}}, {"prlimit", "--nofile=40:40"});
  ASSERT_TRUE(daemon.wait_ready());
  std::vector<TcpClient> crowd;
  for (int i = 0; i < 300; ++i) crowd.emplace_back(daemon.port());
  const CpuMeter cpu(daemon.process().pid());
  const int answered = answered_probes(daemon, [] {});
  const double share = cpu.share();
  const std::size_t lines = daemon.log("http_problem").size();
  EXPECT_TRUE(daemon.ready());
  daemon.expect_accounts_balance();
  report_fault({.fault = "descriptors run out (40 allowed, 300 connections)",
                .promise = "probes still answered, no storm in the log",
                .figure = "60 of 60 within 1 s; <= 5 % CPU; log <= 10 lines/s",
                .measured = fmt::format("{} of {}; {:.1f} % CPU; {} lines in 6 s", answered,
                                        kProbes, share * 100, lines),
                .held = answered == kProbes && share <= loosened(0.05) && lines <= 70});
}

struct Hostile {
  std::string bytes;
  std::size_t answers = 1;
};

std::vector<Hostile> hostile_requests() {
  const std::string good = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto with = [&](const std::string& header) {
    return Hostile{"GET /healthz HTTP/1.1\r\nHost: a\r\n" + header + "\r\n\r\n" + good};
  };
  return {
      {"nonsense\r\n\r\n"},
      {"\r\n\r\n\r\n"},
      {"GET\r\n\r\n"},
      {"GET / HTTP/9.9\r\n\r\n"},
      {std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 28)},
      {"GET / HTTP/1.1\r\n" + std::string(20'000, 'x') + "\r\n\r\n"},
      {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n"},
      with("Transfer-Encoding: chunked"),
      with("Transfer-Encoding: gzip"),
      with("Transfer-Encoding: chunked\r\nContent-Length: 4"),
      with("Transfer-Encoding : chunked"),
      with("Content-Length: 38"),
      with("Content-Length: 5\r\nContent-Length: 6"),
      with("Content-Length: -1"),
      with("Content-Length: 18446744073709551616"),
      {"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n" + good},
      // Decent ones, that the counting is seen to count; the second folds a header over two lines.
      {good + good + good, 3},
      {"GET /healthz HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n" + good, 2}};
}

std::size_t count_answers(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find("HTTP/1.1 "); at != std::string::npos;
       at = text.find("HTTP/1.1 ", at + 1)) {
    ++count;
  }
  return count;
}

TEST(HttpFault, MalformedAndSmuggledRequests) {
  Daemon daemon(Environment{{"NATS_URL", "nats://127.0.0.1:1"}});
  std::size_t right = 0;
  const std::vector<Hostile> all = hostile_requests();
  for (const Hostile& request : all) {
    TcpClient client(daemon.port());
    client.say(request.bytes);
    client.finish();
    const bool ended = client.hear_the_end(loosened(5s));
    const std::size_t answers = count_answers(client.heard());
    EXPECT_EQ(answers, request.answers) << request.bytes.substr(0, 200) << client.heard();
    EXPECT_TRUE(ended) << request.bytes.substr(0, 200);
    if (ended && answers == request.answers) ++right;
  }
  EXPECT_TRUE(probe(daemon));
  report_fault({.fault = "malformed and smuggled HTTP requests",
                .promise = "refused, the connection ends",
                .figure = "one answer per request",
                .measured = fmt::format("{} of {} so", right, all.size()),
                .held = right == all.size()});
}

}  // namespace
}  // namespace rts::test
