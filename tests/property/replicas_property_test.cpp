// The rules of delivery over several replicas, simulated without a broker (SPEC §6): real gates and
// publishers on a played stream, and whatever can go wrong with messages, brokers and processes.
// However it goes, the TradeEngine gets no order twice, late, or beyond a limit. One seed is one
// simulation, and says the same each time; RTS_SIMULATED_SEEDS says how many there are.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "property/played_stream.hpp"
#include "property/property.hpp"
#include "property/simulated_replica.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr UnixMs kMidnight{std::chrono::hours(24) * 20'000};
constexpr UnixMs kStart = kMidnight - 20s;  // so that a day ends meanwhile
constexpr auto kTroubled = 45s;             // so long there are signals, and faults

using Results = std::map<OrderResult, std::uint64_t>;

class Simulation final : public Witness {
 public:
  Simulation(std::uint64_t seed, bool notes)
      : dice_(seed),
        world_{.schedule = Schedule(kStart),
               .dice = Dice(seed + 1),
               .stream = PlayedStream(random_rules(), [this](const auto& one) { on_stored(one); }),
               .witness = *this} {
    is_noting = notes;
    if (!is_calm_ && dice_.chance(20)) max_in_flight_ = 2;
    constexpr std::chrono::seconds kCooldowns[] = {0s, 1s, 2s, 5s, 10s};
    constexpr std::chrono::seconds kLives[] = {1s, 2s, 5s};
    constexpr std::int64_t kDaily[] = {0, 4, 10};
    constexpr std::int64_t kMinutely[] = {0, 3, 10};
    constexpr std::int64_t kThresholds[] = {1, 3, 1000};
    world_.terms.cooldown = dice_.one_of(kCooldowns);
    world_.terms.ttl = dice_.one_of(kLives);
    world_.limits = {.price_band_percent = 0,
                     .max_daily_signals = dice_.one_of(kDaily),
                     .max_orders_per_minute = dice_.one_of(kMinutely)};
    world_.delivery.mode = DeliveryMode::jetstream;
    world_.delivery.ack_timeout = dice_.between(200ms, 1000ms);
    world_.delivery.breaker = {.failure_threshold = dice_.one_of(kThresholds),
                               .recovery_timeout = 5s,
                               .probe_timeout = 1s};
    world_.delivery.max_in_flight = max_in_flight_;
    constexpr milliseconds kUsuallySlowest[] = {2ms, 20ms, 200ms};
    usual_weather_.slowest = is_calm_ ? 2ms : dice_.one_of(kUsuallySlowest);
    is_swift_ = usual_weather_.slowest < 100ms;
    world_.weather = usual_weather_;
    replicas_.resize(dice_.chance(60) ? 3 : 1 + dice_.pick(4));
    starts_.resize(replicas_.size());
    world_.note("{} replicas, {}, cooldown {} s, life {} s, {} a day, {} a minute",
                replicas_.size(), is_calm_ ? "no faults" : "faults", world_.terms.cooldown.count(),
                world_.terms.ttl.count(), world_.limits.max_daily_signals,
                world_.limits.max_orders_per_minute);
  }

  // What rule was broken; empty: none.
  const std::string& run() {
    for (std::size_t i = 0; i < replicas_.size(); ++i) start(i);
    world_.schedule.run_until(kStart + 50ms);
    plan_signals();
    if (!is_calm_) plan_faults();
    run_until(kStart + kTroubled);
    heal();
    run_until(kStart + kTroubled + 25s);
    check_ended();
    if (!was_purged_) check_that_orders_arrive_again();
    check_ended();
    if (!was_purged_) check_memories();
    if (is_calm_) check_calm();
    return violation_;
  }

  [[nodiscard]] const std::vector<std::string>& trace() const { return trace_; }
  void add_to(Results& results) const {
    for (const auto& [number, record] : records_) {
      if (record.result) ++results[*record.result];
    }
  }

  // --- What it sees -----------------------------------------------------------------------------

