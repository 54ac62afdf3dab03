// `pause`, `resume`, `set`, `unset` and `settings` against a real broker: what they write, what
// they show of it, and what they refuse.
#include "commands/control_log.hpp"

#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"

namespace rts::test {
namespace {

using commands::CommandError;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

using Words = std::vector<std::string>;

// The broker with the bucket, and the commands run against it.
class ControlLogCommands : public testing::Test {
 protected:
  ControlLogCommands() {
    parameters.urls = {Secret(broker.url())};
    parameters.control_bucket = "realtime-strategies";
    parameters.consumer_name = "test";
    const RunResult made = run({"provision"});
    EXPECT_EQ(made.exit_code, 0) << made.err;
  }

  [[nodiscard]] RunResult run(const Words& words, Environment environment = {}) const {
    environment.insert({"NATS_URL", broker.url()});
    return run_binary(words, environment);
  }
  // Runs what is expected to be fine, and gives what it prints.
  [[nodiscard]] std::string out(const Words& words) const {
    const RunResult result = run(words);
    EXPECT_EQ(result.exit_code, 0) << words.front() << ": " << result.err;
    return result.out;
  }
  // What a key holds, by way of the library that the commands use.
  [[nodiscard]] std::string stored(std::string_view key) const {
    return commands::ControlLog(parameters).last(key).data;
  }
  [[nodiscard]] wire::SettingsValue settings() const {
    return wire::parse_settings_value(stored("settings")).value_or(wire::SettingsValue{});
  }
  [[nodiscard]] std::string values() const {
    std::string text;
    for (const auto& [name, value] : settings().values) text += name + "=" + value + " ";
    return text;
  }

