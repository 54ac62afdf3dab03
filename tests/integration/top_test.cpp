// `top` where there is no terminal: what it asks services, and prints of what they say.
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/http_stub.hpp"
#include "support/status_text.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A service that says so, of the symbol that is asked for.
HttpStub::Answer saying(const StatusText& status) {
  return [status](const std::string& request) {
    if (request.starts_with("GET /decisions?")) return http_answer(200, kOrdersText);
    StatusText own = status;
    if (request.starts_with("GET /?symbol=ETHUSDT ")) own.symbol = "ETHUSDT";
    return http_answer(200, own.text());
  };
}

RunResult top(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "top");
  return run_binary(arguments);
}

// Takes connections, and says nothing.
class Silence {
 public:
  [[nodiscard]] std::string url() const {
    return fmt::format("http://127.0.0.1:{}", acceptor_.local_endpoint().port());
  }

 private:
  boost::asio::io_context loop_;
  boost::asio::ip::tcp::acceptor acceptor_{loop_, {boost::asio::ip::address_v4::loopback(), 0}};
};

TEST(Top, PrintsOnceWhatEachServiceSays) {
  const HttpStub one(saying({}));
  const HttpStub other(saying({.id = "b2", .settings = "fedcba9876543210"}));
  const RunResult said = top({"--url", one.url(), "--url", other.url(), "--symbol", "ETHUSDT"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_EQ(said.err, "");
  EXPECT_THAT(
      said.out,
      AllOf(StartsWith("top  "), HasSubstr(" UTC  2 of 2 replicas answer  181 events/s"),
            HasSubstr(fmt::format("\n>{} ", one.host())),
            HasSubstr(fmt::format("\n {} ", other.host())), HasSubstr("≠fedcba98"),
            HasSubstr("ETHUSDT  the last minute, as " + one.host()),
            HasSubstr("17:59:00 BTCUSDT BUY 0.002 at 63993 confirmed"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(one.asked(), AllOf(HasSubstr("GET /?symbol=ETHUSDT HTTP/1.0\r\n"),
                                 HasSubstr("Host: " + one.host() + "\r\n"),
                                 HasSubstr("Accept: application/json\r\n"),
                                 HasSubstr("GET /decisions?outcome=signal&last=50 HTTP/1.0\r\n")));
  EXPECT_THAT(other.asked(), AllOf(HasSubstr("GET / HTTP/1.0\r\n"), Not(HasSubstr("decisions"))));
  const RunResult colored = top({"--once", "--color=always", "--url", one.url()});
  EXPECT_THAT(colored.out, HasSubstr("\x1b[1mtop  "));
}

TEST(Top, MeasuresFramesBetweenTwoLooks) {
  std::atomic<int> looks{0};
  const HttpStub service([&](const std::string& request) {
    if (request.starts_with("GET /decisions")) return http_answer(200, kOrdersText);
    const int look = looks++;
    return http_answer(200, StatusText{.frames = 1000 + 700 * static_cast<std::uint64_t>(look),
                                       .uptime_seconds = 100.0 + 2 * look}
                                .text());
  });
  EXPECT_THAT(top({"--url", service.url()}).out, HasSubstr(" Trading        350  70.4"));
  EXPECT_EQ(looks, 2);
}

TEST(Top, AnswersForTheServiceThatTheSettingsAreOf) {
  const HttpStub service(saying({}));
  const RunResult said =
      run_binary({"top"}, {{"HEALTH_CHECK_PORT", std::to_string(service.port())}});
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr(">" + service.host()));
}

TEST(Top, TakesEveryAddressOfAName) {
  const HttpStub service(saying({}));
  const std::string name = fmt::format("localhost:{}", service.port());
  EXPECT_THAT(top({"--service", name}).out, HasSubstr(service.host() + " "));
  const RunResult both = top({"--service", name, "--url", service.url(), "--json"});
  const std::string own = fmt::format(R"({{"url":"{}","status":{{)", service.url());
  EXPECT_LT(both.out.find(own), both.out.rfind(own)) << "twice: " << both.out;
  const RunResult unknown = top({"--service", "replicas.invalid:8080"});
  EXPECT_EQ(unknown.exit_code, 69);
  EXPECT_THAT(unknown.err, StartsWith("top: replicas.invalid:8080: "));
}

// What does not answer is a row that says so; the others are asked meanwhile.
TEST(Top, SaysWhoDoesNotAnswerAndWaitsForAllTogether) {
  const HttpStub service(saying({}));
  const std::vector<Silence> silent(5);
  std::vector<std::string> arguments{"--url", service.url(), "--url", "http://127.0.0.1:1"};
  for (const Silence& one : silent) arguments.insert(arguments.end(), {"--url", one.url()});
  const Stopwatch watch;
  const RunResult said = top(arguments);
  EXPECT_LT(watch.passed(), 9s) << "one after the other they take 10 s";
  EXPECT_EQ(said.exit_code, 69);
  EXPECT_THAT(said.out, AllOf(HasSubstr("1 of 7 replicas answer"),
                              HasSubstr("\n 127.0.0.1:1     No answer nobody answers there\n"),
                              HasSubstr(fmt::format("\n>{} Trading ", service.host()))));
}

TEST(Top, SaysWhoAnswersSomethingElse) {
  struct Row {
    std::string answer;
    const char* said;
  };
  for (const auto& [answer, said] :
       {Row{http_answer(200, "<!doctype html>"), "another service, or an older version"},
        Row{http_answer(200, StatusText{}.text()).substr(0, 400), "ended before it was whole"},
        Row{http_answer(400, "{\"error\":\"symbol\x1b\"}"),
            R"(answers 400: {"error":"symbol\x1b"})"},
        Row{"gibberish", "nobody answers there"}, Row{"", "nobody answers there"}}) {
    const HttpStub service([text = answer](const std::string&) { return text; });
    const RunResult result = top({"--url", service.url()});
    EXPECT_EQ(result.exit_code, 69) << answer;
    EXPECT_THAT(result.out, AllOf(HasSubstr("No answer"), HasSubstr(said), Not(HasSubstr("\x1b"))));
  }
}

TEST(Top, PrintsTheDocumentsAsJson) {
  const HttpStub service(saying({}));
  const RunResult said = top({"--json", "--url", service.url(), "--url", "http://127.0.0.1:1"});
  EXPECT_EQ(said.exit_code, 69);
  const std::string wanted = fmt::format(
      R"([{{"url":"{}","status":{},"problem":null}},)"
      R"({{"url":"http://127.0.0.1:1","status":null,"problem":"nobody answers there"}}])",
      service.url(), StatusText{}.text());
  EXPECT_EQ(said.out, wanted + "\n");
  EXPECT_TRUE(wire::json_differences(said.out, wanted).empty());
  EXPECT_EQ(top({"--json", "--url", service.url()}).exit_code, 0);
}

TEST(Top, RefusesWhatMakesNoSenseBeforeItAsks) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--url", "http://127.0.0.1:1", "--url", "localhost"},
        {"--url", "https://localhost:1"},
        {"--service", "localhost"},
        {"--service", "http://localhost:1"},
        {"--symbol", "BTC/USDT"},
        {"now"}}) {
    const RunResult said = top(arguments);
    EXPECT_EQ(said.exit_code, 64) << testing::PrintToString(arguments);
    EXPECT_EQ(said.out, "");
  }
}

}  // namespace
}  // namespace rts::test
