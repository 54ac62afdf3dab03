// The TradeEngine's contract, ORDER_FORMAT=signal: a subscriber that does with an order what the
// engine does. It reads it strictly, checks fields and age, knows the signals of the last hour, and
// answers {"status":…,"signal_id":…}.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <rts/base/json_writer.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"
#include "support/known_orders.hpp"
#include "support/market_text.hpp"
#include "support/nats_server.hpp"
#include "support/order_log.hpp"
#include "support/order_schema.hpp"
#include "support/peer.hpp"
#include "support/rapidjson.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::HasSubstr;

constexpr const char* kFrameSubject = "binance.websocket.data";
constexpr const char* kOrderSubject = "tradeengine.orders";
constexpr auto kSoon = 20s;

// --- What the engine does with an order ----------------------------------------------------------

struct Verdict {
  std::string status;  // accepted, duplicate, rejected
  std::string reason;  // of a rejection
  std::string signal_id;

  [[nodiscard]] std::string json() const {
    std::string text;
    JsonWriter writer(text);
    writer.begin_object().key("status").string(status).key("signal_id").string(signal_id);
    if (!reason.empty()) writer.key("reason").string(reason);
    writer.end_object();
    return text;
  }
};

// One signal as the engine reads it; each check says what it has against it, or nothing.
class SignalReader {
 public:
  explicit SignalReader(std::string_view payload) {
    json_.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag>(
        payload.data(), payload.size());
  }

  [[nodiscard]] bool is_object() const { return !json_.HasParseError() && json_.IsObject(); }
  [[nodiscard]] bool has_each_key_once() const {
    std::set<std::string> keys;
    return std::all_of(json_.MemberBegin(), json_.MemberEnd(), [&](const auto& member) {
      return keys.insert(member.name.GetString()).second;
    });
  }
  [[nodiscard]] std::string text(const char* key) const {
    const auto member = json_.FindMember(key);
    return member != json_.MemberEnd() && member->value.IsString() ? member->value.GetString() : "";
  }
  [[nodiscard]] std::optional<double> number(const char* key) const {
    const auto member = json_.FindMember(key);
    if (member == json_.MemberEnd() || !member->value.IsNumber()) return std::nullopt;
    return member->value.GetDouble();
  }
  [[nodiscard]] std::optional<UnixMs> time(const char* key) const {
    return parse_iso8601(text(key));
  }

 private:
  rapidjson::Document json_;
};

class EngineRules {
 public:
  static constexpr auto kMaxAge = 300s;
  static constexpr auto kMemory = 60min;

  void refuse_symbol(const std::string& symbol) { refused_.insert(symbol); }

  Verdict judge(std::string_view payload, UnixMs now) {
    const SignalReader signal(payload);
    if (!signal.is_object()) return {"rejected", "no JSON object", ""};
    const std::string id = signal.text("signal_id");
    const std::string reason = objection(signal, now);
    if (!reason.empty()) return {"rejected", reason, id};
    std::erase_if(seen_, [now](const auto& seen) { return now - seen.second > kMemory; });
    if (!seen_.try_emplace(id, now).second) return {"duplicate", "", id};
    if (refused_.count(signal.text("symbol")) > 0) return {"rejected", "symbol not traded", id};
    return {"accepted", "", id};
  }

 private:
  std::string objection(const SignalReader& signal, UnixMs now) const {
    if (!signal.has_each_key_once()) return "a key comes twice";
    for (const char* key : {"id", "signal_id", "strategy_id", "strategy", "symbol", "source"}) {
      if (signal.text(key).empty()) return fmt::format("{} is missing", key);
    }
    static const std::map<const char*, std::set<std::string>> kEnumerations{
        {"action", {"buy", "sell"}},
        {"strength", {"weak", "medium", "strong", "extreme"}},
        {"strategy_mode", {"deterministic", "ml_light", "llm_reasoning"}},
        {"timeframe", {"tick", "1m", "5m", "15m", "1h", "4h", "1d"}},
        {"order_type", {"market", "limit", "stop", "stop_limit"}},
        {"time_in_force", {"GTC", "IOC", "FOK", "GTX"}}};
    for (const auto& [key, values] : kEnumerations) {
      if (values.count(signal.text(key)) == 0) return fmt::format("{} is unknown", key);
    }
    for (const char* key : {"price", "quantity", "current_price"}) {
      if (signal.number(key).value_or(0) <= 0) return fmt::format("{} is not positive", key);
    }
    const double confidence = signal.number("confidence").value_or(-1);
    if (confidence < 0 || confidence > 1) return "confidence is not within 0 and 1";
    if (!is_protected_as_its_action_needs(signal)) return "stop_loss or take_profit is wrong";
    const auto at = signal.time("timestamp");
    if (!at) return "timestamp is no time";
    return now - *at > kMaxAge ? "stale" : "";
  }

