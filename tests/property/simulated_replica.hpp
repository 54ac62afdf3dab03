// One replica without a broker: the real gate and the real publisher, wired as the service does it,
// on a played connection. Its reading of the order log follows StreamFollower.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <rts/trading/gate.hpp>
#include <rts/trading/order.hpp>

#include "property/played_stream.hpp"
#include "service/publisher.hpp"

namespace rts::test {

// An event of which a strategy has made a signal.
struct SimulatedSignal {
  StrategyId strategy = StrategyId::orderbook_skew;
  std::size_t symbol = 0;
  Side side = Side::buy;
  UnixMs at;
  std::uint64_t event = 0;
};

inline const Symbol& simulated_symbol(std::size_t index) {
  static const std::array<Symbol, 2> kSymbols{*Symbol::from("0USDT"), *Symbol::from("1USDT")};
  return kSymbols.at(index);
}
inline std::size_t index_of_symbol(const Symbol& symbol) {
  return static_cast<std::size_t>(symbol.text().front() - '0');
}
inline Gate::Request request_of(const SimulatedSignal& signal, const OrderTerms& terms) {
  static const Signal kSignal{Side::buy, *Price::from(100), *Price::from(100),
                              *Confidence::from(0.9)};
  Signal made = kSignal;
  made.side = signal.side;
  return {signal.strategy,
          signal.symbol,
          simulated_symbol(signal.symbol),
          terms,
          made,
          signal.at,
          {'u', signal.event},
          {}};
}

// How messages fare on all connections.
struct Weather {
  milliseconds slowest{2};
  bool reorders = false;  // else one connection keeps the order of what it carries
  std::uint64_t lost_percent = 0;
  std::uint64_t lost_hints_percent = 0;
};
enum class EngineMood : std::uint8_t { answers, refuses, silent, nobody };

// Sees what leaves the replicas, and what they say became of it. A number is one of a signal that
// one replica has published.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void on_published(std::uint64_t number, const Order& order, const std::string& by) = 0;
  virtual void on_result(std::uint64_t number, const service::OrderReport& report) = 0;
  // Handed to the broker, and arrived at the TradeEngine.
  virtual void on_forwarded(std::uint64_t number, bool is_paused) = 0;
  virtual void on_delivered(std::uint64_t number) = 0;
  virtual void note(const std::string& text) = 0;
  bool is_noting = false;
};

struct World {
  Schedule schedule;
  Dice dice;
  PlayedStream stream;
  Witness& witness;
  OrderTerms terms{};
  GateLimits limits{};
  DeliveryParameters delivery{};
  Weather weather{};
  EngineMood engine = EngineMood::answers;
  bool reads_answer = true;   // while the stream is ill
  bool cluster_says = false;  // that there is no leader (10008); else nobody answers
  std::uint64_t last_number = 0;

  template <typename... Values>
  void note(fmt::format_string<Values...> text, Values&&... values) {
    if (witness.is_noting) witness.note(fmt::format(text, std::forward<Values>(values)...));
  }
};

