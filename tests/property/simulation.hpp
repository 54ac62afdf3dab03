// Several replicas of the service over one order log and one control log, for 45 s of a market in
// which a seed decides what goes wrong; then all faults are over, and orders have to arrive again.
// The rules of SPEC §1, §4 and §6 are held against what is seen from outside, after every step or
// once the faults are over.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/base/enum_names.hpp>
#include <rts/base/text.hpp>
#include <rts/wire/control_log.hpp>

#include "property/played_stream.hpp"
#include "property/simulated_feed.hpp"
#include "property/simulated_replica.hpp"
#include "support/engine_run.hpp"
#include "support/log_stream.hpp"

namespace rts::test {

using namespace std::chrono_literals;

// What must hold, whatever happens.
BOOST_DEFINE_FIXED_ENUM_CLASS(
    Invariant, std::uint8_t,
    accounted,          // events = Σ reasons + Σ decisions
    results_accounted,  // signals = Σ results + what is in flight
    one_result,         // an order ends once
    sent_once,          // no replica sends an order to the TradeEngine twice
    arrives_once,       // nor do several of them
    in_time,            // none is sent or arrives late, by its sender's clock and events
    not_paused,         // none is sent by a replica that has heard of a pause
    pause_is_heard,     // and in the end every one that sends has
    stored_first,       // what is sent was stored, by its sender
    cooldown,           // never two of a key within it
    daily_limit,        // never more of a strategy and UTC day
    minute_limit,       // never more of a UTC minute
    settings,           // an order is made by the revision that its replica knows for its time
    result_is_true,     // what is said to have arrived has, and the other way round
    needless_loss,      // an order is lost for a fault alone
    ended,              // once all faults are over, no order is left and both logs are read
    works_again,        // then orders arrive as the log alone allows them
    same_memory,        // then all replicas count what the log has, and nothing else
    same_as_one         // without a fault any number of replicas give the orders of one
)

// What happens to the replicas and around them. The last three are no faults, but come at any
// moment.
BOOST_DEFINE_FIXED_ENUM_CLASS(Fault, std::uint8_t,
                              disconnect,     // of one replica
                              restart,        // it forgets all that it knew
                              stall,          // it stands still, and sees everything afterwards
                              clock_jump,     // of one replica, or of all of them
                              no_quorum,      // of the logs' streams
                              no_leader,      //
                              purge,          // of the order log
                              stranger,       // writes to the order log
                              weather,        // messages are lost, late or reordered
                              trade_engine,   // refuses, is silent or gone
                              feed,           // frames are lost, doubled or late
                              odd_frame,      // with a wrong clock, or something else
                              pause,          // written to the control log
                              pause_message,  // told to who is there
                              revision        // of the settings
)

struct Violation {
  Invariant invariant;
  std::uint64_t step;
  std::string text;
};

struct SimulationOptions {
  std::uint64_t seed = 0;
  Planted planted = Planted::nothing;
  bool keeps_trace = false;
};

// What simulations have come to.
struct Totals {
  std::uint64_t seeds = 0, steps = 0, frames = 0;
  std::array<std::uint64_t, count_of<OrderResult>> orders{};
  std::array<std::uint64_t, count_of<Fault>> faults{};
  std::uint64_t trace_hash = 0;  // the sum of all seeds'

  void add(const Totals& other) {
    seeds += other.seeds;
    steps += other.steps;
    frames += other.frames;
    for (std::size_t i = 0; i < orders.size(); ++i) orders[i] += other.orders[i];
    for (std::size_t i = 0; i < faults.size(); ++i) faults[i] += other.faults[i];
    trace_hash += other.trace_hash;
  }
};

// What a revision changes, as far as it is looked at here.
struct Rules {
  std::chrono::seconds cooldown{};
  std::int64_t daily = 0, minutely = 0;  // 0: off
  double stop_loss_percent = 1;          // tells a revision from all others
};

// What a seed decides at once.
struct SimulationPlan {
  enum class Sharing : std::uint8_t {
    all,   // every replica sees every frame
    most,  // but for some that it misses
    parts  // each frame is seen by one
  };
  static constexpr std::array<std::chrono::seconds, 5> kCooldowns{0s, 1s, 2s, 5s, 10s};
  static constexpr std::array<std::int64_t, 3> kDaily{0, 4, 10}, kMinutely{0, 3, 10};

  bool is_calm, is_capped;
  Sharing sharing;
  std::size_t replicas, symbols;
  PlayedStream::Rules order_rules, control_rules;
  Rules rules;
  milliseconds usually_slowest, mean_gap, ack_timeout;
  std::uint64_t burst_percent;  // frames at almost the same time
  std::chrono::seconds ttl;
  std::int64_t breaker_threshold;
  std::size_t max_in_flight;

