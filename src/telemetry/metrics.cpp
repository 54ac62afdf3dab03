#include "telemetry/metrics.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "telemetry/process.hpp"

namespace rts::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using Labels = std::map<std::string, std::string>;

enum class Type : std::uint8_t { counter, gauge, histogram };

struct Info {
  std::string_view name;
  Type type;
  std::string_view labels;  // for the documentation
  std::string_view help;
};

constexpr Info kFrames{"rts_frames_received_total", Type::counter, "", "Frames received."};
constexpr Info kReceived{"rts_events_received_total", Type::counter, "kind",
                         "Events: those decoded, and one for each frame that could not be."};
constexpr Info kIgnored{"rts_events_ignored_total", Type::counter, "kind, reason",
                        "Events we do not trade on, by reason."};
constexpr Info kDropped{"rts_events_dropped_total", Type::counter, "kind, reason",
                        "Events that should not look so, by reason."};
constexpr Info kDecisions{"rts_decisions_total", Type::counter, "strategy, outcome",
                          "Evaluated events by the one outcome each ended in."};
constexpr Info kOrders{"rts_orders_total", Type::counter, "strategy, result",
                       "Orders by the one result each ended in."};
constexpr Info kStep{"rts_step_duration_seconds", Type::histogram, "",
                     "Time the engine took for a frame."};
constexpr Info kPublish{"rts_receive_to_publish_seconds", Type::histogram, "",
                        "Time from a frame's receipt to its order being handed to the broker."};
constexpr Info kLag{"rts_event_lag_seconds", Type::histogram, "kind",
                    "Receive time less event time of evaluated events; below 0 counts as 0."};
constexpr Info kLastEvent{"rts_last_event_timestamp_seconds", Type::gauge, "symbol, kind",
                          "Event time of the last evaluated event; 0 = none yet."};
constexpr Info kAnswer{"rts_order_answer_seconds", Type::histogram, "",
                       "Time from the sending of an order to its answer or acknowledgement."};
constexpr Info kInFlight{"rts_orders_in_flight", Type::gauge, "",
                         "Orders whose result is not known yet."};
constexpr Info kRepeats{"rts_order_repeats_total", Type::counter, "",
                        "Publishes of an order after its first, with the same id."};
constexpr Info kOddAnswers{"rts_order_odd_answers_total", Type::counter, "reason",
                           "Answers that could not be read, or that no order awaited."};
constexpr Info kBreakerState{"rts_circuit_breaker_state", Type::gauge, "state",
                             "1 for the state the circuit breaker is in."};
constexpr Info kBreakerEntered{"rts_circuit_breaker_transitions_total", Type::counter, "to",
                               "Changes of the circuit breaker into this state."};
constexpr Info kControl{"rts_control_messages_total", Type::counter, "command",
                        "Messages on the control subject."};
constexpr Info kReady{"rts_ready", Type::gauge, "", "1 while /ready answers 200."};
constexpr Info kCheck{"rts_check_ok", Type::gauge, "check", "1 while this check of /ready holds."};
constexpr Info kPaused{"rts_trading_paused", Type::gauge, "strategy",
                       "1 while the strategy orders nothing."};
constexpr Info kConnected{"rts_nats_connected", Type::gauge, "", "1 while connected to a broker."};
constexpr Info kReconnects{"rts_nats_reconnects_total", Type::counter, "",
                           "Connections made after the first."};
constexpr Info kBuffered{"rts_nats_buffered_bytes", Type::gauge, "",
                         "Bytes of orders the socket has not taken yet."};
constexpr Info kNatsDropped{"rts_nats_dropped_messages_total", Type::counter, "",
                            "Frames the NATS library dropped because we did not keep up."};
constexpr Info kNatsStatus{"rts_nats_status_messages_total", Type::counter, "",
                           "Messages of a broker itself on our subjects: heartbeats and flow "
                           "control of a push consumer, errors. No frames."};
constexpr Info kLogLost{"rts_log_lines_lost_total", Type::counter, "",
                        "Log lines lost because standard output stalled or closed."};
constexpr Info kLogShortened{"rts_log_lines_shortened_total", Type::counter, "",
                             "Log lines too long to be written whole."};
