// A whole connection in memory: bytes in, bytes out, no socket. Time-outs are only recorded here;
// tests/integration/http_server_test.cpp lets them run out.
#include "http/session.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "replies.hpp"

namespace rts::http {
namespace {

using Events = std::vector<std::string>;

/// The in-memory stream with the deadlines of a tcp_stream, which it notes among the operations.
class TimedStream : public beast::test::stream {
 public:
  TimedStream(beast::test::stream stream, Events& events)
      : beast::test::stream(std::move(stream)), events_(&events) {}

  void expires_after(std::chrono::milliseconds from_now) {
    events_->push_back(std::to_string(from_now.count()));
  }
  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    events_->push_back("read");
    return beast::test::stream::async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    events_->push_back("write");
    return beast::test::stream::async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  Events* events_;
};

constexpr std::size_t kAllAtOnce = std::numeric_limits<std::size_t>::max();

/// A client and a session; `calls` counts the routes that were run.
struct Conversation {
  explicit Conversation(std::size_t bytes_per_read = kAllAtOnce) {
    TimedStream stream(beast::test::connect(client), events);
    stream.read_size(bytes_per_read);
    const auto made = std::make_shared<Session<TimedStream>>(std::move(stream), shared);
    session = made;
    made->start();
  }
  ~Conversation() {
    client.close();
    run();
    EXPECT_TRUE(session.expired()) << "the session outlived its connection";
    EXPECT_EQ(shared.stats.open, 0U);
    EXPECT_EQ(shared.unsent_bytes, 0U);
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;
  Conversation(Conversation&&) = delete;
  Conversation& operator=(Conversation&&) = delete;

  void say(std::string_view bytes) {
    if (!bytes.empty()) asio::write(client, asio::buffer(bytes.data(), bytes.size()));
    run();
  }
  void run() {
    loop.restart();
    loop.poll();
  }
  /// For timers, too.
  void wait_for_one() {
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(100));
  }
  Replies heard() const {
    const auto bytes = client.str();
    return parse_replies({bytes.data(), bytes.size()});
  }
  bool is_open() const {
    const auto alive = session.lock();
    return alive && alive->is_open();
  }

