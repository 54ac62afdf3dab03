// `replay --markouts --paper --evaluation`: what is asked for is said and written, and orders stay
// what they are.
#include "commands/evaluation.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/command_line.hpp"
#include "support/engine_run.hpp"
#include "support/rapidjson.hpp"
#include "support/scratch_files.hpp"
#include "support/seeded_market.hpp"

namespace rts::commands {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Outcome {
  ExitCode exit_code = ExitCode::internal;
  std::string orders, messages;
  rapidjson::Document evaluation{};
};

class ReplayEvaluation : public testing::Test {
 protected:
  // 3,000 frames of about ten minutes.
  Outcome replay(const std::vector<std::string>& options) {
    std::vector<std::string> words{"replay", "--force", "--orders", files_.path("orders"),
                                   files_.path("recording")};
    words.insert(words.end(), options.begin(), options.end());
    const Invocation invocation = parse_command_line(words);
    const auto configuration = test::configured({{"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                                                 {"RISK_PRICE_BAND_PERCENT", "0"},
                                                 {"SIGNAL_COOLDOWN_SECONDS", "5"},
                                                 {"TRADE_MOMENTUM_WINDOW", "10"}});
    Outcome outcome;
    testing::internal::CaptureStderr();
    outcome.exit_code = run_command(invocation, configuration);
    outcome.messages = testing::internal::GetCapturedStderr();
    outcome.orders = test::read_file(files_.path("orders"));
    outcome.evaluation.Parse(test::read_file(files_.path("evaluation.json")).c_str());
    return outcome;
  }
  [[nodiscard]] std::string evaluation_file() const { return files_.path("evaluation.json"); }
  [[nodiscard]] const test::ScratchFiles& files() const { return files_; }

 private:
  static std::string recording() {
    std::string text;
    for (const std::string& frame : test::SeededMarket(1).frames(3'000)) text += frame + "\n";
    return text;
  }

  test::ScratchFiles files_;
  std::string recording_ = files_.write("recording", recording());
};

std::uint64_t orders_in(const rapidjson::Value& markouts) {
  std::uint64_t orders = 0;
  for (const auto& group : markouts["groups"].GetArray()) {
    orders += group["orders"].GetUint64();
    for (const auto& horizon : group["horizons"].GetArray()) {
      EXPECT_EQ(horizon["gross_bp"]["samples"].GetUint64() + horizon["unknown"].GetUint64(),
                group["orders"].GetUint64());
    }
  }
  return orders;
}

TEST_F(ReplayEvaluation, WritesMarkoutsAndThePaperAccountOfAllOrders) {
  const Outcome plain = replay({});
  const Outcome outcome = replay({"--evaluation", evaluation_file(), "--latency-ms", "250"});
  EXPECT_EQ(outcome.exit_code, ExitCode::ok);
  EXPECT_EQ(outcome.orders, plain.orders);
  const auto orders =
      static_cast<std::uint64_t>(std::count(outcome.orders.begin(), outcome.orders.end(), '\n'));
  ASSERT_GT(orders, 50U);
  ASSERT_FALSE(outcome.evaluation.HasParseError());
  const rapidjson::Document& all = outcome.evaluation;
  EXPECT_EQ(orders_in(all["markouts"]), orders);
  EXPECT_EQ(orders_in(all["markouts_by_symbol"]), orders);
  const rapidjson::Value& paper = all["paper"];
  EXPECT_EQ(paper["orders"].GetUint64() + paper["unfilled"].GetUint64(), orders);
  EXPECT_EQ(all["latency_ms"].GetInt(), 250);
  EXPECT_EQ(all["fee_bp"].GetDouble(), 4);
  EXPECT_GT(paper["fees"].GetDouble(), 0);
  EXPECT_GT(paper["curve"].Size(), 5U);
  EXPECT_NEAR(paper["net"].GetDouble() + paper["open"].GetDouble(), paper["equity"].GetDouble(),
              1e-6);
}

TEST_F(ReplayEvaluation, SaysWhatIsAskedForAndNothingElse) {
  const auto has_markouts = HasSubstr("markouts overall: none, of 2 means with 30 blocks or more");
  const auto has_paper = HasSubstr("paper account: latency 0 ms, fee 2.5 bp each side");
  EXPECT_THAT(replay({}).messages, AllOf(Not(has_markouts), Not(HasSubstr("paper account"))));
  EXPECT_THAT(replay({"--markouts"}).messages,
              AllOf(has_markouts, HasSubstr("orderbook_skew BTCUSDT: "),
                    HasSubstr("orderbook_skew all symbols: "), Not(HasSubstr("paper account"))));
  EXPECT_THAT(replay({"--paper", "--fee-bp", "2.5"}).messages, AllOf(has_paper, Not(has_markouts)));
  EXPECT_THAT(replay({"--paper", "--markouts", "--quiet"}).messages, IsEmpty());
}

TEST_F(ReplayEvaluation, TakesFundingRatesFromFiles) {
  const std::string header = "calc_time,funding_interval_hours,last_funding_rate\n";
  const std::string row = fmt::format("{},8,0.01\n", test::kMidnightMs + 300'000);
  const Outcome outcome =
      replay({"--evaluation", evaluation_file(), "--funding",
              files().write("BTCUSDT-fundingRate-2024-07.csv", header + row), "--funding",
              files().write("ETHUSDT-fundingRate-2024-07.csv", header + row)});
  EXPECT_EQ(outcome.evaluation["funding_rates"].GetInt(), 2);
  EXPECT_NE(outcome.evaluation["paper"]["funding"].GetDouble(), 0);
}

TEST_F(ReplayEvaluation, RefusesWhatItCannotDoBeforeItBegins) {
  const std::string nothing = files().write("nothing.csv", "price\n1\n");
  struct Row {
    std::vector<std::string> options;
    const char* message;
  };
  for (const Row& row : {
           Row{{"--fee-bp", "4"}, "--fee-bp says how orders are evaluated; give --markouts"},
           Row{{"--latency-ms", "4"}, "--latency-ms says how orders are evaluated"},
           Row{{"--funding", nothing}, "--funding says how orders are evaluated"},
           Row{{"--paper", "--fee-bp", "-1"}, "--fee-bp: '-1' is no number from 0 to 1000"},
           Row{{"--paper", "--fee-bp", "nan"}, "--fee-bp: 'nan' is no number from 0 to 1000"},
           Row{{"--paper", "--latency-ms", "60001"}, "60000"},
           Row{{"--paper", "--funding", nothing}, "nothing.csv is no file of funding rates"},
           Row{{"--paper", "--funding", "/nowhere"}, "/nowhere"},
           Row{{"--funding", nothing, "--evaluation", nothing}, "nothing.csv"},
       }) {
    const Outcome outcome = replay(row.options);
    EXPECT_NE(outcome.exit_code, ExitCode::ok) << row.message;
    EXPECT_THAT(outcome.orders, IsEmpty()) << row.message;
    EXPECT_THAT(outcome.messages, HasSubstr(row.message));
  }
}

TEST(EvaluationText, NoMeanIsShownWithoutItsInterval) {
  EXPECT_EQ(interval_text({1.2, -0.3, 2.75, 50, 40}), "+1.20 [-0.30, +2.75]");
  EXPECT_EQ(interval_text({1.2, 1.2, 1.2, 50, 1}), "+1.20 [one block]");
  EXPECT_EQ(interval_text({}), "none");
}

TEST(EvaluationText, WhatIsNotKnownIsNull) {
  const auto json_of = [](const research::Interval& interval) {
    std::string text;
    JsonWriter json(text);
    write_json(json, interval);
    return text;
  };
  EXPECT_EQ(json_of({1.5, -0.5, 2, 50, 40}),
            R"({"mean":1.5,"low":-0.5,"high":2,"samples":50,"blocks":40})");
  EXPECT_EQ(json_of({1.5, 1.5, 1.5, 50, 1}),
            R"({"mean":1.5,"low":null,"high":null,"samples":50,"blocks":1})");
  EXPECT_EQ(json_of({}), R"({"mean":null,"low":null,"high":null,"samples":0,"blocks":0})");
}

}  // namespace
}  // namespace rts::commands
