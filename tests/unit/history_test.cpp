// History: what it keeps of steps, what leaves it, and who is said to have paused.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/engine/history.hpp>

#include "support/endings.hpp"
#include "support/frames.hpp"

namespace rts {
namespace {

using namespace rts::test;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kAll = 1'000'000;

// An engine and its history.
class Watched {
 public:
  explicit Watched(const EngineParameters& parameters)
      : engine_(parameters), history_(engine_.symbols()) {}
  Watched() : Watched(usual()) {}

  static EngineParameters usual() {
    EngineParameters parameters = usual_parameters();
    parameters.defaults.orderbook_skew.min_spread_percent = 0.1;
    parameters.defaults.terms.cooldown = std::chrono::seconds(0);
    parameters.gate = {.price_band_percent = 0, .max_daily_signals = 0, .max_orders_per_minute = 0};
    return parameters;
  }

  void hear(const std::string& frame) {
    const Step step = engine_.step(frame, std::nullopt);
    history_.add(step, kNoon + std::chrono::hours(1));
    for (const EventRecord& record : step.events) {
      const Decision* const decision = record.decision();
      if (decision != nullptr && decision->order) order_ = *decision->order;
    }
  }
  // Books that end so: "neutral", "spread_below_minimum" or "signal_buy".
  void book(std::string_view end, const std::string& symbol = "BTCUSDT") {
    ++books_;
    hear(book_frame({.symbol = symbol,
                     .at_ms = kNoonMs + static_cast<std::int64_t>(books_),
                     .id = books_,
                     .bids = {{"100", end == "signal_buy" ? "3" : "1"}},
                     .asks = {{end == "spread_below_minimum" ? "100.01" : "100.2", "1"}}}));
  }
  void books(std::size_t count, std::string_view end) {
    for (std::size_t i = 0; i < count; ++i) book(end);
  }

  [[nodiscard]] std::vector<std::string> ends(const History::Query& query) const {
    std::vector<std::string> ends;
    for (const auto& [symbol, past] : history_.find(query)) {
      ends.push_back(fmt::format("{} {} {}", symbol.text(), to_string(past.end), past.in_a_row));
    }
    return ends;
  }
  [[nodiscard]] PastDecision newest() const { return history_.find({.last = 1}).front().decision; }

  [[nodiscard]] History& history() { return history_; }
  [[nodiscard]] Engine& engine() { return engine_; }
  // The last one that was made. Its symbol is of the step that is over.
  [[nodiscard]] Order order() const {
    Order order = order_;
    order.symbol = "BTCUSDT";
    return order;
  }

 private:
  Engine engine_;
  History history_;
  Order order_;
  std::uint64_t books_ = 0;
};

TEST(History, IsEmptyBeforeTheFirstEvent) {
  Watched watched;
  EXPECT_THAT(watched.history().find({.last = kAll}), IsEmpty());
  EXPECT_EQ(watched.history().newest(), 0U);
}

TEST(History, HasTheNumbersOfADecision) {
  Watched watched;
  watched.book("signal_buy");
  const PastDecision past = watched.newest();
  EXPECT_EQ(past.number, 1U);
  EXPECT_EQ(past.at, kNoon + std::chrono::milliseconds(1));
  EXPECT_EQ(past.strategy, StrategyId::orderbook_skew);
  EXPECT_EQ(past.end, End(Outcome::signal_buy));
  EXPECT_EQ(past.indicators[2].value(), 3);
  EXPECT_EQ(past.measure.value, 3);
  EXPECT_EQ(past.measure.limit, 1.2);
  EXPECT_EQ(past.measure.other, 0.8);
  ASSERT_TRUE(past.order && past.signal);
  EXPECT_EQ(past.order->id, watched.order().id);
  EXPECT_EQ(past.order->quantity.to_string(), "0.998");
  EXPECT_EQ(past.signal->price.value(), 100.2);
}

TEST(History, KeepsTheLastOnesOfEachSymbolAndStrategyWhateverElseComes) {
  Watched watched;
  watched.book("neutral", "ETHUSDT");
  watched.hear(ticker());
  watched.books(1000, "neutral");
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("ETHUSDT"), .last = kAll}),
              ElementsAre("ETHUSDT neutral 1"));
  EXPECT_THAT(watched.ends({.strategy = StrategyId::ticker_velocity, .last = kAll}), SizeIs(1));
  const auto ends = watched.ends(
      {.symbol = Symbol::from("BTCUSDT"), .strategy = StrategyId::orderbook_skew, .last = kAll});
  EXPECT_THAT(ends, SizeIs(History::kRecent));
  EXPECT_EQ(ends.back(), "BTCUSDT neutral 1000");
}

