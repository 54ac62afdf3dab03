// Why there was an order, or none: /decisions of the running service, and `explain` that asks it.
#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/http_stub.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kFrames = "binance.websocket.data";

// The sentence that the issue of this command asked for.
constexpr const char* kTooNarrow =
    "spread 0.0002 % is below the minimum of 0.1 %: it would have to be 500 times as wide; "
    "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT=0 lets it through";

class Explain : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(daemon.wait_ready()); }

  [[nodiscard]] RunResult explain(std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), "explain");
    return run_binary(arguments, {{"HEALTH_CHECK_PORT", std::to_string(daemon.port())}});
  }
  // Publishes a frame, and waits until it is decided upon.
  void hear(const std::string& frame) {
    ++heard;
    peer.publish(kFrames, frame);
    ASSERT_TRUE(
        eventually([&] { return daemon.metric("rts_frames_received_total") == heard; }, 10s));
  }
  void hear_narrow_book() {
    hear(book_frame({.at_ms = now_ms(),
                     .id = static_cast<std::uint64_t>(heard) + 1,
                     .bids = {{"50000", "1"}},
                     .asks = {{"50000.1", "1"}}}));
  }
  void hear_wide_book() {
    hear(book_frame({.at_ms = now_ms(), .id = static_cast<std::uint64_t>(heard) + 1}));
  }

  NatsServer broker;
  Peer peer{broker.url()};
  Daemon daemon{{{"NATS_URL", broker.url()}, {"DEBUG_MODE", "true"}}};
  int heard = 0;
};

TEST_F(Explain, SaysThatNothingHasComeYet) {
  EXPECT_EQ(daemon.get("/decisions").body, R"({"decisions":[]})");
  EXPECT_EQ(daemon.get("/decisions?format=text").body, "");
  const RunResult said = explain();
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("no such decision yet"));
}

TEST_F(Explain, SaysWhyThereWasNoOrderAsTheLogDoes) {
  hear_narrow_book();
  hear(trade({.symbol = "ETHUSDT", .at_ms = now_ms()}));
  const RunResult said = explain();
  EXPECT_EQ(said.exit_code, 0) << said.err;
  EXPECT_THAT(said.out, AllOf(HasSubstr("Z BTCUSDT orderbook_skew spread_below_minimum: "),
                              HasSubstr(kTooNarrow)));
  EXPECT_LT(said.out.find("BTCUSDT"), said.out.find("ETHUSDT")) << "the newest is the last";
  const auto lines = daemon.log("decision", 2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines.front(), HasSubstr(kTooNarrow));

  const HttpAnswer json = daemon.get("/decisions");
  EXPECT_EQ(json.status, 200U);
  EXPECT_TRUE(wire::json_differences(json.body, json.body).empty()) << json.body;
  EXPECT_THAT(json.body,
              AllOf(HasSubstr(R"("outcome":"spread_below_minimum","inputs":{"bid_volume":1,)"),
                    HasSubstr(R"("settings":["ORDERBOOK_SKEW_MIN_SPREAD_PERCENT"])"),
                    HasSubstr(kTooNarrow)));
  EXPECT_EQ(explain({"--json"}).out, json.body + "\n");
}

TEST_F(Explain, AnswersForWhatIsAskedFor) {
  hear_narrow_book();
  hear(trade({.at_ms = now_ms()}));
  hear(trade({.symbol = "ETHUSDT", .at_ms = now_ms()}));
  hear(trade({.symbol = "ETHUSDT", .at_ms = now_ms()}));  // a second time
  struct Row {
    std::vector<std::string> arguments;
    std::vector<std::string_view> ends;
  };
  const std::vector<Row> rows{
      {{}, {"spread_below_minimum", "warming_up", "warming_up", "out_of_order"}},
      {{"--symbol", "ethusdt"}, {"warming_up", "out_of_order"}},
      {{"--strategy", "orderbook_skew"}, {"spread_below_minimum"}},
      {{"--outcome", "warming_up"}, {"warming_up", "warming_up"}},
      {{"--outcome", "out_of_order"}, {"out_of_order"}},
      {{"--last", "1"}, {"out_of_order"}},
      {{"--symbol", "BTCUSDT", "--strategy", "trade_momentum"}, {"warming_up"}}};
  for (const auto& [arguments, ends] : rows) {
    const RunResult said = explain(arguments);
    EXPECT_EQ(said.exit_code, 0) << said.err;
    std::size_t at = 0;
    for (const std::string_view end : ends) {
      at = said.out.find(fmt::format(" {}: ", end), at);
      ASSERT_NE(at, std::string::npos) << end << '\n' << said.out;
      ++at;
    }
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(said.out, '\n')), ends.size())
        << said.out;
  }
  EXPECT_THAT(explain({"--symbol", "BNBUSDT"}).out, HasSubstr("no such decision yet"));
}

