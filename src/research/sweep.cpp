#include "research/sweep.hpp"

#include <algorithm>
#include <cassert>
#include <functional>
#include <tuple>
#include <utility>

#include <rts/trading/gate.hpp>

namespace rts::research {
namespace {

using OutcomeCounts = std::array<std::uint64_t, count_of<Outcome>>;

// What a strategy wanted at an event of the block, before the gate.
struct Wanted {
  std::uint32_t event;
  Signal signal;
};

// orderbook_skew remembers nothing.
struct NoContext {
  void clear() noexcept {}
};

// Where a strategy's parameters and events are, what it remembers, and how the engine asks it. Two
// of them score alike when they differ in nothing but what direction() reads.
template <class Strategy>
struct Of;
template <>
struct Of<OrderbookSkew> {
  using Context = NoContext;
  static constexpr StrategyId kId = StrategyId::orderbook_skew;
  static const auto& events(const Block& block) noexcept { return block.books(); }
  static const auto& in(const SymbolParameters& all) noexcept { return all.orderbook_skew; }
  static bool score_alike(const OrderbookSkew& a, const OrderbookSkew& b) noexcept {
    return a.top_levels == b.top_levels;
  }
  static auto score(const OrderbookSkew& strategy, const Sighting<Book>& seen,
                    NoContext&) noexcept {
    return strategy.score(seen.data);
  }
};
template <>
struct Of<TradeMomentum> {
  using Context = TradeWindow;
  static constexpr StrategyId kId = StrategyId::trade_momentum;
  static const auto& events(const Block& block) noexcept { return block.trades(); }
  static const auto& in(const SymbolParameters& all) noexcept { return all.trade_momentum; }
  static bool score_alike(TradeMomentum a, const TradeMomentum& b) noexcept {
    a.buy_threshold = b.buy_threshold;
    a.sell_threshold = b.sell_threshold;
    return a == b;
  }
  static auto score(const TradeMomentum& strategy, const Sighting<Trade>& seen,
                    TradeWindow& window) {
    const auto score = strategy.score(seen.data, seen.at, window);
    strategy.remember(seen.data, seen.at, window);
    return score;
  }
};
template <>
struct Of<TickerVelocity> {
  using Context = TickerWindow;
  static constexpr StrategyId kId = StrategyId::ticker_velocity;
  static const auto& events(const Block& block) noexcept { return block.tickers(); }
  static const auto& in(const SymbolParameters& all) noexcept { return all.ticker_velocity; }
  static bool score_alike(const TickerVelocity& a, const TickerVelocity& b) noexcept {
    return a.time_window == b.time_window;
  }
  static auto score(const TickerVelocity& strategy, const Sighting<Ticker>& seen,
                    TickerWindow& window) {
    const PriceSample sample{seen.at, seen.data.last_price};
    window.append(sample, strategy.time_window);
    return strategy.score(sample, window);
  }
};

// Whether two settings agree in something, for every symbol.
template <class Agree>
bool agree_for_all(const EngineParameters& a, const EngineParameters& b, const Agree& agree) {
  return agree(a.defaults, b.defaults) &&
         std::ranges::equal(a.per_symbol, b.per_symbol,
                            [&](const NamedParameters& one, const NamedParameters& other) {
                              return one.symbol == other.symbol &&
                                     agree(one.parameters, other.parameters);
                            });
}

// Settings that a strategy scores alike: one context and one score for all of them, and one
// direction for those that agree in all of its parameters.
template <class Strategy>
class Family {
 public:
  explicit Family(const EngineParameters& parameters) : first_(&parameters) {}

  // The member with these parameters' strategy; empty when they do not belong here.
  std::optional<std::size_t> join(const EngineParameters& parameters) {
    const auto score_alike = [](const SymbolParameters& a, const SymbolParameters& b) {
      return a.enabled[index_of(Of<Strategy>::kId)] == b.enabled[index_of(Of<Strategy>::kId)] &&
             Of<Strategy>::score_alike(Of<Strategy>::in(a), Of<Strategy>::in(b));
    };
    if (!agree_for_all(*first_, parameters, score_alike)) return std::nullopt;
    const auto are_equal = [](const SymbolParameters& a, const SymbolParameters& b) {
      return Of<Strategy>::in(a) == Of<Strategy>::in(b);
    };
    const auto same = std::ranges::find_if(members_, [&](const Member& member) {
      return agree_for_all(*member.parameters, parameters, are_equal);
    });
    const auto index = static_cast<std::size_t>(same - members_.begin());
    if (same == members_.end()) members_.push_back({&parameters, {}, {}});
    return index;
  }