  // The stop loss is on the losing side of the price.
  static bool is_protected_as_its_action_needs(const SignalReader& signal) {
    const auto stop_loss = signal.number("stop_loss");
    const auto take_profit = signal.number("take_profit");
    if (!stop_loss || !take_profit) return false;
    const double price = *signal.number("price");
    const double sign = signal.text("action") == "buy" ? 1 : -1;
    return sign * (price - *stop_loss) > 0 && sign * (*take_profit - price) > 0;
  }

  std::map<std::string, UnixMs> seen_;  // by signal id: when
  std::set<std::string> refused_;
};

// --- The engine at its subject -------------------------------------------------------------------

struct Handled {
  std::string payload;
  Verdict verdict;
};

// nats.c with its own threads. Answers whoever wants an answer.
class TradeEngine {
 public:
  explicit TradeEngine(const std::string& url, EngineRules rules = {}) : rules_(std::move(rules)) {
    if (natsConnection_ConnectTo(&connection_, url.c_str()) != NATS_OK ||
        natsConnection_Subscribe(&subscription_, connection_, kOrderSubject, on_order, this) !=
            NATS_OK ||
        !flush()) {
      throw std::runtime_error("no broker at " + url);
    }
  }
  ~TradeEngine() {
    natsConnection_Close(connection_);  // no callback after this
    natsSubscription_Destroy(subscription_);
    natsConnection_Destroy(connection_);
  }
  TradeEngine(const TradeEngine&) = delete;
  TradeEngine& operator=(const TradeEngine&) = delete;
  TradeEngine(TradeEngine&&) = delete;
  TradeEngine& operator=(TradeEngine&&) = delete;

