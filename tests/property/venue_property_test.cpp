// No order that the gate lets pass is one that the venue's own filters would refuse: whole steps of
// quantity and ticks of price, within its limits, worth what it asks for. Checked in whole numbers,
// as the venue does, over random instruments and prices.
#include <string>

#include <rts/trading/gate.hpp>

#include "property/property.hpp"

namespace rts {
namespace {

__extension__ using Wide = __int128;

constexpr int kPlaces = 9;  // of every decimal here
constexpr Wide kOne = 1'000'000'000;

Wide power_of_ten(int exponent) {
  Wide power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// A decimal in units of 10^-9.
Wide units(const std::string& text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits = text.substr(0, point);
  std::string fraction = point < text.size() ? text.substr(point + 1) : "";
  fraction.resize(kPlaces, '0');
  return static_cast<Wide>(std::stoll(digits)) * kOne + std::stoll(fraction);
}

std::string decimal_text(Wide in_units) {
  std::string fraction = std::to_string(static_cast<long long>(in_units % kOne));
  fraction.insert(0, kPlaces - fraction.size(), '0');
  return std::to_string(static_cast<long long>(in_units / kOne)) + "." + fraction;
}

// What exchangeInfo says of an instrument, in units of 10^-9.
struct Filters {
  Wide step, min_quantity, max_quantity, tick, min_notional, max_notional;
};

class VenueProperty : public test::Property {
 protected:
  // Coins from a thousandth of a cent to a hundred thousand, with the ticks and steps of such: a
  // price has 4 to 7 digits, a step is worth a cent to a hundred.
  void random_instrument() {
    const int magnitude = static_cast<int>(between(-4, 5));  // of the price
    const int tick_places = static_cast<int>(between(4, 7)) - magnitude - 1;
    tick_ = power_of_ten(kPlaces - std::min(std::max(tick_places, 0), 8));
    const Wide least =
        magnitude >= 0 ? kOne * power_of_ten(magnitude) : kOne / power_of_ten(-magnitude);
    price_ = least * between(1'000, 9'999) / 1'000 / tick_ * tick_;
    const int step_places = std::min(std::max(magnitude - static_cast<int>(between(-1, 2)), 0), 5);
    filters_.step = power_of_ten(kPlaces - step_places) * (pick(8) == 0 ? 5 : 1);
    filters_.min_quantity = filters_.step * between(1, pick(4) == 0 ? 100 : 2);
    filters_.max_quantity = filters_.step * between(1'000, 100'000'000);
    filters_.tick = tick_;
    static constexpr std::int64_t kMinimums[] = {0, 1, 5, 10, 20, 100};
    filters_.min_notional = kOne * kMinimums[pick(std::size(kMinimums))];
    filters_.max_notional = pick(3) == 0 ? kOne * between(150, 2'000) : 0;
  }

  OrderTerms random_terms() {
    OrderTerms terms;
    terms.min_confidence = 0;
    terms.cooldown = std::chrono::seconds(0);
    const double minimum = log_uniform(1, 200);
    terms.size = {*Notional::from(log_uniform(0.5, 3'000)), *Notional::from(minimum),
                  *Notional::from(minimum * uniform(1, 20))};
    terms.stop_loss_percent = log_uniform(0.01, 50);
    terms.take_profit_percent = log_uniform(0.01, 99);
    terms.instrument = {*Decimal::parse(decimal_text(filters_.step)),
                        *Decimal::parse(decimal_text(filters_.min_quantity)),
                        *Decimal::parse(decimal_text(filters_.max_quantity)),
                        static_cast<double>(filters_.min_notional / kOne),
                        static_cast<double>(filters_.max_notional / kOne),
                        *Decimal::parse(decimal_text(filters_.tick))};
    return terms;
  }

  // Of a double that stands for a decimal of nine places at most.
  static Wide exactly(Price price) {
    const auto in_units = static_cast<Wide>(std::llround(price.value() * 1e9));
    EXPECT_NEAR(static_cast<double>(in_units), price.value() * 1e9, 1e-3 + price.value() * 1e-6);
    return in_units;
  }

  void expect_taken(const Gate::Pass& pass) const {
    const Wide quantity = units(pass.quantity.to_string());
    const auto is_whole = [](Wide amount, Wide of) { return amount % of == 0; };
    ASSERT_TRUE(is_whole(quantity, filters_.step)) << describe(pass);
    ASSERT_TRUE(quantity >= filters_.min_quantity) << describe(pass);
    ASSERT_TRUE(quantity <= filters_.max_quantity) << describe(pass);
    ASSERT_TRUE(quantity * price_ >= filters_.min_notional * kOne) << describe(pass);
    ASSERT_TRUE(filters_.max_notional == 0 || quantity * price_ <= filters_.max_notional * kOne)
        << describe(pass);
    ASSERT_TRUE(pass.protection.has_value());
    for (const Price stop : {pass.protection->stop_loss, pass.protection->take_profit}) {
      ASSERT_TRUE(exactly(stop) > 0 && is_whole(exactly(stop), filters_.tick)) << describe(pass);
    }
  }

  [[nodiscard]] std::string describe(const Gate::Pass& pass) const {
    return pass.quantity.to_string() + " at " + decimal_text(price_) + " in steps of " +
           decimal_text(filters_.step) + ", ticks of " + decimal_text(filters_.tick);
  }

  Filters filters_{};
  Wide tick_ = 1;
  Wide price_ = 0;
};

TEST_F(VenueProperty, NoOrderIsOneThatTheVenuesFiltersRefuse) {
  int passed = 0;
  int refused = 0;
  for (int round = 0; round < 100'000; ++round) {
    random_instrument();
    if (price_ == 0) continue;
    const OrderTerms terms = random_terms();
    Gate gate({.price_band_percent = 0, .max_daily_signals = 0, .max_orders_per_minute = 0}, 1);
    const Price price = *Price::from(std::stod(decimal_text(price_)));
    const Side side = pick(2) == 0 ? Side::buy : Side::sell;
    const auto pass = gate.pass({StrategyId::trade_momentum,
                                 0,
                                 *Symbol::from("BTCUSDT"),
                                 terms,
                                 {side, price, price, *Confidence::from(0.9)},
                                 UnixMs{},
                                 {},
                                 {}});
    if (!pass) {
      ASSERT_EQ(pass.error().outcome, Outcome::size_limit);
      ++refused;
      continue;
    }
    ++passed;
    ASSERT_NO_FATAL_FAILURE(expect_taken(pass.value()));
    const Protection& stops = *pass.value().protection;
    const bool is_buy = side == Side::buy;
    ASSERT_LE((is_buy ? stops.stop_loss : stops.take_profit).value(), price.value());
    ASSERT_GE((is_buy ? stops.take_profit : stops.stop_loss).value(), price.value());
  }
  EXPECT_GT(passed, 30'000);
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace rts
