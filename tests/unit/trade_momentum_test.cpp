// trade_momentum (SPEC §3.2): the scores, the thresholds, and the means of the trades before.
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <rts/strategy/trade_momentum.hpp>

namespace rts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

static_assert(std::is_trivially_copyable_v<TradeMomentum>);
static_assert(
    std::is_nothrow_invocable_v<const TradeMomentum&, const Trade&, UnixMs, const TradeWindow&>);

constexpr UnixMs kNoon{milliseconds(1'721'390'400'000)};  // 2024-07-19T12:00:00Z

Trade trade(double price, double quantity, bool buyer_is_maker = false) {
  return {*Price::from(price), *Quantity::from(quantity), buyer_is_maker};
}

// `count` trades alike, all at noon.
TradeWindow window_of(double price, double quantity, int count) {
  TradeWindow window;
  for (int i = 0; i < count; ++i) {
    window.append(trade(price, quantity), kNoon, static_cast<std::size_t>(count));
  }
  return window;
}

// Against means 100 and 1, a full window.
Verdict judge(const Trade& trade, const TradeMomentum& parameters = {}) {
  return parameters(trade, kNoon, window_of(100, 1, parameters.window));
}

std::string word(const Verdict& verdict) {
  return std::string(verdict.signal ? to_string(verdict.signal->side) : to_string(verdict.outcome));
}

TEST(TradeMomentum, ExampleOfTheHeader) {
  // 100.0625 is 0.0625 % above, more than the 0.05 % that score 1; so is every fraction exact.
  const Verdict verdict = judge(trade(100.0625, 5));
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::buy);
  EXPECT_EQ(verdict.signal->price.value(), 100.0625);
  EXPECT_EQ(verdict.signal->current_price.value(), 100.0625);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.65 + 0.2 * 1);
  EXPECT_EQ(verdict.indicators[0].value(), 1);
  EXPECT_EQ(verdict.indicators[1].value(), 1);
  EXPECT_EQ(verdict.indicators[2].value(), 1);
  EXPECT_EQ(verdict.indicators[3].value(), 1);
  const Verdict literal = judge(trade(100.05, 5));
  EXPECT_NEAR(literal.indicators[0].value(), 1, 1e-9) << "the header's own figures";
  EXPECT_EQ(word(literal), "BUY");
}

TEST(TradeMomentum, SellsInTheMirrorCase) {
  const Verdict verdict = judge(trade(99.9375, 5, true));
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->side, Side::sell);
  EXPECT_EQ(verdict.signal->price.value(), 99.9375);
  EXPECT_EQ(verdict.signal->confidence.value(), 0.65 + 0.2 * 1);
  for (const Indicator& indicator : verdict.indicators) EXPECT_EQ(indicator.value(), -1);
}

struct ScoreCase {
  Trade trade;
  double price_score;
  double quantity_score;
  double maker_score;
};

TEST(TradeMomentum, ScoresPriceQuantityAndMaker) {
  TradeMomentum parameters;
  parameters.price_scale_percent = 0.5;
  parameters.quantity_multiple = 4;
  for (const auto& c : std::vector<ScoreCase>{
           {trade(100, 1), 0, 0.25, 1},
           {trade(100.25, 1), 0.5, 0.25, 1},
           {trade(100.5, 1), 1, 0.25, 1},
           {trade(101, 1), 1, 0.25, 1},  // clamped
           {trade(99.75, 1), -0.5, 0.25, 1},
           {trade(50, 1), -1, 0.25, 1},  // clamped
           {trade(100, 4), 0, 1, 1},
           {trade(100, 400), 0, 1, 1},  // at most 1
           {trade(100, 2), 0, 0.5, 1},
           {trade(100, 2, true), 0, -0.5, -1},
           {trade(100, 400, true), 0, -1, -1},
           {trade(100.25, 2, true), 0.5, -0.5, -1},  // price and side are independent
       }) {
    const Verdict verdict = judge(c.trade, parameters);
    EXPECT_EQ(verdict.indicators[1].value(), c.price_score);
    EXPECT_EQ(verdict.indicators[2].value(), c.quantity_score);
    EXPECT_EQ(verdict.indicators[3].value(), c.maker_score);
    EXPECT_EQ(verdict.indicators[0].value(),
              0.4 * c.price_score + 0.3 * c.quantity_score + 0.3 * c.maker_score);
  }
}