  void note(const std::string& text) override {
    trace_.push_back(fmt::format("{:7} ms  {}", (world_.schedule.now() - kStart).count(), text));
  }
  void on_published(std::uint64_t number, const Order& order, const std::string& by) override {
    records_[number] = {.order = {order.id, order.strategy, order.signal.side,
                                  *Symbol::from(order.symbol), order.at},
                        .valid_until = order.valid_until,
                        .by = by};
  }
  void on_result(std::uint64_t number, const service::OrderReport& report) override {
    Record& record = records_.at(number);
    if (record.result) violate("order {} has ended twice", number);
    record.result = report.result;
    record.ended = world_.schedule.now();
  }
  void on_forwarded(std::uint64_t number, bool is_paused) override {
    Record& record = records_.at(number);
    if (world_.schedule.now() >= record.valid_until) violate("order {} is sent late", number);
    if (is_paused) violate("order {} is sent during a pause", number);
    if (++record.forwarded > 1) violate("order {} is sent twice", number);
  }
  void on_delivered(std::uint64_t number) override {
    Record& record = records_.at(number);
    world_.note("order {} arrives at the TradeEngine", number);
    ++record.delivered;
    if (world_.schedule.now() >= record.valid_until) violate("order {} arrives late", number);
    if (!delivered_.insert(record.order.id).second) violate("order {} arrives again", number);
    const auto& log = world_.stream.history();
    const auto entry = std::find_if(log.begin(), log.end(), [&](const auto& one) {
      return one.order && one.order->id == record.order.id;
    });
    if (entry == log.end() || entry->message.sender != senders_.at(record.by)) {
      return violate("order {} is sent and not stored by its sender", number);
    }
    if (!was_purged_) check_limits(number, *entry);
  }

 private:
  struct Record {
    CountedOrder order{};
    UnixMs valid_until{};
    std::string by{};
    std::optional<OrderResult> result{};
    UnixMs ended{};
    int forwarded = 0, delivered = 0;
  };
  enum class Sharing : std::uint8_t {
    all,     // every replica sees every event
    bucket,  // each may see another event, a little earlier or later
    parts    // each event is seen by one
  };

  template <typename... Values>
  void violate(fmt::format_string<Values...> text, Values&&... values) {
    const std::string what = fmt::format(text, std::forward<Values>(values)...);
    world_.note("WRONG: {}", what);
    if (violation_.empty()) violation_ = what;
  }

  // --- The plan ---------------------------------------------------------------------------------

  PlayedStream::Rules random_rules() {
    using enum PlayedStream::ToCopies;
    constexpr PlayedStream::ToCopies kCopies[] = {queued, zero, in_process};
    is_calm_ = dice_.chance(25);
    is_capped_ = !is_calm_ && dice_.chance(10);
    sharing_ = dice_.chance(60)   ? Sharing::all
               : dice_.chance(50) ? Sharing::bucket
                                  : Sharing::parts;
    return {.id_before_sequence = dice_.chance(50),
            .to_copies = dice_.one_of(kCopies),
            .max_messages = is_capped_ ? 5 + dice_.pick(20) : 0};
  }

  void start(std::size_t replica) {
    const std::string name = fmt::format("r{}.{}", replica, ++starts_[replica]);
    world_.note("{} starts", name);
    const auto made = std::make_shared<SimulatedReplica>(world_, name);
    replicas_[replica] = made;
    senders_[name] = made->publisher().sender();
    for (const StrategyId strategy : paused_) made->pause(strategy, true);
    made->later(dice_.between(0ms, 20ms), [](SimulatedReplica& self) { self.connect(); });
  }
  void kill(std::size_t replica) {
    if (replicas_[replica]) world_.note("{} is killed", replicas_[replica]->name());
    replicas_[replica] = nullptr;
  }

