// The HTTP server over real loopback sockets: what only a kernel can show (deadlines that run out,
// eviction, exhausted descriptors, resets). The clients are plain POSIX sockets; every wait is for
// an event and has a deadline.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/replies.hpp"
#include "http/server.hpp"

namespace rts::http {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPatience = 10s;  // far above anything a healthy run needs

const std::string probe_bytes = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// More than two socket buffers hold.
std::string huge_body() {
  std::string body;
  body.resize(64'000'000, 'x');
  return body;
}

Routes routes() {
  return {
      {"/healthz",
       [](auto&) {
         return Response{200, "application/json", R"({"status":"ok"})"};
       }},
      {"/events",
       [](auto&) {
         return Response{200, "text/event-stream", "data: 1\n\n", {}, [] { return "data: 2\n\n"; }};
       }},
      {"/huge-events",
       [](auto&) {
         return Response{200, "text/event-stream", huge_body(), {}, [] { return huge_body(); }};
       }},
      {"/huge", [](auto&) {
         return Response{200, "text/plain", huge_body()};
       }}};
}

const std::string events_bytes = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

/// A blocking client socket with deadlines.
class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer_bytes = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void* const any = &address;
    connected_ = ::connect(fd_, static_cast<const sockaddr*>(any), sizeof address) == 0;
  }
  ~Client() {
    if (fd_ >= 0) ::close(fd_);
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        received_(std::move(other.received_)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client& operator=(Client&&) = delete;

  bool connected() const { return connected_; }

  /// False when the server has closed the connection.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void finish() { ::shutdown(fd_, SHUT_WR); }

  /// The next answer, or nothing when the connection ends or patience does.
  std::optional<Reply> hear(milliseconds patience = kPatience) {
    const auto deadline = Clock::now() + patience;
    for (;;) {
      std::string_view bytes = received_;
      if (std::optional<Reply> reply = complete_reply(bytes)) {
        received_.erase(0, received_.size() - bytes.size());
        return reply;
      }
      if (!receive(deadline)) return std::nullopt;
    }
  }

  /// Waits for a text that may come anywhere.
  bool hear_text(std::string_view text, milliseconds patience = kPatience) {
    const auto deadline = Clock::now() + patience;
    while (received_.find(text) == std::string::npos) {
      if (!receive(deadline)) return false;
    }
    return true;
  }

  /// Reads until the server closes (or resets) the connection; false when patience ends first.
  bool hear_the_end(milliseconds patience = kPatience) {
    const auto deadline = Clock::now() + patience;
    while (receive(deadline)) {
    }
    return ended_;
  }

  /// Waits that long at most for the connection to end, as a client does between two bytes.
  bool ends_within(milliseconds patience) { return hear_the_end(patience); }

  const std::string& received() const { return received_; }

 private:
  /// None of the answers here is to a HEAD, so an announced body must be there.
  static std::optional<Reply> complete_reply(std::string_view& bytes) {
    const std::string_view before = bytes;
    std::optional<Reply> reply = take_reply(bytes);
    if (reply && reply->field("Content-Length") != std::to_string(reply->body.size())) {
      bytes = before;
      return std::nullopt;
    }
    return reply;
  }

  bool receive(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    pollfd waiting{fd_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, std::max(0, static_cast<int>(left.count())));
    if (ready <= 0) return false;
    std::array<char, 65536> bytes;
    const ssize_t n = ::recv(fd_, bytes.data(), bytes.size(), 0);
    ended_ = n <= 0;
    if (n > 0) received_.append(bytes.data(), static_cast<std::size_t>(n));
    return n > 0;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string received_;
};

/// A server on its own loop thread, on a free port.
class Running {
 public:
  /// Runs `function` on the loop thread and hands its result over.
  template <class Function>
  auto on_loop(Function function) {
    std::packaged_task<std::invoke_result_t<Function>()> task(std::move(function));
    auto result = task.get_future();
    asio::post(loop_, std::move(task));
    return result.get();
  }

  explicit Running(Limits limits = {}) : server_(loop_, {"127.0.0.1", 0, limits, {}}, routes()) {
    const auto problem = server_.start();
    EXPECT_FALSE(problem) << problem.value_or("");
    port = server_.port();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Running() {
    stop();
    work_.reset();
    thread_.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running(Running&&) = delete;
  Running& operator=(Running&&) = delete;

  Stats stats() {
    return on_loop([this] { return server_.stats(); });
  }
  void stop() {
    on_loop([this] { server_.stop(); });
  }
  /// Asks the loop again and again, each time a round trip to its thread.
  bool becomes(const std::function<bool(const Stats&)>& wanted, milliseconds patience = kPatience) {
    const auto deadline = Clock::now() + patience;
    while (!wanted(stats())) {
      if (Clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::uint16_t port = 0;

 private:
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  Server server_;
  std::thread thread_;
};

unsigned probe(Client& client, milliseconds patience = kPatience) {
  if (!client.say(probe_bytes)) return 0;
  const auto reply = client.hear(patience);
  return reply ? reply->status : 0;
}

TEST(HttpServer, AnswersOnThePortItFound) {
  Running server;
  EXPECT_NE(server.port, 0);
  Client client(server.port);
  EXPECT_EQ(probe(client), 200U);
  EXPECT_EQ(probe(client), 200U);
  const Stats stats = server.stats();
  EXPECT_EQ(stats.accepted, 1U);
  EXPECT_EQ(stats.open, 1U);
  EXPECT_EQ(stats.responses[2], 2U);
}

TEST(HttpServer, SaysWhyAndWhereItCannotListen) {
  asio::io_context loop;
  Server first(loop, {"127.0.0.1", 0, {}, {}}, {});
  ASSERT_EQ(first.start(), std::nullopt);
  Server second(loop, {"127.0.0.1", first.port(), {}, {}}, {});
  EXPECT_EQ(second.start(), "cannot serve HTTP on 127.0.0.1 port " + std::to_string(first.port()) +
                                ": Address already in use");
  EXPECT_EQ(second.port(), 0);
  Server named(loop, {"some.host", 8080, {}, {}}, {});
  EXPECT_EQ(named.start(), "cannot serve HTTP on some.host port 8080: Invalid argument");
  Server elsewhere(loop, {"203.0.113.1", 8080, {}, {}}, {});
  EXPECT_EQ(elsewhere.start(),
            "cannot serve HTTP on 203.0.113.1 port 8080: Cannot assign requested address");
}

TEST(HttpServer, ListensAgainAtOnceWhereItJustServed) {
  asio::io_context loop;
  std::uint16_t port = 0;
  for (int i = 0; i < 3; ++i) {
    Server server(loop, {"127.0.0.1", port, {}, {}}, routes());
    ASSERT_EQ(server.start(), std::nullopt);
    port = server.port();
    Client client(port);
    ASSERT_TRUE(client.say(probe_bytes));
    while (server.stats().responses[2] == 0) loop.run_one_for(kPatience);
    ASSERT_TRUE(client.hear());
    server.stop();  // our side closes first, which leaves the port in TIME_WAIT
    ASSERT_TRUE(client.hear_the_end());
  }
}

TEST(HttpServer, AnswersFiftyPipelinedRequestsOnceEach) {
  Running server;
  Client client(server.port);
  std::string bytes;
  for (int i = 0; i < 49; ++i) bytes += probe_bytes;
  client.say(bytes + "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.hear_the_end());
  const Replies replies = parse_replies(client.received());
  EXPECT_EQ(replies.all.size(), 50U);
  EXPECT_EQ(replies.rest, "");
}

TEST(HttpServer, AnswersAClientThatClosedItsSideAfterAsking) {
  Running server;
  Client client(server.port);
  client.say(probe_bytes);
  client.finish();
  EXPECT_TRUE(client.hear());
  EXPECT_TRUE(client.hear_the_end());
}

TEST(HttpServer, ClosesAnIdleConnection) {
  Running server({.idle = 150ms});
  Client silent(server.port);
  Client asked(server.port);
  const auto began = Clock::now();
  EXPECT_EQ(probe(asked), 200U);
  EXPECT_TRUE(silent.hear_the_end());
  EXPECT_TRUE(asked.hear_the_end());
  EXPECT_GE(Clock::now() - began, 150ms);
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.open == 0 && s.timed_out == 2; }));
}

TEST(HttpServer, CutsOffAHeaderThatDribblesIn) {
  Running server({.header = 200ms});
  Client client(server.port);
  const auto began = Clock::now();
  client.say("GET /healthz HTTP/1.1\r\nX: ");
  while (!client.ends_within(20ms) && Clock::now() - began < kPatience) client.say("x");
  const auto took = Clock::now() - began;
  EXPECT_GE(took, 200ms);
  EXPECT_LT(took, 2s);
  EXPECT_EQ(client.received(), "");
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.timed_out == 1; }));
}

TEST(HttpServer, CutsOffAClientThatDoesNotReadItsAnswer) {
  Running server({.write = 200ms});
  Client client(server.port, 4096);
  client.say("GET /huge HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.timed_out == 1 && s.open == 0; }));
  EXPECT_TRUE(client.hear_the_end());
  EXPECT_LT(client.received().size(), 64'000'000U);
}

TEST(HttpServer, HoardsNoLargeAnswersForClientsThatDoNotReadThem) {
  Running server({.unsent_bytes = 100'000});
  const std::string huge = "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n";
  {
    Client hoarder(server.port, 4096);
    hoarder.say(huge);
    ASSERT_TRUE(server.becomes([](const Stats& s) { return s.responses[2] == 1; }));
    Client scraper(server.port);
    scraper.say(huge);
    const auto shed = scraper.hear();
    ASSERT_TRUE(shed);
    EXPECT_EQ(shed->status, 503U);
    Client prober(server.port);
    EXPECT_EQ(probe(prober), 200U);
    EXPECT_EQ(server.stats().shed, 1U);
  }
  ASSERT_TRUE(server.becomes([](const Stats& s) { return s.open == 0; }));
  Client scraper(server.port);
  scraper.say(huge);
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.responses[2] == 3; }));
}

TEST(HttpServer, CutsOffARefusedClientThatDoesNotLeave) {
  Running server({.linger = 200ms});
  Client client(server.port);
  const auto began = Clock::now();
  client.say("nonsense\r\n\r\n");
  const auto reply = client.hear();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 400U);
  EXPECT_TRUE(client.hear_the_end(kPatience));
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.open == 0 && s.timed_out == 1; }));
  EXPECT_LT(Clock::now() - began, 2s);  // the deadline of the write before it would be 5 s
}