constexpr Info kHttpConnections{"rts_http_connections", Type::gauge, "",
                                "Open connections to this HTTP server."};
constexpr Info kHttpRequests{"rts_http_requests_total", Type::counter, "",
                             "Requests this HTTP server has answered."};
constexpr Info kSettings{"rts_settings_info", Type::gauge, "hash",
                         "1; the same hash where all settings but the secrets are the same."};
constexpr Info kBuild{"rts_build_info", Type::gauge, "version, commit", "1; what is running."};
constexpr Info kCpu{"process_cpu_seconds_total", Type::counter, "", "CPU time, user and system."};
constexpr Info kRss{"process_resident_memory_bytes", Type::gauge, "", "Resident memory."};
constexpr Info kFds{"process_open_fds", Type::gauge, "", "Open file descriptors."};
constexpr Info kMaxFds{"process_max_fds", Type::gauge, "", "Most file descriptors allowed."};
constexpr Info kStart{"process_start_time_seconds", Type::gauge, "",
                      "When the process began, in seconds since 1970."};

constexpr std::array kAll{kFrames,       kReceived,
                          kIgnored,      kDropped,
                          kDecisions,    kOrders,
                          kStep,         kPublish,
                          kAnswer,       kInFlight,
                          kRepeats,      kOddAnswers,
                          kBreakerState, kBreakerEntered,
                          kLag,          kLastEvent,
                          kReady,        kCheck,
                          kPaused,       kControl,
                          kConnected,    kReconnects,
                          kBuffered,     kNatsDropped,
                          kNatsStatus,   kLogLost,
                          kLogShortened, kHttpConnections,
                          kHttpRequests, kSettings,
                          kBuild,        kCpu,
                          kRss,          kFds,
                          kMaxFds,       kStart};

const Histogram::BucketBoundaries kStepBuckets{1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4,
                                               2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2};
const Histogram::BucketBoundaries kPublishBuckets{1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4,
                                                  1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 1e-1};
const Histogram::BucketBoundaries kAnswerBuckets{1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2,
                                                 5e-2, 0.1,  0.2,  0.5,  1,    2,    5,    10};
const Histogram::BucketBoundaries kLagBuckets{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                              0.5,   1,     2.5,  5,     10,   30,  60};

constexpr std::array kMarketKinds{EventKind::book, EventKind::trade, EventKind::ticker};

double to_seconds(std::chrono::nanoseconds duration) noexcept {
  return std::chrono::duration<double>(duration).count();
}

std::string_view to_string(Type type) noexcept {
  switch (type) {
    case Type::counter:
      return "counter";
    case Type::gauge:
      return "gauge";
    case Type::histogram:
      return "histogram";
  }
  return "";
}

}  // namespace

std::string_view to_string(Check check) noexcept {
  switch (check) {
    case Check::nats_connected:
      return "nats_connected";
    case Check::subscribed:
      return "subscribed";
    case Check::order_path:
      return "order_path";
    case Check::breaker:
      return "breaker";
    case Check::not_draining:
      return "not_draining";
  }
  return "";
}

std::string_view to_string(Control control) noexcept {
  switch (control) {
    case Control::pause:
      return "pause";
    case Control::resume:
      return "resume";
    case Control::unreadable:
      return "unreadable";
  }
  return "";
}

// What a histogram gets at the next scrape: observing is two plain additions, where the registry's
// own are atomic.
class Observations {
 public:
  Observations(Histogram& histogram, const Histogram::BucketBoundaries& bounds)
      : histogram_(&histogram), bounds_(&bounds), counts_(bounds.size() + 1) {}

  void observe(double value) noexcept {
    const auto bucket = std::lower_bound(bounds_->begin(), bounds_->end(), value);
    ++counts_[static_cast<std::size_t>(bucket - bounds_->begin())];
    sum_ += value;
  }
  void hand_over() {
    histogram_->ObserveMultiple(counts_, std::exchange(sum_, 0));
    std::fill(counts_.begin(), counts_.end(), 0);
  }

 private:
  Histogram* histogram_;
  const Histogram::BucketBoundaries* bounds_;
  std::vector<double> counts_;
  double sum_ = 0;
};