TEST(History, KeepsTheLastOfEachRunThatEndedAlike) {
  Watched watched;
  watched.books(50, "neutral");
  watched.books(60, "spread_below_minimum");
  watched.books(70, "neutral");
  const auto ends = watched.ends({.last = kAll});
  ASSERT_THAT(ends, SizeIs(2 + History::kRecent));
  EXPECT_EQ(ends[0], "BTCUSDT neutral 50");
  EXPECT_EQ(ends[1], "BTCUSDT spread_below_minimum 60");
  EXPECT_EQ(ends[2], fmt::format("BTCUSDT neutral {}", 71 - History::kRecent));
  const auto below = watched.history().find({.end = End(Outcome::spread_below_minimum)});
  ASSERT_THAT(below, SizeIs(1));
  EXPECT_EQ(below.front().decision.since, kNoon + std::chrono::milliseconds(51));
  EXPECT_EQ(below.front().decision.at, kNoon + std::chrono::milliseconds(110));
}

TEST(History, IsBoundedAndSaysNothingTwice) {
  Watched watched;
  for (int i = 0; i < 500; ++i) {
    watched.book("neutral");
    watched.book("spread_below_minimum");
    watched.book("signal_buy");
  }
  const auto found = watched.history().find({.last = kAll});
  EXPECT_LE(found.size(), History::kRecent + History::kRuns + History::kOrders);
  EXPECT_GE(found.size(), History::kRecent + History::kRuns);
  EXPECT_TRUE(std::ranges::is_sorted(found, std::ranges::less_equal{}, [](const auto& one) {
    return one.decision.number;
  })) << "in the order they came, none twice";
  EXPECT_EQ(found.back().decision.number, 1500U);
}

TEST(History, KeepsOrdersLongerThanWhatHasLedToNone) {
  Watched watched;
  watched.books(1, "signal_buy");
  for (int i = 0; i < 500; ++i) {
    watched.book("neutral");
    watched.book("spread_below_minimum");
  }
  EXPECT_THAT(watched.ends({.end = End(Outcome::signal_buy)}), ElementsAre("BTCUSDT signal_buy 1"));
  watched.books(500, "signal_buy");
  EXPECT_THAT(watched.ends({.end = End(Outcome::signal_buy), .last = kAll}),
              SizeIs(History::kOrders));
}

TEST(History, GivesTheNewestOfWhatIsAskedFor) {
  Watched watched;
  watched.books(10, "neutral");
  watched.book("neutral", "ETHUSDT");
  watched.books(10, "spread_below_minimum");
  EXPECT_THAT(watched.ends({.last = 2}),
              ElementsAre("BTCUSDT spread_below_minimum 9", "BTCUSDT spread_below_minimum 10"));
  EXPECT_THAT(watched.ends({.end = End(Outcome::neutral), .last = 2}),
              ElementsAre("BTCUSDT neutral 10", "ETHUSDT neutral 1"));
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("XRPUSDT")}), IsEmpty());
  EXPECT_THAT(watched.ends({.end = End(Reason::stale)}), IsEmpty());
}

TEST(History, LearnsWhatBecameOfAnOrder) {
  Watched watched;
  watched.book("signal_buy");
  const Order first = watched.order();
  watched.book("signal_buy");
  EXPECT_FALSE(watched.newest().order->result.has_value());
  watched.history().add(first, OrderResult::expired);
  const auto found = watched.history().find({});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].decision.order->result, OrderResult::expired);
  EXPECT_FALSE(found[1].decision.order->result.has_value());
  watched.books(500, "neutral");
  EXPECT_EQ(watched.history().find({.end = End(Outcome::signal_buy)})[0].decision.order->result,
            OrderResult::expired);
}

