// The strategies' memory is finite (SPEC §3): an engine that is started in the middle of a feed
// gives, from the event on at which it is warm, the verdicts of one that has seen it all, bit for
// bit, and before that none. So replicas agree, whenever each was started.
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "property/property.hpp"
#include "support/engine_run.hpp"
#include "support/market_text.hpp"

namespace rts {
namespace {

using test::BookText;
using test::kMidnightMs;
using test::LevelText;
using test::TickerText;
using test::TradeText;

// What a strategy has said of an event, before the gate.
struct Said {
  StrategyId strategy;
  std::size_t symbol;
  Outcome outcome;  // where it gave no signal
  std::optional<Signal> signal;
  Indicators indicators;

  [[nodiscard]] bool is_verdict() const {
    return signal || (outcome != Outcome::warming_up && outcome != Outcome::below_min_quantity);
  }
};

bool same(const Said& a, const Said& b) {
  if (a.strategy != b.strategy || a.symbol != b.symbol || a.indicators != b.indicators)
    return false;
  if (a.signal.has_value() != b.signal.has_value()) return false;
  if (!a.signal) return a.outcome == b.outcome;
  return a.signal->side == b.signal->side && a.signal->price == b.signal->price &&
         a.signal->current_price == b.signal->current_price &&
         a.signal->confidence == b.signal->confidence;
}

std::optional<Said> say(Engine& engine, const std::string& frame) {
  const Step step = engine.step(frame, std::nullopt);
  const Decision* decision = step.events[0].decision();
  if (decision == nullptr) return {};
  return Said{decision->strategy, decision->symbol_index, decision->outcome, decision->signal,
              decision->indicators};
}

class MemoryProperty : public test::Property {
 protected:
  // A feed as a relay brings it from its start: each symbol's events once and in order, at uneven
  // times, with silences longer than any window and quantities over many orders of magnitude. What
  // the rules of the feed remember of a symbol (SPEC §2.7–9) is not the strategies' memory: no
  // event here is a copy, an outlier or from a second source.
  std::vector<std::string> random_feed(std::size_t count) {
    static const std::vector<std::string> kSymbols{"BTCUSDT", "ETHUSDT", "1000PEPEUSDT"};
    std::vector<std::string> frames;
    std::map<std::string, double> prices;
    std::int64_t now = kMidnightMs;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& symbol = kSymbols[pick(kSymbols.size())];
      double& price = prices.try_emplace(symbol, log_uniform(1e-6, 1e5)).first->second;
      price *= 1 + uniform(-0.001, 0.001);
      now += pick(400) == 0 ? between(5'000, 200'000) : between(0, 900);
      const auto id = static_cast<std::int64_t>(i + 1);
      switch (pick(6)) {
        case 0: frames.push_back(random_book(symbol, id, now, price)); break;
        case 1:
        case 2:
          frames.push_back(
              TickerText{.symbol = symbol, .at_ms = now + id % 2, .price = price}.frame());
          break;
        default:
          frames.push_back(TradeText{.symbol = symbol,
                                     .id = id,
                                     .at_ms = now,
                                     .price = price,
                                     .quantity = log_uniform(1e-5, 1e6),
                                     .buyer_is_maker = pick(2) == 0}
                               .frame());
      }
    }
    return frames;
  }

  std::string random_book(const std::string& symbol, std::int64_t id, std::int64_t at_ms,
                          double mid) {
    BookText book{.symbol = symbol, .id = id, .at_ms = at_ms, .bids = {}, .asks = {}};
    for (int level = 1; level <= 5; ++level) {
      book.bids.push_back({mid * (1 - 0.0001 * level), log_uniform(0.01, 10)});
      book.asks.push_back({mid * (1 + 0.0001 * level), log_uniform(0.01, 10)});
    }
    return book.frame();
  }