// Labels are resolved here once. What is counted for every event is counted by others, without
// atomics, and read at a scrape.
class Metrics::Registry {
 public:
  Registry(const SymbolTable& symbols, const Running& running)
      : symbols_(symbols),
        last_event_(prometheus::BuildGauge()
                        .Name(std::string(kLastEvent.name))
                        .Help(std::string(kLastEvent.help))
                        .Register(registry_)) {
    make_event_series();
    make_strategy_series();
    make_delivery_series();
    auto& lag = family<Histogram>(kLag);
    for (const EventKind kind : kMarketKinds) {
      lag_.emplace_back(lag.Add({{"kind", std::string(rts::to_string(kind))}}, kLagBuckets),
                        kLagBuckets);
    }
    follow_symbols();
    family<Gauge>(kBuild)
        .Add({{"version", std::string(running.version)}, {"commit", std::string(running.commit)}})
        .Set(1);
    family<Gauge>(kSettings).Add({{"hash", std::string(running.settings_hash)}}).Set(1);
  }

  void observe(const Step& step, UnixNs received_at) {
    follow_symbols();
    for (const EventRecord& record : step.events) {
      const Decision* const decision = record.decision();
      if (decision == nullptr) continue;
      const auto kind = static_cast<std::size_t>(record.kind);
      const double lag = to_seconds(received_at - decision->at);
      lag_[kind].observe(lag > 0 ? lag : 0);
      symbol_series_[decision->symbol_index].last_event_at[kind] = decision->at;
    }
  }

  void count(StrategyId strategy, OrderResult result) {
    orders_[index_of(strategy)][static_cast<std::size_t>(result)]->Increment();
  }
  void observe_step(double seconds) { step_.observe(seconds); }
  void observe_publish(double seconds) { publish_.observe(seconds); }
  void observe_answer(double seconds) { answer_.observe(seconds); }

  std::string scrape(const Snapshot& now) {
    scrape_events(now.tally);
    ready_.Set(now.ready ? 1 : 0);
    for (std::size_t i = 0; i < checks_.size(); ++i) checks_[i]->Set(now.checks[i] ? 1 : 0);
    scrape_delivery(now);
    connected_.Set(now.nats_connected ? 1 : 0);
    raise(reconnects_, static_cast<double>(now.nats_reconnects));
    raise(nats_dropped_, static_cast<double>(now.nats_dropped_messages));
    buffered_.Set(static_cast<double>(now.nats_buffered_bytes));
    raise(nats_status_, static_cast<double>(now.nats_status_messages));
    raise(log_shortened_, static_cast<double>(now.shortened_log_lines));
    raise(log_lost_, static_cast<double>(now.lost_log_lines));
    http_connections_.Set(static_cast<double>(now.http_connections));
    raise(http_requests_, static_cast<double>(now.http_requests));
    for (std::size_t i = 0; i < paused_.size(); ++i) paused_[i]->Set(now.paused[i] ? 1 : 0);
    const ProcessUsage usage = read_process_usage();
    raise(cpu_, usage.cpu_seconds);
    rss_.Set(static_cast<double>(usage.resident_bytes));
    fds_.Set(static_cast<double>(usage.open_fds));
    max_fds_.Set(static_cast<double>(usage.max_fds));
    start_.Set(usage.start_time_seconds);
    return prometheus::TextSerializer{}.Serialize(registry_.Collect());
  }

 private:
  template <class T>
  prometheus::Family<T>& family(const Info& info) {
    const auto build = [&](auto builder) -> prometheus::Family<T>& {
      return builder.Name(std::string(info.name)).Help(std::string(info.help)).Register(registry_);
    };
    if constexpr (std::is_same_v<T, Counter>) return build(prometheus::BuildCounter());
    if constexpr (std::is_same_v<T, Gauge>) return build(prometheus::BuildGauge());
    if constexpr (std::is_same_v<T, Histogram>) return build(prometheus::BuildHistogram());
  }

