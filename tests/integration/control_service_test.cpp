// The control log in the running service, at a real broker: what it takes from it, what it passes
// over, and when it holds orders back because it cannot be read. Who may write to the bucket may
// have written anything.
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/control_log.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/log_stream.hpp"
#include "support/nats_server.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"
#include "support/responder.hpp"
#include "support/scripted_log.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr const char* kControl = "realtime-strategies.control";
constexpr const char* kBucket = "realtime-strategies";
constexpr const char* kStream = "KV_realtime-strategies";
constexpr const char* kGone = "there is no stream KV_realtime-strategies";
const Environment kWithBucket{{"CONTROL_BUCKET", kBucket}};
constexpr const char* kUnread = "the control log has not been read";
constexpr auto kSoon = OrderService::kSoon;
// A log that is fine is looked at each 5 s.
constexpr auto kNextLook = 15s;

// A revision that holds from then on, a second ago where it is not said.
std::string revision(std::vector<wire::GivenValue> values,
                     std::chrono::milliseconds from_now = -1s) {
  return to_json(wire::SettingsValue{UnixMs(std::chrono::milliseconds(now_ms()) + from_now),
                                     std::move(values),
                                     {"a test", "tester@here", "2026-11-28T10:00:00Z"}});
}

// The market, somebody with the bucket, a broker and a TradeEngine.
class ControlLogAt : public testing::Test {
 protected:
  explicit ControlLogAt(const std::string& broker_config) : broker(broker_config) {}