  NatsServer broker{NatsServer::kJetStream};
  config::BrokerParameters parameters;
};

// --- Pauses -------------------------------------------------------------------------------------

TEST_F(ControlLogCommands, PauseIsKeptWithWhoWhyAndWhen) {
  EXPECT_THAT(out({"settings"}), HasSubstr("nothing is paused\nno setting is changed\n"));
  EXPECT_EQ(out({"pause", "--reason", "bad \"feed\""}), "all strategies: paused\n");
  EXPECT_THAT(stored("pause"),
              MatchesRegex(R"(\{"paused":true,"reason":"bad \\"feed\\"","by":"[^"@]+@[^"]*",)"
                           R"("at":"20[0-9-]+T[0-9:.]+Z"\})"));
  EXPECT_THAT(out({"settings"}),
              AllOf(HasSubstr("pause: paused since 20"), HasSubstr(": bad \"feed\"\n")));
  EXPECT_THAT(out({"resume"}), HasSubstr("all strategies: resumed\n"));
  EXPECT_THAT(stored("pause"), HasSubstr(R"("paused":false)"));
  EXPECT_THAT(out({"settings"}), HasSubstr("nothing is paused\n"));
}

TEST_F(ControlLogCommands, PauseIsOfOneStrategyOrAll) {
  EXPECT_EQ(out({"pause", "--strategy", "trade_momentum"}), "trade_momentum: paused\n");
  EXPECT_THAT(stored("pause.trade_momentum"), HasSubstr(R"("paused":true)"));
  EXPECT_THAT(stored("pause"), IsEmpty());
  // Who has heard a pause that the log has lost is to be reached all the same.
  const RunResult none = run({"resume", "--strategy", "orderbook_skew"});
  EXPECT_EQ(none.out, "orderbook_skew: resumed\n");
  EXPECT_THAT(none.err, HasSubstr("the log has no such pause"));
  EXPECT_THAT(stored("pause.orderbook_skew"), HasSubstr(R"("paused":false)"));
  EXPECT_EQ(out({"pause", "--strategy", "all"}), "all strategies: paused\n");
  const RunResult one = run({"resume", "--strategy", "trade_momentum"});
  EXPECT_EQ(one.out, "trade_momentum: resumed\n");
  EXPECT_THAT(one.err, HasSubstr("all strategies are paused, and stay so"));
  EXPECT_EQ(out({"pause", "--strategy", "ticker_velocity"}), "ticker_velocity: paused\n");
  EXPECT_EQ(out({"resume", "--json"}), R"({"changed":[{"key":"pause","paused":false},)"
                                       R"({"key":"pause.ticker_velocity","paused":false}]})"
                                       "\n");
  EXPECT_THAT(out({"resume"}), HasSubstr("all strategies: resumed\n"));
}

// --- Settings -----------------------------------------------------------------------------------

TEST_F(ControlLogCommands, SetWritesAllThatHoldsFromFiveSecondsOn) {
  const UnixMs before = commands::now_ms();
  EXPECT_THAT(out({"set", "SIGNAL_COOLDOWN_SECONDS=60", "TRADING_ORDER_NOTIONAL__btcusdt=50"}),
              HasSubstr("  SIGNAL_COOLDOWN_SECONDS=60\n  TRADING_ORDER_NOTIONAL__BTCUSDT=50\n"));
  EXPECT_EQ(values(), "SIGNAL_COOLDOWN_SECONDS=60 TRADING_ORDER_NOTIONAL__BTCUSDT=50 ");
  EXPECT_GE(settings().effective_from, before + std::chrono::seconds(5));
  EXPECT_LE(settings().effective_from, commands::now_ms() + std::chrono::seconds(5));
  (void)out({"set", "TRADING_ORDER_NOTIONAL__BTCUSDT=70", "RISK_MAX_DAILY_SIGNALS=9", "--in", "60",
             "--reason", "why not"});
  EXPECT_EQ(values(),
            "RISK_MAX_DAILY_SIGNALS=9 SIGNAL_COOLDOWN_SECONDS=60 "
            "TRADING_ORDER_NOTIONAL__BTCUSDT=70 ");
  EXPECT_GE(settings().effective_from, before + std::chrono::seconds(60));
  EXPECT_THAT(out({"settings"}), AllOf(HasSubstr("\nSIGNAL_COOLDOWN_SECONDS=60 from 20"),
                                       HasSubstr("(revision 1 by "), HasSubstr("=70 from 20"),
                                       HasSubstr("(revision 2 by "), HasSubstr(": why not)\n")));
}

TEST_F(ControlLogCommands, UnsetGivesBackWhatTheServiceWasStartedWith) {
  (void)out({"set", "SIGNAL_COOLDOWN_SECONDS=60", "RISK_MAX_DAILY_SIGNALS=9"});
  (void)out({"unset", "RISK_MAX_DAILY_SIGNALS"});
  EXPECT_EQ(values(), "SIGNAL_COOLDOWN_SECONDS=60 ");
  EXPECT_EQ(run({"unset", "RISK_MAX_DAILY_SIGNALS"}).exit_code, 64);
  EXPECT_THAT(out({"unset", "--all"}), HasSubstr("nothing is changed any more"));
  EXPECT_EQ(values(), "");
}

TEST_F(ControlLogCommands, RollbackWritesAnEarlierRevisionAnew) {
  (void)out({"set", "SIGNAL_COOLDOWN_SECONDS=60"});
  (void)out({"pause"});
  (void)out({"set", "SIGNAL_COOLDOWN_SECONDS=5"});
  EXPECT_THAT(out({"settings", "--history"}),
              MatchesRegex(" +1 from [^\n]*\n +SIGNAL_COOLDOWN_SECONDS=60\n"
                           " +3 from [^\n]*\n +SIGNAL_COOLDOWN_SECONDS=5\n"));
  EXPECT_THAT(out({"settings", "--rollback", "1", "--reason", "was better"}),
              HasSubstr("revision 4 of the settings holds from 20"));
  EXPECT_EQ(values(), "SIGNAL_COOLDOWN_SECONDS=60 ");
  EXPECT_THAT(out({"settings", "--history", "--json"}),
              AllOf(HasSubstr(R"({"revisions":[{"revision":1,"effective_from":"20)"),
                    HasSubstr(R"("values":{"SIGNAL_COOLDOWN_SECONDS":"5"},"by":")"),
                    HasSubstr(R"("reason":"was better"}]})")));
  for (const char* none : {"2", "5"}) {
    EXPECT_EQ(run({"settings", "--rollback", none}).exit_code, 64) << "2 is a pause";
  }
  EXPECT_THAT(out({"settings", "--json"}),
              AllOf(HasSubstr(R"({"pauses":[{"key":"pause","revision":2,"paused":true,"by":")"),
                    HasSubstr(R"("settings":{"revision":4,"effective_from":"20)"),
                    HasSubstr(R"({"SIGNAL_COOLDOWN_SECONDS":{"value":"60","revision":4,)")));
}

TEST_F(ControlLogCommands, WhatTheServiceWouldNotAcceptIsRefusedWholeWithEveryProblem) {
  const RunResult result = run({"set", "SIGNAL_COOLDOWN_SECONDS=60", "SIGNAL_MIN_CONFIDENCE=2",
                                "TRADING_LEVERAGE=3", "ORDERBOOK_SKEW_SELL_THRESHOLD=1.5"});
  EXPECT_EQ(result.exit_code, 78);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("SIGNAL_MIN_CONFIDENCE='2': not accepted"),
                    HasSubstr("TRADING_LEVERAGE: does not change while the service runs"),
                    HasSubstr("ORDERBOOK_SKEW_SELL_THRESHOLD=1.5: must be below")));
  EXPECT_EQ(stored("settings"), "");
  // With what is set for this process.
  EXPECT_EQ(
      run({"set", "ORDERBOOK_SKEW_SELL_THRESHOLD=1.5"}, {{"ORDERBOOK_SKEW_BUY_THRESHOLD", "2"}})
          .exit_code,
      0);
}