// The strategy is paused before the order is sent, and resumed within the order's bucket.
TEST(History, KnowsTheEndOfEachOfTwoOrdersOfOneId) {
  EngineParameters parameters = Watched::usual();
  parameters.defaults.terms.cooldown = std::chrono::minutes(5);
  Watched watched(parameters);
  History& history = watched.history();
  watched.book("signal_buy");
  const Order first = watched.order();
  watched.engine().set_paused(true);
  ASSERT_FALSE(watched.engine().passes_still(
      {first.id, first.strategy, Side::buy, *Symbol::from(first.symbol), first.at}));
  history.add(first, OrderResult::superseded);
  watched.engine().set_paused(false);
  watched.book("signal_buy");
  ASSERT_EQ(watched.order().id, first.id);
  const auto results = [&] {
    std::vector<std::optional<OrderResult>> all;
    for (const auto& [symbol, past] : history.find({})) all.push_back(past.order->result);
    return all;
  };
  EXPECT_THAT(results(), ElementsAre(OrderResult::superseded, std::nullopt));
  history.add(watched.order(), OrderResult::confirmed);
  history.add(first, OrderResult::expired);  // of neither: both have ended
  EXPECT_THAT(results(), ElementsAre(OrderResult::superseded, OrderResult::confirmed));
}

TEST(History, GivesTheEndOfWhatItHoldsWhateverIsAskedFor) {
  Watched watched;
  for (std::size_t i = 0; i < 300; ++i) {
    watched.book(i % 7 == 0   ? "signal_buy"
                 : i % 3 == 0 ? "neutral"
                              : "spread_below_minimum",
                 i % 5 == 0 ? "ETHUSDT" : "BTCUSDT");
    if (i % 11 == 0) watched.hear(ticker({.at_ms = kNoonMs + static_cast<std::int64_t>(i)}));
  }
  const auto all = watched.ends({.last = kAll});
  for (std::size_t last = 0; last <= all.size(); ++last) {
    EXPECT_THAT(watched.ends({.last = last}),
                ElementsAreArray(all.end() - static_cast<std::ptrdiff_t>(last), all.end()));
  }
  for (const StrategyId strategy : all_of<StrategyId>) {
    std::vector<std::uint64_t> expected;
    for (const auto& [symbol, past] : watched.history().find({.last = kAll})) {
      if (past.strategy == strategy && symbol.text() == "BTCUSDT") expected.push_back(past.number);
    }
    std::vector<std::uint64_t> numbers;
    for (const auto& [symbol, past] : watched.history().find(
             {.symbol = Symbol::from("BTCUSDT"), .strategy = strategy, .last = kAll})) {
      numbers.push_back(past.number);
    }
    EXPECT_EQ(numbers, expected) << to_string(strategy);
    EXPECT_EQ(numbers.empty(), strategy == StrategyId::trade_momentum);
  }
}

TEST(History, HasWhatWasDroppedAndNotWhatIsIgnored) {
  Watched watched;
  watched.hear(trade());
  watched.hear(trade());                                     // out of order
  watched.hear(trade({.id = 2}).set("p", "\"x\""));          // no number
  watched.hear(trade({.id = 3, .execution_type = "NA"}));    // ignored
  watched.hear(trade({.symbol = "XRPUSDT", .id = 4}));       // ignored
  watched.hear(agg_trade({.id = 5}));                        // ignored
  watched.hear("{");                                         // nobody's
  watched.hear(trade({.symbol = "", .id = 6}).json());       // nobody's
  watched.hear(trade({.id = 7}).set("E", "\"yesterday\""));  // without a time
  EXPECT_THAT(watched.ends({}), ElementsAre("BTCUSDT warming_up 1", "BTCUSDT out_of_order 1",
                                            "BTCUSDT bad_number 1", "BTCUSDT bad_timestamp 1"));
  EXPECT_EQ(watched.newest().at, kNoon + std::chrono::hours(1)) << "when it was received";
}