  explicit SimulationPlan(Dice& dice) {
    using enum PlayedStream::ToCopies;
    constexpr PlayedStream::ToCopies kCopies[] = {queued, zero, in_process};
    constexpr milliseconds kSlowest[] = {2ms, 20ms, 200ms};
    constexpr std::chrono::seconds kLives[] = {1s, 2s, 5s};
    constexpr std::int64_t kThresholds[] = {1, 3, 1000};
    is_calm = dice.chance(25);
    is_capped = !is_calm && dice.chance(10);
    sharing = dice.chance(60) ? Sharing::all : dice.chance(50) ? Sharing::most : Sharing::parts;
    replicas = dice.chance(60) ? 3 : 1 + dice.pick(4);
    symbols = 1 + dice.pick(2);
    order_rules = {.id_before_sequence = dice.chance(50),
                   .to_copies = dice.one_of(kCopies),
                   .max_messages = is_capped ? 5 + dice.pick(20) : 0};
    rules = random_rules(dice);
    usually_slowest = is_calm ? 2ms : dice.one_of(kSlowest);
    mean_gap = dice.between(60ms, 600ms);
    ack_timeout = dice.between(200ms, 1000ms);
    burst_percent = 30 * dice.pick(3);
    ttl = dice.one_of(kLives);
    breaker_threshold = dice.one_of(kThresholds);
    max_in_flight = !is_calm && dice.chance(20) ? 2 : 100;
  }

  static Rules random_rules(Dice& dice) {
    return {.cooldown = dice.one_of(kCooldowns),
            .daily = dice.one_of(kDaily),
            .minutely = dice.one_of(kMinutely)};
  }
  [[nodiscard]] static std::vector<config::Given> live_values(const Rules& rules) {
    return {{"SIGNAL_COOLDOWN_SECONDS", std::to_string(rules.cooldown.count())},
            {"RISK_MAX_DAILY_SIGNALS", std::to_string(rules.daily)},
            {"RISK_MAX_ORDERS_PER_MINUTE", std::to_string(rules.minutely)},
            {"RISK_STOP_LOSS_PERCENT", fmt::format("{}", rules.stop_loss_percent)}};
  }
  [[nodiscard]] config::Configuration configuration() const {
    std::vector<config::Given> environment = live_values(rules);
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"TRADING_SYMBOLS", fmt::format("{}", fmt::join(kSimulatedSymbols, ","))},
             {"ORDER_DELIVERY", "jetstream"},
             {"ORDER_TTL_SECONDS", std::to_string(ttl.count())},
             {"ORDER_ACK_TIMEOUT_MS", std::to_string(ack_timeout.count())},
             {"MESSAGE_TTL_SECONDS", "10"},
             {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", std::to_string(breaker_threshold)},
             {"CIRCUIT_BREAKER_RECOVERY_TIMEOUT", "5"},
             {"RISK_PRICE_BAND_PERCENT", "0"},
             {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
             {"TRADE_MOMENTUM_WINDOW", "2"},
             {"TICKER_VELOCITY_TIME_WINDOW", "3"}}) {
      environment.push_back({name, value});
    }
    return configured(environment);
  }
  [[nodiscard]] static DeliveryParameters delivery(const config::Configuration& configuration,
                                                   std::size_t max_in_flight) {
    DeliveryParameters delivery = configuration.settings.delivery;
    delivery.max_in_flight = max_in_flight;
    return delivery;
  }
};