  void work(const Block& block) {
    for (Member& member : members_) member.wanted.clear();
    for (const auto& seen : Of<Strategy>::events(block)) {
      Slot& slot = slot_of(seen.symbol_index, *seen.listing);
      if (!slot.is_enabled) {
        slot.context.clear();
        for (Member& member : members_) ++member.outcomes[index_of(Outcome::disabled)];
        continue;
      }
      const auto score = Of<Strategy>::score(slot.strategies.front(), seen, slot.context);
      for (std::size_t i = 0; i < members_.size(); ++i) {
        const auto [side, otherwise] = slot.strategies[i].direction(score);
        const auto signal = side ? slot.strategies[i].signal(score, *side) : std::nullopt;
        if (signal) {
          members_[i].wanted.push_back({seen.event, *signal});
        } else {
          ++members_[i].outcomes[index_of(otherwise)];
        }
      }
    }
  }

  [[nodiscard]] const std::vector<Wanted>& wanted(std::size_t member) const noexcept {
    return members_[member].wanted;
  }
  [[nodiscard]] const OutcomeCounts& outcomes(std::size_t member) const noexcept {
    return members_[member].outcomes;
  }

 private:
  struct Member {
    const EngineParameters* parameters;
    OutcomeCounts outcomes{};      // of the events that ended without a signal
    std::vector<Wanted> wanted{};  // in the block
  };
  struct Slot {
    std::uint64_t serial = 0;  // of the listing that it is of
    bool is_enabled = false;
    typename Of<Strategy>::Context context{};
    std::vector<Strategy> strategies{};  // by member
  };

  Slot& slot_of(std::size_t symbol_index, const Listing& listing) {
    if (symbol_index >= slots_.size()) slots_.resize(symbol_index + 1);
    Slot& slot = slots_[symbol_index];
    if (slot.serial == listing.serial) return slot;
    slot = {.serial = listing.serial,
            .is_enabled = first_->of(listing.symbol).enabled[index_of(Of<Strategy>::kId)]};
    for (const Member& member : members_) {
      slot.strategies.push_back(Of<Strategy>::in(member.parameters->of(listing.symbol)));
    }
    return slot;
  }

  const EngineParameters* first_;
  std::vector<Member> members_;
  std::vector<Slot> slots_;  // by symbol index
};

// Where a setting is among a strategy's families.
struct FamilyPlace {
  std::size_t family, member;
};

// All families of a strategy.
template <class Strategy>
class Families {
 public:
  FamilyPlace join(const EngineParameters& parameters) {
    for (std::size_t i = 0; i < families_.size(); ++i) {
      if (const auto member = families_[i].join(parameters)) return {i, *member};
    }
    families_.emplace_back(parameters);
    return {families_.size() - 1, *families_.back().join(parameters)};
  }
  void work(const Block& block) {
    for (auto& family : families_) family.work(block);
  }
  [[nodiscard]] const std::vector<Wanted>& wanted(FamilyPlace place) const noexcept {
    return families_[place.family].wanted(place.member);
  }
  [[nodiscard]] const OutcomeCounts& outcomes(FamilyPlace place) const noexcept {
    return families_[place.family].outcomes(place.member);
  }