  EngineParameters random_parameters() {
    EngineParameters parameters;
    parameters.gate.price_band_percent = 0;
    SymbolParameters& defaults = parameters.defaults;
    defaults.orderbook_skew.min_spread_percent = 0;
    defaults.trade_momentum.window = static_cast<int>(between(2, 60));
    defaults.trade_momentum.max_gap = std::chrono::seconds(pick(3) == 0 ? 0 : between(1, 60));
    defaults.trade_momentum.buy_threshold = uniform(0.1, 0.7);
    defaults.trade_momentum.sell_threshold = -defaults.trade_momentum.buy_threshold;
    defaults.ticker_velocity.time_window = std::chrono::seconds(between(1, 60));
    defaults.ticker_velocity.min_price_change = 0;
    return parameters;
  }
};

TEST_F(MemoryProperty, AnEngineStartedInTheMiddleSaysTheSameOnceItIsWarm) {
  std::size_t agreed = 0;
  std::size_t kept_silent = 0;
  for (int round = 0; round < 60; ++round) {
    const std::vector<std::string> feed = random_feed(2'000);
    const EngineParameters parameters = random_parameters();
    Engine old(parameters);
    Engine young(parameters);
    std::map<std::pair<StrategyId, std::size_t>, bool> warm;
    std::map<std::size_t, std::size_t> old_number;  // of the symbol that the young one numbers so
    const std::size_t start = pick(feed.size() / 2);
    for (std::size_t i = 0; i < feed.size(); ++i) {
      const auto of_old = say(old, feed[i]);
      if (i < start) continue;
      auto of_young = say(young, feed[i]);
      ASSERT_EQ(of_old.has_value(), of_young.has_value()) << feed[i];
      if (!of_old) continue;
      const std::size_t number = of_young->symbol;
      of_young->symbol = old_number.try_emplace(number, of_old->symbol).first->second;
      bool& is_warm = warm[{of_young->strategy, number}];
      is_warm = is_warm || of_young->is_verdict();
      if (is_warm) {
        ASSERT_TRUE(same(*of_old, *of_young))
            << "event " << i << " of round " << round << ": " << feed[i];
        ++agreed;
      } else {
        ASSERT_FALSE(of_young->signal) << feed[i];
        ++kept_silent;
      }
    }
  }
  EXPECT_GT(agreed, 20'000U);
  EXPECT_GT(kept_silent, 1'000U);
}

// The longest window, summed up for as long as one likes, is the sum of what is in it.
TEST_F(MemoryProperty, TheSumsOfAWindowNeverDrift) {
  constexpr std::size_t kMost = 50;
  TradeWindow rolled;
  std::vector<Trade> trades;
  for (int i = 0; i < 20'000; ++i) {
    trades.push_back(
        {*Price::from(log_uniform(1e-9, 9e14)), *Quantity::from(log_uniform(1e-9, 9e14)), false});
    rolled.append(trades.back(), UnixMs{}, kMost);
  }
  TradeWindow fresh;
  for (std::size_t i = trades.size() - kMost; i < trades.size(); ++i) {
    fresh.append(trades[i], UnixMs{}, kMost);
  }
  EXPECT_EQ(rolled.mean_price(), fresh.mean_price());
  EXPECT_EQ(rolled.mean_quantity(), fresh.mean_quantity());
}

// A book and its mirror, thresholds that are each other's inverse: as sure of the one as of the
// other.
TEST_F(MemoryProperty, MirroredBooksAreEquallySure) {
  std::size_t signals = 0;
  for (int round = 0; round < 20'000; ++round) {
    OrderbookSkew parameters;
    parameters.min_spread_percent = 0;
    parameters.buy_threshold = std::ldexp(1.0, static_cast<int>(between(0, 2)));
    parameters.sell_threshold = 1 / parameters.buy_threshold;
    const OrderbookSkew skew(parameters);
    std::vector<Level> bids;
    std::vector<Level> asks;
    std::vector<Level> mirrored_bids;
    std::vector<Level> mirrored_asks;
    for (int level = 0; level < 5; ++level) {
      const Quantity bid = *Quantity::from(log_uniform(0.1, 10));
      const Quantity ask = *Quantity::from(log_uniform(0.1, 10));
      const Price below = *Price::from(100 - level);
      const Price above = *Price::from(101 + level);
      bids.push_back({below, bid});
      asks.push_back({above, ask});
      mirrored_bids.push_back({below, ask});
      mirrored_asks.push_back({above, bid});
    }
    const Verdict verdict = skew({bids, asks});
    const Verdict mirrored = skew({mirrored_bids, mirrored_asks});
    ASSERT_EQ(verdict.signal.has_value(), mirrored.signal.has_value());
    if (!verdict.signal) continue;
    ++signals;
    ASSERT_NE(verdict.signal->side, mirrored.signal->side);
    ASSERT_EQ(verdict.signal->confidence, mirrored.signal->confidence);
  }
  EXPECT_GT(signals, 1'000U);
}

}  // namespace
}  // namespace rts