class Simulation final : public Witness {
 public:
  explicit Simulation(const SimulationOptions& options)
      : options_(options),
        dice_(options.seed),
        plan_(dice_),
        world_dice_(options.seed ^ 0x9E37'79B9'7F4A'7C15),
        schedule_(kStart),
        orders_("ORDERS", plan_.order_rules, schedule_,
                [this](const auto& entry) { on_order_stored(entry); }),
        controls_(bucket_stream(World::kBucket), plan_.control_rules, schedule_,
                  [this](const auto& entry) { on_control_stored(entry); }),
        configuration_(plan_.configuration()),
        world_{.schedule = schedule_,
               .dice = world_dice_,
               .orders = orders_,
               .controls = controls_,
               .witness = *this,
               .configuration = configuration_,
               .delivery = SimulationPlan::delivery(configuration_, plan_.max_in_flight),
               .planted = options.planted},
        usual_weather_{.slowest = plan_.usually_slowest},
        feed_(dice_, plan_.symbols),
        replicas_(plan_.replicas),
        starts_(plan_.replicas),
        checked_(plan_.replicas),
        seen_(plan_.replicas) {
    world_.weather = usual_weather_;
    world_.note("{} replicas, {}, cooldown {} s, life {} s, {} a day, {} a minute", plan_.replicas,
                plan_.is_calm ? "no faults" : "faults", plan_.rules.cooldown.count(),
                plan_.ttl.count(), plan_.rules.daily, plan_.rules.minutely);
  }

  // Which invariant was broken first; empty: none.
  const std::optional<Violation>& run() {
    for (std::size_t i = 0; i < replicas_.size(); ++i) start(i);
    plan_.is_calm ? plan_controls() : plan_faults();
    schedule_.at(kStart + 100ms, [this] { next_frame(); });
    run_until(kEnd);
    if (violation_) return violation_;
    heal();
    run_until(kEnd + 25s);
    check_ended();
    if (plan_.is_calm) check_calm();
    if (!was_purged_) check_that_orders_arrive_again();
    check_ended();
    if (!was_purged_) check_memories();
    return violation_;
  }

  [[nodiscard]] const std::vector<std::string>& trace() const { return trace_; }
  [[nodiscard]] Totals totals() const {
    Totals totals = totals_;
    totals.seeds = 1;
    totals.steps = schedule_.steps();
    totals.trace_hash = trace_hash_;
    for (const auto& [number, record] : records_) {
      if (record.result) ++totals.orders[index_of(*record.result)];
    }
    return totals;
  }

  // --- What it sees -----------------------------------------------------------------------------

  void note(const std::string& text) override {
    const std::string line = fmt::format("{:7} ms  {}", (schedule_.now() - kStart).count(), text);
    trace_hash_ = (trace_hash_ ^ fnv1a(line)) * 0x100'0000'01B3;
    if (options_.keeps_trace) trace_.push_back(line);
  }
  void on_frame(const SimulatedReplica& by) override {
    ++totals_.frames;
    const Tally& tally = by.tally();
    if (tally.frames() != by.frames() || tally.events() != by.events() ||
        accounted_events(tally) != by.events()) {
      violate(Invariant::accounted, "{} has seen {} frames with {} events, and accounts for {}",
              by.name(), by.frames(), by.events(), accounted_events(tally));
    }
  }
  void on_published(std::uint64_t number, const Order& order, const SimulatedReplica& by) override {
    records_[number] = {.order = counted(order),
                        .valid_until = order.valid_until,
                        .by = by.name(),
                        .knew = by.heard_controls(),
                        .knows = by.heard_controls()};
    OrderTerms terms = configuration_.settings.engine.defaults.terms;
    terms.stop_loss_percent = rules_known(by.heard_controls(), order.at).stop_loss_percent;
    const auto expected = protection(terms, order.signal.side, order.signal.price);
    if (order.protection->stop_loss != expected->stop_loss) {
      violate(Invariant::settings, "order {} has its stop at {}, not at {}", number,
              order.protection->stop_loss.value(), expected->stop_loss.value());
    }
  }
  void on_result(std::uint64_t number, const service::OrderReport& report) override {
    Record& record = records_.at(number);
    if (record.result) violate(Invariant::one_result, "order {} has ended twice", number);
    record.result = report.result;
    record.ended = schedule_.now();
  }
  void on_forwarded(std::uint64_t number, const SimulatedReplica& by) override {
    Record& record = records_.at(number);
    record.knows = by.heard_controls();
    // A slow clock does not make a late order look early: events tell the time, too.
    const UnixMs by_now = std::max(by.wall_clock(), by.newest_event());
    record.arrives_before = schedule_.now() + (record.valid_until - by_now);
    if (by_now >= record.valid_until) violate(Invariant::in_time, "order {} is sent late", number);
    if (++record.forwarded > 1) violate(Invariant::sent_once, "order {} is sent twice", number);
    check_pause(number, record.order.strategy, by);
  }
  void on_delivered(std::uint64_t number) override {
    Record& record = records_.at(number);
    world_.note("order {} arrives at the TradeEngine", number);
    ++record.delivered;
    if (schedule_.now() >= record.arrives_before) {
      violate(Invariant::in_time, "order {} arrives late", number);
    }
    if (!delivered_.insert(record.order.id).second) {
      violate(Invariant::arrives_once, "order {} arrives again", number);
    }
    const auto& log = orders_.history();
    const auto entry = std::find_if(log.begin(), log.end(), [&](const auto& one) {
      return one.order && one.order->id == record.order.id;
    });
    if (entry == log.end() || entry->message.sender != record.by) {
      return violate(Invariant::stored_first, "order {} is sent and not stored by its sender",
                     number);
    }
    if (!was_purged_) check_limits(number, *entry, loosest_rules(record));
  }

 private:
  static constexpr UnixMs kMidnight{std::chrono::hours(24) * 20'000};
  static constexpr UnixMs kStart = kMidnight - 20s;  // so that a day ends meanwhile
  static constexpr UnixMs kEnd = kStart + 45s;       // so long there are frames, and faults
  // So long a replica may not know what was written to the control log, and send: until it looks
  // again, gets no answer, and takes that for silence.
  static constexpr milliseconds kHeardWithin = 18s;

  using Sharing = SimulationPlan::Sharing;
  struct Record {
    CountedOrder order{};
    UnixMs valid_until{};
    std::string by{};
    std::uint64_t knew = 0, knows = 0;  // of the control log, when it was decided and when sent
    UnixMs arrives_before{};
    std::optional<OrderResult> result{};
    UnixMs ended{};
    int forwarded = 0, delivered = 0;
  };
  // An entry of the control log.
  struct Control {
    std::uint64_t sequence;
    UnixMs stored_at;
    std::optional<StrategyId> strategy{};  // that is paused or resumed; empty: all are
    std::optional<bool> pauses{};          // empty: it is a revision
    std::optional<std::size_t> revision{};
  };
  struct Revision {
    UnixMs effective_from;
    Rules rules;
    std::string json;
    bool is_valid;
  };

  template <typename... Values>
  void violate(Invariant invariant, fmt::format_string<Values...> text, Values&&... values) {
    const std::string what = fmt::format(text, std::forward<Values>(values)...);
    world_.note("WRONG: {}: {}", to_string(invariant), what);
    if (!violation_) violation_ = {invariant, schedule_.steps(), what};
  }

  // --- The market -------------------------------------------------------------------------------

  void next_frame() {
    if (schedule_.now() >= kEnd) return;
    const bool is_quiet = std::any_of(quiet_.begin(), quiet_.end(), [&](const auto& from_to) {
      return from_to.first <= schedule_.now() && schedule_.now() <= from_to.second;
    });
    if (!is_quiet) {
      const bool is_odd = schedule_.now() < feed_until_ && dice_.chance(10);
      if (is_odd) ++totals_.faults[index_of(Fault::odd_frame)];
      send(is_odd ? feed_.odd_frame(schedule_.now()) : feed_.frame(schedule_.now()));
    }
    const bool is_burst = dice_.chance(plan_.burst_percent);
    schedule_.in(is_burst ? dice_.between(0ms, 8ms) : dice_.between(1ms, 2 * plan_.mean_gap),
                 [this] { next_frame(); });
  }
  // To each replica a little later than it happened, in order unless the feed is bad.
  void send(SimulatedFrame&& made) {
    const auto frame = std::make_shared<const SimulatedFrame>(std::move(made));
    happened_.push_back(frame);
    if (options_.planted == Planted::misses_frames && frame->number % 7 == 0) return;
    const std::size_t only = dice_.pick(replicas_.size());
    const bool is_bad = schedule_.now() < feed_until_;
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      if (plan_.sharing == Sharing::parts && i != only) continue;
      if (plan_.sharing == Sharing::most && dice_.chance(25)) continue;
      if (is_bad && dice_.chance(20)) continue;
      seen_[i] = std::max(seen_[i], schedule_.now() + dice_.between(0ms, 3ms));
      show(i, frame, seen_[i]);
      if (is_bad && dice_.chance(20)) show(i, frame, seen_[i] + dice_.between(0ms, 3000ms));
    }
  }
  void show(std::size_t replica, const std::shared_ptr<const SimulatedFrame>& frame, UnixMs at) {
    const bool is_late = at < feed_until_ && dice_.chance(15);
    schedule_.at(is_late ? at + dice_.between(0ms, 3000ms) : at, [this, replica, frame] {
      if (!replicas_[replica] || !replicas_[replica]->is_subscribed()) return;
      replicas_[replica]->later(0ms, [frame](SimulatedReplica& self) { self.see(*frame); });
    });
  }

  // --- What happens to replicas and brokers -----------------------------------------------------

  void start(std::size_t replica) {
    const std::string name = fmt::format("r{}.{}", replica, ++starts_[replica]);
    world_.note("{} starts", name);
    replicas_[replica] = std::make_shared<SimulatedReplica>(world_, name, clock_off_);
    checked_[replica] = 0;
    replicas_[replica]->later(dice_.between(0ms, 20ms),
                              [](SimulatedReplica& self) { self.connect(); });
  }
  void kill(std::size_t replica) {
    if (replicas_[replica]) world_.note("{} is killed", replicas_[replica]->name());
    replicas_[replica] = nullptr;
  }

  void plan_faults() {
    faults_.emplace_back(kStart, kStart);  // the logs have to be read first
    for (std::uint64_t left = 1 + dice_.pick(10); left > 0; --left) {
      const UnixMs from = kStart + 100ms + dice_.between(0ms, kEnd - kStart);
      const milliseconds time = dice_.between(5ms, dice_.chance(50) ? 500ms : 8000ms);
      schedule_.at(from, [this, time, fault = random_fault()] {
        if (is_over_) return;
        ++totals_.faults[index_of(fault)];
        faults_.emplace_back(schedule_.now(), schedule_.now() + time);
        strike(fault, time);
      });
    }
  }
  Fault random_fault() {
    using enum Fault;
    constexpr Fault kOften[] = {disconnect, restart,  stall,         clock_jump, no_quorum,
                                no_leader,  stranger, weather,       weather,    trade_engine,
                                feed,       pause,    pause_message, revision,   revision};
    return dice_.chance(2) ? purge : dice_.one_of(kOften);
  }
  void strike(Fault fault, milliseconds time) {
    const std::size_t number = dice_.pick(replicas_.size());
    const auto& victim = replicas_[number];
    const auto after = [&](auto run) { schedule_.in(time, run); };
    switch (fault) {
      case Fault::disconnect:
        if (victim) victim->disconnect();
        return after([this, number] {
          if (replicas_[number]) replicas_[number]->connect();
        });
      case Fault::restart:
        kill(number);
        return after([this, number] {
          if (!replicas_[number]) start(number);
        });
      case Fault::stall:
        if (victim) victim->stall(time);
        return;
      case Fault::clock_jump: return jump(number, time);
      case Fault::no_quorum: return fall_ill(PlayedStream::Health::no_quorum, time);
      case Fault::no_leader: return fall_ill(PlayedStream::Health::no_leader, time);
      case Fault::purge:
        world_.note("the order log is purged");
        was_purged_ = true;
        return orders_.purge();
      case Fault::stranger: return write_as_stranger();
      case Fault::weather:
        world_.note("messages are lost or late for {} ms", time.count());
        world_.weather = {.slowest = dice_.between(2ms, 1500ms),
                          .reorders = dice_.chance(70),
                          .lost_percent = dice_.chance(50) ? dice_.pick(50) : 0,
                          .lost_hints_percent = dice_.pick(101)};
        faults_.back().second += world_.weather.slowest;
        return after([this] { world_.weather = usual_weather_; });
      case Fault::trade_engine: {
        constexpr EngineMood kMoods[] = {EngineMood::refuses, EngineMood::silent,
                                         EngineMood::nobody};
        world_.engine = dice_.one_of(kMoods);
        world_.note("the TradeEngine is {}", world_.engine == EngineMood::nobody   ? "gone"
                                             : world_.engine == EngineMood::silent ? "silent"
                                                                                   : "refusing");
        return after([this] { world_.engine = EngineMood::answers; });
      }
      case Fault::feed:
      case Fault::odd_frame:
        world_.note("the feed is bad for {} ms", time.count());
        feed_until_ = schedule_.now() + time;
        // The clock that a frame has set ahead is the present then.
        faults_.back().second += 16s;
        return;
      case Fault::pause: return pause_in_log(time);
      case Fault::pause_message: return pause_by_message(all_of<StrategyId>[dice_.pick(3)], time);
      case Fault::revision:
        write_revision(schedule_.now() + dice_.between(-2s, 10s), dice_.chance(85));
    }
  }
  // Of one replica, or of the machine that all of them are on.
  void jump(std::size_t number, milliseconds time) {
    constexpr milliseconds kJumps[] = {-90s, -15s, -4s, -1s, -200ms, 200ms, 1s, 4s, 15s, 90s};
    const milliseconds ahead = dice_.one_of(kJumps);
    const bool is_all = dice_.chance(30);
    const auto set = [this, number, is_all](milliseconds to) {
      if (is_all) clock_off_ = to;
      for (std::size_t i = 0; i < replicas_.size(); ++i) {
        if (replicas_[i] && (is_all || i == number)) replicas_[i]->set_clock(to);
      }
    };
    set(ahead);
    schedule_.in(time, [set] { set(0ms); });
  }
  void fall_ill(PlayedStream::Health health, milliseconds time) {
    const bool has_orders = dice_.chance(80);
    const bool has_controls = !has_orders || dice_.chance(50);
    world_.note("{}{} no {}", has_orders ? "the order log has" : "",
                !has_controls ? ""
                : has_orders  ? ", and the control log,"
                              : "the control log has",
                health == PlayedStream::Health::no_quorum ? "quorum" : "leader");
    world_.reads_answer = health == PlayedStream::Health::no_quorum && dice_.chance(50);
    world_.cluster_says = dice_.chance(30);
    if (has_orders) orders_.fall_ill(health);
    if (has_controls) controls_.fall_ill(health);
    schedule_.in(time, [this] { recover(); });
  }
  void recover() {
    world_.note("both logs are well again");
    orders_.recover(dice_.chance(70));
    controls_.recover(dice_.chance(70));
  }
  void write_as_stranger() {
    PlayedStream::Message message{.subject = kIntents, .payload = "hello"};
    if (dice_.chance(60)) {
      const UuidText id = to_text(make_order_id(fmt::format("stranger {}", ++strangers_)));
      message.sender = "stranger";
      message.payload =
          log_entry({.id = std::string(id.data(), id.size()),
                     .strategy = std::string(to_string(all_of<StrategyId>[dice_.pick(3)])),
                     .side = dice_.chance(50) ? "BUY" : "SELL",
                     .symbol = kSimulatedSymbols.at(dice_.pick(2)),
                     .at_ms = schedule_.now().time_since_epoch().count()});
    }
    world_.note("a stranger writes to the order log");
    orders_.publish(message, [](const std::string&) {});
  }
  void heal() {
    world_.note("all faults are over");
    is_over_ = true;
    recover();
    world_.weather = usual_weather_ = {};
    world_.engine = EngineMood::answers;
    feed_until_ = {};
    clock_off_ = 0ms;
    schedule_.in(10ms, [this] {  // what is on its way into the log has arrived
      for (const auto& strategy : wire::pausable()) {
        if (paused_since(strategy, controls_.last())) write_pause(strategy, false);
      }
    });
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      if (!replicas_[i]) start(i);
      replicas_[i]->set_clock(0ms);
      replicas_[i]->connect();
    }
    for (const StrategyId strategy : all_of<StrategyId>) send_pause(strategy, false);
  }

