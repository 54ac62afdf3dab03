#include "bench/stages.hpp"

#include <chrono>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <rts/engine/engine.hpp>
#include <rts/engine/history.hpp>

#include "support/bench_frames.hpp"

namespace rts::test {
namespace {

using Frames = std::vector<std::string>;

// What is left is so little that it stays in the cache, as a frame does that has just arrived.
constexpr std::size_t kWarmUpFrames = 300;
// Whole hundreds have the shares of mixed frames exactly. Each that is held has a reader of its
// own.
constexpr std::size_t kHeldFrames = 100;
constexpr std::size_t kWarmUpRuns = 200;

class StepStage final : public Stage {
 public:
  explicit StepStage(const Frames& frames)
      : warm_up_(frames.begin(), frames.begin() + kWarmUpFrames),
        frames_(frames.begin() + kWarmUpFrames, frames.end()) {}
  void prepare() override {
    engine_.emplace(bench_parameters());
    for (const std::string& frame : warm_up_) engine_->step(frame, {});
  }
  std::size_t run() override {
    std::size_t events = 0;
    for (const std::string& frame : frames_) events += engine_->step(frame, {}).events.size();
    return events;
  }
  [[nodiscard]] std::size_t frames() const override { return frames_.size(); }

 private:
  Frames warm_up_;
  Frames frames_;
  std::optional<Engine> engine_;
};

// What is remembered of steps. Their orders' views are not looked at.
class HistoryStage final : public Stage {
 public:
  explicit HistoryStage(const Frames& frames) {
    for (const std::string& frame : frames) {
      const auto events = engine_.step(frame, {}).events;
      steps_.emplace_back(events.begin(), events.end());
    }
  }
  void prepare() override { run(); }
  std::size_t run() override {
    for (const auto& events : steps_) history_.add({events}, {}, {});
    return history_.newest();
  }
  [[nodiscard]] std::size_t frames() const override { return steps_.size(); }

 private:
  Engine engine_{bench_parameters()};
  History history_{engine_.symbols()};
  std::vector<std::vector<EventRecord>> steps_;
};

class DecodeStage final : public Stage {
 public:
  explicit DecodeStage(const Frames& frames)
      : frames_(frames.begin() + kWarmUpFrames, frames.end()) {}
  std::size_t run() override {
    std::size_t events = 0;
    for (const std::string& frame : frames_) {
      if (reader_.open(frame)) continue;
      while (reader_.next() != nullptr) ++events;
    }
    return events;
  }
  [[nodiscard]] std::size_t frames() const override { return frames_.size(); }

 private:
  Frames frames_;
  wire::FrameReader reader_;
};

// Frames of one event each, decoded once and held.
class Held {
 public:
  explicit Held(const Frames& frames) {
    for (std::size_t i = 0; i < kHeldFrames; ++i) {
      auto& reader = readers_.emplace_back(std::make_unique<wire::FrameReader>());
      if (reader->open(frames[i])) throw std::logic_error("a frame cannot be read");
      events_.push_back(reader->next());
    }
  }
  [[nodiscard]] std::size_t size() const { return events_.size(); }
  [[nodiscard]] auto admit(Intake& intake, std::size_t i) const {
    return intake.admit(*events_[i], readers_[i]->envelope(), {});
  }

 private:
  std::vector<std::unique_ptr<wire::FrameReader>> readers_;
  std::vector<const wire::WireEvent*> events_;
};

class AdmitStage final : public Stage {
 public:
  explicit AdmitStage(const Frames& frames) : held_(frames) {}
  void prepare() override { intake_.emplace(parameters_, schedule_); }
  std::size_t run() override {
    std::size_t admitted = 0;
    for (std::size_t i = 0; i < held_.size(); ++i) {
      if (held_.admit(*intake_, i)) ++admitted;
    }
    return admitted;
  }
  [[nodiscard]] std::size_t frames() const override { return held_.size(); }

 private:
  Held held_;
  EngineParameters parameters_ = bench_parameters();
  Schedule schedule_{parameters_};
  std::optional<Intake> intake_;
};

class StrategyStage final : public Stage {
 public:
  explicit StrategyStage(const Frames& frames) : held_(frames) {
    for (std::size_t i = 0; i < held_.size(); ++i) {
      auto event = held_.admit(intake_, i);
      if (!event) throw std::logic_error("a frame is refused");
      events_.push_back(*event.value());
    }
    span_ = events_.back().at - events_.front().at + std::chrono::milliseconds(10);
    // Until no window of samples grows any more.
    for (std::size_t i = 0; i < kWarmUpRuns; ++i) run();
  }
  std::size_t run() override {
    std::size_t signals = 0;
    for (const MarketEvent& event : events_) {
      if (verdict(event, contexts_[event.symbol_index]).signal) ++signals;
    }
    later_ += span_;
    return signals;
  }
  [[nodiscard]] std::size_t frames() const override { return events_.size(); }

 private:
  struct Context {
    TradeWindow trades;
    TickerWindow prices;
  };