  std::uint64_t calls = 0;
  std::uint64_t throws_at = 0;
  Shared shared{{{"/healthz",
                  [this](auto&) {
                    ++calls;
                    return Response{200, "application/json", R"({"status":"ok"})"};
                  }},
                 {"/count",
                  [this](auto&) {
                    return Response{200, "text/plain", "call " + std::to_string(++calls)};
                  }},
                 {"/throws",
                  [this](auto&) -> Response {
                    ++calls;
                    throw std::runtime_error("no");
                  }},
                 {"/events",
                  [this](auto&) {
                    ++calls;
                    return Response{200, "text/event-stream", "data: 0\n\n", {}, [this] {
                                      if (calls == throws_at) throw std::runtime_error("no");
                                      return fmt::format("data: {}\n\n", calls++);
                                    }};
                  }},
                 {"/stop",
                  [this](auto&) {
                    session.lock()->close();
                    return Response{};
                  }}},
                {.host = {}, .limits = {.streams = 2, .next = std::chrono::milliseconds(1)}},
                {},
                0};
  Events events;
  asio::io_context loop;
  beast::test::stream client{loop};
  std::weak_ptr<Session<TimedStream>> session;
};

std::string request(std::string_view target, std::string_view fields = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

const std::string probe = request("/healthz");

using Statuses = std::vector<unsigned>;

Statuses statuses(const Replies& replies) {
  Statuses all;
  for (const auto& reply : replies.all) all.push_back(reply.status);
  return all;
}

struct Row {
  std::string_view name;
  std::string bytes;
  Statuses statuses;
  bool stays_open;
};

void expect_row(const Row& row, std::size_t bytes_per_read) {
  Conversation talk(bytes_per_read);
  talk.say(row.bytes);
  EXPECT_EQ(statuses(talk.heard()), row.statuses) << row.name << ", read by " << bytes_per_read;
  EXPECT_EQ(talk.heard().rest, "") << row.name;
  EXPECT_EQ(talk.is_open(), row.stays_open) << row.name << ", read by " << bytes_per_read;
}

TEST(HttpSession, AnswersWhatItUnderstands) {
  const std::string big(kHeaderBytes, 'x');
  const std::string almost = request("/healthz", "X: " + big.substr(0, 8000) + "\r\n");
  const std::vector<Row> rows{
      {"a probe", probe, {200}, true},
      {"two probes", probe + probe, {200, 200}, true},
      {"a query", request("/healthz?x=/count"), {200}, true},
      {"absolute form", request("http://a/healthz"), {200}, true},
      {"unknown path", request("/nope") + probe, {404, 200}, true},
      {"a throwing route", request("/throws") + probe, {500, 200}, true},
      {"a method without body", "POST / HTTP/1.1\r\nHost: a\r\n\r\n" + probe, {405, 200}, true},
      {"a length of 0", request("/healthz", "Content-Length: 0\r\n") + probe, {200, 200}, true},
      {"close", request("/healthz", "Connection: close\r\n") + probe, {200}, false},
      {"close in a list", request("/healthz", "Connection: x, CLOSE\r\n") + probe, {200}, false},
      {"HTTP/1.0", "GET /healthz HTTP/1.0\r\n\r\n" + probe, {200}, false},
      {"HTTP/1.0 that stays",
       "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + probe,
       {200, 200},
       true},
      {"an upgrade is ignored",
       request("/healthz", "Connection: upgrade\r\nUpgrade: h2c\r\n") + probe,
       {200, 200},
       true},
      {"expect without body", request("/healthz", "Expect: 100-continue\r\n"), {200}, true},
      {"a header just small enough", almost + almost, {200, 200}, true},
      {"a folded field", request("/healthz", "X: a\r\n b\r\n") + probe, {200, 200}, true},
  };
  for (const Row& row : rows) {
    for (const std::size_t step : {kAllAtOnce, std::size_t{1}, std::size_t{7}}) {
      expect_row(row, step);
    }
  }
}

TEST(HttpSession, RefusesWhatCouldBeReadInTwoWaysAndCloses) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string trailers(2'000'000, 't');
  const std::vector<Row> rows{
      {"TE gzip", request("/healthz", "Transfer-Encoding: gzip\r\n") + probe, {400}, false},
      {"TE identity", request("/healthz", "Transfer-Encoding: identity\r\n"), {400}, false},
      {"TE empty", request("/healthz", "Transfer-Encoding:\r\n") + probe, {400}, false},
      {"TE chunked", request("/healthz", chunked) + "0\r\n\r\n" + probe, {400}, false},
      {"TE xchunked", request("/healthz", "Transfer-Encoding: xchunked\r\n") + probe, {400}, false},
      {"TE folded", request("/healthz", "Transfer-Encoding:\r\n chunked\r\n"), {400}, false},
      {"TE twice", request("/healthz", chunked + chunked) + "0\r\n\r\n" + probe, {400}, false},
      {"TE in a POST", "POST / HTTP/1.1\r\nHost: a\r\n" + chunked + "\r\n0\r\n\r\n", {400}, false},
      {"CL then TE",
       request("/healthz", "Content-Length: 4\r\n" + chunked) + "0\r\n\r\n" + probe,
       {400},
       false},
      {"TE then CL",
       request("/healthz", chunked + "Content-Length: 4\r\n") + "0\r\n\r\n" + probe,
       {400},
       false},
      {"CL 0 and TE gzip",
       request("/healthz", "Content-Length: 0\r\nTransfer-Encoding: gzip\r\n") + probe,
       {400},
       false},
      {"CL", request("/healthz", "Content-Length: 5\r\n") + "hello" + probe, {400}, false},
      {"CL that is a request",
       request("/healthz", "Content-Length: " + std::to_string(probe.size()) + "\r\n") + probe,
       {400},
       false},
      {"CL in a POST", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", {400}, false},
      {"two CL", request("/healthz", "Content-Length: 0\r\nContent-Length: 5\r\n"), {400}, false},
      {"two equal CL",
       request("/healthz", "Content-Length: 0\r\nContent-Length: 0\r\n") + probe,
       {400},
       false},
      {"a list of CL", request("/healthz", "Content-Length: 0, 0\r\n") + probe, {400}, false},
      {"CL +0", request("/healthz", "Content-Length: +0\r\n") + probe, {400}, false},
      {"CL -1", request("/healthz", "Content-Length: -1\r\n") + probe, {400}, false},
      {"CL 00", request("/healthz", "Content-Length: 00\r\n") + probe, {400}, false},
      {"CL folded", request("/healthz", "Content-Length: 0\r\n 5\r\n") + probe, {400}, false},
      {"CL overflow",
       request("/healthz", "Content-Length: 18446744073709551616\r\n") + probe,
       {400},
       false},
      {"expect with a body",
       request("/healthz", "Expect: 100-continue\r\nContent-Length: 5\r\n"),
       {400},
       false},
      {"huge trailers",
       request("/healthz", chunked) + "0\r\nT: " + trailers + "\r\n\r\n" + probe,
       {400},
       false},
      {"no Host", "GET /healthz HTTP/1.1\r\n\r\n" + probe, {400}, false},
      {"two Hosts", request("/healthz", "Host: b\r\n") + probe, {400}, false},
  };
  for (const Row& row : rows) {
    expect_row(row, kAllAtOnce);
    if (row.bytes.size() < 10'000) expect_row(row, 1);
  }
}

TEST(HttpSession, RefusesWhatIsNotHttpAndCloses) {
  using namespace std::string_literals;
  const std::string big(1'000'000, 'x');
  std::string many_fields;
  for (int i = 0; i < 2000; ++i) many_fields += "X: y\r\n";
  const std::vector<Row> rows{
      {"noise", "\x16\x03\x01\x02"s + probe, {400}, false},
      {"a blank line first", "\r\n" + probe, {400}, false},
      {"bare LF", "GET /healthz HTTP/1.1\nHost: a\n\n" + probe, {400}, false},
      {"bare LF in the fields", "GET /healthz HTTP/1.1\r\nHost: a\n\r\n" + probe, {400}, false},
      {"bare CR", "GET /healthz HTTP/1.1\r\nHost: a\rX: b\r\n\r\n" + probe, {400}, false},
      {"NUL in the target", "GET /heal\0thz HTTP/1.1\r\nHost: a\r\n\r\n"s + probe, {400}, false},
      {"NUL in a value", request("/healthz", "X: a\0b\r\n"s) + probe, {400}, false},
      {"NUL in a name", request("/healthz", "X\0: a\r\n"s) + probe, {400}, false},
      {"a blank before the colon", request("/healthz", "X : a\r\n") + probe, {400}, false},
      {"a field without a colon", request("/healthz", "X\r\n") + probe, {400}, false},
      {"a field without a name", request("/healthz", ": a\r\n") + probe, {400}, false},
      {"two blanks", "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + probe, {400}, false},
      {"no version", "GET /healthz\r\n\r\n" + probe, {400}, false},
      {"version 0.9", "GET /healthz HTTP/0.9\r\nHost: a\r\n\r\n" + probe, {400}, false},
      {"version 2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}, false},
      {"version 1.2", "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n" + probe, {400}, false},
      {"a target that is no path", request("healthz") + probe, {400}, false},
      {"a huge field", request("/healthz", "X: " + big + "\r\n") + probe, {431}, false},
      {"a huge target", request("/" + big) + probe, {431}, false},
      {"a huge method", big + probe, {431}, false},
      {"a field that never ends", "GET / HTTP/1.1\r\nX: " + big, {431}, false},
      {"fields without end", "GET / HTTP/1.1\r\nHost: a\r\n" + many_fields, {431}, false},
      {"too many small fields", request("/healthz", many_fields) + probe, {431}, false},
      {"a large target and large fields",
       request("/" + big.substr(0, 5000), "X: " + big.substr(0, 5000) + "\r\n") + probe,
       {431},
       false},
      {"a header just too large",
       request("/healthz", "X: " + big.substr(0, kHeaderBytes) + "\r\n") + probe,
       {431},
       false},
  };
  for (const Row& row : rows) {
    expect_row(row, kAllAtOnce);
    if (row.bytes.size() < 10'000) expect_row(row, 1);
  }
}

TEST(HttpSession, SaysNothingToAClientThatLeftInTheMiddleOfARequest) {
  for (std::size_t length = 0; length < probe.size(); ++length) {
    Conversation talk;
    talk.say(probe.substr(0, length));
    talk.client.close();
    talk.run();
    EXPECT_EQ(talk.client.str(), "") << length;
    EXPECT_FALSE(talk.is_open()) << length;
  }
}

TEST(HttpSession, AnswersHeadWithTheHeadOfGet) {
  Conversation get;
  get.say(probe);
  Conversation head;
  head.say("HEAD" + probe.substr(3));
  const std::string full(get.client.str());
  EXPECT_EQ(std::string(head.client.str()), full.substr(0, full.find("\r\n\r\n") + 4));
  EXPECT_EQ(head.calls, 1U);
}

TEST(HttpSession, SendsNoBodyWithTheRefusalOfAHead) {
  for (const std::string_view fields :
       {"Content-Length: 3\r\n", "Transfer-Encoding: x\r\n", "Y\r\n"}) {
    Conversation talk;
    talk.say("HEAD / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
    const std::string bytes(talk.client.str());
    EXPECT_TRUE(bytes.starts_with("HTTP/1.1 400 ")) << fields;
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n")) << fields;
  }
}

TEST(HttpSession, AnswersFiftyPipelinedRequestsInOrder) {
  std::string bytes;
  for (int i = 0; i < 50; ++i) bytes += request("/count");
  for (const std::size_t step : {kAllAtOnce, std::size_t{1}, std::size_t{13}}) {
    Conversation talk(step);
    talk.say(bytes);
    const Replies replies = talk.heard();
    ASSERT_EQ(replies.all.size(), 50U) << step;
    for (std::size_t i = 0; i < 50; ++i) {
      EXPECT_EQ(replies.all[i].body, "call " + std::to_string(i + 1)) << step;
    }
    EXPECT_EQ(talk.calls, 50U);
    EXPECT_EQ(talk.shared.stats.responses[2], 50U);
  }
}

TEST(HttpSession, PutsADeadlineBeforeEveryWait) {
  Conversation talk;
  talk.say(probe);
  EXPECT_EQ(talk.events, (Events{"30000", "read", "5000", "5000", "write", "30000", "read"}));
}

TEST(HttpSession, GivesADribbledHeaderOneDeadlineNotOneAByte) {
  Conversation talk(1);
  talk.say(probe);
  EXPECT_EQ(std::ranges::count(talk.events, "read"), std::ptrdiff_t(probe.size()) + 1);
  EXPECT_EQ(std::ranges::count(talk.events, "5000"), 2);  // header, write
  EXPECT_EQ(std::ranges::count(talk.events, "30000"), 2);
}

TEST(HttpSession, CountsOnlyWholeRequestsAndAnswersAsProgress) {
  Conversation talk;
  talk.say(probe);
  const auto before = talk.session.lock()->last_progress();
  talk.say(probe.substr(0, 20));
  EXPECT_EQ(talk.session.lock()->last_progress(), before);
  talk.say(probe.substr(20));
  EXPECT_GT(talk.session.lock()->last_progress(), before);
}

TEST(HttpSession, SurvivesARouteThatStopsTheServer) {
  Conversation talk;
  talk.say(request("/stop") + probe);
  EXPECT_EQ(talk.client.str(), "");
  EXPECT_EQ(talk.calls, 0U);
  EXPECT_FALSE(talk.is_open());
  EXPECT_EQ(talk.shared.stats.responses[2], 0U);
}

TEST(HttpSession, CallsNoRouteAfterItWasClosed) {
  Conversation talk;
  asio::write(talk.client, asio::buffer(probe));
  talk.session.lock()->close();
  talk.run();
  EXPECT_EQ(talk.calls, 0U);
  EXPECT_EQ(talk.client.str(), "");
}

/// Requests, cut, spliced, overwritten and mixed with noise.
std::string hostile_bytes(std::mt19937_64& random) {
  static const std::vector<std::string> pieces{probe,
                                               request("/count"),
                                               "HEAD /count HTTP/1.1\r\nHost: a\r\n\r\n",
                                               "\r\n",
                                               "\r\n\r\n",
                                               "Transfer-Encoding: chunked\r\n",
                                               "Content-Length: 7\r\n",
                                               "Content-Length: 0\r\n",
                                               "0\r\n\r\n",
                                               "GET / HTTP/1.1\r\n",
                                               "Host: a\r\n",
                                               "Connection: close\r\n",
                                               " ",
                                               "\t",
                                               ":",
                                               "\n",
                                               std::string(1, '\0'),
                                               "POST /x HTTP/1.1\r\nHost: a\r\n\r\n",
                                               "HTTP/1.1 200 OK\r\n\r\n",
                                               std::string(3000, 'h')};
  const auto below = [&](std::size_t n) { return std::size_t(random() % n); };
  std::string bytes;
  for (std::size_t i = 0, count = 1 + below(8); i < count; ++i) {
    if (below(6) > 0) {
      bytes += pieces[below(pieces.size())];
    } else {
      for (std::size_t n = below(60); n > 0; --n) bytes += static_cast<char>(below(256));
    }
  }
  for (std::size_t n = below(4); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = below(bytes.size());
    if (below(2) == 0) {
      bytes[at] = static_cast<char>(below(256));
    } else {
      bytes.erase(at, 1 + below(5));
    }
  }
  return bytes;
}

std::size_t occurrences(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    ++count;
  return count;
}

TEST(HttpSession, GivesHostileBytesAtMostOneAnswerARequest) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  RecordProperty("seed", std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = hostile_bytes(random);
    Conversation talk(random() % 3 == 0 ? 1 + random() % 40 : kAllAtOnce);
    talk.say(bytes);
    const Replies replies = talk.heard();
    // A request ends with an empty line; only the last may be refused before it does.
    const std::size_t ends = occurrences(bytes, "\r\n\r\n");
    ASSERT_EQ(replies.rest, "") << "input " << i;
    ASSERT_LE(replies.all.size(), ends + 1) << "input " << i;
    ASSERT_LE(talk.calls, ends) << "input " << i;
    ASSERT_LE(talk.calls, occurrences(bytes, " HTTP/1.")) << "input " << i;
    for (const auto& reply : replies.all) {
      const bool last = &reply == &replies.all.back();
      ASSERT_TRUE(last || reply.field("Connection") == "keep-alive") << "input " << i;
      ASSERT_TRUE(reply.status == 200 || reply.status == 400 || reply.status == 404 ||
                  reply.status == 405 || reply.status == 431)
          << "input " << i << " status " << reply.status;
    }
  }
}

// --- Responses that go on ------------------------------------------------------------------------

std::string_view text_of(const beast::test::stream& client) {
  const auto bytes = client.str();
  return {bytes.data(), bytes.size()};
}

TEST(HttpSession, GoesOnWithAResponsePartByPart) {
  Conversation talk;
  talk.say(request("/events"));
  EXPECT_EQ(talk.shared.stats.streams, 1U);
  for (int i = 0; i < 100 && talk.calls < 4; ++i) talk.wait_for_one();
  EXPECT_NE(text_of(talk.client).find("\r\n\r\ndata: 0\n\ndata: 1\n\ndata: 2\n\n"),
            std::string_view::npos)
      << text_of(talk.client);
  EXPECT_EQ(talk.shared.stats.responses[2], 1U);
  talk.session.lock()->close();
  EXPECT_EQ(talk.shared.stats.streams, 0U);
  const std::uint64_t calls = talk.calls;
  talk.wait_for_one();
  EXPECT_EQ(talk.calls, calls) << "a closed one asks for nothing more";
}

TEST(HttpSession, HasRoomForSomeResponsesThatGoOn) {
  Conversation talk;
  talk.shared.stats.streams = 2;
  talk.say(request("/events"));
  EXPECT_EQ(statuses(talk.heard()), Statuses{503});
  EXPECT_NE(talk.heard().all.front().body.find("2 clients are listening already"),
            std::string::npos);
  EXPECT_EQ(talk.shared.stats.streams, 2U);
  talk.shared.stats.streams = 0;
}

TEST(HttpSession, EndsAResponseThatCannotGoOn) {
  Conversation talk;
  talk.throws_at = 3;
  talk.say(request("/events"));
  for (int i = 0; i < 100 && talk.is_open(); ++i) talk.wait_for_one();
  EXPECT_FALSE(talk.is_open());
  EXPECT_EQ(talk.shared.stats.streams, 0U);
  EXPECT_TRUE(text_of(talk.client).ends_with("data: 2\n\n")) << text_of(talk.client);
}

TEST(HttpSession, GivesOfAResponseThatGoesOnItsHeadToWhoAsksForThat) {
  Conversation talk;
  talk.say("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(text_of(talk.client).ends_with("\r\n\r\n")) << text_of(talk.client);
  EXPECT_EQ(talk.shared.stats.streams, 0U);
  EXPECT_FALSE(talk.is_open());
}

}  // namespace
}  // namespace rts::http