  void provision(const Environment& environment) const {
    const RunResult made = run_binary({"provision"}, environment);
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  void feed() {
    market.publish(kFrames, book_frame({.at_ms = now_ms(), .id = ++id}));
    ASSERT_TRUE(market.flush());
  }
  // Whoever may write to the bucket, by hand.
  void write(const std::string& key, std::string_view value) {
    market.publish(bucket_subject(kBucket, key), value);
    ASSERT_TRUE(market.flush());
  }
  // The answer of a service to a message on the control subject.
  [[nodiscard]] std::string say(std::string_view command) const {
    return stream.ask(kControl, command);
  }
  // The next order ends so, for this reason. Frames are taken when both logs have been looked at.
  void expect_next(const OrderService& service, const std::string& result,
                   const std::string& detail) {
    ASSERT_TRUE(service.says(R"("subscribed":{"ok":true)")) << service.ready();
    const std::size_t before = service.lines().size();
    feed();
    ASSERT_TRUE(service.ended(before + 1)) << service.ready();
    EXPECT_EQ(service.lines().back().result, result);
    EXPECT_THAT(service.lines().back().detail, HasSubstr(detail));
  }
  static bool is_paused(const Daemon& daemon, int strategies) {
    return eventually([&] { return daemon.metric("rts_trading_paused") == strategies; }, kSoon);
  }
  static double odd_entries(const OrderService& service) {
    return service.daemon.metric("rts_control_log_odd_entries_total");
  }

  NatsServer broker;
  OrderLogStream stream{broker.url()};
  Peer market{broker.url()};
  Responder engine{broker.url(), kOrders, always(R"({"status":"accepted"})")};
  std::uint64_t id = 0;
};

class ControlLogService : public ControlLogAt {
 protected:
  ControlLogService() : ControlLogAt(NatsServer::kJetStream) {}
};

class WithoutJetStream : public ControlLogAt {
 protected:
  WithoutJetStream() : ControlLogAt("") {}
};

// --- Where there is none ------------------------------------------------------------------------

TEST_F(WithoutJetStream, InCoreModeItIsOffWithAWarningAndOrdersFlow) {
  const OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  EXPECT_TRUE(service.says(R"("control_log":{"ok":true,"detail":"off: the broker has no JetStre)"));
  expect_next(service, "confirmed", "");
  EXPECT_THAT(service.daemon.log("control_log", 1).at(0),
              AllOf(HasSubstr("WARNING"), HasSubstr("the control log is off")));
}

// A bucket's message reaches who subscribes to it when it will, and its stream as well.
TEST_F(WithoutJetStream, APauseThatIsHeardOfBeforeItIsStoredHoldsWhenItIs) {
  ScriptedLog bucket(broker.url(), [](ScriptedLog&, std::size_t, const Received&) {
    return std::vector<std::string>();
  });
  const OrderService service(order_settings(broker.url(), kWithBucket));
  ASSERT_TRUE(service.says("stream KV_realtime-strategies, read up to 0")) << service.ready();
  const std::size_t before = bucket.looks();
  const std::string value = R"({"paused":true,"reason":"a test","by":"tester@here"})";
  write("pause", value);
  ASSERT_TRUE(eventually([&] { return bucket.looks() > before; }, kSoon));
  EXPECT_EQ(service.daemon.metric("rts_trading_paused"), 0);
  bucket.store_untold(bucket_subject(kBucket, "pause"), value);
  // Without the looks in between it were the next one, 5 s after the last.
  EXPECT_TRUE(eventually([&] { return service.daemon.metric("rts_trading_paused") == 3; }, 3s));
}

TEST_F(ControlLogService, InCoreModeWithoutABucketItIsOffWithAWarningUntilThereIsOne) {
  const Environment environment = order_settings(broker.url());
  const OrderService service(environment);
  ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
  EXPECT_TRUE(service.says(std::string(R"("control_log":{"ok":true,"detail":"off: )") + kGone));
  expect_next(service, "confirmed", "");
  EXPECT_THAT(service.daemon.log("control_log", 1).at(0),
              AllOf(HasSubstr("WARNING"), HasSubstr("the control log is off"), HasSubstr(kGone)));
  ASSERT_NO_FATAL_FAILURE(provision(environment));
  EXPECT_EQ(run_binary({"pause"}, environment).exit_code, 0);
  EXPECT_TRUE(is_paused(service.daemon, 3));
  EXPECT_THAT(service.ready(), HasSubstr("stream KV_realtime-strategies, read up to 1"));
}

TEST_F(ControlLogService, InJetStreamModeNoOrderLeavesWithoutABucket) {
  stream.create();
  const Environment environment = logged_settings(broker.url(), kWithBucket);
  const OrderService service(environment);
  ASSERT_TRUE(service.says(std::string(R"("control_log":{"ok":false,"detail":")") + kGone));
  ASSERT_TRUE(service.says("stream ORDERS, read up to 0")) << service.ready();
  expect_next(service, "disconnected", kUnread);
  EXPECT_EQ(stream.messages(), 0U);
  ASSERT_NO_FATAL_FAILURE(provision(environment));
  ASSERT_TRUE(service.becomes(true)) << service.ready();
  expect_next(service, "confirmed", "");
}

TEST_F(ControlLogService, WithAnEmptyBucketNameNothingIsLookedUp) {
  ASSERT_NO_FATAL_FAILURE(provision(order_settings(broker.url())));
  EXPECT_EQ(run_binary({"pause"}, order_settings(broker.url())).exit_code, 0);
  const OrderService off(order_settings(broker.url(), {{"CONTROL_BUCKET", ""}}));
  ASSERT_TRUE(off.daemon.wait_ready()) << off.ready();
  EXPECT_THAT(off.ready(), HasSubstr(R"("control_log":{"ok":true,"detail":"not used"})"));
  expect_next(off, "confirmed", "");
  const Environment other = order_settings(broker.url(), {{"CONTROL_BUCKET", "other"}});
  ASSERT_NO_FATAL_FAILURE(provision(other));
  const OrderService elsewhere(with(other, {{"NATS_CONSUMER_GROUP", ""}}));
  ASSERT_TRUE(elsewhere.daemon.wait_ready()) << elsewhere.ready();
  EXPECT_THAT(elsewhere.ready(), HasSubstr("stream KV_other, read up to 0"));
  EXPECT_TRUE(is_paused(elsewhere.daemon, 0));
}

class Denied : public ControlLogAt {
 protected:
  Denied()
      : ControlLogAt(std::string(NatsServer::kJetStream) +
                     "authorization { users: [ { user: u, password: p, permissions: { publish: "
                     R"({ deny: "$JS.API.STREAM.INFO.KV_realtime-strategies" } } }, )"
                     "{ user: all, password: a } ]\n}\nno_auth_user: all\n") {}
};

TEST_F(Denied, NobodyWhoMayNotReadItSendsAnOrder) {
  stream.create();
  for (const Environment& environment :
       {order_settings(broker.url("u:p")), logged_settings(broker.url("u:p"), kWithBucket)}) {
    OrderService service(environment);
    ASSERT_TRUE(
        service.says(R"("control_log":{"ok":false,"detail":"the broker does not let us read it"})"))
        << service.ready();
    expect_next(service, "disconnected", kUnread);
    EXPECT_EQ(service.daemon.get("/ready").status, 503U);
    EXPECT_EQ(service.daemon.terminate(), 0);
  }
  EXPECT_THAT(engine.received(), SizeIs(0));
}

// --- It comes and goes --------------------------------------------------------------------------

// Found by this test: /ready said so, and the orders left.
TEST_F(ControlLogService, OneThatIsDeletedHoldsOrdersBackUntilItIsThereAgain) {
  for (const Environment& environment :
       {order_settings(broker.url()), logged_settings(broker.url(), kWithBucket)}) {
    ASSERT_NO_FATAL_FAILURE(provision(environment));
    OrderService service(environment);
    ASSERT_TRUE(service.daemon.wait_ready()) << service.ready();
    expect_next(service, "confirmed", "");
    EXPECT_THAT(stream.ask(std::string("$JS.API.STREAM.DELETE.") + kStream),
                HasSubstr(R"("success":true)"));
    ASSERT_TRUE(
        service.says(std::string(R"("control_log":{"ok":false,"detail":")") + kGone, kNextLook))
        << service.ready();
    expect_next(service, "disconnected", "the control log is not there any more");
    ASSERT_NO_FATAL_FAILURE(provision(environment));
    ASSERT_TRUE(service.becomes(true)) << service.ready();
    expect_next(service, "confirmed", "");
    EXPECT_EQ(service.daemon.terminate(), 0);
  }
}

TEST_F(ControlLogService, APauseOutlivesTheBrokerAndTheBucketThatHeldIt) {
  const Environment environment = order_settings(broker.url());
  ASSERT_NO_FATAL_FAILURE(provision(environment));
  OrderService service(environment);
  ASSERT_TRUE(service.daemon.wait_ready());
  EXPECT_EQ(run_binary({"pause"}, environment).exit_code, 0);
  ASSERT_TRUE(is_paused(service.daemon, 3));
  broker.kill();
  ASSERT_TRUE(service.becomes(false));
  broker.restart();
  ASSERT_TRUE(service.becomes(true)) << service.ready();
  EXPECT_EQ(service.daemon.metric("rts_trading_paused"), 3);
  EXPECT_THAT(stream.ask(std::string("$JS.API.STREAM.DELETE.") + kStream),
              HasSubstr(R"("success":true)"));
  ASSERT_TRUE(service.says(kGone, kNextLook));
  ASSERT_NO_FATAL_FAILURE(provision(environment));
  ASSERT_TRUE(service.becomes(true)) << service.ready();
  EXPECT_EQ(service.daemon.metric("rts_trading_paused"), 3) << "nobody has resumed it";
}

// --- What cannot be taken -----------------------------------------------------------------------

class OddEntries : public ControlLogService {
 protected:
  OddEntries() { provision(environment); }

  // As the next one; it is said in the log, and nobody is stopped by it.
  void expect_passed_over(const OrderService& service, const std::string& key,
                          const std::string& value, const std::string& why) {
    write(key, value);
    ++odd;
    EXPECT_TRUE(eventually([&] { return odd_entries(service) == odd; }, kSoon)) << value;
    EXPECT_THAT(service.daemon.log("control_log_entry", static_cast<std::size_t>(odd)).back(),
                AllOf(HasSubstr("ERROR"), HasSubstr(why), testing::SizeIs(testing::Lt(2000))));
    expect_next(service, "confirmed", "");
  }
  void expect_the_same_of_one_that_starts_later() const {
    const OrderService later(environment);
    EXPECT_TRUE(later.daemon.wait_ready()) << later.ready();
    EXPECT_EQ(odd_entries(later), odd);
    EXPECT_EQ(later.daemon.metric("rts_trading_paused"), 0);
  }

  const Environment environment = order_settings(broker.url(), {{"NATS_CONSUMER_GROUP", ""}});
  double odd = 0;
};

TEST_F(OddEntries, WhatSaysNoPauseIsCountedSaidAndNeverFatal) {
  const OrderService service(environment);
  ASSERT_TRUE(service.daemon.wait_ready());
  for (const char* value : {"pause", "", "{}", R"({"paused":"yes"})", "\xff\xfe"}) {
    expect_passed_over(service, "pause", value, "it does not say whether trading is paused");
  }
  expect_passed_over(service, "pause", std::string(200'000, '['), "it does not say whether");
  expect_passed_over(service, "pause.grid", R"({"paused":true})", "a key that means nothing here");
  expect_passed_over(service, "nonsense", "{}", "a key that means nothing here");
  EXPECT_TRUE(service.daemon.ready()) << service.ready();
  EXPECT_EQ(service.daemon.metric("rts_trading_paused"), 0);
  expect_the_same_of_one_that_starts_later();
}

TEST_F(OddEntries, SettingsThatCannotBeTakenAreShownUntilOthersCan) {
  const OrderService service(environment);
  ASSERT_TRUE(service.daemon.wait_ready());
  const std::string valid = revision({{"SIGNAL_MIN_CONFIDENCE", "0.5"}});
  const std::pair<std::string, const char*> invalid[]{
      {"nonsense", "no settings can be read from it"},
      {R"({"effective_from":1,"values":{"SIGNAL_MIN_CONFIDENCE":5}})", "no settings can be read"},
      {revision({{"SIGNAL_MIN_CONFIDENCE", "2"}}), "the settings are refused: SIGNAL_MIN_CONFI"},
      {revision({{"SIGNAL_MIN_CONFIDENCE", "0.5"}, {"NO_SUCH", "1"}}), "NO_SUCH"},
      {revision({{"NATS_URL", "nats://elsewhere"}}), "does not change while the service runs"},
      {revision({{"SIGNAL_MIN_CONFIDENCE", "0.5"}}, 365 * 24h), "a time that is too far away"},
  };
  for (const auto& [value, why] : invalid) {
    const std::string before = service.daemon.get("/info").body;
    expect_passed_over(service, "settings", value, why);
    EXPECT_TRUE(service.says(R"("control_log":{"ok":false)")) << value;
    EXPECT_THAT(service.ready(), HasSubstr(why));
    const auto revisions = [](const std::string& info) {
      return info.substr(info.find("settings_revisions"));
    };
    EXPECT_EQ(revisions(service.daemon.get("/info").body), revisions(before));
    write("settings", valid);
    EXPECT_TRUE(service.becomes(true)) << service.ready();
  }
  expect_the_same_of_one_that_starts_later();
}

// --- Settings -----------------------------------------------------------------------------------

TEST_F(ControlLogService, InfoShowsWhatItHasChangedWithWhoWhyAndWhen) {
  const Environment environment = order_settings(
      broker.url(), {{"SIGNAL_MIN_CONFIDENCE", "0.71"}, {"TRADING_ORDER_NOTIONAL__ETHUSDT", "61"}});
  ASSERT_NO_FATAL_FAILURE(provision(environment));
  const OrderService service(environment);
  ASSERT_TRUE(service.daemon.wait_ready());
  const auto info = [&] { return service.daemon.get("/info").body; };
  const auto shows = [&](const std::string& text) {
    return eventually([&] { return info().find(text) != std::string::npos; }, kSoon);
  };
  const auto hash = [&] {
    const std::string metrics = service.daemon.get("/metrics").body;
    return metrics.substr(metrics.find("rts_settings_info{"), 50);
  };
  EXPECT_TRUE(shows(R"("settings_revisions":[]})")) << info();
  const std::string hash_before = hash();
  write("settings", revision({{"RISK_MAX_DAILY_SIGNALS", "7"}}));
  EXPECT_TRUE(shows(R"("RISK_MAX_DAILY_SIGNALS":{"value":"7","origin":"control log"})")) << info();
  EXPECT_NE(hash(), hash_before);
  write("settings",
        revision({{"SIGNAL_MIN_CONFIDENCE", "0.5"}, {"TRADING_ORDER_NOTIONAL__ethusdt", "70"}}));
  EXPECT_TRUE(shows(R"("SIGNAL_MIN_CONFIDENCE":{"value":"0.5","origin":"control log"})")) << info();
  EXPECT_THAT(
      info(),
      AllOf(HasSubstr(R"("RISK_MAX_DAILY_SIGNALS":{"value":"0","origin":"environment"})"),
            HasSubstr(R"("TRADING_ORDER_NOTIONAL__ETHUSDT":{"value":"70","origin":"control log"})"),
            Not(HasSubstr(R"({"value":"61")")), Not(HasSubstr(R"({"value":"0.71")")),
            HasSubstr(R"("in_force":true,"values":{"SIGNAL_MIN_CONFIDENCE":"0.5",)"
                      R"("TRADING_ORDER_NOTIONAL__ethusdt":"70"},"by":"tester@here",)"
                      R"("reason":"a test","at":"2026-11-28T10:00:00Z"}]})")));
  // One to come is shown, and is none of the settings yet.
  write("settings", revision({{"SIGNAL_MIN_CONFIDENCE", "0.9"}}, 1h));
  EXPECT_TRUE(shows(R"("in_force":false,"values":{"SIGNAL_MIN_CONFIDENCE":"0.9"})")) << info();
  EXPECT_THAT(info(),
              AllOf(HasSubstr(R"("settings_revisions":[{"sequence":2,"effective_from":"20)"),
                    HasSubstr(R"("SIGNAL_MIN_CONFIDENCE":{"value":"0.5","origin":"control log"})"),
                    HasSubstr(R"(},{"sequence":3,"effective_from":"20)")));
  // With one that holds from sooner on it never does.
  write("settings", revision({}));
  EXPECT_TRUE(shows(R"("in_force":true,"values":{},"by")")) << info();
  EXPECT_THAT(info(),
              AllOf(HasSubstr(R"("settings_revisions":[{"sequence":4,)"),
                    HasSubstr(R"("SIGNAL_MIN_CONFIDENCE":{"value":"0.71","origin":"environment"})"),
                    Not(HasSubstr(R"("in_force":false)"))));
  EXPECT_EQ(hash(), hash_before);
}

// --- Beside the control subject -----------------------------------------------------------------

TEST_F(ControlLogService, WhoAsksOnTheControlSubjectIsAnswered) {
  const OrderService service(order_settings(broker.url()));
  ASSERT_TRUE(service.daemon.wait_ready());
  const auto answer = [](const char* ok, const char* skew, const char* others) {
    return fmt::format(R"({{"ok":{},"trading_paused":{{"orderbook_skew":{},)"
                       R"("trade_momentum":{},"ticker_velocity":{}}}}})",
                       ok, skew, others, others);
  };
  EXPECT_EQ(say(R"({"command":"pause","strategy":"orderbook_skew"})"),
            answer("true", "true", "false"));
  EXPECT_EQ(say("nonsense"), answer("false", "true", "false"));
  EXPECT_EQ(say(R"({"command":"pause","strategy":"all"})"), answer("true", "true", "true"));
  EXPECT_EQ(say(R"({"command":"resume"})"), answer("true", "false", "false"));
}

TEST_F(ControlLogService, AResumeOnTheControlSubjectDoesNotLiftItsPause) {
  const Environment environment = order_settings(broker.url());
  ASSERT_NO_FATAL_FAILURE(provision(environment));
  const OrderService service(environment);
  ASSERT_TRUE(service.daemon.wait_ready());
  EXPECT_EQ(run_binary({"pause", "--strategy", "orderbook_skew"}, environment).exit_code, 0);
  ASSERT_TRUE(is_paused(service.daemon, 1));
  EXPECT_THAT(say(R"({"command":"resume"})"),
              HasSubstr(R"({"ok":true,"trading_paused":{"orderbook_skew":true,)"));
  EXPECT_THAT(service.daemon.log("trading_paused", 2).back(),
              HasSubstr("the control log pauses still"));
  feed();
  ASSERT_TRUE(eventually(
      [&] { return service.daemon.metric("rts_decisions_total", R"(outcome="paused")") == 1; },
      kSoon));
  EXPECT_EQ(run_binary({"resume"}, environment).exit_code, 0);
  ASSERT_TRUE(is_paused(service.daemon, 0));
  expect_next(service, "confirmed", "");
}

}  // namespace
}  // namespace rts::test