  // As Engine::consult does it.
  Verdict verdict(const MarketEvent& event, Context& context) {
    if (const auto* book = std::get_if<Book>(&event.data)) return orderbook_skew_(*book);
    const UnixMs at = event.at + later_;
    if (const auto* trade = std::get_if<Trade>(&event.data)) {
      const Verdict verdict = trade_momentum_(*trade, at, context.trades);
      trade_momentum_.remember(*trade, at, context.trades);
      return verdict;
    }
    const PriceSample sample{at, std::get<Ticker>(event.data).last_price};
    context.prices.append(sample, ticker_velocity_.time_window);
    return ticker_velocity_(sample, context.prices);
  }

  Held held_;
  EngineParameters parameters_ = bench_parameters();
  Schedule schedule_{parameters_};
  Intake intake_{parameters_, schedule_};
  std::vector<MarketEvent> events_;
  // Each run goes on where the last one ended.
  std::chrono::milliseconds span_{};
  std::chrono::milliseconds later_{};
  OrderbookSkew orderbook_skew_{bench_parameters().defaults.orderbook_skew};
  TradeMomentum trade_momentum_{bench_parameters().defaults.trade_momentum};
  TickerVelocity ticker_velocity_{bench_parameters().defaults.ticker_velocity};
  std::vector<Context> contexts_ = std::vector<Context>(bench_parameters().symbols.size());
};

// Nearly every frame is an order, also where nothing but books comes.
EngineParameters eager_parameters() {
  EngineParameters parameters = bench_parameters();
  parameters.defaults.orderbook_skew = {
      .buy_threshold = 1.01, .sell_threshold = 0.99, .min_spread_percent = 0};
  parameters.defaults.trade_momentum.buy_threshold = 0.01;
  parameters.defaults.trade_momentum.sell_threshold = -0.01;
  parameters.defaults.trade_momentum.window = 2;
  parameters.defaults.ticker_velocity = {.time_window = std::chrono::seconds(10),
                                         .buy_threshold = 1e-9,
                                         .sell_threshold = -1e-9,
                                         .min_price_change = 0};
  parameters.gate = {.price_band_percent = 0, .max_daily_signals = 0, .max_orders_per_minute = 0};
  parameters.defaults.terms.cooldown = std::chrono::seconds(0);
  return parameters;
}

// Orders, and what the gate was asked for them.
class Orders {
 public:
  explicit Orders(const Frames& frames) {
    for (const std::string& frame : frames) {
      if (orders.size() == kHeldFrames) return;
      for (const EventRecord& record : engine_.step(frame, {}).events) {
        const Decision* decision = record.decision();
        if (decision != nullptr && decision->order) keep(*decision);
      }
    }
    throw std::logic_error("too few orders");
  }

  std::vector<Gate::Request> requests;
  std::vector<Order> orders;

 private:
  void keep(const Decision& decision) {
    const Order& order = orders.emplace_back(*decision.order);
    orders.back().correlation_id = texts_.emplace_back(order.correlation_id);
    requests.push_back({decision.strategy, decision.symbol_index,
                        engine_.symbols().at(decision.symbol_index), parameters_.defaults.terms,
                        *decision.signal, decision.at, order.event_id,
                        ReferencePrice{decision.signal->current_price, decision.at}});
  }

  EngineParameters parameters_ = eager_parameters();
  Engine engine_{parameters_};  // the symbols' texts are its own
  std::deque<std::string> texts_;
};

class GateStage final : public Stage {
 public:
  explicit GateStage(const Frames& frames) : orders_(frames) {}
  void prepare() override {
    GateLimits limits = parameters_.gate;
    limits.price_band_percent = GateLimits{}.price_band_percent;
    gate_.emplace(limits, parameters_.symbols.size());
  }
  std::size_t run() override {
    std::size_t passed = 0;
    for (const Gate::Request& request : orders_.requests) {
      if (gate_->pass(request)) ++passed;
    }
    return passed;
  }
  [[nodiscard]] std::size_t frames() const override { return orders_.requests.size(); }

 private:
  Orders orders_;
  EngineParameters parameters_ = eager_parameters();
  std::optional<Gate> gate_;
};

class EncodeStage final : public Stage {
 public:
  explicit EncodeStage(const Frames& frames) : orders_(frames) { text_.reserve(8192); }
  std::size_t run() override {
    std::size_t bytes = 0;
    for (const Order& order : orders_.orders) {
      text_.clear();
      append_json(text_, order, OrderFormat::trade_order);
      bytes += text_.size();
    }
    return bytes;
  }
  [[nodiscard]] std::size_t frames() const override { return orders_.orders.size(); }

 private:
  Orders orders_;
  std::string text_;
};

}  // namespace

std::unique_ptr<Stage> make_stage(std::string_view stage, const Frames& frames) {
  if (stage == "step") return std::make_unique<StepStage>(frames);
  if (stage == "decode") return std::make_unique<DecodeStage>(frames);
  if (stage == "admit") return std::make_unique<AdmitStage>(frames);
  if (stage == "strategy") return std::make_unique<StrategyStage>(frames);
  if (stage == "history") return std::make_unique<HistoryStage>(frames);
  if (stage == "gate") return std::make_unique<GateStage>(frames);
  if (stage == "encode") return std::make_unique<EncodeStage>(frames);
  throw std::invalid_argument("no such stage: " + std::string(stage));
}

}  // namespace rts::test