  void scrape_events(const Tally& tally) {
    raise(frames_, static_cast<double>(tally.frames()));
    for (const EventKind kind : kEventKinds) {
      const auto index = static_cast<std::size_t>(kind);
      raise(*received_[index], static_cast<double>(tally.events(kind)));
      for (std::size_t i = 0; i < kReasonCount; ++i) {
        Counter* const refused = refused_[index][i];
        if (refused) raise(*refused, static_cast<double>(tally.count(kind, reason_at(i))));
      }
    }
    for (const StrategyId strategy : kStrategies) {
      for (std::size_t i = 0; i < kOutcomeCount; ++i) {
        Counter* const decisions = decisions_[index_of(strategy)][i];
        const auto count = tally.count(strategy, static_cast<Outcome>(i));
        if (decisions) raise(*decisions, static_cast<double>(count));
      }
    }
    follow_symbols();
    for (const SymbolSeries& series : symbol_series_) {
      for (std::size_t kind = 0; kind < kMarketKinds.size(); ++kind) {
        const std::chrono::duration<double> at = series.last_event_at[kind].time_since_epoch();
        series.last_event[kind]->Set(at.count());
      }
    }
    for (Observations* histogram : {&step_, &publish_, &answer_}) histogram->hand_over();
    for (Observations& histogram : lag_) histogram.hand_over();
  }

  void scrape_delivery(const Snapshot& now) {
    for (const auto state : all_of<BreakerState>) {
      const auto index = static_cast<std::size_t>(state);
      breaker_state_[index]->Set(now.breaker == state ? 1 : 0);
      raise(*breaker_entered_[index], static_cast<double>(now.breaker_entered[index]));
    }
    in_flight_.Set(static_cast<double>(now.orders_in_flight));
    raise(repeats_, static_cast<double>(now.order_repeats));
    raise(*unreadable_answers_, static_cast<double>(now.odd_answers));
    raise(*unexpected_answers_, static_cast<double>(now.unexpected_answers));
    for (std::size_t i = 0; i < control_.size(); ++i) {
      raise(*control_[i], static_cast<double>(now.control_messages[i]));
    }
  }

  // Counters that others keep can only have grown since the last scrape.
  static void raise(Counter& counter, double total) {
    if (total > counter.Value()) counter.Increment(total - counter.Value());
  }

  void make_event_series() {
    auto& received = family<Counter>(kReceived);
    auto& ignored = family<Counter>(kIgnored);
    auto& dropped = family<Counter>(kDropped);
    for (std::size_t kind = 0; kind < kEventKinds.size(); ++kind) {
      const std::string name(rts::to_string(kEventKinds[kind]));
      received_[kind] = &received.Add({{"kind", name}});
      for (std::size_t i = 0; i < kReasonCount; ++i) {
        const Reason reason = reason_at(i);
        if (!can_end_in(kEventKinds[kind], reason)) continue;
        const Labels labels{{"kind", name}, {"reason", std::string(rts::to_string(reason))}};
        refused_[kind][i] = &(is_ignored(reason) ? ignored : dropped).Add(labels);
      }
    }
  }

  void make_strategy_series() {
    auto& decisions = family<Counter>(kDecisions);
    auto& orders = family<Counter>(kOrders);
    auto& paused = family<Gauge>(kPaused);
    for (const StrategyId strategy : kStrategies) {
      const std::string name(rts::to_string(strategy));
      const std::size_t index = index_of(strategy);
      for (std::size_t i = 0; i < kOutcomeCount; ++i) {
        const auto outcome = static_cast<Outcome>(i);
        if (!rts::can_end_in(strategy, outcome)) continue;
        decisions_[index][i] =
            &decisions.Add({{"strategy", name}, {"outcome", std::string(rts::to_string(outcome))}});
      }
      for (const OrderResult result : all_of<OrderResult>) {
        orders_[index][static_cast<std::size_t>(result)] =
            &orders.Add({{"strategy", name}, {"result", std::string(rts::to_string(result))}});
      }
      paused_[index] = &paused.Add({{"strategy", name}});
    }
  }

