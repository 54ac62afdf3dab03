// What holds of the three strategies for any market: mirrored markets give mirrored signals, the
// scale of prices and quantities does not matter, stricter thresholds never add a signal, and no
// number is ever not one.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <rts/strategy/orderbook_skew.hpp>
#include <rts/strategy/ticker_velocity.hpp>
#include <rts/strategy/trade_momentum.hpp>

#include "property/property.hpp"

namespace rts {
namespace {

constexpr int kRounds = 20'000;

Price price(double value) { return *Price::from(value); }
Quantity quantity(double value) { return *Quantity::from(value); }

std::optional<Side> side_of(const Verdict& verdict) {
  return verdict.signal ? std::optional(verdict.signal->side) : std::nullopt;
}
std::optional<Side> flipped(std::optional<Side> side) {
  if (!side) return std::nullopt;
  return *side == Side::buy ? Side::sell : Side::buy;
}

struct Sides {
  std::vector<Level> bids, asks;
  [[nodiscard]] Book book() const { return {bids, asks}; }
};

// Whole prices around a whole mid, so that mirroring and scaling by powers of two is exact.
class SkewProperty : public test::Property {
 protected:
  Sides random_sides() {
    Sides sides;
    for (std::vector<Level>* side : {&sides.bids, &sides.asks}) {
      const double direction = side == &sides.bids ? -1 : 1;
      double away = 0;
      for (std::uint64_t i = 0, n = 1 + pick(20); i < n; ++i) {
        away += static_cast<double>(1 + pick(5));
        side->push_back(
            {price(kMid + direction * away), quantity(static_cast<double>(1 + pick(1000)) / 64)});
      }
    }
    return sides;
  }

  OrderbookSkew random_parameters() {
    OrderbookSkew parameters;
    parameters.top_levels = static_cast<int>(between(1, 20));
    parameters.buy_threshold = uniform(1, 3);
    parameters.sell_threshold = 1 / parameters.buy_threshold;
    parameters.min_spread_percent = 0;
    return parameters;
  }

