// Scoreboard: what each trial of a sweep has come to: how many orders and when, what the prices
// after them say, and what a paper account would have. It makes the sweep's observers and outlives
// the sweep. Thread: its owner's, while the sweep's threads do not run.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <rts/base/enum_names.hpp>
#include <rts/base/time.hpp>
#include <rts/wire/funding.hpp>

#include "research/order_evaluator.hpp"
#include "research/sweep.hpp"

namespace rts::research {

// What trials are ranked by; of each, more is better. `pnl`: equity of the paper account.
// `markout`: net mean of all strategies at a horizon. `evenness`: see evenness().
BOOST_DEFINE_FIXED_ENUM_CLASS(Objective, std::uint8_t, pnl, markout, orders, evenness)

// How evenly orders fall on the hours of the UTC day: the entropy of their shares, of its maximum.
// 1: every hour has as many; 0: all fall in one hour, or there are none.
[[nodiscard]] double evenness(const std::array<std::uint32_t, 24>& orders_of_hour) noexcept;

// A trial's sums from the recording's beginning to the end of a period.
struct PeriodEnd {
  std::int64_t period = 0;  // ⌊event time / length of a period⌋
  std::uint64_t orders = 0;
  double equity = 0;
  std::array<SampleTotals, kHorizons.size()> markouts{};  // of all strategies
};

struct DayOrders {
  std::int64_t day = 0;  // since 1970, UTC
  std::uint32_t orders = 0;
};

struct Score {
  std::size_t trial = 0;
  std::uint64_t orders = 0;
  std::array<std::uint64_t, count_of<StrategyId>> orders_of{};
  std::array<std::uint32_t, 24> orders_of_hour{};  // UTC
  std::vector<DayOrders> days{};                   // with orders
  double even = 0;                                 // see evenness()
  Estimate markout{};  // of all strategies, at the horizon that was asked for
  std::uint64_t unknown = 0;
  AccountResult paper{};
  Edge edge = Edge::too_little_data;  // by markout.strict_net: as one of so many trials

  [[nodiscard]] double value(Objective objective) const noexcept;
};

class Scoreboard {
 public:
  struct Terms {
    OrderEvaluator::Terms orders{};
    std::span<const wire::FundingEntry> funding{};  // outlives the scoreboard
    std::chrono::milliseconds period{0};            // of PeriodEnd; 0: none are kept
  };

  Scoreboard(std::size_t trials, const Terms& terms);
  ~Scoreboard();
  Scoreboard(const Scoreboard&) = delete;
  Scoreboard& operator=(const Scoreboard&) = delete;
  Scoreboard(Scoreboard&&) = delete;
  Scoreboard& operator=(Scoreboard&&) = delete;

  // For Sweep::MakeObserver.
  [[nodiscard]] std::unique_ptr<Observer> make_observer(const std::vector<std::size_t>& trials);
  // Once the sweep has finished.
  void finish();

  // After finish(). `horizon`: of kHorizons. Some milliseconds of work.
  [[nodiscard]] Score score(std::size_t trial, std::size_t horizon) const;
  // The last may be cut short by the recording's end.
  [[nodiscard]] std::span<const PeriodEnd> periods(std::size_t trial) const noexcept;
  // Event time of the first and the last event; empty when there was none.
  [[nodiscard]] std::optional<std::pair<UnixMs, UnixMs>> span() const noexcept;

 private:
  class Table;
  struct Place {
    Table* table = nullptr;
    std::size_t account = 0;
  };

  Terms terms_;
  std::vector<Place> places_;  // by trial
  std::vector<std::unique_ptr<Table>> tables_;
};

}  // namespace rts::research
