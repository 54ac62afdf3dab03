// What holds of the gate for any event times, and of sizes for any price: limits are never
// exceeded, and nothing is refused that SPEC §4 lets pass.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include <rts/trading/gate.hpp>
#include <rts/trading/terms.hpp>

#include "property/property.hpp"

namespace rts {
namespace {

using std::chrono::milliseconds;
using Key = std::tuple<StrategyId, std::size_t, Side>;

// SPEC §4 in as many words as it takes there, over the list of all orders so far.
class Model {
 public:
  explicit Model(const GateLimits& limits) : limits_(limits) {}

  Outcome judge(const Gate::Request& request) {
    const Key key{request.strategy, request.symbol_index, request.signal.side};
    if (request.signal.side == Side::sell && request.terms.sells == Sells::refused) {
      return Outcome::shorts_disabled;
    }
    if (request.signal.confidence.value() < request.terms.min_confidence)
      return Outcome::low_confidence;
    if (const auto off_band = judge_price(request)) return *off_band;
    const auto last = last_.find(key);
    if (request.terms.cooldown.count() > 0 && last != last_.end()) {
      const milliseconds cooldown = request.terms.cooldown;
      const auto bucket = [&](UnixMs at) {
        return at.time_since_epoch().count() / cooldown.count();
      };
      const bool later_bucket = bucket(request.at) > bucket(last->second);
      if (!later_bucket || request.at - last->second < cooldown) return Outcome::cooldown;
    }
    const auto day = std::max(utc_day(request.at), latest_day_[index_of(request.strategy)]);
    const auto minute = std::max(utc_minute(request.at), latest_minute_);
    auto& of_day = per_day_[{request.strategy, day}];
    auto& of_minute = per_minute_[minute];
    if (limits_.max_daily_signals > 0 && of_day >= limits_.max_daily_signals) {
      return Outcome::daily_limit;
    }
    if (limits_.max_orders_per_minute > 0 && of_minute >= limits_.max_orders_per_minute) {
      return Outcome::rate_limit;
    }
    last_[key] = request.at;
    latest_day_[index_of(request.strategy)] = day;
    latest_minute_ = minute;
    ++of_day;
    ++of_minute;
    return Outcome::signal_buy;
  }

 private:
  [[nodiscard]] std::optional<Outcome> judge_price(const Gate::Request& request) const {
    if (limits_.price_band_percent == 0) return std::nullopt;
    if (!request.reference || request.at - request.reference->at > std::chrono::minutes(1)) {
      return Outcome::no_reference;
    }
    const double price = request.reference->price.value();
    const double away = std::abs(request.signal.price.value() - price) / price * 100;
    return away > limits_.price_band_percent ? std::optional(Outcome::price_band) : std::nullopt;
  }

  GateLimits limits_;
  std::map<Key, UnixMs> last_;
  std::map<std::pair<StrategyId, std::int64_t>, std::int64_t> per_day_;
  std::map<std::int64_t, std::int64_t> per_minute_;
  std::array<std::int64_t, count_of<StrategyId>> latest_day_{};
  std::int64_t latest_minute_ = 0;
};

class GateProperty : public test::Property {
 protected:
  static constexpr std::size_t kSymbols = 3;
  static const Symbol& symbol(std::size_t index) {
    static const std::vector<Symbol> kNames{*Symbol::from("0USDT"), *Symbol::from("1USDT"),
                                            *Symbol::from("2USDT")};
    return kNames.at(index);
  }

  GateLimits random_limits() {
    GateLimits limits;
    limits.price_band_percent = static_cast<double>(pick(3)) * 5;
    limits.max_daily_signals = static_cast<std::int64_t>(pick(30));
    limits.max_orders_per_minute = static_cast<std::int64_t>(pick(5));
    return limits;
  }

  OrderTerms random_terms() {
    constexpr Sells kSells[] = {Sells::open_short, Sells::close_long, Sells::refused};
    return {.cooldown = std::chrono::seconds(pick(4) == 0 ? 0 : pick(2000)),
            .sells = kSells[pick(std::size(kSells))]};
  }