  [[nodiscard]] bool flush() const {
    return natsConnection_FlushTimeout(connection_, 10'000) == NATS_OK;
  }
  [[nodiscard]] std::vector<Handled> handled() const {
    const std::lock_guard lock(mutex_);
    return handled_;
  }
  [[nodiscard]] bool wait_for(std::size_t orders) const {
    return eventually([&] { return handled().size() >= orders; }, kSoon);
  }
  // The signal ids that ended so, in order.
  [[nodiscard]] OrderIds ids(std::string_view status) const {
    OrderIds ids;
    for (const Handled& order : handled()) {
      if (order.verdict.status == status) ids.push_back(order.verdict.signal_id);
    }
    return ids;
  }

 private:
  static void on_order(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    static_cast<TradeEngine*>(closure)->take(message);
    natsMsg_Destroy(message);
  }
  void take(natsMsg* message) {
    const std::string payload(natsMsg_GetData(message),
                              static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    const std::lock_guard lock(mutex_);
    const Verdict verdict = rules_.judge(payload, to_ms(now_ns()));
    handled_.push_back({payload, verdict});
    if (const char* reply = natsMsg_GetReply(message)) {
      natsConnection_PublishString(connection_, reply, verdict.json().c_str());
    }
  }

  natsConnection* connection_ = nullptr;
  natsSubscription* subscription_ = nullptr;
  mutable std::mutex mutex_;
  EngineRules rules_;
  std::vector<Handled> handled_;
};

// --- Orders to judge -----------------------------------------------------------------------------

// The service's own text of one order to buy, as of now.
std::string buying_signal() {
  EngineRun run(configured({{"ORDER_FORMAT", "signal"}, {"RISK_PRICE_BAND_PERCENT", "0"}}));
  run.frame(BookText{.at_ms = to_ms(now_ns()).time_since_epoch().count()}.frame());
  EXPECT_EQ(run.orders().size(), 1U);
  return run.orders().empty() ? "" : run.orders().front();
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what << " is not in " << text;
  if (at != std::string::npos) text.replace(at, what.size(), by);
  return text;
}

// The same order with another time.
std::string at_time(const std::string& signal, UnixMs at) {
  constexpr std::string_view kKey = R"("timestamp":")";
  const std::size_t begin = signal.find(kKey) + kKey.size();
  std::string time;
  append_iso8601(time, at);
  time += "+00:00";
  return signal.substr(0, begin) + time + signal.substr(signal.find('"', begin));
}

TEST(TradeEngineRules, RefuseWhatTheContractForbids) {
  const std::string good = buying_signal();
  const UnixMs now = to_ms(now_ns());
  ASSERT_EQ(EngineRules{}.judge(good, now).status, "accepted") << good;
  const std::array<std::string, 13> bad{
      good + "x",
      good.substr(0, good.size() - 1),
      "[" + good + "]",
      replaced(good, R"("signal_id":)", R"("signal":)"),
      replaced(good, R"("action":"buy")", R"("action":"long")"),
      replaced(good, R"("action":"buy")", R"("action":"sell")"),
      replaced(good, R"("action":"buy")", R"("action":"close")"),
      replaced(good, R"("order_type":"market")", R"("order_type":"MARKET")"),
      replaced(good, R"("quantity":)", R"("quantity":-)"),
      replaced(good, R"("price":)", R"("price":"1","was":)"),
      replaced(good, R"("confidence":0.)", R"("confidence":1.)"),
      replaced(good, R"("stop_loss":)", R"("stop":)"),
      replaced(good, R"({"id":)", R"({"id":"1","id":)")};
  for (const std::string& signal : bad) {
    EXPECT_EQ(EngineRules{}.judge(signal, now).status, "rejected") << signal;
  }
}

TEST(TradeEngineRules, KnowASignalForAnHourAndTakeNoneOlderThanFiveMinutes) {
  const std::string signal = buying_signal();
  const UnixMs now = to_ms(now_ns());
  EngineRules rules;
  EXPECT_EQ(rules.judge(at_time(signal, now), now + 300'001ms).reason, "stale");
  EXPECT_EQ(rules.judge(at_time(signal, now), now + 300s).status, "accepted");
  const UnixMs accepted = now + 300s;
  for (const auto& [later, status] : {std::pair(0min, "duplicate"), std::pair(60min, "duplicate"),
                                      std::pair(61min, "accepted")}) {
    EXPECT_EQ(rules.judge(at_time(signal, accepted + later), accepted + later).status, status);
  }
}

// --- The service and the engine ------------------------------------------------------------------

class TradeEngineContract : public testing::Test {
 protected:
  [[nodiscard]] Environment environment(Environment settings) const {
    settings["NATS_URL"] = broker_.url();
    settings["ORDER_FORMAT"] = "signal";
    return settings;
  }
  // A book whose bids are three times its asks, or a third of them.
  void publish_book(const std::string& symbol, Side wanted) {
    BookText book{.symbol = symbol, .id = ++id_};
    book.at_ms = to_ms(now_ns()).time_since_epoch().count();
    book.bids = {{99, wanted == Side::buy ? 3.0 : 1.0}};
    book.asks = {{100, wanted == Side::buy ? 1.0 : 3.0}};
    exchange_.publish(kFrameSubject, book.frame());
    ASSERT_TRUE(exchange_.flush());
  }
  static void expect_valid(const std::vector<Handled>& orders) {
    for (const Handled& order : orders) {
      EXPECT_EQ(schema_error(order.payload, OrderFormat::signal), "") << order.payload;
    }
  }
  // The log lines of a service's orders, one for each.
  static std::vector<std::string> order_log(const Daemon& daemon, std::size_t orders) {
    EXPECT_TRUE(eventually([&] { return daemon.log("order").size() >= orders; }, kSoon));
    return daemon.log("order");
  }
  static double confirmed(const Daemon& daemon) {
    return daemon.metric("rts_orders_total", R"(result="confirmed")");
  }

  NatsServer broker_{"jetstream: enabled"};
  Peer exchange_{broker_.url()};

 private:
  std::int64_t id_ = 0;
};

TEST_F(TradeEngineContract, TheEngineAcceptsEveryOrderOfEveryStrategyOnceAndItsStatusIsInTheLog) {
  const TradeEngine engine(broker_.url());
  const Environment settings = environment(lively_settings());
  Daemon daemon(settings);
  ASSERT_TRUE(daemon.wait_ready());
  const Frames frames = lively_market(5);
  const OrderIds expected = decided_ids(settings, frames);
  ASSERT_GT(expected.size(), 100U);
  for (const std::string& frame : frames) exchange_.publish(kFrameSubject, frame);
  ASSERT_TRUE(exchange_.flush());
  ASSERT_TRUE(engine.wait_for(expected.size()));
  ASSERT_TRUE(eventually(
      [&] { return daemon.metric("rts_orders_total") == static_cast<double>(expected.size()); },
      kSoon));
  EXPECT_TRUE(daemon.wait_settled());
  daemon.expect_accounts_balance();
  ASSERT_TRUE(engine.flush());

  const auto lines = order_log(daemon, expected.size());
  EXPECT_THAT(lines, Each(HasSubstr(R"("detail":"status accepted")")));
  EXPECT_THAT(lines, Each(HasSubstr(R"("result":"confirmed")")));
  expect_valid(engine.handled());
  for (const StrategyId strategy : all_of<StrategyId>) {
    EXPECT_GT(
        daemon.metric("rts_orders_total", fmt::format(R"(strategy="{}")", to_string(strategy))), 0);
  }
  const OrderIds accepted = engine.ids("accepted");
  report_fault(
      {.fault = "the TradeEngine reads ORDER_FORMAT=signal",
       .promise = "valid, fresh, each signal_id once, its status in the log",
       .figure = "accepted = expected; duplicate 0, rejected 0",
       .measured = fmt::format("expected {}, accepted {}, duplicate {}, rejected {}; confirmed {}",
                               expected.size(), accepted.size(), engine.ids("duplicate").size(),
                               engine.ids("rejected").size(), confirmed(daemon)),
       .held = accepted == expected && engine.handled().size() == expected.size() &&
               lines.size() == expected.size()});
}

// The engine has the order and does not trade it: that is a rejection, and no fault of the path.
TEST_F(TradeEngineContract, ARejectionIsShownAndIsNoFailureOfThePath) {
  EngineRules rules;
  rules.refuse_symbol("ETHUSDT");
  const TradeEngine engine(broker_.url(), rules);
  const Daemon daemon(environment({{"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "1"}}));
  ASSERT_TRUE(daemon.wait_ready());
  publish_book("ETHUSDT", Side::buy);
  publish_book("BTCUSDT", Side::buy);
  const auto lines = order_log(daemon, 2);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], testing::AllOf(HasSubstr("ETHUSDT"), HasSubstr(R"("result":"rejected")"),
                                       HasSubstr("status rejected: symbol not traded")));
  EXPECT_THAT(lines[1], testing::AllOf(HasSubstr("BTCUSDT"), HasSubstr(R"("result":"confirmed")"),
                                       HasSubstr(R"("detail":"status accepted")")));
  EXPECT_EQ(confirmed(daemon), 1);
  EXPECT_TRUE(daemon.ready());
  EXPECT_EQ(engine.ids("rejected").size(), 1U);
  expect_valid(engine.handled());
}

// Without the stream two replicas that see every frame send every order twice, under one id.
TEST_F(TradeEngineContract, InCoreModeTheEngineTellsTheSecondReplicaThatItHasTheOrder) {
  const TradeEngine engine(broker_.url());
  const Environment settings = environment({{"NATS_CONSUMER_GROUP", ""}});
  const Daemon one(settings);
  const Daemon other(settings);
  ASSERT_TRUE(one.wait_ready() && other.wait_ready());
  publish_book("BTCUSDT", Side::buy);
  std::vector<std::string> lines = order_log(one, 1);
  for (const std::string& line : order_log(other, 1)) lines.push_back(line);
  EXPECT_THAT(lines, testing::UnorderedElementsAre(HasSubstr(R"("detail":"status accepted")"),
                                                   HasSubstr(R"("detail":"status duplicate")")));
  EXPECT_EQ(confirmed(one) + confirmed(other), 2);
  EXPECT_EQ(engine.ids("accepted"), engine.ids("duplicate"));
  EXPECT_EQ(engine.ids("accepted").size(), 1U);
}

TEST_F(TradeEngineContract, BehindTheStreamTheEngineSeesNoDuplicate) {
  Environment settings = lively_settings();
  settings.insert({{"NATS_CONSUMER_GROUP", ""}, {"ORDER_DELIVERY", "jetstream"}});
  settings["SIGNAL_COOLDOWN_SECONDS"] = "5";
  settings = environment(settings);
  OrderLogAdmin(broker_.url()).make();
  const TradeEngine engine(broker_.url());
  const std::array<Daemon, 3> replicas{Daemon(settings), Daemon(settings), Daemon(settings)};
  for (const Daemon& replica : replicas) ASSERT_TRUE(replica.wait_ready());
  const Frames frames = lively_market(6);
  const OrderIds expected = decided_ids(settings, frames);
  ASSERT_GT(expected.size(), 50U);
  // An order is to be stored before the next of its key comes, of which the cooldown makes sure.
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::this_thread::sleep_until(begin + i * 1'000'000us / lightened(1000));
    exchange_.publish(kFrameSubject, frames[i]);
  }
  ASSERT_TRUE(exchange_.flush());
  for (const Daemon& replica : replicas) {
    ASSERT_TRUE(eventually(
        [&] {
          return replica.metric("rts_frames_received_total") == static_cast<double>(frames.size());
        },
        kSoon));
    EXPECT_TRUE(replica.wait_settled());
    replica.expect_accounts_balance();
  }
  ASSERT_TRUE(engine.flush());
  expect_valid(engine.handled());
  const OrderIds accepted = engine.ids("accepted");
  report_fault({.fault = "3 replicas behind the stream, ORDER_FORMAT=signal",
                .promise = "the TradeEngine gets each order once",
                .figure = "accepted = expected; duplicate 0, rejected 0",
                .measured = fmt::format(
                    "expected {}, accepted {}, duplicate {}, rejected {}", expected.size(),
                    accepted.size(), engine.ids("duplicate").size(), engine.ids("rejected").size()),
                .held = std::set(accepted.begin(), accepted.end()) ==
                            std::set(expected.begin(), expected.end()) &&
                        engine.handled().size() == expected.size()});
}

// An order of the service that somebody kept and sends late, past the service's own valid_until.
TEST_F(TradeEngineContract, AnOrderThatWasKeptForFiveMinutesIsRefused) {
  const TradeEngine engine(broker_.url());
  {
    const Daemon daemon(environment({}));
    ASSERT_TRUE(daemon.wait_ready());
    publish_book("BTCUSDT", Side::buy);
    ASSERT_TRUE(engine.wait_for(1));
  }
  const Handled fresh = engine.handled().front();
  ASSERT_EQ(fresh.verdict.status, "accepted");
  const auto fabricated = [&](const char* first_digits, std::chrono::seconds age) {
    const std::string& id = fresh.verdict.signal_id;
    const std::string other = first_digits + id.substr(8);
    std::string signal = at_time(fresh.payload, to_ms(now_ns()) - age);
    for (int times = 0; times < 2; ++times) signal = replaced(signal, id, other);  // id, signal_id
    exchange_.publish(kOrderSubject, signal);
  };
  fabricated("00000000", 310s);
  fabricated("00000001", 280s);
  ASSERT_TRUE(engine.wait_for(3));
  const auto handled = engine.handled();
  expect_valid(handled);
  EXPECT_EQ(handled[1].verdict.status, "rejected");
  EXPECT_EQ(handled[1].verdict.reason, "stale");
  EXPECT_EQ(handled[2].verdict.status, "accepted");
}

// A signal cannot say that it may only close, and a SELL that the engine takes opens a short.
TEST_F(TradeEngineContract, WithoutShortsASellNeverLeaves) {
  const TradeEngine engine(broker_.url());
  const Daemon daemon(environment({{"TRADING_ENABLE_SHORTS", "false"}}));
  ASSERT_TRUE(daemon.wait_ready());
  publish_book("BTCUSDT", Side::sell);
  publish_book("ETHUSDT", Side::buy);
  ASSERT_TRUE(engine.wait_for(1));
  EXPECT_EQ(daemon.metric("rts_decisions_total", R"(outcome="shorts_disabled")"), 1);
  const auto handled = engine.handled();
  ASSERT_EQ(handled.size(), 1U);
  expect_valid(handled);
  EXPECT_EQ(SignalReader(handled[0].payload).text("symbol"), "ETHUSDT");
  EXPECT_EQ(SignalReader(handled[0].payload).text("action"), "buy");
}

TEST_F(TradeEngineContract, WithShortsASellOpensAShort) {
  const TradeEngine engine(broker_.url());
  const Daemon daemon(environment({{"TRADING_ENABLE_SHORTS", "true"}}));
  ASSERT_TRUE(daemon.wait_ready());
  publish_book("BTCUSDT", Side::sell);
  ASSERT_TRUE(engine.wait_for(1));
  EXPECT_EQ(SignalReader(engine.handled()[0].payload).text("action"), "sell");
  EXPECT_EQ(engine.ids("accepted").size(), 1U);
}

}  // namespace
}  // namespace rts::test