TEST_F(Explain, SaysWhatBecameOfAnOrder) {
  const Responder engine(broker.url(), "tradeengine.orders", always(R"({"status":"ok"})"));
  hear_wide_book();
  ASSERT_TRUE(daemon.wait_settled());
  const RunResult said = explain({"--outcome", "signal_buy"});
  EXPECT_THAT(said.out,
              AllOf(HasSubstr(" signal_buy: BUY 0.999 at 100.2: ratio 1.5 is above 1.2; "),
                    HasSubstr(": order confirmed\n")));
  const auto sent = engine.received();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_THAT(said.out, HasSubstr("order " + sent.front().headers.at("Nats-Msg-Id")));
  EXPECT_THAT(daemon.get("/decisions").body, HasSubstr(R"("result":"confirmed")"));
}

TEST_F(Explain, SaysWhoHasPaused) {
  daemon.process().signal(SIGUSR1);
  ASSERT_FALSE(daemon.log("trading_paused", 1).empty());
  hear_wide_book();
  EXPECT_THAT(explain().out, HasSubstr("but orders were paused by SIGUSR1\n"));
}

TEST_F(Explain, SaysWhatIsAccepted) {
  struct Row {
    const char* query;
    const char* accepted;
  };
  for (const auto& [query, accepted] :
       {Row{"symbol=XRPUSDT", "accepted: BTCUSDT, ETHUSDT, BNBUSDT"},
        Row{"symbol=", "accepted: BTCUSDT"},
        Row{"strategy=skew", "accepted: orderbook_skew, trade_mom"},
        Row{"outcome=bad", "disabled, spread_below_minimum"},
        Row{"last=0", "accepted: a whole number from 1 to 200"}, Row{"last=201", "from 1 to 200"},
        Row{"last=1&last=x", "from 1 to 200"}, Row{"format=xml", "accepted: json, text"},
        Row{"limit=5", "symbol, strategy, outcome, last, format"}, Row{"symbol=%4", "escape"},
        Row{"%22=1", "symbol, strategy"}}) {
    const HttpAnswer answer = daemon.get(fmt::format("/decisions?{}", query));
    EXPECT_EQ(answer.status, 400U) << query;
    EXPECT_THAT(answer.body, HasSubstr(accepted)) << query;
    EXPECT_TRUE(wire::json_differences(answer.body, answer.body).empty()) << answer.body;
  }
  const RunResult said = explain({"--symbol", "XRPUSDT"});
  EXPECT_EQ(said.exit_code, 1);
  EXPECT_THAT(said.err, HasSubstr("symbol: 'XRPUSDT' is not accepted; accepted: BTCUSDT"));
  EXPECT_EQ(said.out, "");
}

TEST_F(Explain, RefusesWhatMakesNoSenseBeforeItAsks) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--symbol", "BTC/USDT"},
        {"--strategy", "skew"},
        {"--outcome", "bad"},
        {"--last", "0"},
        {"--last", "201"},
        {"--last", "x"},
        {"--url", "localhost:8080"},
        {"--url", "http://localhost"},
        {"--url", "http://:80"},
        {"--url", "http://a@b:80"},
        {"--url", "http://host:0"},
        {"now"}}) {
    const RunResult said = explain(arguments);
    EXPECT_EQ(said.exit_code, 64) << arguments.front() << arguments.back() << said.out;
    EXPECT_THAT(said.err, StartsWith(arguments.size() < 2 ? "realtime" : "explain: --"));
  }
}

TEST_F(Explain, AsksWhereverItIsTold) {
  hear_narrow_book();
  for (const char* url : {"http://127.0.0.1:{}", "http://localhost:{}/"}) {
    const RunResult said =
        run_binary({"explain", "--url", fmt::format(fmt::runtime(url), daemon.port())},
                   {{"HEALTH_CHECK_PORT", "1"}});
    EXPECT_EQ(said.exit_code, 0) << said.err;
    EXPECT_THAT(said.out, HasSubstr(kTooNarrow));
  }
  const std::string url = fmt::format("http://127.0.0.1:{}", daemon.port());
  EXPECT_EQ(run_binary({"health", "--url", url}, {{"HEALTH_CHECK_PORT", "1"}}).exit_code, 0);
}