// All weight on the price: the momentum is its score, exact in binary.
TradeMomentum price_only(double buy_threshold, double sell_threshold) {
  TradeMomentum parameters;
  parameters.price_weight = 1;
  parameters.quantity_weight = parameters.maker_weight = 0;
  parameters.price_scale_percent = 0.5;
  parameters.buy_threshold = buy_threshold;
  parameters.sell_threshold = sell_threshold;
  return parameters;
}

TEST(TradeMomentum, BuysJustAboveThreshold) {
  const Trade half = trade(100.25, 1);  // momentum 0.5
  EXPECT_EQ(word(judge(half, price_only(0.5, -0.5))), "neutral") << "on the threshold";
  EXPECT_EQ(word(judge(half, price_only(std::nextafter(0.5, 0), -0.5))), "BUY");
  EXPECT_EQ(word(judge(half, price_only(std::nextafter(0.5, 1), -0.5))), "neutral");
}

TEST(TradeMomentum, SellsJustBelowThreshold) {
  const Trade half = trade(99.75, 1);  // momentum -0.5
  EXPECT_EQ(word(judge(half, price_only(0.5, -0.5))), "neutral") << "on the threshold";
  EXPECT_EQ(word(judge(half, price_only(0.5, std::nextafter(-0.5, 0)))), "SELL");
  EXPECT_EQ(word(judge(half, price_only(0.5, std::nextafter(-0.5, -1)))), "neutral");
}

TEST(TradeMomentum, WeighsWithItsThreeWeights) {
  const auto momentum = [](double price, double quantity, double maker) {
    TradeMomentum parameters;
    parameters.price_weight = price;
    parameters.quantity_weight = quantity;
    parameters.maker_weight = maker;
    return judge(trade(101, 2.5, true), parameters).indicators[0].value();  // scores 1, -0.5, -1
  };
  EXPECT_EQ(momentum(1, 0, 0), 1);
  EXPECT_EQ(momentum(0, 1, 0), -0.5);
  EXPECT_EQ(momentum(0, 0, 1), -1);
  EXPECT_EQ(momentum(0.5, 0.25, 0.25), 0.125);
}

TEST(TradeMomentum, LooksAwayBelowTheMinimumQuantityAndNotOnIt) {
  EXPECT_EQ(word(judge(trade(100, 0.001))), "neutral");
  EXPECT_EQ(word(judge(trade(100, std::nextafter(0.001, 0)))), "below_min_quantity");
  TradeMomentum parameters;
  parameters.min_quantity = 5;
  EXPECT_EQ(word(judge(trade(101, 5), parameters)), "BUY");
  EXPECT_EQ(word(judge(trade(101, 4.999), parameters)), "below_min_quantity");
  parameters.min_quantity = 0;
  EXPECT_EQ(word(judge(trade(100, 1e-300), parameters)), "neutral") << "0 is off";
}

// A strategy and one symbol's window, as the engine keeps them together.
class Stream {
 public:
  explicit Stream(const TradeMomentum& parameters) : momentum_(parameters) {}

  Verdict hear(const Trade& trade, UnixMs at = kNoon) {
    const Verdict verdict = momentum_(trade, at, window_);
    momentum_.remember(trade, at, window_);
    return verdict;
  }
  [[nodiscard]] const TradeWindow& window() const { return window_; }

 private:
  TradeMomentum momentum_;
  TradeWindow window_;
};

TradeMomentum window_of_three() {
  TradeMomentum parameters;
  parameters.window = 3;
  return parameters;
}

TEST(TradeMomentum, WarmsUpUntilTheWindowIsFull) {
  Stream stream(window_of_three());
  for (const char* expected : {"warming_up", "warming_up", "warming_up", "neutral", "neutral"}) {
    EXPECT_EQ(word(stream.hear(trade(100, 0.5))), expected);
  }
  EXPECT_EQ(word(Stream(window_of_three()).hear(trade(101, 0.0001))), "below_min_quantity")
      << "goes first";
}