  static constexpr double kMid = 4096;
};

Sides changed(const Sides& sides, double price_factor, double quantity_factor) {
  Sides result;
  for (const Level& level : sides.bids) {
    result.bids.push_back({price(level.price.value() * price_factor),
                           quantity(level.quantity.value() * quantity_factor)});
  }
  for (const Level& level : sides.asks) {
    result.asks.push_back({price(level.price.value() * price_factor),
                           quantity(level.quantity.value() * quantity_factor)});
  }
  return result;
}

Sides mirrored(const Sides& sides, double mid) {
  Sides result;
  for (const Level& level : sides.asks) {
    result.bids.push_back({price(2 * mid - level.price.value()), level.quantity});
  }
  for (const Level& level : sides.bids) {
    result.asks.push_back({price(2 * mid - level.price.value()), level.quantity});
  }
  return result;
}

// Bids and asks change places around the mid, and the thresholds are reciprocal: the ratio becomes
// its reciprocal, the side flips, the price is the mirrored price, and both are equally sure, but
// for the rounding of 1/sell_threshold. (The spread is in percent of the bid: it has no mirror
// image.)
TEST_F(SkewProperty, AMirroredBookGivesTheMirroredSignal) {
  for (int round = 0; round < kRounds; ++round) {
    const Sides sides = random_sides();
    const OrderbookSkew parameters = random_parameters();
    const OrderbookSkew skew(parameters);
    const Verdict verdict = skew(sides.book());
    const Sides mirror = mirrored(sides, kMid);
    const Verdict image = skew(mirror.book());
    const double ratio = verdict.indicators[2].value();
    const double edge = parameters.buy_threshold;
    if (std::abs(ratio / edge - 1) < 1e-12 || std::abs(ratio * edge - 1) < 1e-12) continue;
    ASSERT_EQ(side_of(image), flipped(side_of(verdict))) << "ratio " << ratio;
    ASSERT_NEAR(image.indicators[2].value() * ratio, 1, 1e-12);
    ASSERT_EQ(image.indicators[0], verdict.indicators[1]);
    if (!verdict.signal) continue;
    ASSERT_EQ(image.signal->price.value(), 2 * kMid - verdict.signal->price.value());
    ASSERT_EQ(image.signal->current_price.value(),
              2 * kMid - verdict.signal->current_price.value());
    ASSERT_NEAR(image.signal->confidence.value(), verdict.signal->confidence.value(), 1e-15);
  }
}

TEST_F(SkewProperty, TheScaleOfQuantitiesAndPricesDoesNotMatter) {
  for (int round = 0; round < kRounds; ++round) {
    const Sides sides = random_sides();
    OrderbookSkew parameters = random_parameters();
    parameters.min_spread_percent = uniform(0, 0.1);
    const OrderbookSkew skew(parameters);
    const double price_factor = std::ldexp(1, static_cast<int>(between(-30, 30)));
    const double quantity_factor = std::ldexp(1, static_cast<int>(between(-30, 30)));
    const Verdict verdict = skew(sides.book());
    const Sides other = changed(sides, price_factor, quantity_factor);
    const Verdict scaled = skew(other.book());
    ASSERT_EQ(scaled.outcome, verdict.outcome);
    ASSERT_EQ(side_of(scaled), side_of(verdict));
    ASSERT_EQ(scaled.indicators[2], verdict.indicators[2]);
    ASSERT_EQ(scaled.indicators[3], verdict.indicators[3]);
    ASSERT_EQ(scaled.indicators[0].value(), verdict.indicators[0].value() * quantity_factor);
    if (!verdict.signal) continue;
    ASSERT_EQ(scaled.signal->confidence, verdict.signal->confidence);
    ASSERT_EQ(scaled.signal->price.value(), verdict.signal->price.value() * price_factor);
  }
}

TEST_F(SkewProperty, StricterThresholdsNeverAddASignal) {
  for (int round = 0; round < kRounds; ++round) {
    const Sides sides = random_sides();
    const OrderbookSkew loose = random_parameters();
    OrderbookSkew strict = loose;
    strict.buy_threshold += uniform(0, 1);
    strict.sell_threshold *= uniform(0.5, 1);
    strict.min_spread_percent += uniform(0, 0.2);
    strict.max_spread_percent = uniform(0.2, 0.5);
    const auto with_loose = side_of(loose(sides.book()));
    const auto with_strict = side_of(strict(sides.book()));
    if (with_strict) {
      ASSERT_EQ(with_strict, with_loose);
    }
  }
}

TEST_F(SkewProperty, NoNumberIsEverNone) {
  for (int round = 0; round < kRounds; ++round) {
    Sides sides;
    const double bid = extreme_market_number();
    const double ask = std::nextafter(bid, std::numeric_limits<double>::infinity());
    if (!Price::from(ask)) continue;
    for (int i = 0; i < 3; ++i) {
      sides.bids.push_back({price(bid), quantity(extreme_market_number())});
      sides.asks.push_back({price(pick(2) == 0 ? ask : std::max(ask, extreme_market_number())),
                            quantity(extreme_market_number())});
    }
    const Verdict verdict = random_parameters()(sides.book());
    for (const Indicator& number : verdict.indicators) ASSERT_TRUE(std::isfinite(number.value()));
    if (!verdict.signal) continue;
    ASSERT_TRUE(std::isfinite(verdict.signal->current_price.value()));
    ASSERT_GE(verdict.signal->confidence.value(), 0.6);
    ASSERT_LE(verdict.signal->confidence.value(), 0.95);
  }
}

class MomentumProperty : public test::Property {
 protected:
  // Prices in 64ths, so that distances from the mean are exact.
  double random_price() { return static_cast<double>(between(64 * 90, 64 * 110)) / 64; }
  double random_quantity() { return static_cast<double>(between(1, 1000)) / 64; }
  Trade random_trade() {
    return {price(random_price()), quantity(random_quantity()), pick(2) == 0};
  }
  // A full window of trades alike: its means are theirs, exactly.
  static TradeWindow window_of(const TradeMomentum& parameters, double mean_price,
                               double mean_quantity) {
    TradeWindow window;
    for (int i = 0; i < parameters.window; ++i) {
      window.append({price(mean_price), quantity(mean_quantity), false}, kNow,
                    static_cast<std::size_t>(parameters.window));
    }
    return window;
  }

  TradeMomentum random_parameters() {
    TradeMomentum parameters;
    parameters.window = static_cast<int>(between(2, 5));
    parameters.price_weight = uniform(0, 1);
    parameters.quantity_weight = uniform(0, 1 - parameters.price_weight);
    parameters.maker_weight = 1 - parameters.price_weight - parameters.quantity_weight;
    parameters.buy_threshold = uniform(0, 1);
    parameters.sell_threshold = -parameters.buy_threshold;
    parameters.price_scale_percent = log_uniform(0.01, 20);
    parameters.quantity_multiple = log_uniform(0.5, 20);
    return parameters;
  }