TEST(HttpServer, GetsTheRefusalThroughToAClientThatIsStillSending) {
  Running server;
  for (int i = 0; i < 20; ++i) {
    Client client(server.port);
    client.say("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x'));
    const auto reply = client.hear();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(reply->status, 431U);
  }
}

TEST(HttpServer, CutsOffARefusedClientThatSendsWithoutEnd) {
  Running server({.linger = 60s});
  Client client(server.port);
  const std::string bytes(65536, 'x');
  const auto began = Clock::now();
  while (client.say(bytes) && Clock::now() - began < kPatience) {
  }
  EXPECT_LT(Clock::now() - began, kPatience);
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.open == 0; }));
}

TEST(HttpServer, AnswersAProbeBehindThreeHundredIdleConnections) {
  Running server;
  std::vector<Client> crowd;
  crowd.reserve(300);
  for (int i = 0; i < 300; ++i) {
    crowd.emplace_back(server.port);
    ASSERT_TRUE(crowd.back().connected());
  }
  const auto began = Clock::now();
  Client client(server.port);
  EXPECT_EQ(probe(client), 200U);
  EXPECT_LT(Clock::now() - began, 1s);
  const Stats stats = server.stats();
  EXPECT_EQ(stats.accepted, 301U);
  EXPECT_EQ(stats.open, 256U);
  EXPECT_EQ(stats.evicted, 45U);
  for (std::size_t i = 0; i < 45; ++i) EXPECT_TRUE(crowd[i].hear_the_end()) << i;
  EXPECT_EQ(probe(crowd[45]), 200U);
  EXPECT_EQ(probe(crowd.back()), 200U);
}