TEST(TradeMomentum, MeansAreOfExactlyTheTradesBefore) {
  Stream stream(window_of_three());
  for (const auto& [price, quantity] :
       {std::pair(1e9, 1e6), std::pair(100.0, 4.0), std::pair(102.0, 2.0), std::pair(98.0, 3.0)}) {
    stream.hear(trade(price, quantity));
  }
  EXPECT_EQ(stream.window().size(), 3U);
  EXPECT_EQ(stream.window().mean_price(), 100) << "the first, of 10^9, has left without a trace";
  EXPECT_EQ(stream.window().mean_quantity(), 3);
  const Verdict verdict = stream.hear(trade(103, 3));
  EXPECT_EQ(verdict.indicators[2].value(), 3 / (5.0 * 3)) << "itself is not in the mean";
  EXPECT_EQ(stream.window().mean_price(), 101);
}

TEST(TradeMomentum, WindowIsUntouchedBelowTheMinimumQuantity) {
  Stream stream(window_of_three());
  stream.hear(trade(100, 1));
  EXPECT_EQ(word(stream.hear(trade(500, 0.0009), kNoon + seconds(30))), "below_min_quantity");
  EXPECT_EQ(stream.window().size(), 1U);
  EXPECT_EQ(stream.window().mean_price(), 100);
  EXPECT_EQ(stream.window().newest_at(), kNoon) << "it ends no silence either";
  stream.hear(trade(500, 0.001));
  EXPECT_EQ(stream.window().size(), 2U);
  EXPECT_EQ(stream.window().mean_price(), 300);
}

TEST(TradeMomentum, ASilenceEmptiesTheWindow) {
  struct SilenceCase {
    seconds max_gap;
    milliseconds silence;
    std::string expected;
    std::size_t size;  // of the window, with the trade that ended the silence
  };
  for (const auto& [max_gap, silence, expected, size] : std::vector<SilenceCase>{
           {seconds(60), seconds(60), "BUY", 3},
           {seconds(60), seconds(60) + milliseconds(1), "warming_up", 1},
           {seconds(5), seconds(5), "BUY", 3},
           {seconds(5), seconds(5) + milliseconds(1), "warming_up", 1},
           {seconds(1), seconds(1) + milliseconds(1), "warming_up", 1},
           {seconds(0), seconds(86'400 * 365), "BUY", 3},  // 0 is off
           {seconds(60), -seconds(3600), "BUY", 3},        // an older event ends no silence
       }) {
    TradeMomentum parameters = window_of_three();
    parameters.max_gap = max_gap;
    Stream stream(parameters);
    for (int i = 0; i < 3; ++i) stream.hear(trade(100, 1));
    EXPECT_EQ(word(stream.hear(trade(101, 5), kNoon + silence)), expected) << silence.count();
    EXPECT_EQ(stream.window().size(), size) << silence.count();
  }
}

TEST(TradeMomentum, ASilenceIsCountedFromTheTradeThatJoinedLast) {
  Stream stream(window_of_three());
  for (int i = 0; i < 3; ++i) stream.hear(trade(100, 1), kNoon + seconds(50 * i));
  EXPECT_EQ(word(stream.hear(trade(101, 5), kNoon + seconds(160))), "BUY");
  EXPECT_EQ(word(stream.hear(trade(101, 5), kNoon + seconds(221))), "warming_up");
  EXPECT_EQ(word(stream.hear(trade(101, 0.0001), kNoon + seconds(400))), "below_min_quantity")
      << "what does not count does not warm up";
}

TEST(TradeMomentum, ASilenceEmptiesAWindowThatHoldsOneTrade) {
  Stream stream(window_of_three());
  stream.hear(trade(100, 1));
  stream.hear(trade(100, 1), kNoon + seconds(61));
  EXPECT_EQ(stream.window().size(), 1U);
}

// Numbers below half of 10^-12 add up to nothing: a mean of nothing measures nothing.
TEST(TradeMomentum, IsNeutralWhereAMeanIsZero) {
  TradeMomentum parameters;
  parameters.window = 2;
  parameters.min_quantity = 0;
  const TradeMomentum momentum(parameters);
  const auto after = [&](double price, double quantity) {
    return momentum(trade(101, 5), kNoon, window_of(price, quantity, 2));
  };
  EXPECT_EQ(word(after(1e-300, 1)), "neutral");
  EXPECT_EQ(word(after(100, 1e-300)), "neutral");
  EXPECT_EQ(after(100, 1e-300).indicators[0].value(), 0) << "nothing has been scored";
  EXPECT_EQ(word(after(100, 4e-13)), "neutral");
  EXPECT_EQ(word(after(100, 6e-13)), "BUY") << "rounded to 10^-12";
  EXPECT_EQ(word(after(6e-13, 1)), "BUY");
}

TEST(TradeMomentum, IsNeverSurerThan95Percent) {
  // |momentum| is at most 1 with weights that sum to 1, so 0.85 is the most; only odd weights
  // reach the cap.
  TradeMomentum parameters;
  parameters.price_weight = parameters.quantity_weight = parameters.maker_weight = 1;
  const Verdict verdict = judge(trade(101, 5), parameters);
  ASSERT_TRUE(verdict.signal.has_value());
  EXPECT_EQ(verdict.signal->confidence.value(), 0.95);
}

TEST(TradeMomentum, IsNeutralBeyondTheRangeOfDouble) {
  const double most = std::nextafter(kMarketNumbersBelow, 0);
  TradeMomentum parameters;
  EXPECT_EQ(word(parameters(trade(most, 5), kNoon, window_of(1e-12, 1, 100))), "BUY")
      << "clamped to 1";
  parameters.price_scale_percent = std::numeric_limits<double>::denorm_min();
  EXPECT_EQ(word(judge(trade(101, 5), parameters)), "BUY") << "clamped to 1";
  EXPECT_EQ(word(judge(trade(100, 5), parameters)), "neutral") << "0 / 5e-324 is 0";
  parameters = {};
  parameters.quantity_multiple = std::numeric_limits<double>::max();
  EXPECT_EQ(word(judge(trade(100, 5), parameters)), "neutral");
}

// ---- Exact numbers

std::string text_of(ExactSum number) {
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(number % 10)));
    number /= 10;
  } while (number != 0);
  return digits;
}