  void make_delivery_series() {
    auto& states = family<Gauge>(kBreakerState);
    auto& entered = family<Counter>(kBreakerEntered);
    for (const auto state : all_of<BreakerState>) {
      const std::string name(rts::to_string(state));
      breaker_state_[static_cast<std::size_t>(state)] = &states.Add({{"state", name}});
      breaker_entered_[static_cast<std::size_t>(state)] = &entered.Add({{"to", name}});
    }
    auto& odd = family<Counter>(kOddAnswers);
    unreadable_answers_ = &odd.Add({{"reason", "unreadable"}});
    unexpected_answers_ = &odd.Add({{"reason", "unexpected"}});
    auto& control = family<Counter>(kControl);
    for (const Control command : kControls) {
      control_[static_cast<std::size_t>(command)] =
          &control.Add({{"command", std::string(telemetry::to_string(command))}});
    }
    auto& checks = family<Gauge>(kCheck);
    for (const Check check : kChecks) {
      checks_[static_cast<std::size_t>(check)] =
          &checks.Add({{"check", std::string(telemetry::to_string(check))}});
    }
  }

  struct SymbolSeries {
    Symbol symbol;
    std::array<UnixMs, kMarketKinds.size()> last_event_at{};  // 1970: never
    std::array<Gauge*, kMarketKinds.size()> last_event{};
  };

  SymbolSeries make_symbol_series(const Symbol& symbol) {
    SymbolSeries series{symbol};
    for (const EventKind kind : kMarketKinds) {
      series.last_event[static_cast<std::size_t>(kind)] = &last_event_.Add(
          {{"symbol", std::string(symbol.text())}, {"kind", std::string(rts::to_string(kind))}});
    }
    return series;
  }

  // Series for the symbols the table has learnt since, also in place of others; allocates only
  // then.
  void follow_symbols() {
    if (replacements_ != symbols_.replacements()) {
      replacements_ = symbols_.replacements();
      // First those that go: a symbol may have left one number and come back to another, and its
      // series is one.
      std::vector<std::size_t> changed;
      for (std::size_t i = 0; i < symbol_series_.size(); ++i) {
        if (symbol_series_[i].symbol == symbols_.at(i)) continue;
        for (Gauge* const gauge : symbol_series_[i].last_event) last_event_.Remove(gauge);
        changed.push_back(i);
      }
      for (const std::size_t i : changed) symbol_series_[i] = make_symbol_series(symbols_.at(i));
    }
    while (symbol_series_.size() < symbols_.size()) {
      symbol_series_.push_back(make_symbol_series(symbols_.at(symbol_series_.size())));
    }
  }

  prometheus::Registry registry_;
  const SymbolTable& symbols_;
  std::array<Counter*, kEventKinds.size()> received_{};
  std::array<std::array<Counter*, kReasonCount>, kEventKinds.size()> refused_{};
  std::array<std::array<Counter*, kOutcomeCount>, kStrategies.size()> decisions_{};
  std::array<std::array<Counter*, count_of<OrderResult>>, kStrategies.size()> orders_{};
  std::array<Gauge*, kStrategies.size()> paused_{};
  std::array<Gauge*, kChecks.size()> checks_{};
  std::array<Gauge*, count_of<BreakerState>> breaker_state_{};
  std::array<Counter*, count_of<BreakerState>> breaker_entered_{};
  std::array<Counter*, kControls.size()> control_{};
  Counter* unreadable_answers_ = nullptr;
  Counter* unexpected_answers_ = nullptr;
  std::vector<Observations> lag_;  // by kind: book, trade, ticker
  prometheus::Family<Gauge>& last_event_;
  std::vector<SymbolSeries> symbol_series_;  // by the symbols' numbers
  std::uint64_t replacements_ = 0;           // of symbols, as far as they have been followed
  Counter& frames_ = family<Counter>(kFrames).Add({});
  Observations step_{family<Histogram>(kStep).Add({}, kStepBuckets), kStepBuckets};
  Observations publish_{family<Histogram>(kPublish).Add({}, kPublishBuckets), kPublishBuckets};
  Observations answer_{family<Histogram>(kAnswer).Add({}, kAnswerBuckets), kAnswerBuckets};
  Gauge& in_flight_ = family<Gauge>(kInFlight).Add({});
  Counter& repeats_ = family<Counter>(kRepeats).Add({});
  Gauge& ready_ = family<Gauge>(kReady).Add({});
  Gauge& connected_ = family<Gauge>(kConnected).Add({});
  Counter& reconnects_ = family<Counter>(kReconnects).Add({});
  Gauge& buffered_ = family<Gauge>(kBuffered).Add({});
  Counter& nats_dropped_ = family<Counter>(kNatsDropped).Add({});
  Counter& nats_status_ = family<Counter>(kNatsStatus).Add({});
  Counter& log_shortened_ = family<Counter>(kLogShortened).Add({});
  Counter& log_lost_ = family<Counter>(kLogLost).Add({});
  Gauge& http_connections_ = family<Gauge>(kHttpConnections).Add({});
  Counter& http_requests_ = family<Counter>(kHttpRequests).Add({});
  Counter& cpu_ = family<Counter>(kCpu).Add({});
  Gauge& rss_ = family<Gauge>(kRss).Add({});
  Gauge& fds_ = family<Gauge>(kFds).Add({});
  Gauge& max_fds_ = family<Gauge>(kMaxFds).Add({});
  Gauge& start_ = family<Gauge>(kStart).Add({});
};