  // Each replica sees its events in their order, each a little later than it happened.
  void plan_signals() {
    std::vector<UnixMs> seen(replicas_.size());
    const auto symbols = 1 + dice_.pick(2);
    const auto mean_gap = dice_.between(200ms, 1500ms);
    const auto in_bursts = 30 * dice_.pick(3);  // percent: at almost the same time
    const auto next = [&] {
      return dice_.chance(in_bursts) ? dice_.between(0ms, 8ms) : dice_.between(0ms, 2 * mean_gap);
    };
    for (UnixMs at = kStart + 100ms; at < kStart + kTroubled; at += next()) {
      const SimulatedSignal signal{all_of<StrategyId>[dice_.pick(3)], dice_.pick(symbols),
                                   dice_.chance(60) ? Side::buy : Side::sell, at, ++last_event_};
      happened_.push_back(signal);
      const std::size_t only = dice_.pick(replicas_.size());
      for (std::size_t i = 0; i < replicas_.size(); ++i) {
        if (sharing_ == Sharing::parts && i != only) continue;
        SimulatedSignal own = signal;
        if (sharing_ == Sharing::bucket) {
          own.at += dice_.between(0ms, 30ms);
          own.event = ++last_event_;
        }
        seen[i] = std::max(seen[i], own.at + dice_.between(0ms, 3ms));
        show(i, own, seen[i]);
      }
    }
  }
  void show(std::size_t replica, const SimulatedSignal& signal, UnixMs at) {
    world_.schedule.at(at, [this, replica, signal] {
      if (!replicas_[replica]) return;
      replicas_[replica]->later(0ms, [signal](SimulatedReplica& self) { self.see(signal); });
    });
  }