TEST(ExactSum, IsTheDoubleTimesTenToTheTwelfth) {
  for (const auto& [value, expected] : std::vector<std::pair<double, std::string>>{
           {0, "0"},
           {1, "1000000000000"},
           {0.1, "100000000000"},
           {0.3, "300000000000"},
           {61837.63, "61837629999999997"},            // the double is …629999999997380…
           {0.015625, "15625000000"},                  // 2^-6, exact
           {0x1p-12, "244140625"},                     // the last power of two that is
           {0x1p-13, "122070312"},                     // …312.5: a tie, to even
           {3 * 0x1p-13, "366210938"},                 // …937.5: a tie, to even
           {std::nextafter(0x1p-13, 1), "122070313"},  // just above the tie
           {std::nextafter(0x1p-13, 0), "122070312"},
           {1e-12, "1"},
           {0.5e-12, "0"},  // the double is just below the half
           {std::nextafter(0.5e-12, 1), "1"},
           {1.5e-12, "2"},
           {0.4e-12, "0"},
           {1e-300, "0"},
           {std::numeric_limits<double>::min(), "0"},
           {std::numeric_limits<double>::denorm_min(), "0"},
           {0x1p49, "562949953421312000000000000"},
           {999'999'999'999'999.875, "999999999999999875000000000"},  // the largest below 10^15
       }) {
    EXPECT_EQ(text_of(to_exact(value)), expected) << value;
  }
}

// value = mantissa · 2^exponent, digit by digit: multiply, then halve, remembering what fell off.
ExactSum slowly_exact(double value) {
  int exponent = 0;
  ExactSum number = static_cast<std::uint64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  exponent -= 53;
  number *= 1'000'000'000'000U;
  bool last_half = false;   // the bit that fell off last
  bool below_half = false;  // whether any before it was set
  for (; exponent < 0; ++exponent) {
    below_half = below_half || last_half;
    last_half = (number & 1) != 0;
    number >>= 1;
  }
  const bool up = last_half && (below_half || (number & 1) != 0);
  return number + (up ? 1 : 0);
}

