// ticker_velocity (SPEC §3.3): the window of samples, the span, the change and the thresholds.
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <rts/strategy/ticker_velocity.hpp>

namespace rts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(std::is_trivially_copyable_v<TickerVelocity>);
static_assert(
    std::is_nothrow_invocable_v<const TickerVelocity&, const PriceSample&, const TickerWindow&>);

PriceSample sample(std::int64_t at_ms, double price) {
  return {UnixMs(milliseconds(at_ms)), *Price::from(price)};
}

using Samples = std::vector<std::pair<std::int64_t, double>>;  // ms, price

// What is said of the last sample.
Verdict judge(const Samples& samples, const TickerVelocity& velocity = {}) {
  TickerWindow window;
  for (const auto& [at, price] : samples) window.append(sample(at, price), velocity.time_window);
  return velocity(sample(samples.back().first, samples.back().second), window);
}

std::string word(const Verdict& verdict) {
  return std::string(verdict.signal ? to_string(verdict.signal->side) : to_string(verdict.outcome));
}

TEST(TickerVelocity, ExampleOfTheHeader) {
  const Verdict verdict = judge({{0, 100}, {60'000, 101}});
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::buy);
  EXPECT_EQ(verdict.signal->price.value(), 101);
  EXPECT_EQ(verdict.signal->current_price.value(), 101);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.60 + 1.0 / 10);
  EXPECT_EQ(verdict.indicators[0].value(), 1) << "percent per minute";
  EXPECT_EQ(verdict.indicators[1].value(), 1) << "percent";
  EXPECT_EQ(verdict.indicators[2].value(), 60) << "seconds";
}

// Of two at one time the first to come is the older.
TEST(TickerWindow, KeepsSamplesOfOneTimeAsTheyCame) {
  TickerWindow window;
  window.append(sample(0, 100), seconds(60));
  window.append(sample(0, 110), seconds(60));
  EXPECT_EQ(window.oldest().price.value(), 100);
}

TEST(TickerWindow, BeginsAnewAfterItIsCleared) {
  TickerWindow window;
  window.append(sample(0, 100), seconds(60));
  window.clear();
  EXPECT_EQ(window.size(), 0U);
  window.append(sample(1, 110), seconds(60));
  EXPECT_EQ(window.oldest().price.value(), 110);
  EXPECT_EQ(window.known_since(), UnixMs(milliseconds(1)));
}

TEST(TickerVelocity, SellsInTheMirrorCase) {
  const Verdict verdict = judge({{0, 100}, {60'000, 99}});
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::sell);
  EXPECT_EQ(verdict.signal->price.value(), 99);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.60 + 1.0 / 10);
  EXPECT_EQ(verdict.indicators[0].value(), -1);
}

// The first sample of all lies a day back: what came before a window's oldest is known.
std::string known_for_long(const Samples& samples, const TickerVelocity& parameters = {}) {
  Samples all{{-86'400'000, 1}};
  all.insert(all.end(), samples.begin(), samples.end());
  return word(judge(all, parameters));
}

TEST(TickerVelocity, WarmsUpBelow80PercentOfTheWindow) {
  EXPECT_EQ(known_for_long({{0, 100}}), "warming_up");
  EXPECT_EQ(known_for_long({{0, 100}, {47'999, 101}}), "warming_up");
  EXPECT_EQ(known_for_long({{0, 100}, {48'000, 101}}), "BUY") << "exactly 80 %";
  EXPECT_EQ(known_for_long({{0, 100}, {60'000, 101}}), "BUY") << "the whole window";
  EXPECT_EQ(known_for_long({{0, 100}, {60'001, 101}}), "warming_up") << "the first has left";
  TickerVelocity one_second;
  one_second.time_window = seconds(1);
  EXPECT_EQ(known_for_long({{0, 100}, {799, 101}}, one_second), "warming_up");
  EXPECT_EQ(known_for_long({{0, 100}, {800, 101}}, one_second), "BUY");
  TickerVelocity hour;
  hour.time_window = seconds(3600);
  EXPECT_EQ(known_for_long({{0, 100}, {2'879'999, 200}}, hour), "warming_up");
  EXPECT_EQ(known_for_long({{0, 100}, {2'880'000, 200}}, hour), "BUY");
}

// What was before its first sample, nobody knows: the oldest of a whole window might be another.
TEST(TickerVelocity, WarmsUpUntilAWholeWindowHasPassedSinceTheFirstSample) {
  EXPECT_EQ(word(judge({{0, 100}})), "warming_up");
  EXPECT_EQ(word(judge({{0, 100}, {48'000, 101}})), "warming_up") << "80 % are not the whole";
  EXPECT_EQ(word(judge({{0, 100}, {59'999, 101}})), "warming_up");
  EXPECT_EQ(word(judge({{0, 100}, {60'000, 101}})), "BUY");
  EXPECT_EQ(word(judge({{0, 7}, {12'000, 100}, {60'001, 101}})), "BUY")
      << "the first has left, and the next is 48,001 ms old";
  TickerVelocity hour;
  hour.time_window = seconds(3600);
  EXPECT_EQ(word(judge({{0, 100}, {3'599'999, 200}}, hour)), "warming_up");
  EXPECT_EQ(word(judge({{0, 100}, {3'600'000, 200}}, hour)), "BUY");
}

TEST(TickerVelocity, IsPerMinuteWhateverTheSpan) {
  const auto velocity = [](std::int64_t span_ms) {
    return judge({{-86'400'000, 1}, {0, 100}, {span_ms, 101}}).indicators[0].value();
  };
  EXPECT_EQ(velocity(48'000), 1 / (48.0 / 60));
  EXPECT_EQ(velocity(48'001), 1 / (48'001.0 / 60'000))
      << "to the last bit, as the expected orders of the recordings have it";
  TickerVelocity hour;
  hour.time_window = seconds(3600);
  const Verdict verdict = judge({{0, 100}, {3'600'000, 160}}, hour);
  EXPECT_EQ(verdict.indicators[0].value(), 1);
  EXPECT_EQ(verdict.indicators[1].value(), 60);
  EXPECT_EQ(verdict.indicators[2].value(), 3600);
}

TEST(TickerVelocity, MeasuresFromTheOldestSampleInTheWindow) {
  const Verdict verdict = judge({{0, 50}, {1'000, 100}, {30'000, 400}, {60'500, 101}});
  EXPECT_EQ(verdict.indicators[1].value(), 1) << "against 100: 50 has left, 400 came later";
  EXPECT_EQ(verdict.indicators[2].value(), 59.5);
}

TEST(TickerVelocity, NeedsAMinimumChangeAndExactlyThatIsEnough) {
  const auto at_minimum = [](double minimum, double price) {
    TickerVelocity parameters;
    parameters.min_price_change = minimum;
    parameters.buy_threshold = 0.01;
    parameters.sell_threshold = -0.01;
    return word(judge({{0, 100}, {60'000, price}}, parameters));
  };
  EXPECT_EQ(at_minimum(0.25, 100.25), "BUY");
  EXPECT_EQ(at_minimum(std::nextafter(0.25, 1), 100.25), "below_min_price_change");
  EXPECT_EQ(at_minimum(std::nextafter(0.25, 0), 100.25), "BUY");
  EXPECT_EQ(at_minimum(0.25, 99.75), "SELL");
  EXPECT_EQ(at_minimum(std::nextafter(0.25, 1), 99.75), "below_min_price_change");
  EXPECT_EQ(at_minimum(0, 100), "neutral") << "0 is off";
  EXPECT_EQ(at_minimum(0.1, 100), "below_min_price_change");
}

TEST(TickerVelocity, BuysJustAboveThreshold) {
  const auto at_threshold = [](double threshold) {
    TickerVelocity parameters;
    parameters.buy_threshold = threshold;
    return word(judge({{0, 100}, {60'000, 100.5}}, parameters));  // exactly 0.5 %/min
  };
  EXPECT_EQ(at_threshold(0.5), "neutral") << "on the threshold";
  EXPECT_EQ(at_threshold(std::nextafter(0.5, 0)), "BUY");
  EXPECT_EQ(at_threshold(std::nextafter(0.5, 1)), "neutral");
}

TEST(TickerVelocity, SellsJustBelowThreshold) {
  const auto at_threshold = [](double threshold) {
    TickerVelocity parameters;
    parameters.sell_threshold = threshold;
    return word(judge({{0, 100}, {60'000, 99.5}}, parameters));
  };
  EXPECT_EQ(at_threshold(-0.5), "neutral") << "on the threshold";
  EXPECT_EQ(at_threshold(std::nextafter(-0.5, 0)), "SELL");
  EXPECT_EQ(at_threshold(std::nextafter(-0.5, -1)), "neutral");
}

TEST(TickerVelocity, IsNeverSurerThan95Percent) {
  for (const auto& [price, confidence] :
       {std::pair(102.0, 0.60 + 2.0 / 10), std::pair(103.0, 0.60 + 3.0 / 10),
        std::pair(104.0, 0.95), std::pair(200.0, 0.95)}) {
    const Verdict verdict = judge({{0, 100}, {60'000, price}});
    ASSERT_TRUE(verdict.signal.has_value());
    EXPECT_DOUBLE_EQ(verdict.signal->confidence.value(), confidence) << price;
  }
}

TEST(TickerVelocity, IsNeutralBeyondTheRangeOfDouble) {
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(word(judge({{0, kLeast}, {60'000, 9e14}})), "neutral");
}

TEST(TickerVelocity, NamesItsIndicators) {
  const auto names = indicator_names(StrategyId::ticker_velocity);
  EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()),
            (std::vector<std::string>{"velocity", "price_change_percent", "window_seconds"}));
}

// ---- The window

TEST(TickerWindow, KeepsWhatIsNotOlderThanTheWindow) {
  TickerWindow window;
  EXPECT_EQ(window.size(), 0U);
  window.append(sample(0, 1), seconds(60));
  window.append(sample(1, 2), seconds(60));
  window.append(sample(60'000, 3), seconds(60));
  EXPECT_EQ(window.size(), 3U) << "exactly a window old stays";
  EXPECT_EQ(window.oldest().price.value(), 1);
  window.append(sample(60'001, 4), seconds(60));
  EXPECT_EQ(window.size(), 3U);
  EXPECT_EQ(window.oldest().price.value(), 2);
  window.append(sample(1'000'000, 5), seconds(60));
  EXPECT_EQ(window.size(), 1U);
  EXPECT_EQ(window.oldest().price.value(), 5);
}

// SPEC §3: "two replicas that see the same stream give the same verdicts". A sample that was there
// first, but is of a later time, hid the older ones behind it: a replica that had not seen it said
// something else.
TEST(TickerWindow, OldestIsOfTheEarliestTimeWheneverItHasArrived) {
  TickerWindow window;
  window.append(sample(100'000, 1), seconds(60));
  window.append(sample(50'000, 2), seconds(60));
  EXPECT_EQ(window.oldest().price.value(), 2);
  window.append(sample(70'000, 3), seconds(60));
  window.append(sample(110'000, 4), seconds(60));
  EXPECT_EQ(window.oldest().price.value(), 2) << "exactly a window old";
  EXPECT_EQ(window.size(), 4U);
  window.append(sample(110'001, 5), seconds(60));
  EXPECT_EQ(window.oldest().price.value(), 3);
  window.append(sample(130'001, 6), seconds(60));
  EXPECT_EQ(window.oldest().price.value(), 1);
  EXPECT_EQ(word(judge({{100'000, 999}, {50'000, 100}, {110'000, 101}, {160'000, 101}})), "SELL")
      << "against 999";
  EXPECT_EQ(judge({{-86'400'000, 1}, {100'000, 999}, {50'000, 100}, {110'000, 101}})
                .indicators[1]
                .value(),
            1)
      << "against 100";
}

TEST(TickerWindow, KnowsSinceWhenItHasBeenLooking) {
  TickerWindow window;
  window.append(sample(5, 1), seconds(60));
  EXPECT_EQ(window.known_since(), UnixMs(milliseconds(5)));
  for (int i = 1; i < 10'000; ++i) window.append(sample(5 + i * 100, 1), seconds(60));
  EXPECT_GT(window.oldest().at, window.known_since());
  EXPECT_EQ(window.known_since(), UnixMs(milliseconds(5))) << "also when that sample has left";
}

TEST(TickerWindow, HoldsAtMost4096AndTheOldestLeavesFirst) {
  TickerWindow window;
  for (int i = 0; i < 4096; ++i) window.append(sample(i, i + 1), seconds(60));
  EXPECT_EQ(window.size(), 4096U);
  EXPECT_EQ(window.oldest().price.value(), 1);
  window.append(sample(4096, 4097), seconds(60));
  EXPECT_EQ(window.size(), 4096U);
  EXPECT_EQ(window.oldest().price.value(), 2);
  for (int i = 4097; i < 20'000; ++i) {
    window.append(sample(i, i + 1), seconds(60));
    ASSERT_EQ(window.oldest().price.value(), i - 4094);
  }
  EXPECT_EQ(window.size(), 4096U);
}

// The ring turns and grows at once: whatever the beat, the oldest is the right one.
TEST(TickerWindow, GrowsWithoutMixingUpItsSamples) {
  for (const int slow : {1, 100, 127, 128, 129, 300}) {
    TickerWindow window;
    std::int64_t at = 0;
    for (int i = 0; i < slow; ++i) window.append(sample(at += 1'000, 7), seconds(60));
    const std::int64_t first_fast = at + 60'001;
    at = first_fast;
    for (int i = 0; i < 3'000; ++i) window.append(sample(at++, i + 1), seconds(60));
    EXPECT_EQ(window.size(), 3'000U) << slow;
    EXPECT_EQ(window.oldest().at.time_since_epoch().count(), first_fast) << slow;
    window.append(sample(first_fast + 60'001, 1), seconds(60));
    EXPECT_EQ(window.oldest().price.value(), 2) << slow;
  }
}

}  // namespace
}  // namespace rts
