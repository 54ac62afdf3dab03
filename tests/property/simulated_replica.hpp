// One replica without a broker: the real engine, publisher and followers of both logs, wired as the
// service does it, on a played connection and by a clock of its own.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/trading/order.hpp>

#include "property/played_stream.hpp"
#include "property/simulated_feed.hpp"
#include "service/log_entries.hpp"
#include "service/publisher.hpp"
#include "service/stream_follower.hpp"

namespace rts::test {

// How messages fare on all connections.
struct Weather {
  milliseconds slowest{2};
  bool reorders = false;  // else one connection keeps the order of what it carries
  std::uint64_t lost_percent = 0;
  std::uint64_t lost_hints_percent = 0;
};
enum class EngineMood : std::uint8_t { answers, refuses, silent, nobody };

// A defect that is built into the replicas or the world on purpose: what the rules are there to
// find has to be found.
BOOST_DEFINE_FIXED_ENUM_CLASS(
    Planted, std::uint8_t, nothing,
    miscounts,            // a frame now and then is not counted
    loses_a_result,       // an order ends, and nobody is told
    ends_twice,           // each order ends twice
    sends_twice,          // each order is sent to the TradeEngine twice
    arrives_twice,        // or is doubled on the way
    arrives_late,         // a message takes as long as it likes
    deaf_to_pauses,       // the control log pauses nobody
    reads_controls_once,  // what is written to the control log later is not read
    stores_nothing,       // an order is acknowledged that is not stored
    deaf_to_the_log,      // what others have ordered does not count
    deaf_to_revisions,    // the settings are those of the start
    loses_messages,       // without a fault that would explain it
    loses_wakes,          // so that nothing waits for its end
    says_confirmed,       // an order that has not arrived is confirmed
    never_resumes,        // a pause is for ever
    hears_ghosts,         // orders count that nobody has stored
    misses_frames         // some that every replica should see, none does
)

class SimulatedReplica;

// Sees what leaves the replicas, and what they say became of it. A number is one of a signal that
// one replica has published.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void on_frame(const SimulatedReplica& by) = 0;
  virtual void on_published(std::uint64_t number, const Order& order,
                            const SimulatedReplica& by) = 0;
  virtual void on_result(std::uint64_t number, const service::OrderReport& report) = 0;
  // Handed to the broker, and arrived at the TradeEngine.
  virtual void on_forwarded(std::uint64_t number, const SimulatedReplica& by) = 0;
  virtual void on_delivered(std::uint64_t number) = 0;
  virtual void note(const std::string& text) = 0;
};

// The same for all replicas.
struct World {
  static constexpr const char* kBucket = "realtime-strategies";

  Schedule& schedule;
  Dice& dice;
  PlayedStream& orders;    // the order log
  PlayedStream& controls;  // the control log
  Witness& witness;
  const config::Configuration& configuration;
  const DeliveryParameters delivery;
  const Planted planted = Planted::nothing;
  Weather weather{};
  EngineMood engine = EngineMood::answers;
  bool reads_answer = true;   // while a stream is ill
  bool cluster_says = false;  // that there is no leader (10008); else nobody answers
  std::uint64_t last_number = 0;

  template <typename... Values>
  void note(fmt::format_string<Values...> text, Values&&... values) {
    witness.note(fmt::format(text, std::forward<Values>(values)...));
  }
};

inline CountedOrder counted(const Order& order) {
  return {order.id, order.strategy, order.signal.side, *Symbol::from(order.symbol), order.at};
}

// What an entry of the control log makes of an engine, as service::ControlLog does it.
inline void hear_control(Engine& engine, const config::Configuration& configuration,
                         const wire::StoredMessage& entry) {
  const auto said = service::control_in(World::kBucket, entry);
  if (!said) return;
  if (const auto* change = std::get_if<wire::PauseChange>(&said.value())) {
    return engine.hear_pause(change->strategy, change->value.paused);
  }
  const auto& value = std::get<wire::SettingsValue>(said.value());
  auto parameters = config::with_live_values(configuration, value.values);
  if (parameters) engine.hear(SettingsRevision{value.effective_from, parameters.value()});
}

