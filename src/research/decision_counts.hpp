// What a recording's decisions say beside how many there were: at which hours orders fell, how the
// strategies' numbers are spread, and which event missed a limit by least. Memory is bounded. Not
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/engine/engine.hpp>
#include <rts/strategy/verdict.hpp>

#include "research/histogram.hpp"

namespace rts::research {

// By hour of the UTC day.
struct HourCounts {
  std::array<std::uint64_t, 24> orders{};
  std::array<std::uint64_t, 24> cut{};  // signals that the daily limit has refused
};

// The event whose number was nearest to a limit that refused it.
struct Miss {
  Symbol symbol;
  UnixMs at;
  Measure measure{};
};

// A number that a strategy decides by, or that is looked at before.
struct IndicatorPlace {
  StrategyId strategy;
  std::size_t place;  // in its indicators

  [[nodiscard]] std::string_view name() const noexcept { return indicator_names(strategy)[place]; }
};
inline constexpr std::array<IndicatorPlace, 4> kIndicators{
    {{StrategyId::orderbook_skew, 2},     // ratio
     {StrategyId::orderbook_skew, 3},     // spread_percent
     {StrategyId::trade_momentum, 0},     // momentum
     {StrategyId::ticker_velocity, 0}}};  // velocity

class DecisionCounts {
 public:
  void take(const Symbol& symbol, const Decision& decision);

  [[nodiscard]] const HourCounts& hours(StrategyId strategy) const noexcept {
    return hours_[index_of(strategy)];
  }
  // In the order of kIndicators.
  [[nodiscard]] const Histogram& histogram(std::size_t indicator) const noexcept {
    return histograms_[indicator];
  }
  // Of a score that was neutral, the one nearest to the threshold above which it buys.
  [[nodiscard]] const std::optional<Miss>& nearest(StrategyId strategy,
                                                   Outcome outcome) const noexcept {
    return nearest_[index_of(strategy)][index_of(outcome)];
  }
  // Of the scores that were neutral, the one nearest to the threshold below which it sells.
  [[nodiscard]] const std::optional<Miss>& nearest_sell(StrategyId strategy) const noexcept {
    return nearest_sell_[index_of(strategy)];
  }

 private:
  void count_hour(const Decision& decision);
  void add_indicators(const Decision& decision);
  void look_at_miss(const Symbol& symbol, const Decision& decision);

  std::array<HourCounts, count_of<StrategyId>> hours_{};
  std::array<Histogram, kIndicators.size()> histograms_;
  std::array<std::array<std::optional<Miss>, count_of<Outcome>>, count_of<StrategyId>> nearest_{};
  std::array<std::optional<Miss>, count_of<StrategyId>> nearest_sell_{};
};

}  // namespace rts::research