TEST(ExactSum, AgreesWithASlowReference) {
  std::mt19937_64 random(20'240'719);
  for (int i = 0; i < 200'000; ++i) {
    const double fraction = static_cast<double>(random() >> 11) * 0x1p-53;
    double value = std::ldexp(0.5 + fraction / 2, static_cast<int>(random() % 110) - 60);
    if (i % 4 == 0) value = static_cast<double>(random() % 1'000'000) / 8192;  // ties among them
    if (!(value < kMarketNumbersBelow)) continue;
    ASSERT_EQ(text_of(to_exact(value)), text_of(slowly_exact(value))) << value;
  }
}

TEST(TradeWindow, HoldsTheSumsOfItsTradesWhereverItBegan) {
  std::mt19937_64 random(7);
  const auto number = [&](double most) {
    return (static_cast<double>(random() >> 11) + 1) * 0x1p-53 * most;
  };
  std::vector<Trade> trades;
  for (int i = 0; i < 1000; ++i) {
    trades.push_back(trade(number(i % 7 == 0 ? 9e14 : 1e5), number(i % 5 == 0 ? 1e-9 : 1e3)));
  }
  for (const std::size_t most : {std::size_t{2}, std::size_t{3}, std::size_t{100}}) {
    TradeWindow whole;
    TradeWindow late;
    for (std::size_t i = 0; i < trades.size(); ++i) {
      whole.append(trades[i], kNoon, most);
      if (i >= 500) late.append(trades[i], kNoon, most);
    }
    ExactSum prices = 0;
    ExactSum quantities = 0;
    for (std::size_t i = trades.size() - most; i < trades.size(); ++i) {
      prices += to_exact(trades[i].price.value());
      quantities += to_exact(trades[i].quantity.value());
    }
    const double divisor = static_cast<double>(most) * 1e12;
    EXPECT_EQ(whole.mean_price(), static_cast<double>(prices) / divisor) << most;
    EXPECT_EQ(whole.mean_quantity(), static_cast<double>(quantities) / divisor) << most;
    EXPECT_EQ(late.mean_price(), whole.mean_price()) << most;
    EXPECT_EQ(late.mean_quantity(), whole.mean_quantity()) << most;
  }
}

// 10^4 numbers just below 10^15, each times 10^12: 10^31, of the 3.4·10^38 that 128 bits hold.
TEST(TradeWindow, SumsTheLargestWindowOfTheLargestNumbers) {
  const double most = std::nextafter(kMarketNumbersBelow, 0);
  const TradeWindow window = window_of(most, most, 10'000);
  EXPECT_EQ(window.size(), 10'000U);
  EXPECT_EQ(window.mean_price(), most);
  EXPECT_EQ(window.mean_quantity(), most);
}

TEST(TradeWindow, ForgetsTheOldestWhereItBecomesShorter) {
  TradeWindow window;
  for (const double price : {100, 200, 300, 400}) window.append(trade(price, 1), kNoon, 4);
  window.append(trade(600, 1), kNoon, 2);
  EXPECT_EQ(window.size(), 2U);
  EXPECT_EQ(window.mean_price(), 500);
}

TEST(TradeWindow, BeginsAnewAfterItIsCleared) {
  TradeWindow window = window_of(100, 1, 3);
  window.clear();
  EXPECT_EQ(window.size(), 0U);
  window.append(trade(7, 2), kNoon, 3);
  EXPECT_EQ(window.size(), 1U);
  EXPECT_EQ(window.mean_price(), 7);
  EXPECT_EQ(window.mean_quantity(), 2);
  for (int i = 0; i < 5; ++i) window.append(trade(9, 4), kNoon, 3);
  EXPECT_EQ(window.mean_price(), 9);
}

TEST(TradeMomentum, NamesItsIndicators) {
  const auto names = indicator_names(StrategyId::trade_momentum);
  EXPECT_EQ(std::vector<std::string>(names.begin(), names.end()),
            (std::vector<std::string>{"momentum", "price_score", "quantity_score", "maker_score"}));
}

}  // namespace
}  // namespace rts