  // --- Control ----------------------------------------------------------------------------------

  // Without faults: some pauses and revisions, and no frames where it would matter which replica
  // has heard of them.
  void plan_controls() {
    for (std::uint64_t left = dice_.pick(4); left > 0; --left) {
      const UnixMs at = kStart + 1s + dice_.between(0ms, 35s);
      const milliseconds time = dice_.between(1s, 8s);
      const bool is_revision = dice_.chance(50);
      keep_quiet_around(at);
      if (!is_revision) keep_quiet_around(at + time);
      schedule_.at(at, [this, time, is_revision] {
        ++totals_.faults[index_of(is_revision ? Fault::revision : Fault::pause)];
        is_revision ? write_revision(schedule_.now() + 200ms + time, true) : pause_in_log(time);
      });
    }
  }
  void keep_quiet_around(UnixMs at) { quiet_.emplace_back(at - 500ms, at + 200ms); }

  void pause_in_log(milliseconds time) {
    const auto strategy = dice_.one_of(wire::pausable());
    write_pause(strategy, true);
    const milliseconds longer = !plan_.is_calm && dice_.chance(30) ? 25s : 0s;
    schedule_.in(time + longer, [this, strategy] {
      if (!is_over_) write_pause(strategy, false);
    });
  }
  void write_pause(std::optional<StrategyId> strategy, bool paused) {
    write_control(wire::pause_key(strategy), to_json(wire::PauseValue{paused}));
  }
  // One that is not valid is refused whole.
  void write_revision(UnixMs effective_from, bool is_valid) {
    Rules rules = SimulationPlan::random_rules(dice_);
    rules.stop_loss_percent = 1.5 + 0.125 * static_cast<double>(revisions_.size());
    wire::SettingsValue value{.effective_from = effective_from};
    for (const config::Given& given : SimulationPlan::live_values(rules)) {
      value.values.push_back({given.name, given.value});
    }
    if (!is_valid) value.values.back().value = "0";
    value.author.reason = std::to_string(revisions_.size());
    revisions_.push_back({effective_from, rules, to_json(value), is_valid});
    write_control(std::string(wire::kSettingsKey), revisions_.back().json);
  }
  // It is heard on its way into the bucket, and a broker that has no leader does not take it.
  void write_control(const std::string& key, const std::string& json) {
    world_.note("somebody writes {}: {}", key, json);
    for (const auto& replica : replicas_) {
      if (replica) replica->hear_of_control();
    }
    PlayedStream::Message message{.subject = bucket_subject(World::kBucket, key), .payload = json};
    schedule_.in(dice_.between(0ms, 3ms), [this, message] {
      if (controls_.health() == PlayedStream::Health::no_leader) return;
      controls_.publish(message, [](const std::string&) {});
    });
  }
  void on_control_stored(const PlayedStream::Entry& entry) {
    Control control{.sequence = entry.sequence, .stored_at = entry.stored_at};
    for (const auto& strategy : wire::pausable()) {
      const std::string subject = bucket_subject(World::kBucket, wire::pause_key(strategy));
      if (entry.message.subject != subject) continue;
      control.strategy = strategy;
      control.pauses = entry.message.payload.find("true") != std::string::npos;
    }
    for (std::size_t i = 0; i < revisions_.size(); ++i) {
      if (revisions_[i].json == entry.message.payload) control.revision = i;
    }
    world_.note("the control log has {} now: {}", entry.sequence, entry.message.payload);
    written_.push_back(control);
  }

