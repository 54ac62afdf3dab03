#include <algorithm>
#include <cassert>
#include <cstring>

#include <rts/trading/order_memory.hpp>

namespace rts {

OrderMemory::OrderMemory(std::size_t symbol_capacity) : states_(symbol_capacity) {
  own_.reserve(kMaxOwn);
}

// Ids are hashes themselves.
std::size_t OrderMemory::IdHash::operator()(const Uuid& id) const noexcept {
  std::size_t hash = 0;
  std::memcpy(&hash, id.data, sizeof hash);
  return hash;
}

bool OrderMemory::is_foreign(const Uuid& id) const noexcept {
  const auto found = stored_.find(id);
  return found != stored_.end() && !found->second.own;
}

void OrderMemory::accept(const CountedOrder& order, std::size_t symbol_index) noexcept {
  if (const auto found = stored_.find(order.id); found != stored_.end()) {
    found->second.own = true;
    return;
  }
  state_of(symbol_index, order).add(order.at, false);
  if (own_.size() == kMaxOwn) {
    // Half at once, so that the others seldom move up. What is counted stays the same.
    const auto half = own_.begin() + kMaxOwn / 2;
    std::for_each(own_.begin(), half, [this](const Own& own) { stored_counts_.count_again(own); });
    own_.erase(own_.begin(), half);
  }
  counts_.count(order);
  own_.push_back({order, counts_.days[index_of(order.strategy)].period, counts_.minute.period});
}

void OrderMemory::hear(const CountedOrder& order, std::optional<std::size_t> symbol_index) {
  const auto [entry, is_new] = stored_.try_emplace(
      order.id,
      Stored{order, stored_counts_.days[index_of(order.strategy)].orders_at(utc_day(order.at)),
             stored_counts_.minute.orders_at(utc_minute(order.at))});
  if (!is_new) return;
  const auto own = std::find_if(own_.begin(), own_.end(),
                                [&](const Own& other) { return other.order.id == order.id; });
  // The other process may have decided upon another event of the same bucket.
  const bool moves_own = own != own_.end() && own->order.at != order.at;
  if (own != own_.end()) {
    entry->second.own = true;
    own_.erase(own);
  }
  stored_counts_.count(order);
  count_again();
  if (symbol_index && moves_own) {
    place(*symbol_index, order.symbol);
  } else if (symbol_index) {
    state_of(*symbol_index, order).add(order.at, !entry->second.own);
  }
  heard_.push_back(order.id);
  if (heard_.size() > kMaxStored) {
    stored_.erase(heard_.front());
    heard_.pop_front();
  }
}

OrderMemory::Others OrderMemory::besides(const CountedOrder& order) const noexcept {
  KeyState key;
  const auto add = [&](const CountedOrder& other) {
    const bool is_of_key = other.strategy == order.strategy && other.side == order.side &&
                           other.symbol == order.symbol;
    if (is_of_key && other.id != order.id) key.add(other.at, false);
  };
  for (const auto& [id, stored] : stored_) add(stored.order);
  for (const Own& own : own_) add(own.order);
  if (const auto found = stored_.find(order.id); found != stored_.end()) {
    return {key.last, found->second.before_of_day, found->second.before_of_minute};
  }
  // An order of an earlier period than the latest may have been counted to either.
  const auto besides_own = [](const PeriodCount& count, std::int64_t own) {
    return count.orders_at(own) - (count.orders > 0 && own == count.period ? 1 : 0);
  };
  return {key.last, besides_own(counts_.days[index_of(order.strategy)], utc_day(order.at)),
          besides_own(counts_.minute, utc_minute(order.at))};
}

void OrderMemory::take_back(const Uuid& id, std::optional<std::size_t> symbol_index) noexcept {
  const auto own =
      std::find_if(own_.begin(), own_.end(), [&](const Own& one) { return one.order.id == id; });
  if (own == own_.end()) return;
  const Symbol symbol = own->order.symbol;
  own_.erase(own);
  count_again();
  if (symbol_index) place(*symbol_index, symbol);
}

void OrderMemory::place(std::size_t symbol_index, const Symbol& symbol) noexcept {
  assert(symbol_index < states_.size());
  states_[symbol_index] = {};
  const auto add = [&](const CountedOrder& order, bool is_foreign) {
    if (order.symbol == symbol) state_of(symbol_index, order).add(order.at, is_foreign);
  };
  for (const auto& [id, stored] : stored_) add(stored.order, !stored.own);
  for (const Own& own : own_) add(own.order, false);
}

void OrderMemory::count_again() noexcept {
  counts_ = stored_counts_;
  for (const Own& own : own_) counts_.count_again(own);
}

}  // namespace rts
