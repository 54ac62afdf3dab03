// The page of --report, and what a report says in words.
#include "commands/report.hpp"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/replay_report.hpp"
#include "support/engine_run.hpp"
#include "support/price_path.hpp"
#include "support/rapidjson.hpp"

namespace rts::commands {
namespace {

using research::Edge;
using testing::HasSubstr;
using testing::Not;

// --- The page ------------------------------------------------------------------------------------

// What a browser takes for the document of a page.
std::string document_in(const std::string& page) {
  const std::string begin = R"(<script type="application/json" id="document">)";
  const std::size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("</script", from) - from);
}

TEST(ReportPage, CarriesItsDocumentWhateverIsInIt) {
  std::string document;
  const std::string text = "</script><script>alert(1)</script><!-- \xE2\x80\xA8 {{policy}} & \"'";
  JsonWriter(document).begin_object().key("name").string(text).end_object();
  const std::string page = report_page(document);
  const std::string carried = document_in(page);
  EXPECT_THAT(carried, Not(HasSubstr("<")));
  EXPECT_THAT(page, Not(HasSubstr("\xE2\x80\xA8")));
  rapidjson::Document read;
  read.Parse(carried.c_str());
  ASSERT_FALSE(read.HasParseError());
  EXPECT_EQ(std::string(read["name"].GetString()), text);
}

TEST(ReportPage, RunsNothingButItsOwnScript) {
  const std::string page = report_page("{}");
  EXPECT_THAT(page, Not(HasSubstr("{{")));
  EXPECT_THAT(page, HasSubstr("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(page, Not(HasSubstr("'none'; script-src")));
  EXPECT_THAT(page, Not(HasSubstr("unsafe")));
  for (const char* elsewhere : {"src=\"", "@import", "url(http", "https:"}) {
    EXPECT_THAT(page, Not(HasSubstr(elsewhere)));
  }
}

TEST(ReportPage, TheCommandIsOneForAShell) {
  const auto words = {"replay", "--fee-bp", "2.5", "--quiet", "my day's.ndjson"};
  const Invocation invocation =
      parse_command_line(std::vector<std::string>(words.begin(), words.end()));
  const auto configuration = test::configured({{"SIGNAL_COOLDOWN_SECONDS", "5"},
                                               {"NATS_TOKEN", "secret"},
                                               {"TRADING_ORDER_NOTIONAL__ETHUSDT", "50"}});
  EXPECT_EQ(repeating_command(invocation, configuration),
            "realtime-strategies replay --fee-bp 2.5 --quiet "
            "--trading-order-notional--ETHUSDT=50 --signal-cooldown-seconds=5 "
            "'my day'\\''s.ndjson'");
}

// --- The verdict ---------------------------------------------------------------------------------

research::AccountMarkouts markouts(Edge overall, const research::Interval& net) {
  research::AccountMarkouts all;
  all.overall = overall;
  all.questions = 6;
  all.groups.emplace_back();
  all.groups[0].strategy = StrategyId::trade_momentum;
  all.groups[0].orders = net.samples;
  research::Markout& minute = all.groups[0].horizons[2];
  minute.estimate.net = minute.estimate.strict_net = net;
  minute.estimate.gross = net;
  minute.estimate.mean_cost = 8.5;
  return all;
}

TEST(ReportVerdict, SaysWhatAPersonWouldSay) {
  struct Row {
    research::AccountMarkouts markouts;
    Edge edge;
    const char* sentence;
  };
  for (const Row& row : {
           Row{{}, Edge::too_little_data, "Nothing was ordered, so there is nothing to judge."},
           Row{markouts(Edge::edge, {3.2, 1, 5.4, 120, 40}), Edge::edge,
               "More came back than it cost: orders of trade momentum after 1 min gave +3.20 bp "
               "(95 %: +1.00 to +5.40) after costs of 8.50 bp. The interval allows for the 6 means "
               "that were looked at."},
           Row{markouts(Edge::none, {-3.2, -5, -1.4, 120, 40}), Edge::none,
               "It is not to be seen that any orders gave more than they cost. The best of them, "
               "orders of trade momentum after 1 min, gave -3.20 bp (95 %: -5.00 to -1.40) after "
               "costs of 8.50 bp. The interval allows for the 6 means that were looked at."},
           Row{markouts(Edge::too_little_data, {-3.2, -5, -1.4, 12, 4}), Edge::too_little_data,
               "12 orders are too few to tell: no mean of them rests on 30 blocks of time. So far, "
               "orders of trade momentum after 1 min gave -3.20 bp (95 %: -5.00 to -1.40) after "
               "costs of 8.50 bp, from 4 blocks."},
           Row{markouts(Edge::too_little_data, {-3.2, -3.2, -3.2, 2, 1}), Edge::too_little_data,
               "2 orders are too few to tell: no mean of them rests on 30 blocks of time. So far, "
               "orders of trade momentum after 1 min gave -3.20 bp (of one block of time: how sure "
               "that is is not known) after costs of 8.50 bp, from 1 blocks."},
       }) {
    const ReportVerdict verdict = verdict_of(row.markouts);
    EXPECT_EQ(verdict.edge, row.edge);
    EXPECT_EQ(verdict.sentence, row.sentence);
  }
}

// --- Hints ---------------------------------------------------------------------------------------

std::string hint(StrategyId strategy, Outcome outcome, const Measure& measure,
                 Side side = Side::buy) {
  static const auto kConfiguration =
      test::configured({{"TRADE_MOMENTUM_BUY_THRESHOLD__ETHUSDT", "0.5"}});
  const bool is_own = outcome == Outcome::neutral && measure.limit == 0.5;
  const research::Miss miss{*Symbol::from(is_own ? "ETHUSDT" : "BTCUSDT"), {}, measure};
  const auto found = hint_of(strategy, outcome, side, miss, kConfiguration);
  return found ? found->sentence() : "none";
}

TEST(ReportHint, NamesTheNextValueThatWouldHaveChangedSomething) {
  constexpr auto kSkew = StrategyId::orderbook_skew;
  constexpr auto kMomentum = StrategyId::trade_momentum;
  struct Row {
    std::string found;
    const char* expected;
  };
  for (const Row& row : {
           Row{hint(kMomentum, Outcome::neutral, {0.6943, 0.7, -0.7}),
               "TRADE_MOMENTUM_BUY_THRESHOLD below 0.6943 would have given a signal more"},
           Row{hint(kMomentum, Outcome::neutral, {0.49, 0.5, -0.7}),
               "TRADE_MOMENTUM_BUY_THRESHOLD__ETHUSDT below 0.49 would have given a signal more"},
           Row{hint(kMomentum, Outcome::neutral, {-0.69876543, 0.7, -0.7}, Side::sell),
               "TRADE_MOMENTUM_SELL_THRESHOLD above -0.698765 would have given a signal more"},
           Row{hint(kSkew, Outcome::spread_below_minimum, {0.0234567891, 0.1}),
               "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT of at most 0.0234567 would have let one more "
               "through"},
           Row{hint(kSkew, Outcome::spread_above_maximum, {0.2345678, 0.1}),
               "ORDERBOOK_SKEW_MAX_SPREAD_PERCENT of at least 0.234568 would have let one more "
               "through"},
           Row{hint(kMomentum, Outcome::cooldown, {899.9, 900}),
               "SIGNAL_COOLDOWN_SECONDS of at most 899 would have let one more through"},
           Row{hint(kMomentum, Outcome::daily_limit, {50, 50}),
               "RISK_MAX_DAILY_SIGNALS of at least 51 would have let one more through"},
           Row{hint(kMomentum, Outcome::warming_up, {99, 100}),
               "TRADE_MOMENTUM_WINDOW of at most 99 would have let one more through"},
           Row{hint(kMomentum, Outcome::warming_up, {1, 100}), "none"},  // the rule has 2 at least
           Row{hint(kMomentum, Outcome::low_confidence, {0.55, 0.6}),
               "SIGNAL_MIN_CONFIDENCE of at most 0.55 would have let one more through"},
           Row{hint(kMomentum, Outcome::size_limit, {1'100.5, 1'000}),
               "TRADING_MAX_POSITION_SIZE of at least 1100.5 would have let one more through"},
       }) {
    EXPECT_EQ(row.found, row.expected);
  }
}

}  // namespace
}  // namespace rts::commands