TEST(HttpServer, KeepsAConnectionThatIsUsedWhileOthersStarveIt) {
  Running server({.connections = 16});
  Client used(server.port);
  std::vector<Client> crowd;
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(probe(used), 200U) << round;
    for (int i = 0; i < 10; ++i) {
      crowd.emplace_back(server.port);
      crowd.back().say(probe_bytes.substr(0, static_cast<std::size_t>(i)));  // idle, or a slowloris
    }
    const std::size_t so_far = 1 + crowd.size();  // the kernel connects them before we accept
    ASSERT_TRUE(server.becomes([&](const Stats& s) { return s.accepted == so_far; }));
  }
  EXPECT_EQ(server.stats().open, 16U);
}

TEST(HttpServer, StopsByClosingEverything) {
  Running server;
  std::vector<Client> crowd;
  crowd.reserve(10);
  for (int i = 0; i < 10; ++i) crowd.emplace_back(server.port);
  ASSERT_EQ(probe(crowd[3]), 200U);
  ASSERT_TRUE(crowd[4].say("GET /hea"));
  ASSERT_TRUE(server.becomes([](const Stats& s) { return s.accepted == 10; }));
  server.stop();
  for (Client& client : crowd) EXPECT_TRUE(client.hear_the_end());
  EXPECT_EQ(server.stats().open, 0U);
  EXPECT_FALSE(Client(server.port).connected());
}