class SimulatedReplica final : public service::OrderTransport,
                               public service::StreamTransport,
                               public std::enable_shared_from_this<SimulatedReplica> {
 public:
  // `clock_off`: how far its clock is ahead.
  SimulatedReplica(World& world, std::string name, milliseconds clock_off)
      : world_(world),
        name_(std::move(name)),
        clock_off_(clock_off),
        engine_(config::engine_parameters(world.configuration.settings, Clock::live)),
        order_log_(
            *this,
            {.domain = {}, .subject = world.configuration.settings.stream.subject, .stream = {}},
            {.check = [](const StreamFacts&) { return service::StreamFollower::Fit{}; },
             .on_entry = [this](const auto& entry) { on_log_entry(entry); },
             .on_looked = [this](bool is_read, bool) { on_log_looked(is_read); }}),
        control_log_(*this, {.domain = {}, .subject = {}, .stream = bucket_stream(World::kBucket)},
                     {.check = [](const StreamFacts&) { return service::StreamFollower::Fit{}; },
                      .on_entry = [this](const auto& entry) { on_control(entry); },
                      .on_looked = [this](bool, bool) { subscribe_once_logs_are_read(); }}),
        publisher_(*this, order_log_, world.delivery, callbacks(), name_) {}

  // --- What happens to it -----------------------------------------------------------------------

  void connect() {
    if (connected_) return;
    world_.note("{} connected", name_);
    connected_ = true;
    ++connection_;
    on_connection_change();
    later(service::StreamFollower::kSilenceLimit,
          [connection = connection_](SimulatedReplica& self) {
            if (self.connection_ == connection) self.is_subscribed_ = self.connected_;
          });
  }
  // What is in flight may have arrived or not.
  void disconnect() {
    if (!connected_) return;
    world_.note("{} lost its connection", name_);
    connected_ = is_subscribed_ = false;
    on_connection_change();
    questions_.clear();
    for (const auto& [number, request] : std::exchange(requests_, {})) {
      request.on_reply(Failure{AttemptResult::connection_lost});
    }
  }
  // Whatever comes is only seen then.
  void stall(milliseconds time) {
    world_.note("{} stands still for {} ms", name_, time.count());
    stalled_until_ = world_.schedule.now() + time;
  }
  void set_clock(milliseconds ahead) {
    world_.note("the clock of {} is {} ms ahead now", name_, ahead.count());
    clock_off_ = ahead;
  }
  // By a message of the control subject: another process does not know of it.
  void pause(StrategyId strategy, bool paused) {
    world_.note("{} {} {}", name_, paused ? "pauses" : "resumes", to_string(strategy));
    switched_off_[index_of(strategy)] = paused;
    if (world_.planted != Planted::deaf_to_pauses) engine_.set_paused(strategy, paused);
  }
  void see(const SimulatedFrame& frame) {
    if (!is_subscribed_) return;
    const Step step = engine_.step(frame.text, wall_clock());
    ++frames_;
    events_ += step.events.size();
    if (world_.planted != Planted::miscounts || frames_ % 50 != 0) tally_.add(step);
    for (const EventRecord& record : step.events) {
      const Decision* const decision = record.decision();
      world_.note("{} sees frame {}: {}", name_, frame.number,
                  decision == nullptr ? to_string(*record.reason()) : to_string(decision->outcome));
      if (decision != nullptr) take(*decision);
    }
    world_.witness.on_frame(*this);
  }
  // The stream republishes what it has stored.
  void hear_of(const PlayedStream::Entry& entry) {
    if (!connected_ || world_.dice.chance(world_.weather.lost_hints_percent)) return;
    if (entry.message.sender == publisher_.sender()) return;
    later(delay(), [connection = connection_, sequence = entry.sequence](SimulatedReplica& self) {
      if (self.connection_ == connection) self.order_log_.hint(sequence);
    });
  }
  // What is written to a bucket is heard on the way into it.
  void hear_of_control() {
    if (!connected_ || world_.dice.chance(world_.weather.lost_hints_percent)) return;
    later(delay(), [connection = connection_](SimulatedReplica& self) {
      if (self.connection_ == connection) self.control_log_.hint_ahead();
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
  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] const service::Publisher& publisher() const { return publisher_; }
  [[nodiscard]] bool is_subscribed() const { return is_subscribed_; }
  [[nodiscard]] bool has_read_logs() const {
    return order_log_.is_read() && control_log_.is_read();
  }
  // Of the signals that have passed its gate.
  [[nodiscard]] const std::vector<Uuid>& accepted() const { return accepted_; }
  // Up to which entry it knows the control log.
  [[nodiscard]] std::uint64_t heard_controls() const { return control_log_.last(); }
  [[nodiscard]] bool is_switched_off(StrategyId strategy) const {
    return switched_off_[index_of(strategy)];
  }
  [[nodiscard]] UnixMs stalled_until() const { return stalled_until_; }
  [[nodiscard]] UnixMs wall_clock() const { return world_.schedule.now() + clock_off_; }
  [[nodiscard]] UnixMs newest_event() const { return newest_event_; }
  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t signals() const { return signals_; }
  [[nodiscard]] std::uint64_t results() const { return results_; }

  // --- OrderTransport, StreamTransport -----------------------------------------------------------

  std::optional<AttemptResult> send(service::OrderNumber number,
                                    const service::OrderMessage& message,
                                    service::ReplyHandler on_reply) override {
    if (!connected_) return AttemptResult::disconnected;
    Request& request = requests_[number];
    if (!request.on_reply) request.on_reply = std::move(on_reply);
    await(number, message.answer_timeout);
    if (!message.sender.empty()) {
      store(number, message);
    } else {
      forward(number, message);
      if (world_.planted == Planted::sends_twice) forward(number, message);
    }
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
  // Of JetStream's API.
  nats::PublishResult request(const nats::Outgoing& message, milliseconds timeout,
                              nats::ReplyHandler on_reply) override {
    if (!connected_) return nats::PublishResult::disconnected;
    const std::uint64_t number = ++last_question_;
    questions_[number] = std::move(on_reply);
    await_answer(number, timeout);
    const bool is_control = message.subject.ends_with(bucket_stream(World::kBucket));
    const PlayedStream& stream = is_control ? world_.controls : world_.orders;
    const bool is_well = stream.health() == PlayedStream::Health::fine || world_.reads_answer;
    if (gets_lost() || !is_well) return nats::PublishResult::sent;
    world_.schedule.in(delay(), [weak = weak_from_this(), number, &stream,
                                 verb = std::string(message.subject.substr(kApi.size())),
                                 payload = std::string(message.payload)] {
      const auto self = weak.lock();
      if (!self) return;
      self->later(self->delay(),
                  [number, text = stream.look_up(verb, payload, self->newest_known(stream))](
                      SimulatedReplica& one) {
                    one.reply(number, {.kind = nats::ReplyKind::answered, .payload = text});
                  });
    });
    return nats::PublishResult::sent;
  }
  [[nodiscard]] nats::Status status() const override {
    nats::Status status;
    status.connected = status.hears_commands = status.subscribed = status.answering =
        status.takes_headers = connected_;
    status.reconnects = connection_;
    return status;
  }
  [[nodiscard]] UnixMs now() const override { return wall_clock(); }
  [[nodiscard]] service::SteadyTime steady_now() const override {
    return service::SteadyTime(world_.schedule.now().time_since_epoch());
  }
  void wake_at(service::SteadyTime at, std::function<void()> wake) override {
    if (world_.planted == Planted::loses_wakes && world_.dice.chance(20)) return;
    const auto wait = std::chrono::ceil<milliseconds>(at - steady_now());
    later(wait, [wake = std::move(wake)](SimulatedReplica&) { wake(); });
  }

 private:
  static constexpr std::string_view kApi = "$JS.API.";

  struct Request {
    service::ReplyHandler on_reply{};
    std::uint64_t timer = 0;  // the last one counts
  };

  // --- Frames -----------------------------------------------------------------------------------

  void take(const Decision& decision) {
    publisher_.accepted(decision.at);
    newest_event_ = std::max(newest_event_, decision.at);
    if (!decision.order) return;
    ++signals_;
    const std::uint64_t number = ++world_.last_number;
    const std::string number_text = std::to_string(number);
    Order order = *decision.order;
    order.correlation_id = number_text;
    accepted_.push_back(order.id);
    world_.note("{} decides order {}: {} {} {} at {}", name_, number, to_string(order.strategy),
                order.symbol, to_string(order.signal.side), order.at.time_since_epoch().count());
    world_.witness.on_published(number, order, *this);
    publisher_.publish(order, "", steady_now(), decision.in_log);
  }

  service::Publisher::Callbacks callbacks() {
    return {
        .held_back_by = [this] { return held_back_by(); },
        .is_paused = [this](StrategyId strategy) { return engine_.is_paused(strategy); },
        .passes_still = [this](const Order& order) { return engine_.passes_still(counted(order)); },
        .on_stored =
            [this](const Order& order, std::uint64_t sequence) {
              engine_.hear(counted(order));
              order_log_.advance(sequence);
            },
        .on_sent = [](service::SteadyTime) {},
        .on_result = [this](const service::OrderReport& report) { on_result(report); },
        .on_odd_answer = [](std::string_view) {},
        .on_breaker =
            [this](BreakerState state) { world_.note("{} breaker {}", name_, to_string(state)); }};
  }
  void on_result(const service::OrderReport& report) {
    const std::uint64_t number = number_of(report.order.correlation_id);
    world_.note("{} order {}: {} ({})", name_, number, to_string(report.result), report.detail);
    if (report.result == OrderResult::superseded) {
      std::erase(accepted_, report.order.id);  // taken back, or in the log
    }
    if (world_.planted == Planted::loses_a_result && number % 5 == 0) return;
    ++results_;
    world_.witness.on_result(number, report);
    if (world_.planted == Planted::ends_twice) world_.witness.on_result(number, report);
  }
  static std::uint64_t number_of(std::string_view correlation_id) {
    return std::stoull(std::string(correlation_id));
  }

  // --- The logs, as the service takes them
  // --------------------------------------------------------

  void on_connection_change() {
    publisher_.on_connection_change();
    order_log_.on_connection_change();
    control_log_.on_connection_change();
  }
  void on_log_entry(const wire::StoredMessage& entry) {
    const auto order = service::order_in(entry);
    if (!order) return;
    if (world_.planted != Planted::deaf_to_the_log) engine_.hear(*order);
    if (world_.planted == Planted::hears_ghosts) {
      CountedOrder ghost = *order;
      ghost.id = make_order_id(fmt::format("ghost {}", entry.sequence));
      ghost.side = order->side == Side::buy ? Side::sell : Side::buy;
      engine_.hear(ghost);
    }
    publisher_.on_log_entry(order->id, entry.header("Rts-Sender"));
  }
  void on_log_looked(bool is_read) {
    world_.note("{} has {} the log up to {}", name_, is_read ? "read" : "failed to read",
                order_log_.last());
    if (is_read) publisher_.on_log_read(order_log_.reading());
    if (order_log_.missing_for() >= service::StreamFollower::kSilenceLimit) move_on();
    subscribe_once_logs_are_read();
  }
  // To another address, as nats::Client::move_on() does it.
  void move_on() {
    later(milliseconds(0), [connection = connection_](SimulatedReplica& self) {
      if (self.connection_ != connection) return;
      self.disconnect();
      self.later(milliseconds(50), [](SimulatedReplica& moved) { moved.connect(); });
    });
  }
  void on_control(const wire::StoredMessage& entry) {
    world_.note("{} hears control {}: {}", name_, entry.sequence, entry.data);
    const bool is_of_settings = entry.subject.ends_with(wire::kSettingsKey);
    const bool resumes = !is_of_settings && entry.data.find("false") != std::string::npos;
    const bool is_deaf = (world_.planted == Planted::deaf_to_pauses && !is_of_settings) ||
                         (world_.planted == Planted::deaf_to_revisions && is_of_settings) ||
                         (world_.planted == Planted::never_resumes && resumes);
    if (!is_deaf) hear_control(engine_, world_.configuration, entry);
  }
  [[nodiscard]] std::string_view held_back_by() const {
    if (!control_log_.is_read()) return "the control log has not been read";
    const bool is_gone = control_log_.missing_for() >= service::StreamFollower::kSilenceLimit;
    return is_gone ? "the control log is not there any more" : "";
  }
  void subscribe_once_logs_are_read() {
    if (connected_ && order_log_.has_looked() && control_log_.has_looked()) is_subscribed_ = true;
  }

  // --- Messages ---------------------------------------------------------------------------------

  milliseconds delay() { return world_.dice.between(milliseconds(0), world_.weather.slowest); }
  // One connection carries in order what is sent in order.
  UnixMs arrival(UnixMs& last) {
    const UnixMs at = world_.schedule.now() + delay();
    if (!world_.weather.reorders) last = std::max(last, at);
    return world_.weather.reorders ? at : last;
  }
  bool gets_lost() {
    const std::uint64_t secretly = world_.planted == Planted::loses_messages ? 60 : 0;
    return world_.dice.chance(std::max(world_.weather.lost_percent, secretly));
  }

  void store(service::OrderNumber number, const service::OrderMessage& message) {
    const std::uint64_t order = number_of(message.correlation_id);
    world_.note("{} stores order {} behind {}", name_, order, message.expected_sequence);
    if (gets_lost()) return world_.note("  which gets lost");
    if (world_.planted == Planted::stores_nothing) {
      return answer(number, connection_,
                    fmt::format(R"({{"stream":"ORDERS","seq":{}}})", order_log_.last() + 1));
    }
    PlayedStream::Message stored{.subject = std::string(message.subject),
                                 .id = message.id,
                                 .sender = std::string(message.sender),
                                 .payload = message.payload,
                                 .expected = message.expected_sequence};
    world_.schedule.at(arrival(out_), [&world = world_, number, order, stored,
                                       connection = connection_, weak = weak_from_this()] {
      const auto self = weak.lock();
      // Of a connection that has ended meanwhile half gets through.
      const bool is_cut = !self || !self->connected_ || self->connection_ != connection;
      if (is_cut && world.dice.chance(50)) return;
      if (world.orders.health() == PlayedStream::Health::no_leader) {
        if (!self) return;
        world.cluster_says
            ? self->answer(number, connection, PlayedStream::error(10008))
            : self->answer(number, connection, Failure{AttemptResult::no_responders});
        return;
      }
      world.orders.publish(stored,
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
    world_.witness.on_forwarded(order, *this);
    const bool is_late = world_.planted == Planted::arrives_late;
    const milliseconds on_the_way = is_late ? milliseconds(6000) : delay();
    if (world_.planted == Planted::says_confirmed) {
      return answer(number, connection_, std::string(R"({"status":"processed"})"));
    }
    // What is too old on arrival the client keeps from arriving.
    const bool is_too_old = on_the_way >= message.life && !is_late;
    if (gets_lost() || is_too_old) return world_.note("  which gets lost");
    const int copies = world_.planted == Planted::arrives_twice ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      world_.schedule.in(on_the_way, [&world = world_, number, order, connection = connection_,
                                      weak = weak_from_this()] {
        arrive(world, number, order, connection, weak.lock());
      });
    }
  }
  // At the TradeEngine. `self` may be gone.
  static void arrive(World& world, service::OrderNumber number, std::uint64_t order,
                     std::uint64_t connection, const std::shared_ptr<SimulatedReplica>& self) {
    const bool is_cut = !self || !self->connected_ || self->connection_ != connection;
    if (is_cut && world.dice.chance(50)) return;
    if (world.engine == EngineMood::nobody) {
      if (self) self->answer(number, connection, Failure{AttemptResult::no_responders});
      return;
    }
    world.witness.on_delivered(order);
    if (!self) return;
    if (self->requests_.contains(number)) self->arrived_.push_back(number);
    if (world.engine == EngineMood::silent) return;
    self->answer(number, connection,
                 std::string(world.engine == EngineMood::answers ? R"({"status":"processed"})"
                                                                 : R"({"status":"rejected"})"));
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

  // --- Questions to JetStream's API
  // ---------------------------------------------------------------

  void reply(std::uint64_t number, const nats::Reply& reply) {
    const auto question = questions_.find(number);
    if (question == questions_.end()) return;
    const nats::ReplyHandler handler = question->second;
    if (handler(reply) == nats::AfterReply::done) questions_.erase(number);
  }
  void await_answer(std::uint64_t number, milliseconds timeout) {
    later(timeout, [number, timeout](SimulatedReplica& self) {
      self.reply(number, {.kind = nats::ReplyKind::timed_out});
      if (self.questions_.contains(number)) self.await_answer(number, timeout);
    });
  }
  [[nodiscard]] std::uint64_t newest_known(const PlayedStream& stream) {
    const bool is_once = world_.planted == Planted::reads_controls_once;
    if (!is_once || &stream != &world_.controls) return UINT64_MAX;
    if (!known_controls_) known_controls_ = stream.last();
    return *known_controls_;
  }

  World& world_;
  const std::string name_;
  milliseconds clock_off_;
  Engine engine_;
  service::StreamFollower order_log_, control_log_;
  service::Publisher publisher_;
  std::vector<Uuid> accepted_;
  std::array<bool, count_of<StrategyId>> switched_off_{};
  UnixMs stalled_until_;
  UnixMs newest_event_;
  Tally tally_;
  std::uint64_t frames_ = 0, events_ = 0, signals_ = 0, results_ = 0;

  bool connected_ = false, is_subscribed_ = false;
  std::uint64_t connection_ = 0;
  UnixMs out_, in_;  // when the last message arrives
  std::map<service::OrderNumber, Request> requests_;
  std::vector<service::OrderNumber> arrived_;  // at the TradeEngine, and not answered yet
  std::map<std::uint64_t, nats::ReplyHandler> questions_;
  std::uint64_t last_question_ = 0;
  std::optional<std::uint64_t> known_controls_;  // see Planted::reads_controls_once
};

}  // namespace rts::test