 private:
  std::vector<Family<Strategy>> families_;
};

using AllFamilies =
    std::tuple<Families<OrderbookSkew>, Families<TradeMomentum>, Families<TickerVelocity>>;

// What `of` gives of each strategy's families and its number, by strategy.
template <class All, class Of>
auto by_strategy(All& families, const Of& of) {
  return std::array{of(std::get<0>(families), 0), of(std::get<1>(families), 1),
                    of(std::get<2>(families), 2)};
}

// What the intake reads of the settings that a sweep can vary.
bool are_admitted_alike(const EngineParameters& a, const EngineParameters& b) {
  return a.gate.price_band_percent == b.gate.price_band_percent;
}

std::vector<EngineParameters> lanes_of(const std::vector<Trial>& trials) {
  assert(!trials.empty());
  std::vector<EngineParameters> lanes;
  for (const Trial& trial : trials) {
    const bool is_known = std::ranges::any_of(lanes, [&](const EngineParameters& lane) {
      return are_admitted_alike(lane, trial.parameters);
    });
    if (!is_known) lanes.push_back(trial.parameters);
  }
  return lanes;
}

}  // namespace

std::uint64_t TrialCounts::orders() const noexcept {
  std::uint64_t sum = 0;
  for (const StrategyId strategy : all_of<StrategyId>) sum += orders(strategy);
  return sum;
}

// --- Bench: trials of one lane, on one thread ----------------------------------------------------

class Sweep::Bench {
 public:
  Bench(std::size_t lane, std::size_t symbol_capacity) : lane_(lane), capacity_(symbol_capacity) {}

  void add(std::size_t index, const Trial& trial) {
    const EngineParameters& parameters = trial.parameters;
    seats_.emplace_back(index, parameters, capacity_);
    seats_.back().gate.set_paused(parameters.paused);
    seats_.back().places = by_strategy(
        families_, [&](auto& families, std::size_t /*i*/) { return families.join(parameters); });
    trials_.push_back(index);
  }
  void observe(const MakeObserver& make) { observer_ = make ? make(trials_) : nullptr; }

  void work(const std::vector<Block>& blocks) {
    const Block& block = blocks[lane_];
    std::apply([&](auto&... families) { (families.work(block), ...); }, families_);
    orders_.clear();
    for (Seat& seat : seats_) work(seat, block.events());
    if (observer_) tell(block.events());
  }

  void write(std::vector<TrialCounts>& counts) const {
    for (const Seat& seat : seats_) {
      TrialCounts& of_trial = counts[seat.trial];
      of_trial = seat.counts;
      const auto outcomes = by_strategy(families_, [&](const auto& families, std::size_t i) {
        return &families.outcomes(seat.places[i]);
      });
      for (std::size_t strategy = 0; strategy < outcomes.size(); ++strategy) {
        std::ranges::transform(*outcomes[strategy], of_trial.outcomes[strategy],
                               of_trial.outcomes[strategy].begin(), std::plus{});
      }
    }
  }

 private:
  struct Slot {
    std::uint64_t serial = 0;  // of the listing that it is of
    const OrderTerms* terms = nullptr;
  };
  // A trial, behind its strategies.
  struct Seat {
    Seat(std::size_t index, const EngineParameters& told, std::size_t capacity)
        : trial(index), parameters(&told), gate(told.gate, capacity), slots(capacity) {}

    std::size_t trial;
    const EngineParameters* parameters;
    Gate gate;
    std::vector<Slot> slots;                                 // by symbol index
    std::array<FamilyPlace, count_of<StrategyId>> places{};  // by strategy
    TrialCounts counts{};  // of the events that ended with a signal
  };
  struct OrderAt {
    std::uint32_t event;
    TrialOrder order;
  };

  // What the strategies want goes through the gate in the order of the events.
  void work(Seat& seat, const std::vector<TapeEvent>& events) {
    const auto wanted = by_strategy(families_, [&](const auto& families, std::size_t i) {
      return std::span<const Wanted>(families.wanted(seat.places[i]));
    });
    // The next of each, and its event; behind the last there is none.
    const auto none = static_cast<std::uint32_t>(events.size());
    std::array<std::size_t, count_of<StrategyId>> next{};
    std::array<std::uint32_t, count_of<StrategyId>> event{};
    const auto look = [&](std::size_t i) {
      event[i] = next[i] < wanted[i].size() ? wanted[i][next[i]].event : none;
    };
    for (const StrategyId id : all_of<StrategyId>) look(index_of(id));
    while (true) {
      std::size_t first = event[1] < event[0] ? 1 : 0;
      if (event[2] < event[first]) first = 2;
      if (event[first] == none) return;
      pass(seat, static_cast<StrategyId>(first), wanted[first][next[first]], events[event[first]]);
      ++next[first];
      look(first);
    }
  }

