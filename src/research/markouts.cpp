#include "research/markouts.hpp"

#include <algorithm>
#include <cassert>

namespace rts::research {

Edge edge_of(const Interval& net) noexcept {
  if (net.blocks < kEnoughBlocks) return Edge::too_little_data;
  return net.low > 0 ? Edge::edge : Edge::none;
}

Markouts::Group& Markouts::group_of(const AccountOrder& order) {
  assert(order.account < accounts_);
  const bool is_apart = terms_.grouping == Grouping::by_strategy_and_symbol;
  const std::size_t row = is_apart ? order.symbol_index : 0;
  while (row >= groups_.size()) groups_.emplace_back();
  std::vector<Group>& groups = groups_[row];
  // All at once and never again: fills that wait point to their groups.
  if (groups.empty()) groups.resize(accounts_ * count_of<StrategyId>);
  Group& group = groups[order.account * count_of<StrategyId> + index_of(order.strategy)];
  if (group.horizons.empty()) {
    for (const auto horizon : kHorizons) group.horizons.emplace_back(horizon);
  }
  return group;
}

void Markouts::count_unfilled(const AccountOrder& order) {
  Group& group = group_of(order);
  ++group.orders;
  for (HorizonSums& horizon : group.horizons) ++horizon.unknown;
}

void Markouts::fill(const Fill& fill) {
  Group& group = group_of(fill.order);
  ++group.orders;
  if (fill.order.symbol_index >= queues_.size()) queues_.resize(fill.order.symbol_index + 1);
  Queue& queue = queues_[fill.order.symbol_index];
  const double cost = 2 * terms_.fee_bp + 2 * fill.half_spread / fill.mid * 10'000;
  queue.fills.push_back({fill.at, fill.mid, cost, &group, fill.order.side, fill.half_spread > 0});
  queue.next_due = std::min(queue.next_due, fill.at + kHorizons.front());
}

void Markouts::settle(std::size_t symbol_index, UnixMs before, const Spot& spot) {
  if (symbol_index >= queues_.size()) return;
  Queue& queue = queues_[symbol_index];
  if (queue.next_due >= before) return;
  queue.next_due = UnixMs::max();
  for (std::size_t horizon = 0; horizon < kHorizons.size(); ++horizon) {
    std::size_t& next = queue.settled[horizon];
    for (; next < queue.fills.size(); ++next) {
      const UnixMs due = queue.fills[next].filled_at + kHorizons[horizon];
      if (due >= before) {
        queue.next_due = std::min(queue.next_due, due);
        break;
      }
      settle(queue.fills[next], horizon, spot);
    }
  }
  drop_settled(queue);
}

// The longest horizon has settled the fewest.
void Markouts::drop_settled(Queue& queue) {
  const std::size_t done = queue.settled.back();
  queue.fills.erase(queue.fills.begin(), queue.fills.begin() + static_cast<std::ptrdiff_t>(done));
  for (std::size_t& settled : queue.settled) settled -= done;
}

void Markouts::settle(const Waiting& fill, std::size_t horizon, const Spot& spot) {
  HorizonSums& result = fill.group->horizons[horizon];
  if (!is_known(spot, fill.filled_at + kHorizons[horizon])) {
    ++result.unknown;
    return;
  }
  const double move = (spot.mid - fill.mid) / fill.mid * 10'000;
  const double gross = fill.side == Side::buy ? move : -move;
  result.sums.add(fill.filled_at, {gross, fill.cost, gross > 0});
  if (!fill.has_spread) ++result.without_spread;
}

template <class Visit>
void Markouts::for_each_group(std::size_t account, Visit&& visit) const {
  assert(account < accounts_);
  for (std::size_t row = 0; row < groups_.size(); ++row) {
    if (groups_[row].empty()) continue;
    for (const StrategyId strategy : all_of<StrategyId>) {
      const Group& group = groups_[row][account * count_of<StrategyId> + index_of(strategy)];
      if (group.orders > 0) visit(row, strategy, group);
    }
  }
}

std::size_t Markouts::questions(std::size_t account) const noexcept {
  std::size_t questions = 0;
  for_each_group(account, [&](std::size_t, StrategyId, const Group& group) {
    for (const HorizonSums& horizon : group.horizons) {
      if (horizon.sums.blocks() >= kEnoughBlocks) ++questions;
    }
  });
  return std::max<std::size_t>(questions, 1);
}

Markout Markouts::markout(const HorizonSums& horizon, std::size_t questions) {
  Markout markout;
  markout.estimate = horizon.sums.estimate(questions);
  markout.unknown = horizon.unknown;
  markout.without_spread = horizon.without_spread;
  markout.block_length = horizon.sums.block_length();
  markout.edge = edge_of(markout.estimate.net);
  return markout;
}

BlockSums Markouts::together(std::size_t account, std::size_t horizon) const {
  BlockSums sums(kHorizons[horizon]);
  for_each_group(account, [&](std::size_t, StrategyId, const Group& group) {
    sums.add(group.horizons[horizon].sums);
  });
  return sums;
}

SampleTotals Markouts::totals(std::size_t account, std::size_t horizon) const {
  SampleTotals totals;
  for_each_group(account, [&](std::size_t, StrategyId, const Group& group) {
    const SampleTotals of_group = group.horizons[horizon].sums.totals();
    totals.gross += of_group.gross;
    totals.cost += of_group.cost;
    totals.samples += of_group.samples;
  });
  return totals;
}

AccountMarkouts Markouts::result(std::size_t account, std::size_t accounts_compared) const {
  assert(accounts_compared >= 1);
  AccountMarkouts result;
  result.questions = questions(account) * accounts_compared;
  for_each_group(account, [&](std::size_t row, StrategyId strategy, const Group& group) {
    GroupMarkouts& markouts = result.groups.emplace_back();
    markouts.strategy = strategy;
    markouts.symbol_index = row;
    markouts.orders = group.orders;
    for (std::size_t i = 0; i < kHorizons.size(); ++i) {
      markouts.horizons[i] = markout(group.horizons[i], result.questions);
      // The enumerators stand from the best news to the least.
      result.overall = std::min(result.overall, edge_of(markouts.horizons[i].estimate.strict_net));
    }
  });
  return result;
}

}  // namespace rts::research