  void plan_faults() {
    faults_.emplace_back(kStart, kStart);  // the log has to be read first
    for (std::uint64_t left = 1 + dice_.pick(8); left > 0; --left) {
      const UnixMs from = kStart + 100ms + dice_.between(0ms, kTroubled);
      const milliseconds time = dice_.between(5ms, dice_.chance(50) ? 500ms : 8000ms);
      world_.schedule.at(from, [this, time, kind = dice_.pick(11)] {
        if (is_over_) return;
        faults_.emplace_back(world_.schedule.now(), world_.schedule.now() + time);
        strike(kind, time);
      });
    }
  }
  void strike(std::uint64_t kind, milliseconds time) {
    const std::size_t victim = dice_.pick(replicas_.size());
    const auto after = [&](auto run) { world_.schedule.in(time, run); };
    switch (kind) {
      case 0:
        if (replicas_[victim]) replicas_[victim]->disconnect();
        return after([this, victim] {
          if (replicas_[victim]) replicas_[victim]->connect();
        });
      case 1:
        kill(victim);
        return after([this, victim] {
          if (!replicas_[victim]) start(victim);
        });
      case 2:
        if (replicas_[victim]) replicas_[victim]->stall(time);
        return;
      case 3: return fall_ill(PlayedStream::Health::no_quorum, time);
      case 4: return fall_ill(PlayedStream::Health::no_leader, time);
      case 5:
      case 6:
        world_.note("messages are lost or late for {} ms", time.count());
        world_.weather = {.slowest = dice_.between(2ms, 1500ms),
                          .reorders = dice_.chance(70),
                          .lost_percent = dice_.chance(50) ? dice_.pick(50) : 0,
                          .lost_hints_percent = dice_.pick(101)};
        faults_.back().second += world_.weather.slowest;
        return after([this] { world_.weather = usual_weather_; });
      case 7: {
        constexpr EngineMood kMoods[] = {EngineMood::refuses, EngineMood::silent,
                                         EngineMood::nobody};
        world_.engine = dice_.one_of(kMoods);
        world_.note("the TradeEngine is {}", world_.engine == EngineMood::nobody   ? "gone"
                                             : world_.engine == EngineMood::silent ? "silent"
                                                                                   : "refusing");
        return after([this] { world_.engine = EngineMood::answers; });
      }
      case 8: return write_as_stranger();
      case 9: return pause(all_of<StrategyId>[dice_.pick(3)], time);
      default:
        if (dice_.chance(70)) return write_as_stranger();
        world_.note("the stream is purged");
        was_purged_ = true;
        world_.stream.purge();
    }
  }
  void fall_ill(PlayedStream::Health health, milliseconds time) {
    world_.note("the stream has no {}",
                health == PlayedStream::Health::no_quorum ? "quorum" : "leader");
    world_.reads_answer = health == PlayedStream::Health::no_quorum && dice_.chance(50);
    world_.cluster_says = dice_.chance(30);
    world_.stream.fall_ill(health);
    world_.schedule.in(time, [this] { recover(); });
  }
  void recover() {
    world_.note("the stream is well again");
    world_.stream.recover(dice_.chance(70));
  }
  void write_as_stranger() {
    PlayedStream::Message message{.payload = "hello"};
    if (dice_.chance(60)) {
      const SimulatedSignal signal{all_of<StrategyId>[dice_.pick(3)], dice_.pick(2),
                                   dice_.chance(50) ? Side::buy : Side::sell, world_.schedule.now(),
                                   ++last_event_};
      Order order = make_order(
          world_.terms, {.id = make_order_id(std::to_string(signal.event)),
                         .strategy = signal.strategy,
                         .symbol = simulated_symbol(signal.symbol).text(),
                         .at = signal.at,
                         .aged_at = signal.at,
                         .event_id = {'u', signal.event},
                         .signal = request_of(signal, world_.terms).signal,
                         .quantity = *Decimal::parse("1"),
                         .protection = protection(world_.terms, signal.side, *Price::from(100))});
      message = {.sender = "stranger"};
      append_json(message.payload, order, OrderFormat::trade_order);
    }
    world_.note("a stranger writes to the log");
    world_.stream.publish(message, [](const std::string&) {});
  }
  void pause(StrategyId strategy, milliseconds time) {
    set_paused(strategy, true);
    world_.schedule.in(time, [this, strategy] { set_paused(strategy, false); });
  }
  void set_paused(StrategyId strategy, bool paused) {
    paused ? (void)paused_.insert(strategy) : (void)paused_.erase(strategy);
    for (const auto& replica : replicas_) {
      if (!replica) continue;
      replica->later(dice_.between(0ms, 5ms),
                     [strategy, paused](SimulatedReplica& self) { self.pause(strategy, paused); });
    }
  }
  void heal() {
    world_.note("all faults are over");
    is_over_ = true;
    recover();
    world_.weather = usual_weather_ = {};
    world_.engine = EngineMood::answers;
    for (const StrategyId strategy : all_of<StrategyId>) set_paused(strategy, false);
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      if (!replicas_[i]) start(i);
      replicas_[i]->connect();
    }
  }

  void run_until(UnixMs end) {
    while (violation_.empty() && world_.schedule.now() < end) {
      world_.schedule.run_until(std::min(end, world_.schedule.now() + 500ms));
    }
  }
  void on_stored(const PlayedStream::Entry& entry) {
    world_.note("the log has {} now: {}", entry.sequence,
                entry.order ? to_string(entry.order->strategy) : "what is no order");
    for (const auto& replica : replicas_) {
      if (replica) replica->hear_of(entry);
    }
  }

  // --- The rules --------------------------------------------------------------------------------

  static bool is_of_one_key(const CountedOrder& a, const CountedOrder& b) {
    return a.strategy == b.strategy && a.side == b.side && a.symbol == b.symbol;
  }

  // By all that was stored before it, whoever has stored it.
  void check_limits(std::uint64_t number, const PlayedStream::Entry& entry) {
    const milliseconds cooldown = world_.terms.cooldown;
    std::int64_t of_day = 1;
    std::int64_t of_minute = 1;
    for (const PlayedStream::Entry& other : world_.stream.history()) {
      if (other.sequence == entry.sequence) break;
      if (!other.order) continue;
      // One that had to wait may be stored behind a newer one, as far from it as any.
      const milliseconds apart = std::chrono::abs(entry.order->at - other.order->at);
      const bool is_near = cooldown > 0ms && apart < cooldown;
      if (is_near && is_of_one_key(*entry.order, *other.order)) {
        violate("order {} arrives within the cooldown of entry {}", number, other.sequence);
      }
      if (other.order->strategy == entry.order->strategy && other.day == entry.day) ++of_day;
      if (other.minute == entry.minute) ++of_minute;
    }
    const GateLimits& limits = world_.limits;
    if (limits.max_daily_signals > 0 && of_day > limits.max_daily_signals) {
      violate("order {} is number {} of its day", number, of_day);
    }
    if (limits.max_orders_per_minute > 0 && of_minute > limits.max_orders_per_minute) {
      violate("order {} is number {} of its minute", number, of_minute);
    }
  }

  void check_ended() {
    if (!violation_.empty()) return;
    for (const auto& replica : replicas_) {
      if (replica->publisher().status().in_flight > 0) violate("{} has not ended", replica->name());
      if (!replica->is_read()) violate("{} has not read the log", replica->name());
    }
    for (const auto& [number, record] : records_) {
      if (record.result) {
        check_result(number, record);
      } else if (is_alive(record.by)) {
        violate("order {} has no result", number);
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
      violate("order {} is {} and has arrived {} times", number, to_string(result),
              record.delivered);
    }
    // A slow network alone may be the reason: others store first, again and again.
    if (is_swift_ && (result == expired || result == disconnected)) {
      constexpr milliseconds kAftermath = 3000ms;  // until it is noticed that it is over
      const bool is_excused = std::any_of(faults_.begin(), faults_.end(), [&](const auto& fault) {
        return fault.first <= record.ended && record.order.at <= fault.second + kAftermath;
      });
      if (!is_excused) violate("order {} is {} without a fault", number, to_string(result));
    }
  }

  // Orders that were decided, and that the log does not have.
  [[nodiscard]] bool has_unstored(const SimulatedReplica& replica) const {
    const auto& ids = replica.accepted();
    return std::any_of(ids.begin(), ids.end(), [&](const Uuid& id) { return !has_stored(id); });
  }
  [[nodiscard]] bool has_stored(const Uuid& id) const {
    const auto& log = world_.stream.history();
    return std::any_of(log.begin(), log.end(),
                       [&](const auto& entry) { return entry.order && entry.order->id == id; });
  }
  [[nodiscard]] Gate gate_of_the_log() const {
    Gate gate(world_.limits, 2);
    for (const PlayedStream::Entry& entry : world_.stream.history()) {
      if (entry.order) gate.hear(*entry.order, index_of_symbol(entry.order->symbol));
    }
    return gate;
  }
  template <typename Visit>
  static void for_each_key(Visit visit) {
    for (const StrategyId strategy : all_of<StrategyId>) {
      for (const std::size_t symbol : {0U, 1U}) {
        for (const Side side : all_of<Side>) visit(strategy, symbol, side);
      }
    }
  }

  // Once all faults are over, each replica trades as one that has the log alone would.
  void check_that_orders_arrive_again() {
    if (!violation_.empty()) return;
    const bool has_limits =
        world_.limits.max_daily_signals > 0 || world_.limits.max_orders_per_minute > 0;
    const bool all_know = std::none_of(replicas_.begin(), replicas_.end(),
                                       [&](const auto& one) { return has_unstored(*one); });
    if (is_capped_ || (has_limits && !all_know)) return;
    Gate gate = gate_of_the_log();
    std::vector<Uuid> expected;
    UnixMs at = world_.schedule.now();
    for_each_key([&](StrategyId strategy, std::size_t symbol, Side side) {
      const SimulatedSignal signal{strategy, symbol, side, at += 50ms, ++last_event_};
      const auto passed = gate.pass(request_of(signal, world_.terms));
      if (passed) expected.push_back(passed.value().id);
      for (std::size_t i = 0; i < replicas_.size(); ++i) {
        show(i, signal, at + dice_.between(0ms, 3ms));
      }
    });
    run_until(at + world_.terms.ttl + 20s);
    for (const Uuid& id : expected) {
      if (!delivered_.contains(id)) violate("an order has not arrived with all faults over");
    }
  }

  // Asked the same, all that have no order of their own on the way say the same.
  void check_memories() {
    if (!violation_.empty()) return;
    std::vector<SimulatedSignal> questions;
    const UnixMs last = happened_.empty() ? kStart : happened_.back().at;
    for_each_key([&](StrategyId strategy, std::size_t symbol, Side side) {
      for (const milliseconds later : {0ms, 1000ms, 3000ms, 60'000ms}) {
        questions.push_back({strategy, symbol, side, last + later, ++last_event_});
      }
    });
    std::stable_sort(questions.begin(), questions.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    const auto answers = [&](Gate& gate) {
      std::vector<std::string> said;
      for (const SimulatedSignal& question : questions) {
        const auto passed = gate.pass(request_of(question, world_.terms));
        said.emplace_back(passed ? passed.value().in_log ? "in the log" : "passes"
                                 : to_string(passed.error().outcome));
      }
      return said;
    };
    Gate gate = gate_of_the_log();
    const auto expected = answers(gate);
    for (const auto& replica : replicas_) {
      if (has_unstored(*replica)) continue;
      const auto said = answers(replica->gate());
      for (std::size_t i = 0; i < said.size(); ++i) {
        // What the log has passes for those alone who have not decided it themselves.
        if (said[i] == expected[i] || expected[i] == "in the log") continue;
        violate("{} says {} where the log says {}, asked for {} {} {} at {} ms", replica->name(),
                said[i], expected[i], to_string(questions[i].strategy), questions[i].symbol,
                to_string(questions[i].side), (questions[i].at - kStart).count());
      }
    }
  }

  // Without a fault any number of replicas that see all give the orders of one.
  void check_calm() {
    if (!violation_.empty()) return;
    for (const auto& [number, record] : records_) {
      using enum OrderResult;
      const OrderResult result = *record.result;
      if (result != confirmed && result != duplicate && result != superseded) {
        violate("order {} is {} without a fault", number, to_string(result));
      }
    }
    if (sharing_ != Sharing::all) return;
    Gate one(world_.limits, 2);
    std::size_t expected = 0;
    for (const SimulatedSignal& signal : happened_) {
      const auto passed = one.pass(request_of(signal, world_.terms));
      if (!passed) continue;
      ++expected;
      if (!delivered_.contains(passed.value().id)) {
        violate("the order of event {} has not arrived", signal.event);
      }
    }
    const auto of_then = std::count_if(records_.begin(), records_.end(), [&](const auto& one_of) {
      return one_of.second.delivered > 0 && one_of.second.order.at < kStart + kTroubled;
    });
    if (static_cast<std::size_t>(of_then) != expected) {
      violate("{} orders have arrived, and one replica would have sent {}", of_then, expected);
    }
  }

  Dice dice_;  // before the world: it plans it
  bool is_calm_ = false, is_capped_ = false, was_purged_ = false, is_over_ = false;
  Sharing sharing_ = Sharing::all;
  std::size_t max_in_flight_ = 100;
  Weather usual_weather_{};
  bool is_swift_ = true;
  World world_;
  std::vector<std::shared_ptr<SimulatedReplica>> replicas_;
  std::vector<int> starts_;
  std::map<std::string, std::string> senders_;  // by a replica's name
  std::set<StrategyId> paused_;
  std::vector<SimulatedSignal> happened_;
  std::uint64_t last_event_ = 0;
  std::vector<std::pair<UnixMs, UnixMs>> faults_;
  std::map<std::uint64_t, Record> records_;
  std::set<Uuid> delivered_;
  std::string violation_;
  std::vector<std::string> trace_;
};

std::uint64_t seeds_to_simulate() {
  const char* const given = std::getenv("RTS_SIMULATED_SEEDS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 500;
}

TEST(Replicas, KeepTheRulesWhateverHappens) {
  const std::uint64_t first = property_seed();
  const std::uint64_t count = seeds_to_simulate();
  const auto begun = std::chrono::steady_clock::now();
  Results results;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Simulation simulation(seed, false);
    const std::string violation = simulation.run();
    simulation.add_to(results);
    if (violation.empty()) continue;
    Simulation again(seed, true);
    again.run();
    FAIL() << fmt::format("{}\n{}\nafter {} seeds; again: RTS_SEED={} RTS_SIMULATED_SEEDS=1 {} {}",
                          fmt::join(again.trace(), "\n"), violation, seed - first + 1, seed,
                          program_invocation_name, "--gtest_filter='Replicas.*'");
  }
  using Seconds = std::chrono::duration<double>;
  std::cout << fmt::format("{} seeds in {:.1f} s:", count,
                           Seconds(std::chrono::steady_clock::now() - begun).count());
  for (const auto& [result, orders] : results) {
    std::cout << fmt::format(" {} {}", to_string(result), orders);
  }
  std::cout << "\n";
  // Each way to end has been seen, but for the one that needs a setting.
  if (count >= 300) {
    EXPECT_EQ(results.size(), count_of<OrderResult> - 1);
  }
}

}  // namespace
}  // namespace rts::test