TEST(History, IsOfTheSymbolThatHasTheNumberNow) {
  EngineParameters parameters = Watched::usual();
  parameters.symbols.clear();
  Watched watched(parameters);
  for (std::size_t i = 0; i < EngineParameters::kMaxSymbols; ++i) {
    watched.hear(trade(
        {.symbol = fmt::format("A{}USDT", i), .at_ms = kNoonMs + static_cast<std::int64_t>(i)}));
  }
  watched.hear(trade({.symbol = "NEWUSDT", .at_ms = kNoonMs + 25 * 3'600'000}));
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("A0USDT")}), IsEmpty());
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("A1USDT")}), SizeIs(1));
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("NEWUSDT")}),
              ElementsAre("NEWUSDT warming_up 1"));
}

// Within one frame too: what was refused before is not the new symbol's.
TEST(History, IsNotOfTheSymbolThatHadTheNumberBeforeInTheFrame) {
  EngineParameters parameters = Watched::usual();
  parameters.symbols.clear();
  Watched watched(parameters);
  for (std::size_t i = 0; i < EngineParameters::kMaxSymbols; ++i) {
    watched.hear(trade(
        {.symbol = fmt::format("A{}USDT", i), .at_ms = kNoonMs + static_cast<std::int64_t>(i)}));
  }
  const std::int64_t later = kNoonMs + 25 * 3'600'000;
  watched.hear(array({trade({.symbol = "A0USDT", .at_ms = later, .id = 2}).set("p", "\"x\""),
                      trade({.symbol = "A1USDT", .at_ms = later, .id = 2}).set("p", "\"x\""),
                      trade({.symbol = "NEWUSDT", .at_ms = later})}));
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("NEWUSDT")}),
              ElementsAre("NEWUSDT warming_up 1"));
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("A1USDT")}),
              ElementsAre("A1USDT warming_up 1", "A1USDT bad_number 1"));
}

TEST(History, KeepsWhatAListedSymbolHadRefusedBeforeItsFirstInTheFrame) {
  Watched watched;
  watched.hear(array({trade().set("p", "\"x\""), trade()}));
  EXPECT_THAT(watched.ends({}), ElementsAre("BTCUSDT bad_number 1", "BTCUSDT warming_up 1"));
}

TEST(History, KeepsLessOfSymbolsBehindTheFirstHundred) {
  EngineParameters parameters = Watched::usual();
  parameters.symbols.clear();
  Watched watched(parameters);
  const auto symbol = [](std::size_t i) { return fmt::format("A{}USDT", i); };
  for (std::size_t i = 0; i <= History::kSymbols; ++i) watched.book("neutral", symbol(i));
  const auto held = [&](std::size_t i) {
    for (std::size_t run = 0; run < 2 * History::kRuns; ++run) {
      for (std::size_t n = 0; n < History::kRecent; ++n) {
        watched.book(run % 2 == 0 ? "spread_below_minimum" : "neutral", symbol(i));
      }
    }
    return watched.ends({.symbol = Symbol::from(symbol(i)), .last = kAll}).size();
  };
  EXPECT_EQ(held(History::kSymbols - 1), History::kRecent + History::kRuns);
  EXPECT_EQ(held(History::kSymbols), (History::kRecent + History::kRuns) / History::kPart);
}

TEST(History, KnowsWhoHadPausedWhenSomethingWasDecided) {
  using enum History::Switch;
  Watched watched;
  History& history = watched.history();
  const auto by = [&] {
    watched.book("signal_buy");
    return std::string(history.paused_by(watched.newest()));
  };
  EXPECT_EQ(by(), "");
  history.add_pause(process, StrategyId::orderbook_skew, true, "SIGUSR1");
  EXPECT_EQ(by(), "SIGUSR1");
  const PastDecision earlier = watched.newest();
  history.add_pause(process, StrategyId::orderbook_skew, true, "SIGUSR1 again");
  EXPECT_EQ(by(), "SIGUSR1") << "who was first";
  history.add_pause(process, StrategyId::orderbook_skew, false, "SIGUSR2");
  EXPECT_EQ(by(), "");
  EXPECT_EQ(history.paused_by(earlier), "SIGUSR1");
  history.add_pause(control_log, StrategyId::ticker_velocity, true, "her");
  EXPECT_EQ(by(), "") << "another strategy";
  history.add_pause(control_log, std::nullopt, true, "me");
  EXPECT_EQ(by(), "me");
  history.add_pause(control_log, std::nullopt, false, "me");
  EXPECT_EQ(by(), "");
  history.add_pause(process, StrategyId::orderbook_skew, true, "later");
  EXPECT_EQ(by(), "later");
  EXPECT_EQ(history.paused_by(earlier), "") << "not known any more, rather than wrong";
}

