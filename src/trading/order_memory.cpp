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
  return found != stored_.end() && !found->second;
}

void OrderMemory::accept(const CountedOrder& order, std::size_t symbol_index) noexcept {
  if (const auto found = stored_.find(order.id); found != stored_.end()) {
    found->second = true;
    return;
  }
  state_of(symbol_index, order).add(order.at, false);
  if (own_.size() == kMaxOwn) {
    // Half at once, so that the others seldom move up. What is counted stays the same.
    const auto half = own_.begin() + kMaxOwn / 2;
    std::for_each(own_.begin(), half, [this](const Own& own) {
      forgotten_counts_.count_again(own);
      stored_counts_.count_again(own);
    });
    own_.erase(own_.begin(), half);
  }
  counts_.count(order);
  own_.push_back({order, counts_.days[index_of(order.strategy)].period, counts_.minute.period});
}

void OrderMemory::hear(const CountedOrder& order, std::optional<std::size_t> symbol_index) {
  const auto [entry, is_new] = stored_.try_emplace(order.id, false);
  if (!is_new) return;
  heard_.push_back(order);
  const auto own = std::find_if(own_.begin(), own_.end(),
                                [&](const Own& other) { return other.order.id == order.id; });
  // The other process may have decided upon another event of the same bucket.
  const bool moves_own = own != own_.end() && own->order.at != order.at;
  if (own != own_.end()) {
    entry->second = true;
    own_.erase(own);
  }
  stored_counts_.count(order);
  count_again();
  if (symbol_index && moves_own) {
    place(*symbol_index, order.symbol);
  } else if (symbol_index) {
    state_of(*symbol_index, order).add(order.at, !entry->second);
  }
  if (heard_.size() > kMaxStored) {
    forgotten_counts_.count(heard_.front());
    stored_.erase(heard_.front().id);
    heard_.pop_front();
  }
}

OrderMemory::Others OrderMemory::before(const CountedOrder& order) const noexcept {
  KeyState key;
  const auto add = [&](const CountedOrder& other) {
    const bool is_of_key = other.strategy == order.strategy && other.side == order.side &&
                           other.symbol == order.symbol;
    if (is_of_key) key.add(other.at, false);
  };
  Counts counts = forgotten_counts_;
  const bool is_stored = stored_.contains(order.id);
  for (const CountedOrder& other : heard_) {
    if (other.id == order.id) break;
    counts.count(other);
    add(other);
  }
  for (const Own& own : own_) {
    if (is_stored || own.order.id == order.id) break;
    counts.count_again(own);
    add(own.order);
  }
  return {key.last, counts.days[index_of(order.strategy)].orders_at(utc_day(order.at)),
          counts.minute.orders_at(utc_minute(order.at))};
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
  for (const CountedOrder& order : heard_) {
    if (order.symbol != symbol) continue;
    state_of(symbol_index, order).add(order.at, !stored_.find(order.id)->second);
  }
  for (const Own& own : own_) {
    if (own.order.symbol == symbol) state_of(symbol_index, own.order).add(own.order.at, false);
  }
}

void OrderMemory::count_again() noexcept {
  counts_ = stored_counts_;
  for (const Own& own : own_) counts_.count_again(own);
}

}  // namespace rts
