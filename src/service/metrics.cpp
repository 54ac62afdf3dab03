#include <algorithm>
#include <numeric>

#include <rts/base/version.hpp>

#include "service/status.hpp"

namespace rts::service {
namespace {

using telemetry::Series;
using enum telemetry::MetricType;

// Upper bounds in seconds.
constexpr std::array kStepBuckets{1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4,
                                  2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2};
constexpr std::array kPublishBuckets{1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4,
                                     1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 1e-1};
constexpr std::array kAnswerBuckets{1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2,
                                    5e-2, 0.1,  0.2,  0.5,  1.0,  2.0,  5.0,  10.0};
constexpr std::array kLagBuckets{0.001, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                                 0.5,   1.0,   2.5,  5.0,   10.0, 30.0, 60.0};

// --- Families with several series ----------------------------------------------------------------

// One label: a series for each of its values.
template <class Label, class Read>
constexpr auto each(Read) {
  return [](const State& now, Series& out) {
    for (const Label value : all_of<Label>) out.add({to_string(value)}, Read{}(now, value));
  };
}

// Two labels: a series for each pair that is `possible`.
template <class First, class Second, class Possible, class Read>
constexpr auto each_pair(Possible, Read) {
  return [](const State& now, Series& out) {
    for (const First first : all_of<First>) {
      for (const Second second : all_of<Second>) {
        if (!Possible{}(first, second)) continue;
        out.add({to_string(first), to_string(second)}, Read{}(now, first, second));
      }
    }
  };
}

constexpr auto kAlways = [](auto, auto) { return true; };
constexpr auto kCanDecide = [](StrategyId id, Outcome outcome) { return can_end_in(id, outcome); };
constexpr auto kCanIgnore = [](EventKind kind, Reason reason) {
  return can_end_in(kind, reason) && is_ignored(reason);
};
constexpr auto kCanDrop = [](EventKind kind, Reason reason) {
  return can_end_in(kind, reason) && !is_ignored(reason);
};

void add_last_events(const State& now, Series& out) {
  for (std::size_t i = 0; i < now.counts.symbols.size(); ++i) {
    for (const EventKind kind : kMarketKinds) {
      const std::chrono::duration<double> at =
          now.counts.last_events[i].at[index_of(kind)].time_since_epoch();
      out.add({now.counts.symbols.at(i).text(), to_string(kind)}, at.count());
    }
  }
}

constexpr auto kReasonCount = [](const State& now, EventKind kind, Reason reason) {
  return now.counts.tally.count(kind, reason);
};

// --- The table -----------------------------------------------------------------------------------

// clang-format off
constexpr telemetry::Metric<State> kTable[]{
    {"rts_frames_received_total", counter, {}, "Frames received.",
     [](auto& now, auto& out) { out.add({}, now.counts.tally.frames()); }},
    {"rts_events_received_total", counter, {"kind"},
     "Events: those decoded, and one for each frame that could not be.",
     each<EventKind>([](auto& now, auto kind) { return now.counts.tally.events(kind); })},
    {"rts_events_ignored_total", counter, {"kind", "reason"},
     "Events we do not trade on, by reason.",
     each_pair<EventKind, Reason>(kCanIgnore, kReasonCount)},
    {"rts_events_dropped_total", counter, {"kind", "reason"},
     "Events that should not look so, by reason.",
     each_pair<EventKind, Reason>(kCanDrop, kReasonCount)},
    {"rts_decisions_total", counter, {"strategy", "outcome"},
     "Evaluated events by the one outcome each ended in.",
     each_pair<StrategyId, Outcome>(kCanDecide, [](auto& now, auto id, auto outcome) {
       return now.counts.tally.count(id, outcome);
     })},
    {"rts_orders_total", counter, {"strategy", "result"},
     "Orders by the one result each ended in.",
     each_pair<StrategyId, OrderResult>(kAlways, [](auto& now, auto id, auto result) {
       return now.counts.orders[index_of(id)][index_of(result)];
     })},
    {"rts_step_duration_seconds", histogram, {}, "Time the engine took for a frame.",
     [](auto& now, auto& out) { out.add({}, now.counts.step_duration); }},
    {"rts_receive_to_publish_seconds", histogram, {},
     "Time from a frame's receipt to its order being handed to the broker.",
     [](auto& now, auto& out) { out.add({}, now.counts.receive_to_publish); }},
    {"rts_order_answer_seconds", histogram, {},
     "Time from the sending of an order to its answer or acknowledgement.",
     [](auto& now, auto& out) { out.add({}, now.counts.order_answer); }},
    {"rts_orders_in_flight", gauge, {}, "Orders whose result is not known yet.",
     [](auto& now, auto& out) { out.add({}, now.delivery.in_flight); }},
    {"rts_order_repeats_total", counter, {},
     "Publishes of an order after its first, with the same id.",
     [](auto& now, auto& out) { out.add({}, now.delivery.repeats); }},
    {"rts_order_odd_answers_total", counter, {"reason"},
     "Answers that could not be read, or that no order awaited.",
     [](auto& now, auto& out) {
       out.add({"unreadable"}, now.delivery.odd_answers);
       out.add({"unexpected"}, now.nats.unexpected_replies);
     }},
    {"rts_order_log_last_sequence", gauge, {},
     "Sequence of the order log's newest entry that was read; 0 = none, or no log is used.",
     [](auto& now, auto& out) { out.add({}, now.order_log ? now.order_log->last_sequence : 0); }},
    {"rts_order_log_odd_entries_total", counter, {},
     "Entries of the order log that are no orders of ours: passed over.",
     [](auto& now, auto& out) { out.add({}, now.counts.odd_log_entries); }},
    {"rts_control_log_last_sequence", gauge, {},
     "Sequence of the control log's newest entry that was read; 0 = none, or no log is used.",
     [](auto& now, auto& out) {
       out.add({}, now.control_log ? now.control_log->last_sequence : 0);
     }},
    {"rts_control_log_odd_entries_total", counter, {},
     "Entries of the control log that could not be taken: passed over.",
     [](auto& now, auto& out) { out.add({}, now.counts.odd_control_entries); }},
    {"rts_circuit_breaker_state", gauge, {"state"}, "1 for the state the circuit breaker is in.",
     each<BreakerState>([](auto& now, auto state) { return now.delivery.breaker == state; })},
    {"rts_circuit_breaker_transitions_total", counter, {"to"},
     "Changes of the circuit breaker into this state.",
     each<BreakerState>([](auto& now, auto state) {
       return now.delivery.breaker_entered[index_of(state)];
     })},
    {"rts_event_lag_seconds", histogram, {"kind"},
     "Receive time less event time of evaluated events; below 0 counts as 0.",
     [](auto& now, auto& out) {
       for (const auto kind : kMarketKinds) {
         out.add({to_string(kind)}, now.counts.event_lag[index_of(kind)]);
       }
     }},
    {"rts_last_event_timestamp_seconds", gauge, {"symbol", "kind"},
     "Event time of the last evaluated event; 0 = none yet.", add_last_events},
    {"rts_ready", gauge, {}, "1 while /ready answers 200.",
     [](auto& now, auto& out) { out.add({}, now.ready()); }},
    {"rts_check_ok", gauge, {"check"}, "1 while this check of /ready holds.",
     each<Check>([](auto& now, auto check) { return now.result_of(check).ok; })},
    {"rts_trading_paused", gauge, {"strategy"}, "1 while the strategy orders nothing.",
     each<StrategyId>([](auto& now, auto id) { return now.paused[index_of(id)]; })},
    {"rts_control_messages_total", counter, {"command"}, "Messages on the control subject.",
     each<Control>([](auto& now, auto what) {
       return now.counts.control_messages[index_of(what)];
     })},
    {"rts_nats_connected", gauge, {}, "1 while connected to a broker.",
     [](auto& now, auto& out) { out.add({}, now.nats.connected); }},
    {"rts_nats_reconnects_total", counter, {}, "Connections made after the first.",
     [](auto& now, auto& out) { out.add({}, now.nats.reconnects); }},
    {"rts_nats_buffered_bytes", gauge, {}, "Bytes of orders the socket has not taken yet.",
     [](auto& now, auto& out) { out.add({}, now.nats.buffered_bytes); }},
    {"rts_nats_dropped_messages_total", counter, {},
     "Frames the NATS library dropped because we did not keep up.",
     [](auto& now, auto& out) { out.add({}, now.nats.messages_dropped_by_library); }},
    {"rts_nats_status_messages_total", counter, {},
     "Messages of a broker itself on our subjects: heartbeats and flow control of a push consumer, "
     "errors. No frames.",
     [](auto& now, auto& out) { out.add({}, now.nats.status_messages); }},
    {"rts_log_lines_lost_total", counter, {},
     "Log lines lost because standard output stalled or closed.",
     [](auto& now, auto& out) { out.add({}, now.lost_log_lines); }},
    {"rts_log_lines_shortened_total", counter, {}, "Log lines too long to be written whole.",
     [](auto& now, auto& out) { out.add({}, now.shortened_log_lines); }},
    {"rts_http_connections", gauge, {}, "Open connections to this HTTP server.",
     [](auto& now, auto& out) { out.add({}, now.http.open); }},
    {"rts_http_requests_total", counter, {}, "Requests this HTTP server has answered.",
     [](auto& now, auto& out) {
       const auto& responses = now.http.responses;
       out.add({}, std::accumulate(responses.begin(), responses.end(), std::uint64_t{0}));
     }},
    {"rts_settings_info", gauge, {"hash"},
     "1; the same hash where all settings but the secrets are the same.",
     [](auto& now, auto& out) { out.add({now.settings_hash}, 1); }},
    {"rts_build_info", gauge, {"version", "commit"}, "1; what is running.",
     [](auto&, auto& out) { out.add({kVersion, kCommit}, 1); }},
    {"process_cpu_seconds_total", counter, {}, "CPU time, user and system.",
     [](auto& now, auto& out) { out.add({}, now.process.cpu_seconds); }},
    {"process_resident_memory_bytes", gauge, {}, "Resident memory.",
     [](auto& now, auto& out) { out.add({}, now.process.resident_bytes); }},
    {"process_open_fds", gauge, {}, "Open file descriptors.",
     [](auto& now, auto& out) { out.add({}, now.process.open_fds); }},
    {"process_max_fds", gauge, {}, "Most file descriptors allowed.",
     [](auto& now, auto& out) { out.add({}, now.process.max_fds); }},
    {"process_start_time_seconds", gauge, {}, "When the process began, in seconds since 1970.",
     [](auto& now, auto& out) { out.add({}, now.process.start_time_seconds); }}};
// clang-format on

}  // namespace

Counts::Counts(const SymbolTable& traded)
    : symbols(traded),
      history(traded),
      step_duration(kStepBuckets),
      receive_to_publish(kPublishBuckets),
      order_answer(kAnswerBuckets),
      event_lag{telemetry::Histogram(kLagBuckets), telemetry::Histogram(kLagBuckets),
                telemetry::Histogram(kLagBuckets)},
      last_events(traded.capacity()) {}

void Counts::add(const Step& step, UnixNs received_at, SteadyTime now) {
  tally.add(step);
  history.add(step, to_ms(received_at));
  if (step.is_simulated) last_simulated = now;
  for (const EventRecord& record : step.events) {
    const Decision* const decision = record.decision();
    if (decision == nullptr) continue;
    const std::size_t kind = index_of(record.kind);
    event_lag[kind].observe(std::max(received_at - decision->at, std::chrono::nanoseconds(0)));
    LastEvents& last = last_events[decision->symbol_index];
    const Symbol& symbol = symbols.at(decision->symbol_index);
    if (last.symbol != symbol) last = {symbol};  // the index was another symbol's until now
    last.at[kind] = decision->at;
    last.received[kind] = now;
    last_received[kind] = now;
    rates.add(kind, to_ms(received_at));
  }
}

std::span<const telemetry::Metric<State>> metrics_table() noexcept { return kTable; }

}  // namespace rts::service