  static constexpr UnixMs kNow{std::chrono::hours(24)};
};

// The other side is the aggressor and the price lies as far on the other side of the mean: with
// thresholds ±x every score changes its sign, and confidence stays.
TEST_F(MomentumProperty, AMirroredTradeGivesTheMirroredSignal) {
  for (int round = 0; round < kRounds; ++round) {
    const TradeMomentum parameters = random_parameters();
    const TradeWindow window = window_of(parameters, random_price(), random_quantity());
    const Trade trade = random_trade();
    const Trade mirror{price(2 * window.mean_price() - trade.price.value()), trade.quantity,
                       !trade.buyer_is_maker};
    const TradeMomentum momentum(parameters);
    const Verdict verdict = momentum(trade, kNow, window);
    const Verdict image = momentum(mirror, kNow, window);
    ASSERT_EQ(side_of(image), flipped(side_of(verdict)));
    ASSERT_EQ(image.outcome, verdict.outcome);
    for (std::size_t i = 0; i < 4; ++i) {
      ASSERT_EQ(image.indicators[i].value(), -verdict.indicators[i].value());
    }
    if (verdict.signal) {
      ASSERT_EQ(image.signal->confidence, verdict.signal->confidence);
    }
  }
}

// As long as the scaled numbers are whole multiples of 10^-12: 64ths are, down to 2^-12.
TEST_F(MomentumProperty, TheScaleOfQuantitiesAndPricesDoesNotMatter) {
  for (int round = 0; round < kRounds; ++round) {
    const double p = std::ldexp(1, static_cast<int>(between(-6, 30)));
    const double q = std::ldexp(1, static_cast<int>(between(-6, 30)));
    TradeMomentum parameters = random_parameters();
    const double mean_price = random_price();
    const double mean_quantity = random_quantity();
    const Trade trade = random_trade();
    TradeWindow window = window_of(parameters, mean_price, mean_quantity);
    const TradeMomentum momentum(parameters);
    parameters.min_quantity *= q;
    const TradeMomentum momentum_scaled(parameters);
    TradeWindow window_scaled = window_of(parameters, mean_price * p, mean_quantity * q);
    const Trade trade_scaled{price(trade.price.value() * p), quantity(trade.quantity.value() * q),
                             trade.buyer_is_maker};
    const Verdict verdict = momentum(trade, kNow, window);
    const Verdict scaled = momentum_scaled(trade_scaled, kNow, window_scaled);
    ASSERT_EQ(side_of(scaled), side_of(verdict));
    ASSERT_EQ(scaled.indicators, verdict.indicators);
    momentum.remember(trade, kNow, window);
    momentum_scaled.remember(trade_scaled, kNow, window_scaled);
    ASSERT_EQ(window_scaled.mean_price(), window.mean_price() * p);
    ASSERT_EQ(window_scaled.mean_quantity(), window.mean_quantity() * q);
  }
}

TEST_F(MomentumProperty, StricterThresholdsNeverAddASignal) {
  for (int round = 0; round < kRounds; ++round) {
    const TradeMomentum loose = random_parameters();
    const TradeWindow window = window_of(loose, random_price(), random_quantity());
    const Trade trade = random_trade();
    TradeMomentum strict = loose;
    strict.buy_threshold += uniform(0, 0.5);
    strict.sell_threshold -= uniform(0, 0.5);
    strict.min_quantity += uniform(0, 5);
    const auto with_strict = side_of(strict(trade, kNow, window));
    if (with_strict) {
      ASSERT_EQ(with_strict, side_of(loose(trade, kNow, window)));
    }
  }
}

TEST_F(MomentumProperty, NoNumberIsEverNoneAndTheMeansAreWithinTheirTrades) {
  for (int round = 0; round < kRounds / 100; ++round) {
    TradeMomentum parameters = random_parameters();
    parameters.min_quantity = 0;
    const TradeMomentum momentum(parameters);
    TradeWindow window;
    std::vector<double> prices;
    for (int i = 0; i < 100; ++i) {
      const Trade trade{price(extreme_market_number()), quantity(extreme_market_number()),
                        pick(2) == 0};
      const Verdict verdict = momentum(trade, kNow, window);
      for (const Indicator& number : verdict.indicators) {
        ASSERT_TRUE(std::abs(number.value()) <= 1 + 1e-12) << number.value();
      }
      if (verdict.signal) {
        ASSERT_GE(verdict.signal->confidence.value(), 0.65);
        ASSERT_LE(verdict.signal->confidence.value(), 0.95);
      }
      momentum.remember(trade, kNow, window);
      prices.push_back(trade.price.value());
      const auto last = prices.end() - static_cast<std::ptrdiff_t>(window.size());
      const auto [least, most] = std::minmax_element(last, prices.end());
      ASSERT_GE(window.mean_price(), *least * (1 - 1e-15) - 1e-12);
      ASSERT_LE(window.mean_price(), *most * (1 + 1e-15) + 1e-12);
      ASSERT_GE(window.mean_quantity(), 0);
      ASSERT_LE(window.mean_quantity(), kMarketNumbersBelow);
    }
  }
}

class VelocityProperty : public test::Property {
 protected:
  static constexpr std::chrono::seconds kWindow{10};

