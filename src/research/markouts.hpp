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

// orders = estimate.gross.samples + unknown, at each horizon, once finish() was called.
struct GroupMarkouts {
  std::uint64_t orders = 0;
  std::array<Markout, kHorizons.size()> horizons;
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
  // that. O(1) when nothing is. Fills and settlements of a symbol come in order of time.
  void settle(std::size_t symbol_index, UnixMs before, const Spot& spot);
  void fill(const Fill& fill);
  // An order without a price to fill it at: unknown at every horizon.
  void count_unfilled(const AccountOrder& order);
  // What is due until `end`, the last event time of the recording, is settled; later ones become
  // unknown. `spot` is the symbol's last price. Once for each symbol.
  void finish(std::size_t symbol_index, UnixMs end, const Spot& spot);

  // Where the grouping is by strategy, of all symbols, whichever is asked for.
  [[nodiscard]] std::uint64_t orders(std::size_t account, StrategyId strategy,
                                     std::size_t symbol_index = 0) const noexcept;
  // Some milliseconds of work: blocks are drawn for each horizon. Empty where there are no orders.
  [[nodiscard]] GroupMarkouts result(std::size_t account, StrategyId strategy,
                                     std::size_t symbol_index = 0) const;

  // Of all strategies of an account. `edge` where any strategy has one at any horizon; to look at
  // so many means finds one by chance, so each has to hold at 1 − 0.05 / questions, where the
  // questions are the strategies × horizons × symbols that have enough blocks. A sweep that picks
  // the best of many accounts asks as many times more: `accounts_compared`.
  [[nodiscard]] Edge overall(std::size_t account, std::size_t accounts_compared = 1) const;

 private:
  struct HorizonSums {
    explicit HorizonSums(std::chrono::milliseconds horizon) : sums(horizon) {}
    BlockSums sums;
    std::uint64_t unknown = 0, without_spread = 0;
  };
  struct Group {
    std::uint64_t orders = 0;
    std::vector<HorizonSums> horizons;  // none before the first order
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
  };

  [[nodiscard]] Group& group_of(const AccountOrder& order);
  [[nodiscard]] const Group* find_group(std::size_t account, StrategyId strategy,
                                        std::size_t symbol_index) const noexcept;
  [[nodiscard]] std::size_t place(std::size_t account, StrategyId strategy) const noexcept;
  [[nodiscard]] std::size_t symbol_place(std::size_t symbol_index) const noexcept;
  void settle(const Waiting& fill, std::size_t horizon, const Spot& spot);

  Terms terms_;
  std::size_t accounts_;
  std::vector<Queue> queues_;              // by symbol index
  std::deque<std::vector<Group>> groups_;  // by symbol_place(), then place(); never move
};

}  // namespace rts::research
