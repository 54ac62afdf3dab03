// Requests against a real broker: every one ends exactly once and is told the right thing, whatever
// comes back and whoever sends it.
#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/enum_names.hpp>

#include "nats/client.hpp"
#include "nats/connection.hpp"
#include "nats/sockets.hpp"
#include "nats/subjects.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"
#include "support/own_network.hpp"
#include "support/peer.hpp"
#include "support/proxy.hpp"
#include "support/responder.hpp"
#include "support/tcp_segments.hpp"

namespace rts::nats {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using test::always;
using test::NatsServer;
using test::Peer;
using test::Proxy;
using test::Responder;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;
using Clock = std::chrono::steady_clock;
using Kind = Reply::Kind;

constexpr auto kSoon = 15s;  // for what takes milliseconds on an idle machine
constexpr auto kLong = 60s;  // of a request that is to end otherwise

std::string text_of(const Reply& reply) {
  std::string text(to_string(reply.kind));
  if (reply.kind == Kind::answered) text.append(": ").append(reply.payload);
  return text;
}

ClientOptions options_for(const std::string& url) {
  ClientOptions options;
  options.urls = {Secret(url)};
  options.name = "nats_request_test";
  options.subject = "frames";
  options.consumer_name = "my bot";
  return options;
}

// A client on a loop of its own, and how its requests ended.
class Caller {
 public:
  explicit Caller(const ClientOptions& options)
      : client(std::make_unique<Client>(
            io, options,
            Client::Callbacks{
                .on_messages = [this](auto messages) { frames += messages.size(); },
                .on_status_message = [this](auto text) { notices.emplace_back(text); }})) {
    client->start();
    EXPECT_TRUE(run_until([this] { return client->status().subscribed; }, kSoon));
  }
  explicit Caller(const std::string& url) : Caller(options_for(url)) {}

  // Runs handlers until the predicate holds; false when the deadline came first.
  template <typename Predicate>
  [[nodiscard]] bool run_until(Predicate predicate, Clock::duration limit) {
    const test::Deadline deadline(limit);
    while (!predicate()) {
      if (deadline.expired()) return false;
      io.run_one_for(2ms);
    }
    return true;
  }
  [[nodiscard]] bool ended(std::size_t count) {
    return run_until([&] { return ends.size() >= count; }, kSoon);
  }
  // Until everything the broker had for us has been handled.
  [[nodiscard]] bool round_trip() {
    bool back = false;
    const auto result = client->round_trip(kLong, [&](const Reply& reply) {
      back = reply.kind == Kind::answered;
      return AfterReply::done;
    });
    return result == PublishResult::sent && run_until([&] { return back; }, kSoon);
  }

  // Notes "<name> <how it ended>".
  ReplyHandler noting(const std::string& name) {
    return [this, name](const Reply& reply) {
      ends.push_back(name + " " + text_of(reply));
      return AfterReply::done;
    };
  }
  PublishResult request(const std::string& subject, const std::string& name,
                        milliseconds timeout = kLong) {
    return client->request({subject, name}, timeout, noting(name));
  }
  [[nodiscard]] std::uint64_t unexpected() const { return client->status().unexpected_replies; }

  boost::asio::io_context io{1};
  std::vector<std::string> ends;
  std::size_t frames = 0;
  std::vector<std::string> notices;
  std::unique_ptr<Client> client;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io.get_executor()};
};

// ---- How a request ends -------------------------------------------------------------------------

TEST(NatsRequest, IsAnswered) {
  NatsServer broker;
  Responder responder(broker.url(), "orders", always("yes"));
  Caller caller(broker.url());
  const std::array headers{Header{"Nats-Msg-Id", "7"}};
  ASSERT_EQ(caller.client->request({"orders", "buy", headers}, kLong, caller.noting("a")),
            PublishResult::sent);
  EXPECT_THAT(caller.ends, IsEmpty());  // never inside request()
  ASSERT_TRUE(caller.ended(1));
  EXPECT_THAT(caller.ends, ElementsAre("a answered: yes"));
  ASSERT_EQ(responder.received().size(), 1U);
  EXPECT_EQ(responder.received()[0].payload, "buy");
  EXPECT_EQ(responder.received()[0].headers.at("Nats-Msg-Id"), "7");
  EXPECT_EQ(caller.unexpected(), 0U);
}

