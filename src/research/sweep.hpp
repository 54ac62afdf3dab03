// Sweep: many settings over the same recordings at once. Each frame is decoded once, each strategy
// is asked once for all settings that agree in its parameters, and every setting has a gate of its
// own: the engine's strategies and gate, so a setting's counts are those of `replay` with it. What
// was heard of the logs at the broker is left out: it is of the settings that ran then.
#pragma once

#include <array>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/parameters.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/terms.hpp>
#include <rts/wire/frame.hpp>

#include "research/tape.hpp"

namespace rts::research {

// Settings that are tried: what is varied, and what an engine is told with it.
struct Trial {
  std::vector<config::Given> values;
  EngineParameters parameters;
};

// An order of a trial, as far as it is judged afterwards.
struct TrialOrder {
  std::size_t trial;
  StrategyId strategy;
  Side side;
  bool reduce_only;
  double quantity;                       // base asset
  std::optional<Protection> protection;  // of an opening order, always
};

// Sees the market of trials that one thread works on, and what they order, in the order of the
// events. Its functions are called by that thread.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  Observer(Observer&&) = delete;
  Observer& operator=(Observer&&) = delete;
  virtual ~Observer() = default;

  // An event, and what has been ordered at it.
  virtual void on_event(const TapeEvent& event, std::span<const TrialOrder> orders) = 0;
};

// What a trial has come to.
struct TrialCounts {
  std::array<std::array<std::uint64_t, count_of<Outcome>>, count_of<StrategyId>> outcomes{};

  [[nodiscard]] std::uint64_t count(StrategyId strategy, Outcome outcome) const noexcept {
    return outcomes[index_of(strategy)][index_of(outcome)];
  }
  [[nodiscard]] std::uint64_t orders(StrategyId strategy) const noexcept {
    return count(strategy, Outcome::signal_buy) + count(strategy, Outcome::signal_sell);
  }
  [[nodiscard]] std::uint64_t orders() const noexcept;
};

// Thread: its owner's, but for the workers that it has.
class Sweep {
 public:
  // Makes the observer of these trials, on the owner's thread; null: none.
  using MakeObserver =
      std::function<std::unique_ptr<Observer>(const std::vector<std::size_t>& trials)>;

  // `trials` outlive it, and there is one at least.
  Sweep(const std::vector<Trial>& trials, std::size_t threads, const MakeObserver& make_observer);
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;
  Sweep(Sweep&&) = delete;
  Sweep& operator=(Sweep&&) = delete;

  // The next frame of the recordings.
  void read(const wire::RecordedFrame& frame);
  // Nothing more is read. What has been read is worked off; the threads have ended.
  void finish();

  // After finish().
  [[nodiscard]] const TrialCounts& counts(std::size_t trial) const noexcept {
    return counts_[trial];
  }
  [[nodiscard]] const TapeCounts& tape_counts(std::size_t trial) const noexcept {
    return tape_.counts(lane_of_[trial]);
  }

 private:
  class Bench;
  using Worker = std::vector<std::unique_ptr<Bench>>;  // a bench for each lane of its trials
  struct Exchange {
    Sweep* sweep;
    void operator()() const noexcept {
      sweep->filling_.swap(sweep->ready_);
      sweep->is_over_ = sweep->is_ending_;
    }
  };

  Sweep(const std::vector<Trial>& trials, const std::vector<EngineParameters>& lanes,
        std::size_t threads, const MakeObserver& make_observer);
  void hand_over();
  void work(Worker& worker);

  std::vector<std::size_t> lane_of_;  // by trial
  Tape tape_;
  std::vector<Block> filling_, ready_;  // by lane: what is being decoded, and what is worked off
  std::vector<TrialCounts> counts_;     // by trial
  bool is_ending_ = false;              // the owner's: it hands over for the last time
  bool is_over_ = false;                // the workers': changes only while they wait
  std::vector<Worker> workers_;
  // Where the owner, who has filled blocks, and the workers, who have worked some off, meet; the
  // blocks change hands there. It is all that they share while they are at work.
  std::barrier<Exchange> exchange_;
  std::vector<std::jthread> threads_;
};

}  // namespace rts::research
