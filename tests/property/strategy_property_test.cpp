// What holds of the three strategies for any market: mirrored markets give mirrored signals, the
// scale of prices and quantities does not matter, stricter thresholds never add a signal, and no
// number is ever not one.
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

Price price(double value) {
  return *Price::from(value);
}
Quantity quantity(double value) {
  return *Quantity::from(value);
}

std::optional<Side> side_of(const Verdict& verdict) {
  return verdict.signal ? std::optional(verdict.signal->side) : std::nullopt;
}
std::optional<Side> flipped(std::optional<Side> side) {
  if (!side) return std::nullopt;
  return *side == Side::buy ? Side::sell : Side::buy;
}

struct Sides {
  BookSide bids, asks;
  [[nodiscard]] Book book() const { return {bids, asks}; }
};

// Whole prices around a whole mid, so that mirroring and scaling by powers of two is exact.
class SkewProperty : public test::Property {
 protected:
  Sides random_sides() {
    Sides sides;
    for (BookSide* side : {&sides.bids, &sides.asks}) {
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

  OrderbookSkewParameters random_parameters() {
    OrderbookSkewParameters parameters;
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
  for (const Level& level : sides.bids.levels()) {
    result.bids.push_back({price(level.price.value() * price_factor),
                           quantity(level.quantity.value() * quantity_factor)});
  }
  for (const Level& level : sides.asks.levels()) {
    result.asks.push_back({price(level.price.value() * price_factor),
                           quantity(level.quantity.value() * quantity_factor)});
  }
  return result;
}

Sides mirrored(const Sides& sides, double mid) {
  Sides result;
  for (const Level& level : sides.asks.levels()) {
    result.bids.push_back({price(2 * mid - level.price.value()), level.quantity});
  }
  for (const Level& level : sides.bids.levels()) {
    result.asks.push_back({price(2 * mid - level.price.value()), level.quantity});
  }
  return result;
}

// Bids and asks change places around the mid, and the thresholds are reciprocal: the ratio becomes
// its reciprocal, the side flips, and the price is the mirrored price. (The spread is in percent of
// the bid and the confidence in distance of the ratio: those two have no mirror image.)
TEST_F(SkewProperty, AMirroredBookGivesTheMirroredSignal) {
  for (int round = 0; round < kRounds; ++round) {
    const Sides sides = random_sides();
    const OrderbookSkewParameters parameters = random_parameters();
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
  }
}

TEST_F(SkewProperty, TheScaleOfQuantitiesAndPricesDoesNotMatter) {
  for (int round = 0; round < kRounds; ++round) {
    const Sides sides = random_sides();
    OrderbookSkewParameters parameters = random_parameters();
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
    const OrderbookSkewParameters loose = random_parameters();
    OrderbookSkewParameters strict = loose;
    strict.buy_threshold += uniform(0, 1);
    strict.sell_threshold *= uniform(0.5, 1);
    strict.min_spread_percent += uniform(0, 0.2);
    strict.max_spread_percent = uniform(0.2, 0.5);
    const auto with_loose = side_of(OrderbookSkew(loose)(sides.book()));
    const auto with_strict = side_of(OrderbookSkew(strict)(sides.book()));
    if (with_strict) {
      ASSERT_EQ(with_strict, with_loose);
    }
  }
}

TEST_F(SkewProperty, NoNumberIsEverNone) {
  for (int round = 0; round < kRounds; ++round) {
    Sides sides;
    const double bid = extreme_positive();
    const double ask = std::nextafter(bid, std::numeric_limits<double>::infinity());
    if (!std::isfinite(ask)) continue;
    for (int i = 0; i < 3; ++i) {
      sides.bids.push_back({price(bid), quantity(extreme_positive())});
      sides.asks.push_back({price(pick(2) == 0 ? ask : std::max(ask, extreme_positive())),
                            quantity(extreme_positive())});
    }
    const Verdict verdict = OrderbookSkew(random_parameters())(sides.book());
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
  MomentumContext random_context() { return {random_price(), random_quantity(), 1'000'000}; }

  TradeMomentumParameters random_parameters() {
    TradeMomentumParameters parameters;
    parameters.price_weight = uniform(0, 1);
    parameters.quantity_weight = uniform(0, 1 - parameters.price_weight);
    parameters.maker_weight = 1 - parameters.price_weight - parameters.quantity_weight;
    parameters.buy_threshold = uniform(0, 1);
    parameters.sell_threshold = -parameters.buy_threshold;
    parameters.price_scale_percent = log_uniform(0.01, 20);
    parameters.quantity_multiple = log_uniform(0.5, 20);
    return parameters;
  }
};

// The other side is the aggressor and the price lies as far on the other side of the mean: with
// thresholds ±x every score changes its sign, and confidence stays.
TEST_F(MomentumProperty, AMirroredTradeGivesTheMirroredSignal) {
  for (int round = 0; round < kRounds; ++round) {
    const MomentumContext context = random_context();
    const Trade trade = random_trade();
    const Trade mirror{price(2 * context.mean_price - trade.price.value()), trade.quantity,
                       !trade.buyer_is_maker};
    const TradeMomentum momentum(random_parameters());
    const Verdict verdict = momentum(trade, context);
    const Verdict image = momentum(mirror, context);
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

TEST_F(MomentumProperty, TheScaleOfQuantitiesAndPricesDoesNotMatter) {
  for (int round = 0; round < kRounds; ++round) {
    const double p = std::ldexp(1, static_cast<int>(between(-30, 30)));
    const double q = std::ldexp(1, static_cast<int>(between(-30, 30)));
    const MomentumContext context = random_context();
    const Trade trade = random_trade();
    TradeMomentumParameters parameters = random_parameters();
    const TradeMomentum momentum(parameters);
    parameters.min_quantity *= q;
    const TradeMomentum momentum_scaled(parameters);
    const MomentumContext context_scaled{context.mean_price * p, context.mean_quantity * q,
                                         context.count};
    const Trade trade_scaled{price(trade.price.value() * p), quantity(trade.quantity.value() * q),
                             trade.buyer_is_maker};
    const Verdict verdict = momentum(trade, context);
    const Verdict scaled = momentum_scaled(trade_scaled, context_scaled);
    ASSERT_EQ(side_of(scaled), side_of(verdict));
    ASSERT_EQ(scaled.indicators, verdict.indicators);
    const MomentumContext after = momentum.updated(context, trade);
    const MomentumContext after_scaled = momentum_scaled.updated(context_scaled, trade_scaled);
    ASSERT_EQ(after_scaled.mean_price, after.mean_price * p);
    ASSERT_EQ(after_scaled.mean_quantity, after.mean_quantity * q);
  }
}

TEST_F(MomentumProperty, StricterThresholdsNeverAddASignal) {
  for (int round = 0; round < kRounds; ++round) {
    const MomentumContext context = random_context();
    const Trade trade = random_trade();
    const TradeMomentumParameters loose = random_parameters();
    TradeMomentumParameters strict = loose;
    strict.buy_threshold += uniform(0, 0.5);
    strict.sell_threshold -= uniform(0, 0.5);
    strict.min_quantity += uniform(0, 5);
    const auto with_strict = side_of(TradeMomentum(strict)(trade, context));
    if (with_strict) {
      ASSERT_EQ(with_strict, side_of(TradeMomentum(loose)(trade, context)));
    }
  }
}

TEST_F(MomentumProperty, NoNumberIsEverNoneAndTheMeansStayPositive) {
  for (int round = 0; round < kRounds / 100; ++round) {
    TradeMomentumParameters parameters = random_parameters();
    parameters.window = static_cast<int>(between(2, 5));
    parameters.min_quantity = 0;
    const TradeMomentum momentum(parameters);
    MomentumContext context;
    for (int i = 0; i < 100; ++i) {
      const Trade trade{price(extreme_positive()), quantity(extreme_positive()), pick(2) == 0};
      const Verdict verdict = momentum(trade, context);
      for (const Indicator& number : verdict.indicators) {
        ASSERT_TRUE(std::abs(number.value()) <= 1 + 1e-12) << number.value();
      }
      if (verdict.signal) {
        ASSERT_GE(verdict.signal->confidence.value(), 0.65);
        ASSERT_LE(verdict.signal->confidence.value(), 0.95);
      }
      context = momentum.updated(context, trade);
      ASSERT_TRUE(std::isfinite(context.mean_price) && context.mean_price > 0);
      ASSERT_TRUE(std::isfinite(context.mean_quantity) && context.mean_quantity > 0);
    }
  }
}

class VelocityProperty : public test::Property {
 protected:
  static constexpr std::chrono::seconds kWindow{10};

  // A window over two prices, ten seconds apart.
  static Verdict verdict_of(const TickerVelocityParameters& parameters, double before,
                            double after) {
    TickerWindow window;
    const UnixMs begin{std::chrono::hours(24)};
    window.append({begin, price(before)}, kWindow);
    const PriceSample latest{begin + kWindow, price(after)};
    window.append(latest, kWindow);
    return TickerVelocity(parameters)(latest, window);
  }
  double random_price() { return static_cast<double>(between(64 * 90, 64 * 110)) / 64; }

  TickerVelocityParameters random_parameters() {
    TickerVelocityParameters parameters;
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
    const TickerVelocityParameters parameters = random_parameters();
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
    const TickerVelocityParameters parameters = random_parameters();
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
    const TickerVelocityParameters loose = random_parameters();
    TickerVelocityParameters strict = loose;
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
    const Verdict verdict = verdict_of(random_parameters(), extreme_positive(), extreme_positive());
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