class SimulatedReplica final : public service::OrderTransport,
                               public service::OrderLog,
                               public std::enable_shared_from_this<SimulatedReplica> {
 public:
  SimulatedReplica(World& world, std::string name)
      : world_(world),
        name_(std::move(name)),
        gate_(world.limits, 2),
        publisher_(*this, *this, world.delivery, callbacks()) {}

  // --- What happens to it -----------------------------------------------------------------------

  void connect() {
    if (connected_) return;
    world_.note("{} connected", name_);
    connected_ = true;
    ++connection_;
    publisher_.on_connection_change();
    look();
  }
  // What is in flight may have arrived or not.
  void disconnect() {
    if (!connected_) return;
    world_.note("{} lost its connection", name_);
    connected_ = is_read_ = is_looking_ = false;
    ++look_;
    publisher_.on_connection_change();
    for (const auto& [number, request] : std::exchange(requests_, {})) {
      request.on_reply(Failure{AttemptResult::connection_lost});
    }
  }
  // Whatever comes is only seen then.
  void stall(milliseconds time) {
    world_.note("{} stands still for {} ms", name_, time.count());
    stalled_until_ = world_.schedule.now() + time;
  }
  void pause(StrategyId strategy, bool paused) {
    world_.note("{} {} {}", name_, paused ? "pauses" : "resumes", to_string(strategy));
    gate_.set_paused(strategy, paused);
  }
  void see(const SimulatedSignal& signal) {
    publisher_.accepted(signal.at);
    const auto passed = gate_.pass(request_of(signal, world_.terms));
    if (!passed) {
      world_.note("{} sees event {}: {}", name_, signal.event, to_string(passed.error().outcome));
      return;
    }
    const Gate::Pass& pass = passed.value();
    const std::uint64_t number = ++world_.last_number;
    const std::string number_text = std::to_string(number);
    Order order = make_order(world_.terms, {.id = pass.id,
                                            .strategy = signal.strategy,
                                            .symbol = simulated_symbol(signal.symbol).text(),
                                            .at = signal.at,
                                            .aged_at = signal.at,
                                            .event_id = {'u', signal.event},
                                            .signal = request_of(signal, world_.terms).signal,
                                            .quantity = pass.quantity,
                                            .protection = pass.protection});
    order.correlation_id = number_text;
    accepted_.push_back(pass.id);
    world_.note("{} sees event {}: order {} of key {}", name_, signal.event, number,
                key_text(order));
    world_.witness.on_published(number, order, name_);
    publisher_.publish(order, "", steady_now(), pass.in_log);
  }
  // The stream republishes what it has stored.
  void hear_of(const PlayedStream::Entry& entry) {
    if (!connected_ || world_.dice.chance(world_.weather.lost_hints_percent)) return;
    if (entry.message.sender == publisher_.sender()) return;
    later(delay(), [connection = connection_, sequence = entry.sequence](SimulatedReplica& self) {
      if (self.connection_ == connection && sequence > self.last_) self.read_on();
    });
  }

  // `run` runs in a while, unless the replica is gone by then.
  void later(milliseconds wait, std::function<void(SimulatedReplica&)> run) {
    world_.schedule.in(wait, [weak = weak_from_this(), run = std::move(run)] {
      const auto self = weak.lock();
      if (!self) return;
      const milliseconds rest = self->stalled_until_ - self->world_.schedule.now();
      rest.count() > 0 ? self->later(rest, run) : run(*self);
    });
  }

  // --- What is seen of it -----------------------------------------------------------------------

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Gate& gate() { return gate_; }
  [[nodiscard]] const service::Publisher& publisher() const { return publisher_; }
  // Of the signals that have passed its gate.
  [[nodiscard]] const std::vector<Uuid>& accepted() const { return accepted_; }

  // --- OrderTransport ---------------------------------------------------------------------------

  std::optional<AttemptResult> send(service::OrderNumber number,
                                    const service::OrderMessage& message,
                                    service::ReplyHandler on_reply) override {
    if (!connected_) return AttemptResult::disconnected;
    Request& request = requests_[number];
    if (!request.on_reply) request.on_reply = std::move(on_reply);
    await(number, message.answer_timeout);
    message.sender.empty() ? forward(number, message) : store(number, message);
    return {};
  }
  std::optional<AttemptResult> round_trip(milliseconds, service::ReplyHandler on_reply) override {
    if (!connected_) return AttemptResult::disconnected;
    later(milliseconds(1), [on_reply = std::move(on_reply)](SimulatedReplica& self) {
      on_reply(self.connected_ ? service::Reply(std::string_view())
                               : service::Reply(Failure{AttemptResult::connection_lost}));
    });
    return {};
  }
  [[nodiscard]] nats::Status status() const override {
    nats::Status status;
    status.connected = status.hears_commands = status.subscribed = status.answering =
        status.takes_headers = connected_;
    status.reconnects = connection_;
    return status;
  }
  [[nodiscard]] UnixMs now() const override { return world_.schedule.now(); }
  [[nodiscard]] service::SteadyTime steady_now() const override {
    return service::SteadyTime(world_.schedule.now().time_since_epoch());
  }
  void wake_at(service::SteadyTime at, std::function<void()> wake) override {
    const auto wait = std::chrono::ceil<milliseconds>(at - steady_now());
    later(wait, [wake = std::move(wake)](SimulatedReplica&) { wake(); });
  }

  // --- OrderLog ---------------------------------------------------------------------------------

  [[nodiscard]] bool is_read() const override { return is_read_; }
  [[nodiscard]] std::uint64_t last() const override { return last_; }
  [[nodiscard]] std::uint64_t generation() const override { return 0; }
  std::uint64_t read_on() override {
    if (!connected_) return reading_ + 1;
    if (is_looking_) {
      is_wanted_again_ = true;
      return reading_ + 2;
    }
    look();
    return reading_ + 1;
  }

 private:
  static constexpr std::uint64_t kBatch = 8;

  struct Request {
    service::ReplyHandler on_reply{};
    std::uint64_t timer = 0;  // the last one counts
  };

  static std::string key_text(const Order& order) {
    return fmt::format("{} {} {}", to_string(order.strategy), order.symbol,
                       to_string(order.signal.side));
  }
  static CountedOrder counted(const Order& order) {
    return {order.id, order.strategy, order.signal.side, *Symbol::from(order.symbol), order.at};
  }

  service::Publisher::Callbacks callbacks() {
    return {
        .held_back_by = [] { return std::string_view(); },
        .is_paused = [this](StrategyId strategy) { return gate_.is_paused(strategy); },
        .passes_still =
            [this](const Order& order) {
              return gate_.passes_still(counted(order), world_.terms.cooldown,
                                        index_of_symbol(*Symbol::from(order.symbol)));
            },
        .on_stored =
            [this](const Order& order, std::uint64_t sequence) {
              hear(counted(order));
              last_ = sequence;
            },
        .on_sent = [](service::SteadyTime) {},
        .on_result =
            [this](const service::OrderReport& report) {
              const std::uint64_t number = number_of(report.order.correlation_id);
              world_.note("{} order {}: {} ({})", name_, number, to_string(report.result),
                          report.detail);
              if (report.result == OrderResult::superseded) {
                std::erase(accepted_, report.order.id);  // taken back, or in the log
              }
              world_.witness.on_result(number, report);
            },
        .on_odd_answer = [](std::string_view) {},
        .on_breaker =
            [this](BreakerState state) { world_.note("{} breaker {}", name_, to_string(state)); }};
  }
  static std::uint64_t number_of(std::string_view correlation_id) {
    return std::stoull(std::string(correlation_id));
  }

  void hear(const CountedOrder& order) { gate_.hear(order, index_of_symbol(order.symbol)); }

  // --- Messages ---------------------------------------------------------------------------------

  milliseconds delay() { return world_.dice.between(milliseconds(0), world_.weather.slowest); }
  // One connection carries in order what is sent in order.
  UnixMs arrival(UnixMs& last) {
    const UnixMs at = world_.schedule.now() + delay();
    if (!world_.weather.reorders) last = std::max(last, at);
    return world_.weather.reorders ? at : last;
  }
  bool gets_lost() { return world_.dice.chance(world_.weather.lost_percent); }

  void store(service::OrderNumber number, const service::OrderMessage& message) {
    const std::uint64_t order = number_of(message.correlation_id);
    world_.note("{} stores order {} behind {}", name_, order, message.expected_sequence);
    if (gets_lost()) return world_.note("  which gets lost");
    PlayedStream::Message stored{message.id, std::string(message.sender), message.payload,
                                 message.expected_sequence};
    world_.schedule.at(arrival(out_), [&world = world_, number, order, stored,
                                       connection = connection_, weak = weak_from_this()] {
      const auto self = weak.lock();
      // Of a connection that has ended meanwhile half gets through.
      const bool is_cut = !self || !self->connected_ || self->connection_ != connection;
      if (is_cut && world.dice.chance(50)) return;
      if (world.stream.health() == PlayedStream::Health::no_leader) {
        if (!self) return;
        world.cluster_says
            ? self->answer(number, connection, PlayedStream::error(10008))
            : self->answer(number, connection, Failure{AttemptResult::no_responders});
        return;
      }
      world.stream.publish(stored,
                           [&world, number, order, connection, weak](const std::string& text) {
                             world.note("the stream says to order {}: {}", order, text);
                             if (const auto sender = weak.lock())
                               sender->answer(number, connection, text);
                           });
    });
  }

  void forward(service::OrderNumber number, const service::OrderMessage& message) {
    const std::uint64_t order = number_of(message.correlation_id);
    world_.note("{} sends order {}", name_, order);
    world_.witness.on_forwarded(order, gate_.is_paused(strategy_of(message)));
    const milliseconds on_the_way = delay();
    // What is too old on arrival the client keeps from arriving.
    if (gets_lost() || on_the_way >= message.life) return world_.note("  which gets lost");
    world_.schedule.in(on_the_way, [&world = world_, number, order, connection = connection_,
                                    weak = weak_from_this()] {
      const auto self = weak.lock();
      const bool is_cut = !self || !self->connected_ || self->connection_ != connection;
      if (is_cut && world.dice.chance(50)) return;
      if (world.engine == EngineMood::nobody) {
        if (self) self->answer(number, connection, Failure{AttemptResult::no_responders});
        return;
      }
      world.witness.on_delivered(order);
      if (!self) return;
      if (const auto found = self->requests_.find(number); found != self->requests_.end()) {
        self->arrived_.push_back(number);
      }
      if (world.engine == EngineMood::silent) return;
      self->answer(number, connection,
                   std::string(world.engine == EngineMood::answers ? R"({"status":"processed"})"
                                                                   : R"({"status":"rejected"})"));
    });
  }
  static StrategyId strategy_of(const service::OrderMessage& message) {
    return wire::parse_counted_order(message.payload)->strategy;
  }

  void answer(service::OrderNumber number, std::uint64_t connection,
              Result<std::string, AttemptResult> given) {
    if (gets_lost()) return;
    const milliseconds wait = arrival(in_) - world_.schedule.now();
    later(wait, [number, connection, given = std::move(given)](SimulatedReplica& self) {
      if (!self.connected_ || self.connection_ != connection) return;
      self.tell(number, given ? service::Reply(std::string_view(given.value()))
                              : service::Reply(Failure{given.error()}));
    });
  }
  void tell(service::OrderNumber number, const service::Reply& reply) {
    const auto request = requests_.find(number);
    if (request == requests_.end()) return;
    const service::ReplyHandler on_reply = request->second.on_reply;
    if (on_reply(reply) == nats::AfterReply::done) requests_.erase(number);
  }
  // And again, as long as the request waits.
  void await(service::OrderNumber number, milliseconds timeout) {
    const std::uint64_t timer = ++requests_[number].timer;
    later(timeout, [number, timer, timeout](SimulatedReplica& self) {
      const auto request = self.requests_.find(number);
      if (request == self.requests_.end() || request->second.timer != timer) return;
      const bool arrived = std::erase(self.arrived_, number) > 0;
      self.tell(number,
                Failure{arrived ? AttemptResult::timed_out : AttemptResult::arrival_unproven});
      const auto waits = self.requests_.find(number);
      if (waits != self.requests_.end() && waits->second.timer == timer) {
        self.await(number, timeout);
      }
    });
  }

  // --- Reading the log, as StreamFollower does it ------------------------------------------------

  // `at_stream` runs there, `on_reply` here with what it has returned, or with nothing in time.
  template <typename Value>
  void ask(std::function<Value()> at_stream, std::function<void(std::optional<Value>)> on_reply) {
    const bool is_ill = world_.stream.health() != PlayedStream::Health::fine;
    const auto reply = [look = look_, on_reply = std::move(on_reply)](std::optional<Value> value) {
      return [look, on_reply, value](SimulatedReplica& self) {
        if (self.look_ == look) on_reply(value);
      };
    };
    if (gets_lost() || (is_ill && !world_.reads_answer)) {
      return later(milliseconds(1000), reply(std::nullopt));
    }
    world_.schedule.in(delay(), [weak = weak_from_this(), at_stream, reply] {
      if (const auto self = weak.lock()) self->later(self->delay(), reply(at_stream()));
    });
  }

  void look_after(milliseconds wait) {
    const std::uint64_t timer = ++look_timer_;
    later(wait, [timer](SimulatedReplica& self) {
      if (self.look_timer_ == timer && self.connected_ && !self.is_looking_) self.look();
    });
  }
  void look() {
    is_looking_ = true;
    is_wanted_again_ = false;
    ++look_;
    ask<PlayedStream::Info>([this] { return world_.stream.info(); },
                            [this](std::optional<PlayedStream::Info> info) {
                              if (!info) return conclude(false);
                              until_ = info->last_sequence;
                              next_ = std::max(last_ + 1, info->first_sequence);
                              read_batch();
                            });
  }
  void read_batch() {
    if (next_ > until_) {
      last_ = std::max(last_, until_);
      is_read_ = true;
      return conclude(true);
    }
    batch_.assign(std::min(kBatch, until_ - next_ + 1), {});
    unanswered_ = batch_.size();
    const std::uint64_t look = look_;
    for (std::size_t i = 0; i < batch_.size() && look == look_; ++i) {
      ask<const PlayedStream::Entry*>(
          [this, sequence = next_ + i] { return world_.stream.get(sequence); },
          [this, i](std::optional<const PlayedStream::Entry*> entry) { take(i, entry); });
    }
  }
  void take(std::size_t index, std::optional<const PlayedStream::Entry*> answer) {
    if (!answer) return conclude(false);
    if (*answer != nullptr) batch_[index] = **answer;
    if (--unanswered_ > 0) return;
    for (const auto& entry : batch_) {
      if (!entry || !entry->order) continue;
      hear(*entry->order);
      publisher_.on_log_entry(entry->order->id, entry->message.sender);
    }
    next_ += batch_.size();
    last_ = std::max(last_, next_ - 1);
    read_batch();
  }
  void conclude(bool found) {
    ++look_;
    ++reading_;
    is_looking_ = false;
    look_after(found ? milliseconds(15'000) : milliseconds(500));
    const bool again = is_wanted_again_;
    world_.note("{} has {} the log up to {}", name_, found ? "read" : "failed to read", last_);
    if (found && is_read_) publisher_.on_log_read(reading_);
    if (again && !is_looking_ && connected_) look();
  }

  World& world_;
  const std::string name_;
  Gate gate_;
  service::Publisher publisher_;
  std::vector<Uuid> accepted_;
  UnixMs stalled_until_;

  bool connected_ = false;
  std::uint64_t connection_ = 0;
  UnixMs out_, in_;  // when the last message arrives
  std::map<service::OrderNumber, Request> requests_;
  std::vector<service::OrderNumber> arrived_;  // at the TradeEngine, and not answered yet

  bool is_read_ = false, is_looking_ = false, is_wanted_again_ = false;
  std::uint64_t last_ = 0, reading_ = 0, look_ = 0, look_timer_ = 0;
  std::uint64_t next_ = 0, until_ = 0;
  std::vector<std::optional<PlayedStream::Entry>> batch_;
  std::size_t unanswered_ = 0;
};

}  // namespace rts::test