Metrics::Metrics(const SymbolTable& symbols, const Running& running)
    : registry_(std::make_unique<Registry>(symbols, running)) {}
Metrics::~Metrics() = default;

void Metrics::observe(const Step& step, UnixNs received_at) {
  registry_->observe(step, received_at);
}
void Metrics::count(StrategyId strategy, OrderResult result) {
  registry_->count(strategy, result);
}
void Metrics::observe_step(std::chrono::nanoseconds duration) {
  registry_->observe_step(to_seconds(duration));
}
void Metrics::observe_publish(std::chrono::nanoseconds since_receipt) {
  registry_->observe_publish(to_seconds(since_receipt));
}
void Metrics::observe_answer(std::chrono::nanoseconds since_sending) {
  registry_->observe_answer(to_seconds(since_sending));
}
std::string Metrics::scrape(const Snapshot& now) {
  return registry_->scrape(now);
}

std::string metrics_markdown() {
  std::string out =
      "# Metrics\n\n"
      "Generated from the table in the code; a test compares. `/metrics` serves them in "
      "Prometheus' "
      "text format 0.0.4. Every series is there from the first scrape.\n\n"
      "At any moment `rts_events_received_total` = Σ `rts_events_ignored_total` + Σ "
      "`rts_events_dropped_total` + Σ `rts_decisions_total`, and the signals among the decisions = "
      "Σ `rts_orders_total`.\n\n"
      "| name | type | labels | meaning |\n|---|---|---|---|\n";
  for (const Info& info : kAll) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", info.name, to_string(info.type), info.labels,
                       info.help);
  }
  const auto section = [&](std::string_view title) { out += fmt::format("\n## {}\n\n", title); };
  section("kind and reason");
  out += "| kind | ignored | dropped |\n|---|---|---|\n";
  for (const EventKind kind : kEventKinds) {
    std::array<std::string, 2> reasons;
    for (std::size_t i = 0; i < kReasonCount; ++i) {
      const Reason reason = reason_at(i);
      if (!can_end_in(kind, reason)) continue;
      std::string& list = reasons[is_ignored(reason) ? 0 : 1];
      list += fmt::format("{}`{}`", list.empty() ? "" : ", ", rts::to_string(reason));
    }
    out += fmt::format("| `{}` | {} | {} |\n", rts::to_string(kind), reasons[0], reasons[1]);
  }
  section("strategy and outcome");
  out += "| strategy | outcomes |\n|---|---|\n";
  for (const StrategyId strategy : kStrategies) {
    std::string outcomes;
    for (std::size_t i = 0; i < kOutcomeCount; ++i) {
      const auto outcome = static_cast<Outcome>(i);
      if (!rts::can_end_in(strategy, outcome)) continue;
      outcomes += fmt::format("{}`{}`", outcomes.empty() ? "" : ", ", rts::to_string(outcome));
    }
    out += fmt::format("| `{}` | {} |\n", rts::to_string(strategy), outcomes);
  }
  section("result");
  for (const OrderResult result : all_of<OrderResult>) {
    out += fmt::format("{}`{}`", result == all_of<OrderResult>.front() ? "" : ", ",
                       rts::to_string(result));
  }
  return out + "\n";
}

}  // namespace rts::telemetry
