// OrderMemory: what the gate remembers of orders. A fold over the order log (SPEC §6) and the
// process's own accepted signals, by id, so that each counts once: as the log has them, in its
// order, and behind them the own ones that the log does not have (yet). So replicas that have heard
// the same log, and have no signal of their own on the way, remember the same. All in event time.
// Without a log the own signals are everything. Pure; one a process; not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/base/uuid.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

// An order as far as limits count it: an entry of the log, or an accepted signal.
struct CountedOrder {
  Uuid id{};
  StrategyId strategy = StrategyId::orderbook_skew;
  Side side = Side::buy;
  Symbol symbol;
  UnixMs at;  // event time
};

class OrderMemory {
 public:
  // Own signals that the log does not have. What is beyond them counts on, but is no longer known
  // by its id.
  static constexpr std::size_t kMaxOwn = 1024;
  // Entries of the log that are known by their id: of more the first heard are forgotten, and count
  // on. A day at 30 orders a minute has 43,200.
  static constexpr std::size_t kMaxStored = std::size_t{1} << 16U;

  // A key is a symbol's number (the engine's), a strategy and a side.
  struct Key {
    std::size_t symbol_index;
    StrategyId strategy;
    Side side;
  };

  explicit OrderMemory(std::size_t symbol_capacity);

  // --- What it remembers ------------------------------------------------------------------------

  // Event time of the key's newest order.
  [[nodiscard]] std::optional<UnixMs> last_order(const Key& key) const noexcept {
    return state_of(key).last;
  }
  // Orders of the UTC day or minute of `at`. Time never runs backwards here: an older order counts
  // to the latest period that has had one, and an older `at` asks for that.
  [[nodiscard]] std::int64_t orders_of_day(StrategyId strategy, UnixMs at) const noexcept {
    return counts_.days[index_of(strategy)].orders_at(utc_day(at));
  }
  [[nodiscard]] std::int64_t orders_of_minute(UnixMs at) const noexcept {
    return counts_.minute.orders_at(utc_minute(at));
  }
  // Whether is_foreign() may be true of an id that the key's signal at this time has. Cheap, to ask
  // before the id is made: one id is of one cooldown's bucket, or of one event.
  [[nodiscard]] bool may_be_foreign(const Key& key, UnixMs at,
                                    std::chrono::milliseconds cooldown) const noexcept {
    const auto& last = state_of(key).last_foreign;
    return last && at - *last <= cooldown;
  }
  // Whether the log has the order, and no accepted signal of this process is it.
  [[nodiscard]] bool is_foreign(const Uuid& id) const noexcept;

  // What was before an order, as that order's own check needs it: what the log has before it; where
  // the log does not have it, all of the log, and the own signals that were accepted before it.
  // Looks through all of them.
  struct Others {
    std::optional<UnixMs> last;
    std::int64_t orders_of_day, orders_of_minute;
  };
  [[nodiscard]] Others before(const CountedOrder& order) const noexcept;

  // --- What changes it --------------------------------------------------------------------------

  // A signal has passed the gate. One that the log has counts no second time.
  void accept(const CountedOrder& order, std::size_t symbol_index) noexcept;
  // The next entry of the log. An id that was heard before is a copy, and nothing. The index is
  // empty while the engine has no number for the symbol: place() makes up for it.
  void hear(const CountedOrder& order, std::optional<std::size_t> symbol_index);
  // An accepted signal that is no order after all, and that the log does not have, counts no more.
  void take_back(const Uuid& id, std::optional<std::size_t> symbol_index) noexcept;
  // The number stands for this symbol from now on.
  void place(std::size_t symbol_index, const Symbol& symbol) noexcept;

 private:
  // Orders of the latest period that has had one.
  struct PeriodCount {
    std::int64_t period = 0;
    std::int64_t orders = 0;

    [[nodiscard]] std::int64_t orders_at(std::int64_t now) const noexcept {
      return now <= period ? orders : 0;
    }
    void count(std::int64_t now) noexcept {
      orders = now > period ? 1 : orders + 1;
      period = std::max(now, period);
    }
    // Of an order that was counted before to this period, which may be over by now.
    void count_again(std::int64_t counted_to) noexcept {
      if (counted_to >= period) count(counted_to);
    }
  };
  // An own signal that the log does not have, and the periods it was counted to.
  struct Own {
    CountedOrder order;
    std::int64_t day;
    std::int64_t minute;
  };
  struct Counts {
    std::array<PeriodCount, count_of<StrategyId>> days{};
    PeriodCount minute;

    void count(const CountedOrder& order) noexcept {
      days[index_of(order.strategy)].count(utc_day(order.at));
      minute.count(utc_minute(order.at));
    }
    void count_again(const Own& own) noexcept {
      days[index_of(own.order.strategy)].count_again(own.day);
      minute.count_again(own.minute);
    }
  };
  struct KeyState {
    std::optional<UnixMs> last;
    std::optional<UnixMs> last_foreign;  // of those that no accepted signal of this process is

    void add(UnixMs at, bool is_foreign) noexcept {
      last = std::max(last.value_or(at), at);
      if (is_foreign) last_foreign = std::max(last_foreign.value_or(at), at);
    }
  };
  struct IdHash {
    [[nodiscard]] std::size_t operator()(const Uuid& id) const noexcept;
  };
  using SymbolState = std::array<std::array<KeyState, count_of<Side>>, count_of<StrategyId>>;

  [[nodiscard]] const KeyState& state_of(const Key& key) const noexcept {
    assert(key.symbol_index < states_.size());
    return states_[key.symbol_index][index_of(key.strategy)][index_of(key.side)];
  }
  [[nodiscard]] KeyState& state_of(std::size_t symbol_index, const CountedOrder& order) noexcept {
    assert(symbol_index < states_.size());
    return states_[symbol_index][index_of(order.strategy)][index_of(order.side)];
  }
  void count_again() noexcept;

  std::vector<SymbolState> states_;  // by symbol index
  Counts forgotten_counts_;          // of what is no longer known by its id
  Counts stored_counts_;             // and of the log, in its order
  Counts counts_;                    // and of the own signals behind them
  std::deque<CountedOrder> heard_;   // of the log, in its order
  // Their ids, and whether an accepted signal of this process is the order.
  std::unordered_map<Uuid, bool, IdHash> stored_;
  std::vector<Own> own_;  // in the order of acceptance
};

}  // namespace rts