  void pass(Seat& seat, StrategyId strategy, const Wanted& wanted, const TapeEvent& event) {
    const Symbol& symbol = event.listing->symbol;
    Slot& slot = seat.slots[event.symbol_index];
    if (slot.serial != event.listing->serial) {
      slot = {event.listing->serial, &seat.parameters->of(symbol).terms};
      seat.gate.place(event.symbol_index, symbol);
    }
    const Side side = wanted.signal.side;
    const auto passed = seat.gate.pass({strategy, event.symbol_index, symbol, *slot.terms,
                                        wanted.signal, event.at, event.id, event.reference});
    const Outcome accepted = side == Side::buy ? Outcome::signal_buy : Outcome::signal_sell;
    const Outcome outcome = passed ? accepted : passed.error().outcome;
    ++seat.counts.outcomes[index_of(strategy)][index_of(outcome)];
    if (!passed || !observer_) return;
    orders_.push_back({wanted.event,
                       {seat.trial, strategy, side, is_reduce_only(*slot.terms, side),
                        passed.value().quantity.to_double(), passed.value().protection}});
  }

  void tell(const std::vector<TapeEvent>& events) {
    std::ranges::stable_sort(orders_, {}, &OrderAt::event);
    auto next = orders_.begin();
    for (std::uint32_t i = 0; i < events.size(); ++i) {
      at_event_.clear();
      for (; next != orders_.end() && next->event == i; ++next) at_event_.push_back(next->order);
      observer_->on_event(events[i], at_event_);
    }
  }

  std::size_t lane_;
  std::size_t capacity_;
  AllFamilies families_;
  std::vector<Seat> seats_;
  std::vector<std::size_t> trials_;
  std::unique_ptr<Observer> observer_;
  std::vector<OrderAt> orders_;       // of the block
  std::vector<TrialOrder> at_event_;  // of one event
};

// --- Sweep ---------------------------------------------------------------------------------------

Sweep::Sweep(const std::vector<Trial>& trials, std::size_t threads,
             const MakeObserver& make_observer)
    : Sweep(trials, lanes_of(trials), std::clamp<std::size_t>(threads, 1, trials.size()),
            make_observer) {}

// Neighbours among the trials agree in most of their strategies: they go to one worker.
Sweep::Sweep(const std::vector<Trial>& trials, const std::vector<EngineParameters>& lanes,
             std::size_t threads, const MakeObserver& make_observer)
    : tape_(lanes),
      filling_(lanes.size()),
      ready_(lanes.size()),
      counts_(trials.size()),
      workers_(threads),
      exchange_(static_cast<std::ptrdiff_t>(threads) + 1, Exchange{this}) {
  for (std::size_t i = 0; i < trials.size(); ++i) {
    const auto lane = std::ranges::find_if(lanes, [&](const EngineParameters& of_lane) {
      return are_admitted_alike(of_lane, trials[i].parameters);
    });
    lane_of_.push_back(static_cast<std::size_t>(lane - lanes.begin()));
    Worker& worker = workers_[i * threads / trials.size()];
    worker.resize(lanes.size());
    auto& bench = worker[lane_of_.back()];
    if (!bench) {
      bench = std::make_unique<Bench>(lane_of_.back(), tape_.symbol_capacity(lane_of_.back()));
    }
    bench->add(i, trials[i]);
  }
  for (Worker& worker : workers_) {
    std::erase(worker, nullptr);
    for (const auto& bench : worker) bench->observe(make_observer);
    threads_.emplace_back([this, &worker] { work(worker); });
  }
}

Sweep::~Sweep() { finish(); }

void Sweep::read(const wire::RecordedFrame& frame) {
  assert(!is_ending_);
  tape_.read(frame, filling_);
  if (std::ranges::any_of(filling_, &Block::is_full)) hand_over();
}

void Sweep::finish() {
  if (is_ending_) return;
  hand_over();
  is_ending_ = true;
  exchange_.arrive_and_drop();
  threads_.clear();
  for (const Worker& worker : workers_) {
    for (const auto& bench : worker) bench->write(counts_);
  }
}

void Sweep::hand_over() {
  exchange_.arrive_and_wait();
  for (Block& block : filling_) block.clear();
}

void Sweep::work(Worker& worker) {
  while (true) {
    exchange_.arrive_and_wait();
    if (is_over_) return;
    for (const auto& bench : worker) bench->work(ready_);
  }
}

}  // namespace rts::research