TEST(History, CountsHowEventsOfASymbolAndStrategyEnded) {
  using enum Outcome;
  Watched watched;
  const Symbol btc = *Symbol::from("BTCUSDT"), eth = *Symbol::from("ETHUSDT");
  const auto skew = StrategyId::orderbook_skew;
  EXPECT_EQ(watched.history().funnel(btc, skew), nullptr) << "before its first event";
  EXPECT_EQ(watched.history().funnel(*Symbol::from("NOBODY"), skew), nullptr);
  watched.books(3, "neutral");
  watched.books(2, "spread_below_minimum");
  watched.book("neutral", "ETHUSDT");
  watched.hear("no frame");
  const UnixMs now = kNoon + std::chrono::hours(1);
  for (const FunnelSpan span : all_of<FunnelSpan>) {
    const auto counted = watched.history().funnel(btc, skew)->counted(span, now);
    EXPECT_EQ(counted.of(neutral), 3U);
    EXPECT_EQ(counted.of(spread_below_minimum), 2U);
    EXPECT_EQ(counted.of(signal_buy), 0U);
    EXPECT_EQ(watched.history().funnel(eth, skew)->counted(span, now).of(neutral), 1U);
  }
  EXPECT_EQ(watched.history().funnel(btc, StrategyId::trade_momentum), nullptr);
  // An older book is dropped, and counts as well.
  watched.hear(book_frame({.symbol = "BTCUSDT", .at_ms = kNoonMs, .id = 1}));
  const Funnel& later = *watched.history().funnel(btc, skew);
  EXPECT_EQ(later.counted(FunnelSpan::minute, now).of(Reason::out_of_order), 1U);
  EXPECT_EQ(later.counted(FunnelSpan::minute, now + std::chrono::minutes(1)).of(neutral), 0U);
  EXPECT_EQ(later.counted(FunnelSpan::hour, now + std::chrono::minutes(1)).of(neutral), 3U);
  EXPECT_EQ(later.counted(FunnelSpan::hour, now + std::chrono::hours(1)).of(neutral), 0U);
}

TEST(History, FindsOrdersOfEitherSideAndNothingElse) {
  Watched watched;
  watched.book("neutral");
  watched.book("signal_buy");
  watched.book("neutral", "ETHUSDT");
  watched.book("signal_buy", "ETHUSDT");
  EXPECT_THAT(watched.ends({.only_orders = true}),
              ElementsAre("BTCUSDT signal_buy 1", "ETHUSDT signal_buy 1"));
  EXPECT_THAT(watched.ends({.symbol = Symbol::from("ETHUSDT"), .only_orders = true}), SizeIs(1));
  EXPECT_THAT(watched.ends({.only_orders = true, .last = 1}), ElementsAre("ETHUSDT signal_buy 1"));
}

TEST(History, SaysWhoPausesNow) {
  using enum History::Switch;
  Watched watched;
  History& history = watched.history();
  const auto skew = StrategyId::orderbook_skew;
  EXPECT_EQ(history.paused_by(skew), "");
  history.add_pause(process, skew, true, "SIGUSR1");
  history.add_pause(control_log, std::nullopt, true, "me: maintenance");
  EXPECT_EQ(history.paused_by(skew), "SIGUSR1");
  EXPECT_EQ(history.paused_by(StrategyId::trade_momentum), "me: maintenance");
  history.add_pause(process, skew, false, "SIGUSR2");
  EXPECT_EQ(history.paused_by(skew), "me: maintenance");
  history.add_pause(control_log, std::nullopt, false, "me");
  EXPECT_EQ(history.paused_by(skew), "");
}

}  // namespace
}  // namespace rts