// --- Responses that go on ------------------------------------------------------------------------

TEST(HttpServer, GoesOnUntilTheClientLeaves) {
  Running server({.next = 10ms});
  {
    Client client(server.port);
    ASSERT_TRUE(client.say(events_bytes));
    EXPECT_TRUE(client.hear_text("data: 1\n\ndata: 2\n\ndata: 2\n\n"));
    EXPECT_EQ(server.stats().streams, 1U);
  }
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.streams == 0 && s.open == 0; }));
}

TEST(HttpServer, HasRoomForAsManyResponsesThatGoOnAsItsLimitAndForEverythingElse) {
  Running server({.streams = 3, .next = 10ms});
  std::vector<Client> crowd;
  for (int i = 0; i < 3; ++i) {
    crowd.emplace_back(server.port);
    ASSERT_TRUE(crowd.back().say(events_bytes));
    ASSERT_TRUE(crowd.back().hear_text("data: 2"));
  }
  Client late(server.port);
  ASSERT_TRUE(late.say(events_bytes));
  const auto refused = late.hear();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503U);
  Client other(server.port);
  EXPECT_EQ(probe(other), 200U);
  EXPECT_EQ(server.stats().streams, 3U);
  crowd.pop_back();
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.streams == 2; }));
  Client next(server.port);
  ASSERT_TRUE(next.say(events_bytes));
  EXPECT_TRUE(next.hear_text("data: 2"));
}

