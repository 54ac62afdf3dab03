// research::Sweep: whatever the settings, its counts are those of the engine that trades.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/config/settings.hpp>

#include "property/property.hpp"
#include "research/sweep.hpp"
#include "support/engine_run.hpp"
#include "support/seeded_market.hpp"

namespace rts::research {
namespace {

class SweepProperty : public test::Property {
 protected:
  std::string number(double least, double most) {
    return fmt::format("{:.4f}", uniform(least, most));
  }
  std::string one_of(std::vector<std::string> values) { return values[pick(values.size())]; }

  // Settings that any of the strategies, the gate or the intake feels.
  std::vector<config::Given> random_values() {
    std::vector<config::Given> all{
        {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", one_of({"0", "0.001"})},
        {"ORDERBOOK_SKEW_TOP_LEVELS", one_of({"1", "5", "20"})},
        {"ORDERBOOK_SKEW_BUY_THRESHOLD", number(1.1, 3)},
        {"TRADE_MOMENTUM_WINDOW", one_of({"5", "20", "100"})},
        {"TRADE_MOMENTUM_BUY_THRESHOLD", number(0.1, 0.8)},
        {"TRADE_MOMENTUM_MIN_QUANTITY", one_of({"0.001", "0.5"})},
        {"TRADE_MOMENTUM_MAX_GAP_SECONDS", one_of({"0", "1", "60"})},
        {"TICKER_VELOCITY_TIME_WINDOW", one_of({"5", "20"})},
        {"TICKER_VELOCITY_BUY_THRESHOLD", number(0.01, 0.5)},
        {"TICKER_VELOCITY_MIN_PRICE_CHANGE", one_of({"0", "0.01"})},
        {"SIGNAL_COOLDOWN_SECONDS", one_of({"0", "1", "15", "900"})},
        {"SIGNAL_COOLDOWN_SECONDS__ETHUSDT", one_of({"2", "30"})},
        {"SIGNAL_MIN_CONFIDENCE", one_of({"0.6", "0.7"})},
        {"RISK_MAX_DAILY_SIGNALS", one_of({"0", "3", "50"})},
        {"RISK_MAX_ORDERS_PER_MINUTE", one_of({"0", "2", "30"})},
        {"RISK_PRICE_BAND_PERCENT", one_of({"0", "0.02", "5"})},
        {"STRATEGY_ENABLED_TRADE_MOMENTUM", one_of({"true", "true", "false"})},
        {"TRADING_ORDER_NOTIONAL", one_of({"50", "200"})}};
    std::shuffle(all.begin(), all.end(), random());
    all.resize(pick(all.size() + 1));
    return all;
  }

  std::vector<Trial> random_trials(const config::Configuration& configuration, std::size_t count) {
    std::vector<Trial> trials;
    while (trials.size() < count) {
      Trial trial{.values = random_values(), .parameters = {}};
      auto parameters = config::with_live_values(configuration, trial.values);
      if (!parameters) continue;
      trial.parameters = std::move(parameters).value();
      trials.push_back(std::move(trial));
    }
    return trials;
  }

  static void expect_counts_of_the_engine(const Sweep& sweep, const std::vector<Trial>& trials,
                                          const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < trials.size(); ++i) {
      test::EngineRun run(trials[i].parameters, OrderFormat::trade_order);
      run.lines(frames);
      std::string settings;
      for (const auto& [name, value] : trials[i].values) settings += name + "=" + value + " ";
      for (const StrategyId strategy : all_of<StrategyId>) {
        for (const Outcome outcome : all_of<Outcome>) {
          ASSERT_EQ(sweep.counts(i).count(strategy, outcome), run.tally().count(strategy, outcome))
              << to_string(strategy) << " " << to_string(outcome) << " of trial " << i << ": "
              << settings;
        }
      }
      for (const Reason reason : all_of<Reason>) {
        ASSERT_EQ(sweep.tape_counts(i).count(reason), run.tally().count(reason))
            << to_string(reason) << ": " << settings;
      }
      ASSERT_EQ(sweep.tape_counts(i).frames, run.tally().frames());
      ASSERT_EQ(sweep.tape_counts(i).events, run.tally().events());
    }
  }
};

TEST_F(SweepProperty, CountsOfEachOfManySettingsAreThoseOfReplay) {
  for (std::size_t round = 0; round < 4; ++round) {
    const auto configuration = test::configured({});
    const auto trials = random_trials(configuration, 1 + pick(40));
    std::vector<std::string> frames = test::SeededMarket(random()()).frames(3'000);
    frames.insert(frames.begin() + 100, {"[]", "{\"e\":\"x\"}", "garbage", ""});
    Sweep sweep(trials, 1 + pick(4), {});
    for (const std::string& frame : frames) {
      if (const auto recorded = wire::parse_recorded_line(frame)) sweep.read(*recorded);
    }
    sweep.finish();
    expect_counts_of_the_engine(sweep, trials, frames);
  }
}

TEST_F(SweepProperty, SymbolsTakenAsTheyComeAreNoDifference) {
  const auto configuration = test::configured({{"TRADING_SYMBOLS", "*"}});
  const auto trials = random_trials(configuration, 12);
  const std::vector<std::string> frames = test::SeededMarket(random()()).frames(2'000);
  Sweep sweep(trials, 2, {});
  for (const std::string& frame : frames) sweep.read(*wire::parse_recorded_line(frame));
  sweep.finish();
  expect_counts_of_the_engine(sweep, trials, frames);
}

// What an observer is told, in its order: the same whatever the number of threads.
class Told : public Observer {
 public:
  explicit Told(std::vector<std::vector<std::string>>& orders) : orders_(orders) {}
  void on_event(const TapeEvent& event, std::span<const TrialOrder> orders) override {
    for (const TrialOrder& order : orders) {
      orders_[order.trial].push_back(fmt::format(
          "{} {} {} {} {}", event.at.time_since_epoch().count(), to_string(order.strategy),
          event.listing->symbol.text(), to_string(order.side), order.quantity));
    }
  }

 private:
  std::vector<std::vector<std::string>>& orders_;
};

TEST_F(SweepProperty, ObserversAreToldOfEveryOrderOnceWhateverTheThreads) {
  const auto configuration = test::configured({});
  const auto trials = random_trials(configuration, 17);
  const std::vector<std::string> frames = test::SeededMarket(random()()).frames(3'000);
  std::vector<std::vector<std::vector<std::string>>> by_threads;
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
    auto& orders = by_threads.emplace_back(trials.size());
    Sweep sweep(trials, threads, [&](const auto&) { return std::make_unique<Told>(orders); });
    for (const std::string& frame : frames) sweep.read(*wire::parse_recorded_line(frame));
    sweep.finish();
    for (std::size_t i = 0; i < trials.size(); ++i) {
      ASSERT_EQ(orders[i].size(), sweep.counts(i).orders());
    }
  }
  EXPECT_EQ(by_threads[0], by_threads[1]);
  EXPECT_EQ(by_threads[0], by_threads[2]);
}

}  // namespace
}  // namespace rts::research