TEST(NatsRequest, IsAnsweredBelowTheInboxOfItsName) {
  NatsServer broker;
  Responder responder(broker.url(), "orders", always("yes"));
  Caller caller(broker.url());
  ASSERT_EQ(caller.request("orders", "a"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  EXPECT_THAT(responder.received()[0].reply_to, MatchesRegex("_INBOX\\.my-bot\\.[^.]+\\.r\\.1"));
}

// What a heartbeat behind each request is for: of many requests that are under way, the broker says
// of some that nobody listens, without saying of which.
TEST(NatsRequest, NobodyListensIsToldOfTheRightRequestAmongMany) {
  NatsServer broker;
  Responder quick(broker.url(), "quick", always("yes"));
  Responder slow(broker.url(), "slow");
  Responder silent(broker.url(), "silent");
  Caller caller(broker.url());
  constexpr std::size_t kRounds = 200;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < kRounds; ++i) {
    for (const char* subject : {"silent", "nobody", "quick", "nobody.else", "slow", "nobody"}) {
      const std::string name = fmt::format("{} {}", subject, expected.size());
      ASSERT_EQ(caller.request(subject, name), PublishResult::sent);
      const std::string_view kind = subject;
      expected.push_back(name + (kind == "silent"             ? ""
                                 : kind.starts_with("nobody") ? " no_responders"
                                                              : " answered: yes"));
    }
  }
  std::erase_if(expected, [](const std::string& text) { return text.starts_with("silent"); });
  ASSERT_TRUE(caller.ended(kRounds * 4));
  EXPECT_EQ(std::count_if(caller.ends.begin(), caller.ends.end(),
                          [](const auto& end) { return end.ends_with("no_responders"); }),
            static_cast<std::ptrdiff_t>(kRounds) * 3);
  ASSERT_TRUE(slow.wait_for(kRounds, kSoon));
  for (const test::Request& request : slow.received()) slow.answer(request.reply_to, "yes");
  ASSERT_TRUE(caller.ended(kRounds * 5));
  ASSERT_TRUE(caller.round_trip());
  EXPECT_THAT(caller.ends, testing::UnorderedElementsAreArray(expected));
  EXPECT_EQ(caller.unexpected(), 0U);
}

TEST(NatsRequest, TimesOutAtItsTimeInTheOrderOfTheTimes) {
  NatsServer broker;
  Responder silent(broker.url(), "orders");
  Caller caller(broker.url());
  const auto begun = Clock::now();
  ASSERT_EQ(caller.request("orders", "third", 300ms), PublishResult::sent);
  ASSERT_EQ(caller.request("orders", "first", 100ms), PublishResult::sent);
  ASSERT_EQ(caller.request("orders", "second", 200ms), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  EXPECT_GE(Clock::now() - begun, 100ms);
  ASSERT_TRUE(caller.ended(3));
  EXPECT_GE(Clock::now() - begun, 300ms);
  EXPECT_LT(Clock::now() - begun, 2s);
  EXPECT_THAT(caller.ends, ElementsAre("first timed_out", "second timed_out", "third timed_out"));
}

TEST(NatsRequest, EndsOnceWhenTheConnectionIsLost) {
  NatsServer broker;
  Responder silent(broker.url(), "orders");
  Caller caller(broker.url());
  for (const char* name : {"a", "b"}) {
    ASSERT_EQ(caller.request("orders", name), PublishResult::sent);
  }
  ASSERT_TRUE(silent.wait_for(2, kSoon));
  broker.suspend();
  ASSERT_EQ(caller.client->round_trip(kLong, caller.noting("trip")), PublishResult::sent);
  broker.kill();
  ASSERT_TRUE(caller.ended(3));
  EXPECT_THAT(caller.ends,
              ElementsAre("a connection_lost", "b connection_lost", "trip connection_lost"));
  EXPECT_EQ(caller.request("orders", "c"), PublishResult::disconnected);
  broker.restart();
  ASSERT_TRUE(caller.run_until([&] { return caller.client->status().subscribed; }, kSoon));
  ASSERT_EQ(caller.request("orders", "d", 100ms), PublishResult::sent);
  ASSERT_TRUE(caller.ended(4));
  EXPECT_THAT(caller.ends.back(), StartsWith("d "));
}

TEST(NatsRequest, ThatCannotBeSentIsNotHeardOfAgain) {
  NatsServer broker("max_payload: 1024");
  Caller caller(broker.url());
  EXPECT_EQ(caller.request("no such subject", "a", 10ms), PublishResult::failed);
  EXPECT_EQ(caller.client->request({"orders", std::string(2048, 'x')}, 10ms, caller.noting("b")),
            PublishResult::failed);
  ASSERT_EQ(caller.request("nobody", "c"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  ASSERT_TRUE(caller.round_trip());
  EXPECT_THAT(caller.ends, ElementsAre("c no_responders"));
  EXPECT_TRUE(caller.client->status().connected);
}

// ---- Answers that nobody awaits -----------------------------------------------------------------

TEST(NatsRequest, LateAndDoubleAnswersAreCountedAndForgotten) {
  NatsServer broker;
  Responder responder(broker.url(), "orders");
  Caller caller(broker.url());
  ASSERT_EQ(caller.request("orders", "late", 50ms), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  ASSERT_EQ(caller.request("orders", "twice"), PublishResult::sent);
  ASSERT_TRUE(responder.wait_for(2, kSoon));
  responder.answer(responder.received()[0].reply_to, "too late");
  responder.answer(responder.received()[1].reply_to, "one");
  responder.answer(responder.received()[1].reply_to, "two");
  ASSERT_TRUE(caller.run_until([&] { return caller.unexpected() == 2; }, kSoon));
  EXPECT_THAT(caller.ends, ElementsAre("late timed_out", "twice answered: one"));
}

TEST(NatsRequest, InventedAnswersChangeNothing) {
  NatsServer broker;
  Responder responder(broker.url(), "orders");
  Caller caller(broker.url());
  ASSERT_EQ(caller.request("orders", "a"), PublishResult::sent);
  ASSERT_TRUE(responder.wait_for(1, kSoon));
  const std::string reply_to = responder.received()[0].reply_to;
  const std::string inbox = reply_to.substr(0, reply_to.rfind(".r."));
  const std::vector<std::string> invented{
      ".r.0",   ".r.-1", ".r.2",   ".r.1x",  ".r.18446744073709551616",
      ".r.1.1", ".x",    ".x.1",   ".r.x.1", ".hbx.1",
      ".1",     ".R.1",  ".hb.1.1"};
  for (const std::string& name : invented) responder.answer(inbox + name, "invented");
  // Heartbeats prove nothing that is not true.
  for (const char* name : {".hb.1", ".hb.x", ".hb.18446744073709551615", ".hb.0"}) {
    responder.answer(inbox + name, "");
  }
  ASSERT_TRUE(caller.run_until([&] { return caller.unexpected() == invented.size(); }, kSoon))
      << caller.unexpected();
  ASSERT_TRUE(caller.round_trip());
  EXPECT_THAT(caller.ends, IsEmpty());
  responder.answer(reply_to, "at last");
  ASSERT_TRUE(caller.ended(1));
  EXPECT_THAT(caller.ends, ElementsAre("a answered: at last"));
  EXPECT_EQ(caller.client->status().reconnects, 0U);
}

TEST(NatsRequest, AnswersToALostConnectionAreNobodysBusiness) {
  NatsServer broker;
  Responder responder(broker.url(), "orders");
  Caller caller(broker.url());
  ASSERT_EQ(caller.request("orders", "a"), PublishResult::sent);
  ASSERT_TRUE(responder.wait_for(1, kSoon));
  broker.kill();
  ASSERT_TRUE(caller.ended(1));
  broker.restart();
  ASSERT_TRUE(caller.run_until([&] { return caller.client->status().subscribed; }, kSoon));
  Peer peer(broker.url());
  peer.publish(responder.received()[0].reply_to, "from another life");
  ASSERT_TRUE(peer.flush());
  ASSERT_TRUE(caller.round_trip());
  EXPECT_THAT(caller.ends, ElementsAre("a connection_lost"));
  EXPECT_EQ(caller.unexpected(), 0U);
}

// ---- Handlers -----------------------------------------------------------------------------------

TEST(NatsRequest, KeepsWaitingForTheRightAnswer) {
  NatsServer broker;
  Responder responder(broker.url(), "orders", [](const test::Request&) {
    return std::vector<std::string>{"wrong", "", "right", "right again"};
  });
  Caller caller(broker.url());
  const auto until_right = [&](const Reply& reply) {
    caller.ends.push_back(text_of(reply));
    return reply.payload == "right" ? AfterReply::done : AfterReply::keep_waiting;
  };
  ASSERT_EQ(caller.client->request({"orders", ""}, kLong, until_right), PublishResult::sent);
  ASSERT_TRUE(caller.run_until([&] { return caller.unexpected() == 1; }, kSoon));
  EXPECT_THAT(caller.ends, ElementsAre("answered: wrong", "answered: ", "answered: right"));
}

TEST(NatsRequest, KeepsWaitingNoLongerThanItsTime) {
  NatsServer broker;
  Responder responder(broker.url(), "orders", always("wrong"));
  Caller caller(broker.url());
  const auto begun = Clock::now();
  const auto never = [&](const Reply& reply) {
    caller.ends.push_back(text_of(reply));
    return AfterReply::keep_waiting;
  };
  ASSERT_EQ(caller.client->request({"orders", ""}, 300ms, never), PublishResult::sent);
  ASSERT_TRUE(caller.ended(2));
  EXPECT_GE(Clock::now() - begun, 300ms);
  EXPECT_THAT(caller.ends, ElementsAre("answered: wrong", "timed_out"));
  ASSERT_TRUE(caller.round_trip());
  EXPECT_EQ(caller.ends.size(), 2U);
}

TEST(NatsRequest, AHandlerMayMakeTheNextRequest) {
  NatsServer broker;
  Responder responder(broker.url(), "orders", always("yes"));
  Responder silent(broker.url(), "silent");
  Caller caller(broker.url());
  // By turns answered, unheard and timed out; the last finds the connection gone.
  const std::array subjects{"orders", "nobody", "silent"};
  std::size_t made = 0;
  PublishResult last = PublishResult::sent;
  std::function<AfterReply(const Reply&)> next = [&](const Reply& reply) {
    caller.ends.push_back(text_of(reply));
    const auto timeout = made < 90 ? milliseconds(20) : milliseconds(kLong);
    last = caller.client->request({made < 90 ? subjects[made % 3] : "silent", ""}, timeout, next);
    ++made;
    return AfterReply::done;
  };
  ASSERT_EQ(caller.client->request({"nobody", ""}, kLong, next), PublishResult::sent);
  ASSERT_TRUE(caller.ended(91));
  EXPECT_EQ(std::count(caller.ends.begin(), caller.ends.end(), "timed_out"), 30);
  EXPECT_EQ(std::count(caller.ends.begin(), caller.ends.end(), "no_responders"), 31);
  ASSERT_EQ(last, PublishResult::sent);
  broker.kill();
  ASSERT_TRUE(caller.ended(92));
  EXPECT_EQ(caller.ends.back(), "connection_lost");
  EXPECT_EQ(last, PublishResult::disconnected);
}

TEST(NatsRequest, WhoIsDestroyedCallsNobody) {
  NatsServer broker;
  Responder silent(broker.url(), "orders");
  Caller caller(broker.url());
  ASSERT_EQ(caller.request("orders", "a", 50ms), PublishResult::sent);
  ASSERT_EQ(caller.request("nobody", "b"), PublishResult::sent);
  ASSERT_EQ(caller.client->round_trip(kLong, caller.noting("c")), PublishResult::sent);
  ASSERT_TRUE(silent.wait_for(1, kSoon));
  caller.client.reset();
  const test::Deadline past_the_timeout(100ms);
  (void)caller.run_until([&] { return past_the_timeout.expired(); }, kSoon);
  EXPECT_THAT(caller.ends, IsEmpty());
}

// ---- Limits -------------------------------------------------------------------------------------

TEST(NatsRequest, SoManyMayWaitAtTheSameTime) {
  NatsServer broker;
  Responder silent(broker.url(), "orders");
  ClientOptions options = options_for(broker.url());
  EXPECT_EQ(options.max_requests, 8192U);
  options.max_requests = 3;
  Caller caller(options);
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_EQ(caller.request("orders", name), PublishResult::sent);
  }
  EXPECT_EQ(caller.request("orders", "d"), PublishResult::buffer_full);
  EXPECT_EQ(caller.client->round_trip(kLong, caller.noting("e")), PublishResult::buffer_full);
  EXPECT_EQ(caller.client->publish({"orders", "f"}), PublishResult::sent);  // waits for nothing
  ASSERT_TRUE(silent.wait_for(4, kSoon));
  silent.answer(silent.received()[1].reply_to, "yes");
  ASSERT_TRUE(caller.ended(1));
  EXPECT_EQ(caller.request("orders", "g"), PublishResult::sent);
  EXPECT_EQ(caller.request("orders", "h"), PublishResult::buffer_full);
  EXPECT_THAT(caller.ends, ElementsAre("b answered: yes"));
}

// ---- Permissions --------------------------------------------------------------------------------

std::string user_with(const std::string& permissions) {
  return "authorization { users: [ { user: u, password: p, permissions: {" + permissions +
         "} } ] }";
}

TEST(NatsRequest, ThatIsRefusedIsDeniedAndHealsWithThePermission) {
  NatsServer broker(user_with(R"(publish: { deny: "orders" })"));
  Responder responder(broker.url("u:p"), "orders", always("yes"));
  Responder other(broker.url("u:p"), "other");
  Caller caller(broker.url("u:p"));
  ASSERT_EQ(caller.request("other", "untouched"), PublishResult::sent);
  ASSERT_EQ(caller.request("orders", "a"), PublishResult::sent);
  ASSERT_EQ(caller.request("orders", "b"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(2));
  EXPECT_THAT(caller.ends, ElementsAre("a denied", "b denied"));
  EXPECT_THAT(caller.client->status().last_error,
              HasSubstr(R"(Permissions Violation for Publish to "orders")"));
  // What is known is not asked again on this connection.
  EXPECT_EQ(caller.request("orders", "c"), PublishResult::denied);
  EXPECT_EQ(caller.client->publish({"orders", "d"}), PublishResult::denied);
  EXPECT_EQ(caller.client->status().reconnects, 0U);

  const auto begun = Clock::now();
  broker.reload(user_with(R"(publish: { deny: "something.else" })"));
  ASSERT_TRUE(caller.run_until(
      [&] { return caller.client->status().reconnects > 0 && caller.client->status().subscribed; },
      kSoon));
  EXPECT_LT(Clock::now() - begun, 7s);
  ASSERT_EQ(caller.request("orders", "e"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(4));
  EXPECT_THAT(caller.ends,
              ElementsAre("a denied", "b denied", "untouched connection_lost", "e answered: yes"));
  EXPECT_TRUE(other.wait_for(1, kSoon));
}

TEST(NatsRequest, ARefusedSubjectIsTriedAgainOnANewConnectionAfterAWhile) {
  NatsServer broker(user_with(R"(publish: { deny: "orders" })"));
  Caller caller(broker.url("u:p"));
  ASSERT_EQ(caller.request("orders", "a"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  const auto begun = Clock::now();
  ASSERT_TRUE(caller.run_until([&] { return caller.client->status().reconnects > 0; }, kSoon));
  EXPECT_GT(Clock::now() - begun, 2s);
  EXPECT_LT(Clock::now() - begun, 7s);
}

TEST(NatsRequest, OfRefusedSubjectsTheLatestAreRemembered) {
  NatsServer broker(user_with(R"(publish: { deny: "orders.*" })"));
  ClientOptions options = options_for(broker.url("u:p"));
  options.heartbeat_interval = 1h;  // no new connection meanwhile
  Caller caller(options);
  for (std::size_t i = 0; i <= kMaxDeniedSubjects; ++i) {
    ASSERT_EQ(caller.request(fmt::format("orders.{}", i), "a"), PublishResult::sent);
    ASSERT_TRUE(caller.ended(i + 1));
  }
  EXPECT_THAT(caller.ends, Each("a denied"));
  EXPECT_EQ(caller.request("orders.1", "b"), PublishResult::denied);
  EXPECT_EQ(caller.request(fmt::format("orders.{}", kMaxDeniedSubjects), "b"),
            PublishResult::denied);
  ASSERT_EQ(caller.request("orders.0", "b"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(kMaxDeniedSubjects + 2));
  EXPECT_EQ(caller.ends.back(), "b denied");
}

// ---- Round trips --------------------------------------------------------------------------------

TEST(NatsRequest, ARoundTripProvesThatWhatWasSentBeforeHasArrived) {
  NatsServer broker;
  Responder silent(broker.url(), "orders");
  Caller caller(broker.url());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(caller.client->publish({"orders", "x"}), PublishResult::sent);
  }
  ASSERT_EQ(caller.client->round_trip(kLong, caller.noting("trip")), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  EXPECT_THAT(caller.ends, ElementsAre("trip answered: "));
  Peer later(broker.url());  // what the broker had then, its subscriber has now
  ASSERT_TRUE(silent.wait_for(100, kSoon));
}

TEST(NatsRequest, ARoundTripThroughABrokerThatStandsStillTimesOut) {
  NatsServer broker;
  Caller caller(broker.url());
  broker.suspend();
  ASSERT_EQ(caller.client->round_trip(200ms, caller.noting("trip")), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  EXPECT_THAT(caller.ends, ElementsAre("trip timed_out"));
  broker.resume();
  ASSERT_TRUE(caller.run_until([&] { return caller.unexpected() == 1; }, kSoon));
}

TEST(NatsRequest, WithoutAConnectionNothingIsSent) {
  ClientOptions options = options_for("nats://127.0.0.1:1");
  boost::asio::io_context io(1);
  Client client(io, options, {.on_messages = [](auto) {}, .on_status_change = [] {}});
  client.start();
  const auto never = [](const Reply&) {
    ADD_FAILURE();
    return AfterReply::done;
  };
  EXPECT_EQ(client.request({"orders", ""}, 1ms, never), PublishResult::disconnected);
  EXPECT_EQ(client.round_trip(1ms, never), PublishResult::disconnected);
  io.run_for(50ms);
}

// ---- On the wire --------------------------------------------------------------------------------

// A broker for one connection that greets, and then is read by hand.
class OpenBook {
 public:
  std::string url() const {
    return fmt::format("nats://127.0.0.1:{}", acceptor_.local_endpoint().port());
  }
  void greet() {
    acceptor_.accept(socket_);
    say("INFO {\"server_id\":\"FAKE\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true,"
        "\"max_payload\":1048576}\r\n");
    read_until("PING\r\n");
    say("PONG\r\n");
  }
  // Blocks until the client has said this.
  void read_until(const std::string& text) {
    while (said_.find(text) == std::string::npos) {
      std::array<char, 4096> buffer{};
      said_.append(buffer.data(), socket_.read_some(boost::asio::buffer(buffer)));
    }
  }
  const std::string& said() const { return said_; }
  void say(const std::string& text) { boost::asio::write(socket_, boost::asio::buffer(text)); }
  // The client's next write fails.
  void reset() {
    socket_.set_option(boost::asio::socket_base::linger(true, 0));
    socket_.close();
  }
  std::uint32_t segments() { return test::data_segments_received(socket_.native_handle()); }

 private:
  boost::asio::io_context io_{1};
  tcp::acceptor acceptor_{io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  tcp::socket socket_{io_};
  std::string said_;
};

// The broker answers what it reads at once at once, and would often wake us for the heartbeat
// before it hands the request on. But a heartbeat stands before the next request: it is how "nobody
// listens" is told from that of the next.
TEST(NatsRequest, LeavesBeforeItsHeartbeatAndBehindThatOfTheOneBefore) {
  OpenBook broker;
  ClientOptions options = options_for(broker.url());
  options.heartbeat_interval = 1h;
  boost::asio::io_context io(1);
  Client client(io, options, {.on_messages = [](auto) {}, .on_status_change = [] {}});
  client.start();
  broker.greet();
  const test::Deadline deadline(kSoon);
  while (!client.status().connected && !deadline.expired()) io.run_one_for(2ms);
  broker.read_until(".hb.1 0\r\n");
  const auto request = [&](const char* payload) {
    return client.request({"orders", payload}, kLong, [](auto) { return AfterReply::done; });
  };
  const std::uint32_t before = broker.segments();
  ASSERT_EQ(request("buy"), PublishResult::sent);
  broker.read_until("buy\r\n");
  EXPECT_EQ(broker.segments() - before, 1U) << "nothing more was said";
  EXPECT_THAT(broker.said(), testing::Not(HasSubstr(".hb.2")));
  ASSERT_EQ(request("sell"), PublishResult::sent);
  broker.read_until("sell\r\n");
  EXPECT_LT(broker.said().find(".hb.2 0\r\n"), broker.said().find("sell\r\n"));
  EXPECT_THAT(broker.said(), testing::Not(HasSubstr(".hb.3")));
  while (broker.segments() - before < 3 && !deadline.expired()) io.run_one_for(2ms);
  broker.read_until(".hb.3 0\r\n");
}

TEST(NatsRequest, AnAnswerThatHasArrivedOutlivesAPublishThatEndsTheConnection) {
  OpenBook broker;
  boost::asio::io_context io(1);
  std::vector<std::string> ends;
  std::optional<PublishResult> published;
  std::function<void()> on_frame;
  Client client(io, options_for(broker.url()),
                {.on_messages = [&](auto) { on_frame(); }, .on_status_change = [] {}});
  on_frame = [&] {
    broker.reset();
    published = client.publish({"orders", "late"});
  };
  client.start();
  broker.greet();
  const test::Deadline deadline(kSoon);
  while (!client.status().connected && !deadline.expired()) io.run_one_for(2ms);
  const auto result = client.request({"orders", "buy"}, kLong, [&](const Reply& reply) {
    ends.push_back(text_of(reply));
    return AfterReply::done;
  });
  ASSERT_EQ(result, PublishResult::sent);
  broker.read_until("buy\r\n");
  const std::string& said = broker.said();
  const std::string after = said.substr(said.find("PUB orders ") + 11);
  const std::string reply_to = after.substr(0, after.find(' '));
  // In one segment, hence in one read. The client's subscriptions: 1 its inbox, 2 the frames.
  broker.say("MSG frames 2 5\r\nframe\r\nMSG " + reply_to + " 1 3\r\nyes\r\n");
  while (client.status().connected && !deadline.expired()) io.run_one_for(2ms);
  EXPECT_EQ(published, PublishResult::disconnected);
  EXPECT_THAT(ends, ElementsAre("answered: yes"));
}

// ---- Messages of a broker itself ----------------------------------------------------------------

// Speaks the protocol itself, for nats.c sends no such header. What the broker refuses of it.
std::vector<std::string> errors_of(const NatsServer& broker, const std::string& message) {
  tcp::iostream stream("127.0.0.1", std::to_string(broker.port()));
  stream << "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\n"
         << message << "PING\r\n"
         << std::flush;
  std::vector<std::string> errors;
  for (std::string line; std::getline(stream, line) && !line.starts_with("PONG");) {
    if (line.starts_with("-ERR")) errors.push_back(line);
  }
  return errors;
}

// `status`: "100 Idle Heartbeat", and other headers behind it; `to`: subject, or subject and reply
// subject.
void publish_status(const NatsServer& broker, const std::string& to, const std::string& status) {
  const std::string headers = "NATS/1.0 " + status + "\r\n\r\n";
  EXPECT_THAT(errors_of(broker, fmt::format("HPUB {} {} {}\r\n{}\r\n", to, headers.size(),
                                            headers.size(), headers)),
              IsEmpty());
}

// nats-server 2.14 lets no client publish with a reply subject of JetStream's: there it is only the
// broker itself that can ask for an answer.
bool takes_flow_control_of_anybody(const NatsServer& broker) {
  const auto errors = errors_of(broker, "PUB nowhere $JS.FC.1 0\r\n\r\n");
  return std::ranges::none_of(errors, [](const std::string& error) {
    return error.starts_with("-ERR 'Permissions Violation");
  });
}

TEST(NatsRequest, AFrameThatSaysNobodyListensIsCountedAndStopsNothing) {
  NatsServer broker;
  Caller caller(broker.url());
  Peer peer(broker.url());
  for (int i = 0; i < 3; ++i) {
    peer.publish("frames", "before");
    ASSERT_TRUE(peer.flush());
    publish_status(broker, "frames", "503");
  }
  peer.publish("frames", "after");
  ASSERT_TRUE(peer.flush());
  ASSERT_TRUE(caller.run_until([&] { return caller.frames == 4; }, kSoon)) << caller.frames;
  EXPECT_EQ(caller.client->status().status_messages, 3U);
  EXPECT_THAT(caller.notices, ElementsAre("503", "503", "503"));
  ASSERT_EQ(caller.request("nobody", "a"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  EXPECT_THAT(caller.ends, ElementsAre("a no_responders"));
}

TEST(NatsRequest, HeartbeatsAndFlowControlAreNoFramesAndTheSecondIsAnswered) {
  NatsServer broker;
  if (!takes_flow_control_of_anybody(broker)) GTEST_SKIP() << "this broker refuses it";
  Caller caller(broker.url());
  Peer consumer(broker.url());
  consumer.subscribe("$JS.FC.>");
  publish_status(broker, "frames", "100 Idle Heartbeat\r\nNats-Last-Consumer: 7");
  publish_status(broker, "frames $JS.FC.1", "100 FlowControl Request");
  publish_status(broker, "frames", "100 Idle Heartbeat\r\nNats-Consumer-Stalled: $JS.FC.2");
  Peer peer(broker.url());
  peer.publish("frames", "after");
  ASSERT_TRUE(peer.flush());
  ASSERT_TRUE(caller.run_until([&] { return caller.frames == 1; }, kSoon));
  ASSERT_TRUE(consumer.wait_for(2, kSoon));
  EXPECT_EQ(caller.client->status().status_messages, 3U);
  EXPECT_THAT(caller.notices, IsEmpty());
  std::vector<std::string> answered;
  for (const auto& answer : consumer.received()) {
    EXPECT_EQ(answer.payload, "");
    answered.push_back(answer.subject);
  }
  EXPECT_THAT(answered, ElementsAre("$JS.FC.1", "$JS.FC.2"));
}

// Whoever may publish what we read could else make us publish where only we may.
TEST(NatsRequest, FlowControlIsAnsweredWhereJetStreamAwaitsItAndNowhereElse) {
  NatsServer broker;
  if (!takes_flow_control_of_anybody(broker)) GTEST_SKIP() << "this broker refuses it";
  Caller caller(broker.url());
  Peer all(broker.url());
  all.subscribe(">");
  for (const char* subject : {"orders", "$JS.FC", "$JS.API.STREAM.PURGE.ORDERS", "x.$JS.FC.1"}) {
    publish_status(broker, fmt::format("frames {}", subject), "100 FlowControl Request");
    publish_status(broker, "frames",
                   fmt::format("100 Idle Heartbeat\r\nNats-Consumer-Stalled: {}", subject));
  }
  publish_status(broker, "frames $JS.FC.1", "100 FlowControl Request");
  ASSERT_TRUE(
      caller.run_until([&] { return caller.client->status().status_messages == 9; }, kSoon));
  ASSERT_TRUE(caller.round_trip());
  ASSERT_TRUE(all.publish("last", ""));  // comes behind what the broker has until now
  const auto is_last_there = [&] {
    const auto received = all.received();
    return !received.empty() && received.back().subject == "last";
  };
  ASSERT_TRUE(test::eventually(is_last_there, kSoon));
  std::vector<std::string> answered;
  for (const auto& message : all.received()) {
    const bool ours = message.subject == "frames" || message.subject == "last" ||
                      message.subject.starts_with("_INBOX.");
    if (!ours) answered.push_back(message.subject);
  }
  EXPECT_THAT(answered, ElementsAre("$JS.FC.1"));
}

TEST(NatsRequest, AnErrorOfTheBrokersIsNoFrameAndIsSaid) {
  NatsServer broker;
  if (!takes_flow_control_of_anybody(broker)) GTEST_SKIP() << "this broker refuses it";
  Caller caller(broker.url());
  Peer consumer(broker.url());
  consumer.subscribe("$JS.FC.>");
  publish_status(broker, "frames $JS.FC.1", "409 Consumer Deleted");
  publish_status(broker, "frames", "408 Request Timeout");
  Peer peer(broker.url());
  peer.publish("frames", "");  // empty, and of a publisher: whoever reads frames judges it
  peer.publish("frames", "text", {{"Status", "100"}});
  ASSERT_TRUE(peer.flush());
  ASSERT_TRUE(caller.run_until([&] { return caller.frames == 2; }, kSoon)) << caller.frames;
  EXPECT_THAT(caller.notices, ElementsAre("409 Consumer Deleted", "408 Request Timeout"));
  ASSERT_TRUE(caller.round_trip());
  EXPECT_THAT(consumer.received(), IsEmpty());
}

TEST(NatsRequest, ABrokerSaysInItsInfoWhetherItTakesHeaders) {
  NatsServer broker;
  NatsServer headerless("no_header_support: true");
  Caller with(broker.url());
  Caller without(headerless.url());
  EXPECT_TRUE(with.client->status().takes_headers);
  EXPECT_FALSE(without.client->status().takes_headers);
  const std::array headers{Header{"Nats-Msg-Id", "7"}};
  EXPECT_EQ(without.client->request({"orders", "a", headers}, kLong, without.noting("a")),
            PublishResult::failed);
  EXPECT_TRUE(without.round_trip());
}

// ---- Requests that are good for a while only ----------------------------------------------------

TEST(NatsRequest, LeavesOnlyOnAPathThatWasProvenMoreRecentlyThanItIsGoodFor) {
  NatsServer broker;
  Proxy proxy(broker.port());
  Peer sink(broker.url());
  sink.subscribe("orders");
  Caller caller(proxy.url());
  const auto request = [&](const char* name, milliseconds life) {
    return caller.client->request({"orders", name}, kLong, caller.noting(name), life);
  };
  EXPECT_EQ(request("of no use", 0ms), PublishResult::unproven);
  proxy.hold_client(true);
  caller.io.run_for(600ms);
  EXPECT_EQ(request("short-lived", 550ms), PublishResult::unproven);
  EXPECT_EQ(request("long-lived", 60s), PublishResult::sent);
  proxy.set({});
  ASSERT_TRUE(sink.wait_for(1, kSoon));
  EXPECT_EQ(sink.received()[0].payload, "long-lived");
}

TEST(NatsRequest, AnArrivalInTimeCostsNoConnectionThoughNobodyAnswers) {
  NatsServer broker;
  Responder silent(broker.url(), "orders");
  Caller caller(broker.url());
  ASSERT_TRUE(caller.round_trip());
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_EQ(caller.client->request({"orders", name}, kLong, caller.noting(name), 1500ms),
              PublishResult::sent);
  }
  caller.io.run_for(2s);
  EXPECT_EQ(caller.client->status().reconnects, 0U);
  EXPECT_THAT(caller.ends, IsEmpty());
}

// How many bytes of `written` the other side gets when we close with a full socket.
struct Closed {
  std::size_t written = 0;
  std::size_t arrived = 0;
};
template <typename Prepare>
Closed close_when_full(Prepare prepare) {
  boost::asio::io_context io(1);
  tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  tcp::socket ours(io);
  ours.connect(acceptor.local_endpoint());
  tcp::socket theirs = acceptor.accept();
  EXPECT_TRUE(tune_socket(ours.native_handle()));
  ours.non_blocking(true);
  const std::string bytes(64 << 10, 'x');
  Closed closed;
  boost::system::error_code error;
  while (!error) closed.written += ours.write_some(boost::asio::buffer(bytes), error);
  prepare(ours.native_handle());
  ours.close(error);
  std::string buffer(64 << 10, '\0');
  for (error.clear(); !error;) {
    closed.arrived += theirs.read_some(boost::asio::buffer(buffer), error);
  }
  return closed;
}

// So does the end of the process, of which a test of the same could not tell why.
TEST(NatsSockets, AfterACloseDeliverNothingMoreUnlessTold) {
  const Closed cut = close_when_full([](int) {});
  EXPECT_LT(cut.arrived, cut.written);
  const Closed flushed = close_when_full(deliver_after_close);
  EXPECT_EQ(flushed.arrived, flushed.written);
  const Closed discarded = close_when_full([](int fd) {
    deliver_after_close(fd);
    discard_unsent(fd);
  });
  EXPECT_LT(discarded.arrived, discarded.written);
}

// The kernel would go on trying, and deliver as soon as the path is whole again.
TEST(NatsRequest, WhatIsNotProvenToArriveInItsTimeNeverDoes) {
  const auto network = test::OwnNetwork::enter();
  if (!network) GTEST_SKIP() << "this machine gives us no network of our own";
  NatsServer broker({}, NatsServer::Listen::everywhere);
  Peer sink(broker.url());
  sink.subscribe("orders");
  Caller caller(fmt::format("nats://127.0.0.2:{}", broker.port()));
  ASSERT_TRUE(caller.round_trip());
  network->cut("127.0.0.2");
  ASSERT_EQ(caller.client->request({"orders", "late"}, kLong, caller.noting("a"), 900ms),
            PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  EXPECT_THAT(caller.ends, ElementsAre("a connection_lost"));
  EXPECT_THAT(caller.client->status().last_error, HasSubstr("not known to have arrived"));
  network->heal();
  ASSERT_TRUE(caller.run_until([&] { return caller.client->status().subscribed; }, kSoon));
  EXPECT_FALSE(caller.run_until([&] { return !sink.received().empty(); }, 2500ms));
}

// Found by this test: the next request was told that nobody listens, though it had been received.
TEST(NatsRequest, AnAnswerThatSaysNobodyListensIsNotTakenForTheBrokersWordOnTheNext) {
  NatsServer broker;
  Responder silent(broker.url(), "silent");
  Caller caller(broker.url());
  ASSERT_EQ(caller.request("silent", "a"), PublishResult::sent);
  ASSERT_TRUE(silent.wait_for(1, kSoon));
  ASSERT_TRUE(caller.round_trip());  // its heartbeat is back
  publish_status(broker, silent.received()[0].reply_to, "503");
  ASSERT_TRUE(caller.run_until([&] { return caller.unexpected() == 1; }, kSoon));
  ASSERT_EQ(caller.request("silent", "b"), PublishResult::sent);
  ASSERT_EQ(caller.request("nobody", "c"), PublishResult::sent);
  ASSERT_TRUE(caller.ended(1));
  ASSERT_TRUE(caller.round_trip());
  EXPECT_THAT(caller.ends, ElementsAre("c no_responders"));
}

}  // namespace
}  // namespace rts::nats