  void pause_by_message(StrategyId strategy, milliseconds time) {
    send_pause(strategy, true);
    schedule_.in(time, [this, strategy] { send_pause(strategy, false); });
  }
  void send_pause(StrategyId strategy, bool paused) {
    for (const auto& replica : replicas_) {
      if (!replica) continue;
      replica->later(dice_.between(0ms, 5ms),
                     [strategy, paused](SimulatedReplica& self) { self.pause(strategy, paused); });
    }
  }

  // --- What the logs say, by the specification's words
  // --------------------------------------------

  // By the control log up to an entry: since when this key pauses.
  [[nodiscard]] std::optional<UnixMs> paused_since(std::optional<StrategyId> strategy,
                                                   std::uint64_t known) const {
    std::optional<UnixMs> since;
    for (const Control& control : written_) {
      if (control.sequence > known || !control.pauses || control.strategy != strategy) continue;
      since = !*control.pauses ? std::nullopt : since ? since : std::optional(control.stored_at);
    }
    return since;
  }
  // The last revision in the log's order, up to an entry, that is in effect at this time.
  [[nodiscard]] Rules rules_known(std::uint64_t known, UnixMs at) const {
    Rules rules = plan_.rules;
    for (const Control& control : written_) {
      if (control.sequence > known || !control.revision) continue;
      const Revision& revision = revisions_[*control.revision];
      if (revision.is_valid && revision.effective_from <= at) rules = revision.rules;
    }
    return rules;
  }
  // A replica may learn of a revision while its order is on the way: the gate was asked by the one
  // or the other.
  [[nodiscard]] Rules loosest_rules(const Record& record) const {
    Rules loosest = rules_known(record.knew, record.order.at);
    const auto looser = [](std::int64_t a, std::int64_t b) {
      return a == 0 || b == 0 ? 0 : std::max(a, b);
    };
    for (std::uint64_t known = record.knew + 1; known <= record.knows; ++known) {
      const Rules rules = rules_known(known, record.order.at);
      loosest.cooldown = std::min(loosest.cooldown, rules.cooldown);
      loosest.daily = looser(loosest.daily, rules.daily);
      loosest.minutely = looser(loosest.minutely, rules.minutely);
    }
    return loosest;
  }