TEST(ExplainWithoutAService, SaysWhatToDo) {
  const RunResult said =
      run_binary({"explain"}, {{"HEALTH_CHECK_PORT", std::to_string(free_port())}});
  EXPECT_EQ(said.exit_code, 69);
  EXPECT_THAT(said.err,
              AllOf(HasSubstr("nobody answers at http://127.0.0.1:"),
                    HasSubstr("is the service running there?"), Not(HasSubstr("format="))));
  EXPECT_EQ(said.out, "");
}

// Something else on a port.
class Stranger : public HttpStub {
 public:
  explicit Stranger(std::string answer)
      : HttpStub([answer = std::move(answer)](const std::string&) { return answer; }) {}

  [[nodiscard]] RunResult explain(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"explain", "--url", url()});
    return run_binary(more);
  }
};

TEST(ExplainOfAStranger, SaysWhatItIs) {
  const Stranger other("HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\n\r\npage");
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--json"}}) {
    const RunResult said = other.explain(more);
    EXPECT_EQ(said.exit_code, 1);
    EXPECT_THAT(said.err, HasSubstr("has no /decisions: it is another service"));
    EXPECT_EQ(said.out, "");
  }
  EXPECT_THAT(other.asked(), HasSubstr("\nHost: " + other.host() + "\r\n"));
}

TEST(ExplainOfAStranger, TakesNoPartOfAnAnswerAndNoRefusalForOne) {
  struct Row {
    const char* answer;
    const char* said;
  };
  for (const auto& [answer, said] :
       {Row{"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nabc", "ended before it was whole"},
        Row{"HTTP/1.0 200 OK\r\ncontent-length:9\r\n", "ended before it was whole"},
        Row{"HTTP/1.0 503 No\r\nContent-Length: 4\r\n\r\nbusy", "is too busy to answer"}}) {
    const RunResult result = Stranger(answer).explain();
    EXPECT_EQ(result.exit_code, 69) << answer;
    EXPECT_THAT(result.err, HasSubstr(said));
    EXPECT_EQ(result.out, "");
  }
  const RunResult whole = Stranger("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc").explain();
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_EQ(whole.out, "abc\n");
  const RunResult nobody =
      run_binary({"explain", "--url", fmt::format("http://127.0.0.1:{}", free_port())});
  EXPECT_EQ(nobody.exit_code, 69);
  EXPECT_THAT(nobody.err, AllOf(HasSubstr("--url says where"), Not(HasSubstr("HEALTH_CHECK"))));
}

// With every symbol, and as many decisions as there can be, an answer is as long as it may be.
TEST(ExplainOfEverySymbol, AnAnswerIsBounded) {
  NatsServer broker;
  Peer peer(broker.url());
  Daemon daemon({{"NATS_URL", broker.url()}, {"TRADING_SYMBOLS", "*"}});
  ASSERT_TRUE(daemon.wait_ready());
  constexpr int kSymbols = 100;
  constexpr int kEach = 10;
  for (int i = 0; i < kSymbols * kEach; ++i) {
    peer.publish(kFrames, trade({.symbol = fmt::format("A{}USDT", i % kSymbols),
                                 .at_ms = now_ms(),
                                 .id = static_cast<std::uint64_t>(i)})
                              .json());
  }
  ASSERT_TRUE(eventually(
      [&] { return daemon.metric("rts_frames_received_total") == kSymbols * kEach; }, 10s));
  const std::string text = daemon.get("/decisions?format=text&last=200").body;
  EXPECT_EQ(std::ranges::count(text, '\n'), 200);
  EXPECT_EQ(std::ranges::count(daemon.get("/decisions?format=text").body, '\n'), 20);
  EXPECT_EQ(daemon.get("/decisions?symbol=ZUSDT").body, R"({"decisions":[]})");
  const std::string one = daemon.get("/decisions?format=text&symbol=%41%37usdt&last=200").body;
  EXPECT_EQ(std::ranges::count(one, '\n'), kEach);
}

}  // namespace
}  // namespace rts::test