  Gate::Request random_request(const OrderTerms& terms, UnixMs at) {
    Signal signal;
    signal.side = pick(2) == 0 ? Side::buy : Side::sell;
    signal.price = *Price::from(100);
    signal.current_price = signal.price;
    signal.confidence = *Confidence::from(uniform(0.5, 0.95));
    std::optional<ReferencePrice> reference;
    if (pick(10) != 0) {
      const double price = static_cast<double>(between(88, 112));
      reference = {*Price::from(price), at - milliseconds(between(-1000, 61'000))};
    }
    const std::size_t index = pick(kSymbols);
    return {all_of<StrategyId>[pick(3)], index,    symbol(index), terms, signal, at,
            {'u', ++last_event_ },      reference};
  }

  // Orders as they are delivered, held against the limits one by one. Their times never run
  // backwards.
  struct Delivered {
    Delivered(const GateLimits& given, const OrderTerms& terms)
        : limits(given), cooldown(terms.cooldown) {}

    void expect_within_limits(const Gate::Request& request) {
      const UnixMs at = request.at;
      const Key key{request.strategy, request.symbol_index, request.signal.side};
      if (last.contains(key)) {
        ASSERT_GE(at - last[key], cooldown);
      }
      last[key] = at;
      const auto of_day = ++per_day[{request.strategy, utc_day(at)}];
      const auto of_minute = ++per_minute[utc_minute(at)];
      ASSERT_TRUE(limits.max_daily_signals == 0 || of_day <= limits.max_daily_signals);
      ASSERT_TRUE(limits.max_orders_per_minute == 0 || of_minute <= limits.max_orders_per_minute);
    }

    GateLimits limits;
    std::chrono::seconds cooldown;
    std::map<Key, UnixMs> last;
    std::map<std::pair<StrategyId, std::int64_t>, std::int64_t> per_day;
    std::map<std::int64_t, std::int64_t> per_minute;
  };

  // A log, the gates that hear it each as late as it likes, and how far each has heard.
  struct Replicas {
    Replicas(const GateLimits& limits, std::size_t count)
        : gates(count, Gate(limits, kSymbols)), heard(count) {}

    void hear(std::size_t replica, std::size_t up_to) {
      while (heard[replica] < up_to) {
        const CountedOrder& order = log[heard[replica]++];
        gates[replica].hear(order, index_of_symbol(order));
        if (heard[replica] % 3 == 0) gates[replica].hear(order, index_of_symbol(order));
      }
    }

    [[nodiscard]] bool has_stored(const Uuid& id) const {
      return std::any_of(log.begin(), log.end(),
                         [&](const CountedOrder& order) { return order.id == id; });
    }

    std::vector<Gate> gates;
    std::vector<std::size_t> heard;
    std::vector<CountedOrder> log;
  };

  static std::size_t index_of_symbol(const CountedOrder& order) {
    return static_cast<std::size_t>(order.symbol.text().front() - '0');
  }

  std::uint64_t last_event_ = 0;

  milliseconds random_wait(double most_ms) {
    return milliseconds(static_cast<std::int64_t>(log_uniform(1, most_ms)));
  }

  // A few days of events; now and then one is late.
  std::vector<UnixMs> random_times(int lateness_percent) {
    std::vector<UnixMs> times;
    UnixMs now{std::chrono::hours(24 * 365 * 54)};
    for (int i = 0; i < 2'000; ++i) {
      now += random_wait(1e6);
      const bool late = pick(100) < static_cast<std::uint64_t>(lateness_percent);
      times.push_back(late ? now - random_wait(1e8) : now);
    }
    return times;
  }
};

TEST_F(GateProperty, SaysWhatTheSpecificationSays) {
  for (int round = 0; round < 200; ++round) {
    const GateLimits limits = random_limits();
    const OrderTerms terms = random_terms();
    Gate gate(limits, kSymbols);
    Model model(limits);
    for (const UnixMs at : random_times(10)) {
      const Gate::Request request = random_request(terms, at);
      const auto passed = gate.pass(request);
      const Outcome outcome = passed ? Outcome::signal_buy : passed.error().outcome;
      ASSERT_EQ(to_string(outcome), to_string(model.judge(request)))
          << "cooldown " << terms.cooldown.count() << ", a day " << limits.max_daily_signals
          << ", a minute " << limits.max_orders_per_minute;
    }
  }
}

TEST_F(GateProperty, NeverLetsMoreThroughThanTheLimits) {
  for (int round = 0; round < 200; ++round) {
    const GateLimits limits = random_limits();
    const OrderTerms terms = random_terms();
    Gate gate(limits, kSymbols);
    Delivered delivered(limits, terms);
    for (const UnixMs at : random_times(0)) {
      const Gate::Request request = random_request(terms, at);
      if (!gate.pass(request)) continue;
      ASSERT_NO_FATAL_FAILURE(delivered.expect_within_limits(request));
    }
    ASSERT_FALSE(delivered.last.empty());
  }
}

// Each replica sees a part of the feed or all of it, and stores an order only when it has heard the
// whole log, as the stream's comparison of sequences sees to.
TEST_F(GateProperty, OneLogKeepsTheLimitsOverAllReplicasAndEndsTheSameForAll) {
  for (int round = 0; round < 200; ++round) {
    GateLimits limits = random_limits();
    limits.price_band_percent = 0;
    const OrderTerms terms = random_terms();
    Replicas cluster(limits, 1 + pick(4));
    Delivered delivered(limits, terms);
    for (const UnixMs at : random_times(0)) {
      const Gate::Request request = random_request(terms, at);
      for (std::size_t replica = 0; replica < cluster.gates.size(); ++replica) {
        if (pick(3) == 0) continue;
        cluster.hear(replica, cluster.heard[replica] +
                                  pick(cluster.log.size() - cluster.heard[replica] + 1));
        const bool knows_all = cluster.heard[replica] == cluster.log.size();
        // What is not stored would be taken back; here it is not even tried.
        if (!knows_all) continue;
        const auto passed = cluster.gates[replica].pass(request);
        if (!passed || cluster.has_stored(passed.value().id)) continue;
        cluster.log.push_back(
            {passed.value().id, request.strategy, request.signal.side, request.symbol, request.at});
        ASSERT_NO_FATAL_FAILURE(delivered.expect_within_limits(request));
      }
    }
    ASSERT_FALSE(cluster.log.empty());

    // One that starts now and has only the log says what each of them says.
    cluster.gates.emplace_back(limits, kSymbols);
    cluster.heard.push_back(0);
    for (std::size_t replica = 0; replica < cluster.gates.size(); ++replica) {
      cluster.hear(replica, cluster.log.size());
    }
    for (int i = 0; i < 200; ++i) {
      const UnixMs at = cluster.log.back().at + random_wait(1e6) - random_wait(1e6);
      const Gate::Request request = random_request(terms, at);
      const auto expected = Gate(cluster.gates.back()).pass(request);
      for (const Gate& gate : cluster.gates) {
        const auto said = Gate(gate).pass(request);
        // The order that is in the log already passes for whoever has not made it.
        if (expected && !said && cluster.has_stored(expected.value().id)) continue;
        ASSERT_EQ(said ? "pass" : to_string(said.error().outcome),
                  expected ? "pass" : to_string(expected.error().outcome));
      }
    }
  }
}

// 10^18 times a decimal text.
__extension__ using Wide = __int128;
Wide scaled(const std::string& text) {
  Wide value = 0;
  int places = -1;
  for (const char c : text) {
    if (c == '.') {
      places = 0;
      continue;
    }
    value = value * 10 + (c - '0');
    if (places >= 0) ++places;
  }
  for (int i = std::max(places, 0); i < 18; ++i) value *= 10;
  return value;
}

class SizeProperty : public test::Property {
 protected:
  struct Case {
    SizeLimits limits;
    std::string step;
    Price price;
  };

  static OrderTerms terms_of(const SizeLimits& limits, const std::string& step) {
    OrderTerms terms;
    terms.size = limits;
    terms.instrument.quantity_step = *Decimal::parse(step);
    return terms;
  }

  Case random_case() {
    constexpr const char* kSteps[] = {"1",     "0.1",        "0.01", "0.001", "0.00001",
                                      "0.005", "0.00000001", "10",   "1000",  "0.25"};
    const double minimum = log_uniform(1, 200);
    Case random;
    random.limits.minimum = *Notional::from(minimum);
    random.limits.maximum = *Notional::from(minimum * (pick(5) == 0 ? 1 : uniform(1, 20)));
    random.limits.order = *Notional::from(log_uniform(0.1, 5000));
    random.step = kSteps[pick(std::size(kSteps))];
    random.price = *Price::from(log_uniform(1e-6, 1e5));
    return random;
  }
};

TEST_F(SizeProperty, IsWithinTheLimitsAndAWholeNumberOfSteps) {
  int sized = 0;
  for (int round = 0; round < 50'000; ++round) {
    const auto [limits, step, price] = random_case();
    const auto quantity = order_quantity(terms_of(limits, step), price);
    if (!quantity) continue;
    ++sized;
    const Wide units = scaled(quantity->to_string());
    ASSERT_GT(units, 0);
    ASSERT_EQ(static_cast<std::int64_t>(units % scaled(step)), 0) << quantity->to_string();
    const double value = quantity->to_double() * price.value();
    ASSERT_GE(value, limits.minimum.value() * (1 - 1e-12));
    ASSERT_LE(value, limits.maximum.value() * (1 + 2e-9)) << "the 1e-9 of a step is SPEC's";
  }
  EXPECT_GT(sized, 10'000);
}

TEST_F(SizeProperty, IsRefusedOnlyWhenTheFewestStepsAreWorthTooMuch) {
  for (int round = 0; round < 50'000; ++round) {
    const auto [limits, step, price] = random_case();
    const OrderTerms terms = terms_of(limits, step);
    if (order_quantity(terms, price)) continue;
    const double step_value = price.value() * terms.instrument.quantity_step.to_double();
    const double notional =
        std::clamp(limits.order.value(), limits.minimum.value(), limits.maximum.value());
    const double bought = std::floor(notional / step_value + 1e-9);
    if (bought >= 9e15) continue;  // beyond what a double counts
    if (bought * step_value > limits.maximum.value() * (1 - 1e-12))
      continue;  // all but the maximum
    const double steps = std::max(1.0, std::ceil(limits.minimum.value() / step_value - 1e-9));
    ASSERT_GT(steps * step_value, limits.maximum.value() * (1 - 1e-12))
        << "so many are the fewest that are worth the minimum";
  }
}

}  // namespace
}  // namespace rts