  // --- The rules, while it runs
  // -------------------------------------------------------------------

  void run_until(UnixMs end) {
    while (!violation_ && schedule_.step(end)) check_results_accounted();
  }
  void check_results_accounted() {
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      const auto& replica = replicas_[i];
      if (!replica || replica->signals() + replica->results() == checked_[i]) continue;
      checked_[i] = replica->signals() + replica->results();
      const std::size_t in_flight = replica->publisher().status().in_flight;
      if (replica->signals() != replica->results() + in_flight) {
        violate(Invariant::results_accounted, "{} has {} signals, {} results and {} in flight",
                replica->name(), replica->signals(), replica->results(), in_flight);
      }
    }
  }
  void on_order_stored(const PlayedStream::Entry& entry) {
    world_.note("the order log has {} now: {}", entry.sequence,
                entry.order ? to_string(entry.order->strategy) : "what is no order");
    for (const auto& replica : replicas_) {
      if (replica) replica->hear_of(entry);
    }
  }
  void check_pause(std::uint64_t number, StrategyId strategy, const SimulatedReplica& by) {
    const auto all_since = [&](std::uint64_t known) {
      const auto own = paused_since(strategy, known);
      const auto all = paused_since(std::nullopt, known);
      return own && all ? std::min(own, all) : own ? own : all;
    };
    if (by.is_switched_off(strategy) || all_since(by.heard_controls())) {
      violate(Invariant::not_paused, "order {} is sent during a pause", number);
    }
    const auto since = all_since(controls_.last());
    const bool was_awake = since && by.stalled_until() < *since;
    if (was_awake && schedule_.now() - *since > kHeardWithin) {
      violate(Invariant::pause_is_heard, "order {} is sent by who has not heard of a pause",
              number);
    }
  }

  static bool is_of_one_key(const CountedOrder& a, const CountedOrder& b) {
    return a.strategy == b.strategy && a.side == b.side && a.symbol == b.symbol;
  }
  // By all that was stored before it, whoever has stored it.
  void check_limits(std::uint64_t number, const PlayedStream::Entry& entry, const Rules& rules) {
    std::int64_t of_day = 1;
    std::int64_t of_minute = 1;
    for (const PlayedStream::Entry& other : orders_.history()) {
      if (other.sequence == entry.sequence) break;
      if (!other.order) continue;
      // One that had to wait may be stored behind a newer one, as far from it as any.
      const milliseconds apart = std::chrono::abs(entry.order->at - other.order->at);
      if (apart < rules.cooldown && is_of_one_key(*entry.order, *other.order)) {
        violate(Invariant::cooldown, "order {} arrives within the cooldown of entry {}", number,
                other.sequence);
      }
      if (other.order->strategy == entry.order->strategy && other.day == entry.day) ++of_day;
      if (other.minute == entry.minute) ++of_minute;
    }
    if (rules.daily > 0 && of_day > rules.daily) {
      violate(Invariant::daily_limit, "order {} is number {} of its day", number, of_day);
    }
    if (rules.minutely > 0 && of_minute > rules.minutely) {
      violate(Invariant::minute_limit, "order {} is number {} of its minute", number, of_minute);
    }
  }

  // --- The rules, once all faults are over
  // --------------------------------------------------------

  void check_ended() {
    if (violation_) return;
    for (const auto& replica : replicas_) {
      if (replica->publisher().status().in_flight > 0) {
        violate(Invariant::ended, "{} has not ended", replica->name());
      }
      if (!replica->has_read_logs()) {
        violate(Invariant::ended, "{} has not read the logs", replica->name());
      }
    }
    for (const auto& [number, record] : records_) {
      if (record.result) {
        check_result(number, record);
      } else if (is_alive(record.by)) {
        violate(Invariant::ended, "order {} has no result", number);
      }
    }
  }
  [[nodiscard]] bool is_alive(const std::string& name) const {
    return std::any_of(replicas_.begin(), replicas_.end(),
                       [&](const auto& replica) { return replica->name() == name; });
  }
  void check_result(std::uint64_t number, const Record& record) {
    using enum OrderResult;
    const OrderResult result = *record.result;
    const int least = result == confirmed || result == unconfirmed ? 1 : 0;
    const int most = least == 1 || result == rejected || result == ambiguous ? 1 : 0;
    if (record.delivered < least || record.delivered > most) {
      violate(Invariant::result_is_true, "order {} is {} and has arrived {} times", number,
              to_string(result), record.delivered);
    }
    if (plan_.is_calm) {
      if (result == confirmed || result == duplicate || result == superseded) return;
      return violate(Invariant::needless_loss, "order {} is {}", number, to_string(result));
    }
    // A slow network alone may be the reason: others store first, again and again.
    const bool is_swift = plan_.usually_slowest < 100ms;
    if (!is_swift || (result != expired && result != disconnected)) return;
    constexpr milliseconds kAftermath = 3000ms;  // until it is noticed that it is over
    const bool is_excused = std::any_of(faults_.begin(), faults_.end(), [&](const auto& fault) {
      return fault.first <= record.ended && record.order.at <= fault.second + kAftermath;
    });
    if (!is_excused) {
      violate(Invariant::needless_loss, "order {} is {}", number, to_string(result));
    }
  }

  // Orders that were decided, and that the log does not have.
  [[nodiscard]] bool has_unstored(const SimulatedReplica& replica) const {
    const auto& ids = replica.accepted();
    return std::any_of(ids.begin(), ids.end(), [&](const Uuid& id) { return !has_stored(id); });
  }
  [[nodiscard]] bool has_stored(const Uuid& id) const {
    const auto& log = orders_.history();
    return std::any_of(log.begin(), log.end(),
                       [&](const auto& entry) { return entry.order && entry.order->id == id; });
  }
  // One that knows both logs, and nothing else.
  [[nodiscard]] std::unique_ptr<Engine> engine_of_the_logs() const {
    auto engine =
        std::make_unique<Engine>(config::engine_parameters(configuration_.settings, Clock::live));
    for (const PlayedStream::Entry& entry : controls_.history()) hear_control(*engine, entry);
    for (const PlayedStream::Entry& entry : orders_.history()) {
      if (entry.order) engine->hear(*entry.order);
    }
    return engine;
  }
  void hear_control(Engine& engine, const PlayedStream::Entry& entry) const {
    test::hear_control(engine, configuration_,
                       {.sequence = entry.sequence,
                        .subject = entry.message.subject,
                        .headers = {},
                        .data = entry.message.payload,
                        .stored_at = entry.stored_at});
  }
  template <typename Visit>
  static void for_each_key(Visit visit) {
    for (const StrategyId strategy : all_of<StrategyId>) {
      for (const std::size_t symbol : {0U, 1U}) {
        for (const Side side : all_of<Side>) visit(strategy, symbol, side);
      }
    }
  }
  static std::vector<Uuid> orders_of(Engine& engine, const SimulatedFrame& frame, UnixMs at) {
    std::vector<Uuid> ids;
    for (const EventRecord& record : engine.step(frame.text, at).events) {
      const Decision* const decision = record.decision();
      if (decision != nullptr && decision->order) ids.push_back(decision->order->id);
    }
    return ids;
  }

  // Each replica trades as one that has the logs alone would. With books, for which nobody has to
  // be warm.
  void check_that_orders_arrive_again() {
    if (violation_) return;
    const bool all_know = std::none_of(replicas_.begin(), replicas_.end(),
                                       [&](const auto& one) { return has_unstored(*one); });
    if (plan_.is_capped || !all_know) return;
    const auto engine = engine_of_the_logs();
    std::vector<Uuid> expected;
    UnixMs at = schedule_.now();
    for (const std::size_t symbol : {0U, 1U}) {
      for (const Side side : all_of<Side>) {
        const auto frame =
            std::make_shared<const SimulatedFrame>(feed_.signal(symbol, side, at += 50ms));
        std::ranges::copy(orders_of(*engine, *frame, at), std::back_inserter(expected));
        for (std::size_t i = 0; i < replicas_.size(); ++i) {
          show(i, frame, at + dice_.between(0ms, 3ms));
        }
      }
    }
    run_until(at + plan_.ttl + 20s);
    for (const Uuid& id : expected) {
      if (!delivered_.contains(id)) {
        violate(Invariant::works_again, "an order has not arrived with all faults over");
      }
    }
  }

  // Asked the same, all that have no order of their own on the way say the same.
  void check_memories() {
    if (violation_) return;
    std::vector<CountedOrder> questions;
    const UnixMs last = happened_.empty() ? kStart : happened_.back()->at;
    for_each_key([&](StrategyId strategy, std::size_t symbol, Side side) {
      for (const milliseconds later : {0ms, 1000ms, 3000ms, 60'000ms}) {
        questions.push_back({make_order_id(fmt::format("question {}", questions.size())), strategy,
                             side, *Symbol::from(kSimulatedSymbols.at(symbol)), last + later});
      }
    });
    std::stable_sort(questions.begin(), questions.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    // What would pass is taken for stored, so that counts are seen up to their limits.
    const auto answers = [&](Engine& engine) {
      std::vector<bool> passes;
      for (const CountedOrder& question : questions) {
        passes.push_back(engine.passes_still(question));
        if (passes.back()) engine.hear(question);
      }
      return passes;
    };
    const auto engine = engine_of_the_logs();
    const auto expected = answers(*engine);
    for (const auto& replica : replicas_) {
      if (has_unstored(*replica)) continue;
      const auto said = answers(replica->engine());
      for (std::size_t i = 0; i < said.size(); ++i) {
        if (said[i] == expected[i]) continue;
        violate(Invariant::same_memory,
                "{} says {} where the log says {}, asked for {} {} {} at {}", replica->name(),
                said[i] ? "yes" : "no", expected[i] ? "yes" : "no",
                to_string(questions[i].strategy), questions[i].symbol.text(),
                to_string(questions[i].side), (questions[i].at - kStart).count());
      }
    }
  }

  // The replay of all frames by a single engine, which hears pauses and revisions as they were
  // stored.
  void check_calm() {
    if (violation_ || plan_.sharing != Sharing::all) return;
    Engine one(config::engine_parameters(configuration_.settings, Clock::live));
    std::set<Uuid> expected;
    auto control = controls_.history().begin();
    for (const auto& frame : happened_) {
      for (; control != controls_.history().end() && control->stored_at <= frame->at; ++control) {
        hear_control(one, *control);
      }
      for (const Uuid& id : orders_of(one, *frame, frame->at)) expected.insert(id);
    }
    if (expected == delivered_) return;
    const auto missing = std::count_if(expected.begin(), expected.end(),
                                       [&](const Uuid& id) { return !delivered_.contains(id); });
    violate(Invariant::same_as_one,
            "{} orders have arrived, one replica would have sent {}; {} miss", delivered_.size(),
            expected.size(), missing);
  }

  const SimulationOptions options_;
  Dice dice_;  // for the plan and what happens
  const SimulationPlan plan_;
  Dice world_dice_;  // for what messages meet
  Schedule schedule_;
  PlayedStream orders_, controls_;
  const config::Configuration configuration_;
  World world_;
  Weather usual_weather_;
  SimulatedFeed feed_;
  std::vector<std::shared_ptr<SimulatedReplica>> replicas_;
  std::vector<int> starts_;
  std::vector<std::uint64_t> checked_;  // signals and results of each, as last looked at
  std::vector<UnixMs> seen_;            // of each, when the last frame comes
  std::vector<std::shared_ptr<const SimulatedFrame>> happened_;
  std::vector<std::pair<UnixMs, UnixMs>> quiet_;
  UnixMs feed_until_;          // so long it is bad
  milliseconds clock_off_{0};  // of the machine
  bool was_purged_ = false, is_over_ = false;
  std::uint64_t strangers_ = 0;
  std::vector<Revision> revisions_;
  std::vector<Control> written_;  // of the control log
  std::vector<std::pair<UnixMs, UnixMs>> faults_;
  std::map<std::uint64_t, Record> records_;
  std::set<Uuid> delivered_;
  std::optional<Violation> violation_;
  Totals totals_;
  std::uint64_t trace_hash_ = 0;
  std::vector<std::string> trace_;
};

}  // namespace rts::test
