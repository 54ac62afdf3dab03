// Markouts: where the price stood some time after each fill, signed by the order's side, and
// whether that is more than trading costs. One object serves many accounts; a price costs the same
// however many there are. Memory is bounded by the fills of the last hour. Not thread-safe.
//
// markout = (mid at fill + horizon − mid at fill) / mid at fill · 10,000 bp, of a SELL with the
// other sign. Example: bought at a mid of 100, after a minute 100.05: 5 bp.
// cost = 2 · fee + 2 · half spread / mid · 10,000 bp: in and out as a taker, at the fill's spread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include <rts/base/enum_names.hpp>
#include <rts/base/time.hpp>
#include <rts/strategy/verdict.hpp>

#include "research/fills.hpp"
#include "research/quote_board.hpp"
#include "research/statistics.hpp"

namespace rts::research {

inline constexpr std::array<std::chrono::milliseconds, 6> kHorizons{
    std::chrono::seconds{1}, std::chrono::seconds{10}, std::chrono::minutes{1},
    std::chrono::minutes{5}, std::chrono::minutes{15}, std::chrono::minutes{60}};

// Whether there is something to be had after costs: `edge`: the 95 % interval of the net mean is
// above 0; `none`: it is not; `too_little_data`: fewer than kEnoughBlocks blocks have samples.
BOOST_DEFINE_FIXED_ENUM_CLASS(Edge, std::uint8_t, edge, none, too_little_data)
inline constexpr std::uint64_t kEnoughBlocks = 30;
[[nodiscard]] Edge edge_of(const Interval& net) noexcept;

enum class Grouping : std::uint8_t { by_strategy, by_strategy_and_symbol };

// What the orders of one group have given at one horizon, in basis points.
struct Markout {
  Estimate estimate;
  std::uint64_t unknown = 0;         // orders whose price then, or whose fill, is not known
  std::uint64_t without_spread = 0;  // samples whose cost is fees alone: their feed has no books
  std::chrono::milliseconds block_length{0};
  Edge edge = Edge::too_little_data;  // by estimate.net
};

// Of a strategy, and where markouts are grouped so, of a symbol. orders = estimate.gross.samples +
// unknown at each horizon, once all is settled.
struct GroupMarkouts {
  StrategyId strategy = StrategyId::orderbook_skew;
  std::size_t symbol_index = 0;  // meaningful where symbols are apart
  std::uint64_t orders = 0;
  std::array<Markout, kHorizons.size()> horizons;
};

// Of all groups of an account that have orders, and whether any of them has an edge at any horizon.
// Who looks at so many means finds a good one by chance, so for that each has to hold at the level
// 1 − 0.05 / questions (Bonferroni): the questions are the groups × horizons that have enough
// blocks, times the accounts that are compared.
struct AccountMarkouts {
  std::vector<GroupMarkouts> groups;
  std::size_t questions = 1;
  Edge overall = Edge::too_little_data;
};

class Markouts {
 public:
  struct Terms {
    double fee_bp = 4;  // of the notional, each side
    Grouping grouping = Grouping::by_strategy;
  };

  // Accounts have the numbers below `accounts`.
  Markouts(const Terms& terms, std::size_t accounts) : terms_(terms), accounts_(accounts) {}

  // What the symbol cost until `before`, the time of its next price: it settles what is due before
  // that. O(1) when nothing is. Fills and settlements of a symbol come in order of time. By a spot
  // that is not known, all that is due becomes unknown.
  void settle(std::size_t symbol_index, UnixMs before, const Spot& spot);
  void fill(const Fill& fill);
  // An order without a price to fill it at: unknown at every horizon.
  void count_unfilled(const AccountOrder& order);

  // Some milliseconds of work a group: blocks are drawn for each horizon. A sweep that picks the
  // best of many accounts says how many it compares. Precondition: at least 1.
  [[nodiscard]] AccountMarkouts result(std::size_t account,
                                       std::size_t accounts_compared = 1) const;

  // Of all orders of an account together, at a horizon of kHorizons.
  [[nodiscard]] BlockSums together(std::size_t account, std::size_t horizon) const;
  [[nodiscard]] SampleTotals totals(std::size_t account, std::size_t horizon) const;

 private:
  struct HorizonSums {
    explicit HorizonSums(std::chrono::milliseconds horizon) : sums(horizon) {}
    BlockSums sums;
    std::uint64_t unknown = 0, without_spread = 0;
  };
  struct Group {
    std::uint64_t orders = 0;
    std::vector<HorizonSums> horizons{};  // none before the first order
  };
  struct Waiting {
    UnixMs filled_at;
    double mid = 0;
    double cost = 0;  // basis points
    Group* group = nullptr;
    Side side = Side::buy;
    bool has_spread = false;
  };
  // Fills in order of time; each horizon has settled those before its place in the queue.
  struct Queue {
    std::deque<Waiting> fills;
    std::array<std::size_t, kHorizons.size()> settled{};
    UnixMs next_due = UnixMs::max();
  };

  [[nodiscard]] Group& group_of(const AccountOrder& order);
  static void settle(const Waiting& fill, std::size_t horizon, const Spot& spot);
  static void drop_settled(Queue& queue);
  [[nodiscard]] std::size_t questions(std::size_t account) const noexcept;
  [[nodiscard]] static Markout markout(const HorizonSums& sums, std::size_t questions);
  template <class Visit>
  void for_each_group(std::size_t account, Visit&& visit) const;

  Terms terms_;
  std::size_t accounts_;
  std::vector<Queue> queues_;  // by symbol index
  // By symbol index, or one for all symbols, and in it by account and strategy. Never move.
  std::deque<std::vector<Group>> groups_;
};

}  // namespace rts::research