  // A window over two prices, ten seconds apart.
  static Verdict verdict_of(const TickerVelocity& parameters, double before, double after) {
    TickerWindow window;
    const UnixMs begin{std::chrono::hours(24)};
    window.append({begin, price(before)}, kWindow);
    const PriceSample latest{begin + kWindow, price(after)};
    window.append(latest, kWindow);
    return parameters(latest, window);
  }
  double random_price() { return static_cast<double>(between(64 * 90, 64 * 110)) / 64; }

  TickerVelocity random_parameters() {
    TickerVelocity parameters;
    parameters.time_window = kWindow;
    parameters.buy_threshold = uniform(0, 60);
    parameters.sell_threshold = -parameters.buy_threshold;
    parameters.min_price_change = uniform(0, 10);
    return parameters;
  }
};

TEST_F(VelocityProperty, AMirroredMoveGivesTheMirroredSignal) {
  for (int round = 0; round < kRounds; ++round) {
    const double before = random_price();
    const double after = random_price();
    const TickerVelocity parameters = random_parameters();
    const Verdict verdict = verdict_of(parameters, before, after);
    const Verdict image = verdict_of(parameters, before, 2 * before - after);
    ASSERT_EQ(side_of(image), flipped(side_of(verdict)));
    ASSERT_EQ(image.outcome, verdict.outcome);
    ASSERT_EQ(image.indicators[0].value(), -verdict.indicators[0].value());
    ASSERT_EQ(image.indicators[1].value(), -verdict.indicators[1].value());
    ASSERT_EQ(image.indicators[2], verdict.indicators[2]);
    if (verdict.signal) {
      ASSERT_EQ(image.signal->confidence, verdict.signal->confidence);
    }
  }
}

TEST_F(VelocityProperty, TheScaleOfPricesDoesNotMatter) {
  for (int round = 0; round < kRounds; ++round) {
    const double factor = std::ldexp(1, static_cast<int>(between(-30, 30)));
    const double before = random_price();
    const double after = random_price();
    const TickerVelocity parameters = random_parameters();
    const Verdict verdict = verdict_of(parameters, before, after);
    const Verdict scaled = verdict_of(parameters, before * factor, after * factor);
    ASSERT_EQ(scaled.outcome, verdict.outcome);
    ASSERT_EQ(side_of(scaled), side_of(verdict));
    ASSERT_EQ(scaled.indicators, verdict.indicators);
  }
}

TEST_F(VelocityProperty, StricterThresholdsNeverAddASignal) {
  for (int round = 0; round < kRounds; ++round) {
    const double before = random_price();
    const double after = random_price();
    const TickerVelocity loose = random_parameters();
    TickerVelocity strict = loose;
    strict.buy_threshold += uniform(0, 20);
    strict.sell_threshold -= uniform(0, 20);
    strict.min_price_change += uniform(0, 5);
    const auto with_strict = side_of(verdict_of(strict, before, after));
    if (with_strict) {
      ASSERT_EQ(with_strict, side_of(verdict_of(loose, before, after)));
    }
  }
}

TEST_F(VelocityProperty, NoNumberIsEverNone) {
  for (int round = 0; round < kRounds; ++round) {
    const Verdict verdict =
        verdict_of(random_parameters(), extreme_market_number(), extreme_market_number());
    for (const Indicator& number : verdict.indicators) ASSERT_TRUE(std::isfinite(number.value()));
    if (!verdict.signal) continue;
    ASSERT_GE(verdict.signal->confidence.value(), 0.6);
    ASSERT_LE(verdict.signal->confidence.value(), 0.95);
  }
}

// The window holds no sample older than its length and never more than its bound, whatever comes.
TEST_F(VelocityProperty, TheWindowIsBoundedAndHoldsNothingOld) {
  TickerWindow window;
  UnixMs at{std::chrono::hours(24)};
  for (int i = 0; i < 200'000; ++i) {
    at += std::chrono::milliseconds(pick(100) == 0 ? pick(20'000) : pick(2));
    window.append({at, price(1 + uniform(0, 1))}, kWindow);
    ASSERT_GE(window.size(), 1U);
    ASSERT_LE(window.size(), TickerWindow::kMaxSamples);
    ASSERT_LE(at - window.oldest().at, kWindow);
  }
}

}  // namespace
}  // namespace rts