TEST_F(ControlLogCommands, ATimeThatIsPastOrFarAwayIsRefused) {
  const std::string setting = "SIGNAL_COOLDOWN_SECONDS=60";
  const auto at = [](std::chrono::seconds from_now) {
    return rfc3339(commands::now_ms() + from_now);
  };
  for (const Words& time : {Words{"--effective-from", at(std::chrono::seconds(-1))},
                            {"--effective-from", at(std::chrono::seconds(86'460))},
                            {"--effective-from", "tomorrow"},
                            {"--in", "0"},
                            {"--in", "86401"},
                            {"--in", "5", "--effective-from", at(std::chrono::seconds(60))}}) {
    Words words{"set", setting};
    words.insert(words.end(), time.begin(), time.end());
    EXPECT_EQ(run(words).exit_code, 64) << time.back();
  }
  EXPECT_EQ(stored("settings"), "");
  const std::string soon = at(std::chrono::seconds(3600));
  EXPECT_THAT(out({"set", setting, "--effective-from", soon}), HasSubstr("from " + soon + " on"));
  // Its values would hold from now on.
  const RunResult sooner = run({"set", "RISK_MAX_DAILY_SIGNALS=5"});
  EXPECT_EQ(sooner.exit_code, 64);
  EXPECT_THAT(sooner.err, HasSubstr("revision 1 holds from " + soon + " on"));
}

TEST_F(ControlLogCommands, WhatMakesNoSenseIsAUsageError) {
  for (const Words& words : std::vector<Words>{{"set"},
                                               {"set", "SIGNAL_COOLDOWN_SECONDS"},
                                               {"set", "=5"},
                                               {"set", "A=1", "A=2"},
                                               {"set", "A__x=1", "A=1", "--reason", "\x1b"},
                                               {"set", "A=1", "--reason", std::string(201, 'x')},
                                               {"unset"},
                                               {"unset", "A", "--all"},
                                               {"pause", "now"},
                                               {"pause", "--strategy", "grid"},
                                               {"settings", "--rollback", "0"},
                                               {"settings", "--history", "--rollback", "1"}}) {
    EXPECT_EQ(run(words).exit_code, 64) << testing::PrintToString(words);
  }
}

// --- What others write --------------------------------------------------------------------------

TEST_F(ControlLogCommands, NobodyOverwritesAnotherUnseen) {
  commands::ControlLog log(parameters);
  EXPECT_EQ(log.last("settings").sequence, 0U);
  (void)out({"set", "SIGNAL_COOLDOWN_SECONDS=60"});
  try {
    (void)log.write("settings", "{}", 0);
    ADD_FAILURE() << "was written";
  } catch (const CommandError& error) {
    EXPECT_EQ(error.code, ExitCode::unavailable);
    EXPECT_THAT(error.what(), HasSubstr("somebody else has written settings meanwhile"));
  }
  EXPECT_EQ(values(), "SIGNAL_COOLDOWN_SECONDS=60 ");
}

TEST_F(ControlLogCommands, WhatCannotBeReadIsPassedOverAndGoneWithTheNextValue) {
  commands::ControlLog log(parameters);
  (void)out({"set", "SIGNAL_COOLDOWN_SECONDS=60"});
  (void)log.write("settings", "{\"values\":5}", 1);
  (void)log.write("pause", "\x1b[2Jgarbage", 0);
  EXPECT_THAT(out({"settings"}),
              AllOf(HasSubstr("pause: unreadable\n"), Not(HasSubstr("nothing is paused")),
                    HasSubstr("SIGNAL_COOLDOWN_SECONDS=60 from")));
  EXPECT_THAT(out({"resume"}), HasSubstr("all strategies: resumed\n"));
  (void)out({"set", "RISK_MAX_DAILY_SIGNALS=9"});
  EXPECT_EQ(values(), "RISK_MAX_DAILY_SIGNALS=9 SIGNAL_COOLDOWN_SECONDS=60 ");
}

// Found by a test of the service: it was in the way of every `set` for a year.
TEST_F(ControlLogCommands, ARevisionOfATimeFarAwayIsPassedOver) {
  commands::ControlLog log(parameters);
  const UnixMs next_year = commands::now_ms() + std::chrono::hours(8760);
  (void)log.write("settings", to_json(wire::SettingsValue{next_year, {{"NO_SUCH", "1"}}}), 0);
  EXPECT_THAT(out({"settings"}), HasSubstr("no setting is changed\n"));
  (void)out({"set", "RISK_MAX_DAILY_SIGNALS=9"});
  EXPECT_EQ(values(), "RISK_MAX_DAILY_SIGNALS=9 ");
}

TEST_F(ControlLogCommands, ShowTheLast64Revisions) {
  commands::ControlLog log(parameters);
  std::uint64_t last = 0;
  for (int i = 0; i < 70; ++i) {
    last = log.write("settings", R"({"effective_from":1,"values":{}})", last);
  }
  const auto history = log.history("settings");
  ASSERT_EQ(history.size(), 64U);
  EXPECT_EQ(history.front().sequence, 7U);
  EXPECT_EQ(history.back().sequence, 70U);
}

// --- What is missing ----------------------------------------------------------------------------

TEST(ControlLogMissing, IsSaid) {
  const NatsServer broker(NatsServer::kJetStream);
  const NatsServer plain;
  for (const char* command : {"pause", "resume", "settings"}) {
    const RunResult none = run_binary({command}, {{"NATS_URL", broker.url()}});
    EXPECT_EQ(none.exit_code, 69);
    EXPECT_THAT(none.err, HasSubstr("run `realtime-strategies provision`")) << command;
    const RunResult off = run_binary({command}, {{"NATS_URL", plain.url()}});
    EXPECT_EQ(off.exit_code, 69);
    EXPECT_THAT(off.err, HasSubstr("JetStream is off")) << command;
    const RunResult empty =
        run_binary({command}, {{"NATS_URL", broker.url()}, {"CONTROL_BUCKET", ""}});
    EXPECT_EQ(empty.exit_code, 78);
    EXPECT_THAT(empty.err, HasSubstr("CONTROL_BUCKET is empty")) << command;
    EXPECT_EQ(run_binary({command}, {{"NATS_URL", "nats://127.0.0.1:1"}}).exit_code, 69);
  }
}

TEST(ControlLogPermissions, AreThoseThatProvisionPrintsForThePeople) {
  const RunResult permissions = run_binary({"provision", "--permissions"});
  NatsServer broker(NatsServer::kJetStream +
                    std::string("RTS_NATS_PASSWORD: s\nRTS_PROVISION_PASSWORD: p\n"
                                "RTS_TRADEENGINE_PASSWORD: e\nRTS_OPERATOR_PASSWORD: o\n") +
                    permissions.out);
  const auto as = [&](const std::string& user, const Words& words) {
    return run_binary(words, {{"NATS_URL", broker.url(user)}});
  };
  const RunResult made = as("realtime-strategies-provision:p", {"provision"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  for (const Words& words : {Words{"pause"},
                             {"resume"},
                             {"set", "SIGNAL_COOLDOWN_SECONDS=60"},
                             {"settings"},
                             {"settings", "--history"},
                             {"unset", "--all"}}) {
    const RunResult result = as("operator:o", words);
    EXPECT_EQ(result.exit_code, 0) << words.front() << result.err;
  }
  EXPECT_EQ(as("realtime-strategies:s", {"pause"}).exit_code, 69) << "the service may not";
}

}  // namespace
}  // namespace rts::test