TEST(HttpServer, CutsOffWhoListensAndDoesNotRead) {
  Running server({.write = 200ms, .next = 1ms});
  Client client(server.port, 4096);
  ASSERT_TRUE(client.say("GET /huge-events HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(server.becomes([](const Stats& s) { return s.streams == 1; }));
  EXPECT_TRUE(server.becomes([](const Stats& s) { return s.streams == 0; }));
  EXPECT_EQ(server.stats().timed_out, 1U);
}

TEST(HttpServer, EndsResponsesThatGoOnWhenItStops) {
  Running server({.next = 1ms});
  Client client(server.port);
  ASSERT_TRUE(client.say(events_bytes));
  ASSERT_TRUE(client.hear_text("data: 2"));
  server.stop();
  EXPECT_TRUE(client.hear_the_end());
  EXPECT_EQ(server.stats().streams, 0U);
}

TEST(HttpServer, CallsNoRouteOnceItIsGoneThoughARequestHasArrived) {
  asio::io_context loop;
  int calls = 0;
  const auto count = [&calls](auto&) {
    ++calls;
    return Response{};
  };
  auto server = std::make_unique<Server>(loop, ServerOptions{"127.0.0.1", 0, {}, {}},
                                         Routes{{"/healthz", count}});
  ASSERT_EQ(server->start(), std::nullopt);
  Client idle(server->port());
  Client asked(server->port());
  asked.say(probe_bytes);
  // Ends right after the accept, whose session has found its bytes and queued the handler.
  while (server->stats().accepted < 2) loop.run_one_for(kPatience);
  server.reset();
  loop.restart();
  EXPECT_GT(loop.run(), 0U);  // the cancelled handlers; it returns, so nothing is left behind
  EXPECT_EQ(calls, 0);
  EXPECT_TRUE(idle.hear_the_end());
  EXPECT_TRUE(asked.hear_the_end());
}

// Descriptors run out in a child process, so that they do not run out for everybody. The server
// listens before the fork; the parent is the client.

struct ChildReport {
  Stats stats;
  std::uint64_t problems = 0;
  double cpu_seconds = 0;
};

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void limit_descriptors(rlim_t limit) {
  rlimit limits{};
  ::getrlimit(RLIMIT_NOFILE, &limits);
  limits.rlim_cur = limit;
  ::setrlimit(RLIMIT_NOFILE, &limits);
}

/// Leaves room for `spare` more descriptors until `until` has passed.
class StarvedChild {
 public:
  StarvedChild(rlim_t spare, milliseconds until) {
    asio::io_context loop;
    std::uint64_t problems = 0;
    Server server(loop, {"127.0.0.1", 0, {}, [&](std::string_view) { ++problems; }}, routes());
    EXPECT_EQ(server.start(), std::nullopt);
    port = server.port();
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::pipe(ends.data()), 0);
    loop.notify_fork(asio::io_context::fork_prepare);
    pid_ = ::fork();
    loop.notify_fork(pid_ == 0 ? asio::io_context::fork_child : asio::io_context::fork_parent);
    if (pid_ == 0) {
      const auto lowest_free = static_cast<rlim_t>(::dup(0));
      ::close(static_cast<int>(lowest_free));
      limit_descriptors(lowest_free + spare);
      asio::steady_timer timer(loop, until);
      ChildReport report;
      timer.async_wait([&](auto) {
        report = {server.stats(), problems, cpu_seconds()};
        limit_descriptors(1024);
      });
      loop.run_for(until + 400ms);
      const bool told = ::write(ends[1], &report, sizeof report) == sizeof report;
      ::_exit(told ? 0 : 1);
    }
    ::close(ends[1]);
    report_fd_ = ends[0];
  }
  ~StarvedChild() {
    if (report_fd_ >= 0) (void)wait();
  }
  StarvedChild(const StarvedChild&) = delete;
  StarvedChild& operator=(const StarvedChild&) = delete;
  StarvedChild(StarvedChild&&) = delete;
  StarvedChild& operator=(StarvedChild&&) = delete;

  /// What the child saw until its time had passed; waits for its end.
  ChildReport wait() {
    ChildReport report;
    EXPECT_EQ(::read(report_fd_, &report, sizeof report), ssize_t(sizeof report));
    ::close(std::exchange(report_fd_, -1));
    int status = -1;
    ::waitpid(pid_, &status, 0);
    EXPECT_EQ(status, 0);
    return report;
  }

  std::uint16_t port = 0;

 private:
  pid_t pid_ = -1;
  int report_fd_ = -1;
};

TEST(HttpServer, AnswersProbesWhenDescriptorsRunOut) {
  StarvedChild child(8, 700ms);
  std::vector<Client> crowd;
  crowd.reserve(200);
  for (int i = 0; i < 200; ++i) crowd.emplace_back(child.port);
  for (int i = 0; i < 60; ++i) {
    const auto began = Clock::now();
    Client client(child.port);
    EXPECT_EQ(probe(client), 200U) << i;
    EXPECT_LT(Clock::now() - began, 1s) << i;
  }
  const ChildReport report = child.wait();
  EXPECT_EQ(report.stats.responses[2], 60U);
  EXPECT_GE(report.stats.evicted, 192U);
  EXPECT_LE(report.stats.open, 8U);
  EXPECT_LT(report.cpu_seconds, 0.5);
}

TEST(HttpServer, WaitsOutWhatItCannotEvictWithoutSpinning) {
  StarvedChild child(0, 700ms);
  Client client(child.port);
  EXPECT_EQ(probe(client), 200U);  // once there are descriptors again
  const ChildReport report = child.wait();
  EXPECT_EQ(report.stats.accepted, 0U);
  EXPECT_GE(report.stats.accept_failures, 2U);
  EXPECT_LE(report.stats.accept_failures, 8U);  // one a 100 ms
  EXPECT_EQ(report.problems, report.stats.accept_failures);
  EXPECT_LT(report.cpu_seconds, 0.3);
}

}  // namespace
}  // namespace rts::http
