// Writes every log line of the running service: one function for each event, which takes the
// event's data as values. Thread: the loop's.
#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rts/base/version.hpp>
#include <rts/config/explanation.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/stream_info.hpp>

#include "nats/types.hpp"
#include "service/publisher.hpp"
#include "telemetry/log.hpp"

namespace rts::service {

class Narrator {
 public:
  Narrator(telemetry::Log& log, const config::Settings& settings)
      : log_(log), settings_(settings) {}

  // --- Start and end ----------------------------------------------------------------------------

  void configuration_warning(std::string_view text) {
    log_.write(warning, "configuration_warning", text);
  }

  void not_listening(std::string_view text) { log_.write(error, "http_not_listening", text); }

  void started(std::uint16_t http_port) {
    log_.write(info, "started", "serving probes, metrics and info",
               {{"version", std::string_view(kVersion)},
                {"commit", std::string_view(kCommit)},
                {"environment", settings_.environment},
                {"http_host", settings_.server.host},
                {"http_port", std::uint64_t{http_port}},
                {"consumer_topic", settings_.broker.subject},
                {"publisher_topic", settings_.delivery.subject},
                {"dry_run", settings_.delivery.dry_run},
                {"paused", settings_.engine.paused}});
  }

  void draining(int signal) {
    log_.write(info, "draining", "shutting down", {{"signal", std::int64_t{signal}}});
  }

  void shutdown_timed_out() {
    log_.write(error, "shutdown_timed_out", "could not drain in time; leaving anyway");
  }

  void stopped(bool flushed, const Tally& tally) {
    log_.write(info, "stopped", "drained and closed",
               {{"flushed", flushed}, {"frames", tally.frames()}, {"events", tally.events()}});
  }

  void internal_error(std::string_view what) { log_.write(error, "internal_error", what); }

  void http_problem(std::string_view text) { log_.write(error, "http_problem", text); }

  // --- The broker -------------------------------------------------------------------------------

  // What has changed in the client's status. `path_problem`: why orders do not arrive; empty when
  // they do.
  void broker(const nats::Status& before, const nats::Status& now, std::string_view path_problem) {
    if (now.connected && !before.connected) {
      log_.write(info, "nats_connected", "connected to the broker",
                 {{"server", now.server}, {"reconnects", now.reconnects}});
      if (!path_problem.empty()) log_.write(error, "order_path", path_problem);
    }
    if (now.lame_duck && !before.lame_duck) {
      log_.write(warning, "nats_lame_duck",
                 "the broker shuts down: another address is tried, where there is one",
                 {{"server", now.server}});
    }
    if (!now.connected && before.connected) {
      log_.write(warning, "nats_disconnected", "the connection is gone; trying again",
                 {{"error", now.last_error}});
    }
    if (now.subscribed && !before.subscribed) {
      const config::BrokerParameters& to = settings_.broker;
      log_.write(info, "nats_subscribed", "frames can arrive",
                 {{"subject", to.subject}, {"queue_group", to.queue_group}});
    }
    if (!now.last_error.empty() && now.last_error != before.last_error) {
      log_.write(warning, "nats_error", now.last_error);
    }
  }

  void unexpected_reply(std::string_view subject) {
    log_.write(warning, "unexpected_reply",
               "an answer that no order awaits: late, twice or invented", {{"subject", subject}});
  }

  void status_message(std::string_view text) {
    log_.write(warning, "nats_status", "a broker's own message on a subject of ours",
               {{"status", text.substr(0, kExcerptBytes)}});
  }

  // Of what both logs have in common. The event is "order_log" or "control_log"; `problem`: why it
  // does not serve; empty when it does.
  void log_looked(std::string_view event, std::string_view stream, std::string_view problem) {
    const bool serves = problem.empty();
    log_.write(serves ? info : error, event, serves ? "the log is read" : problem,
               {{"stream", stream}});
  }

  void odd_log_entry(const wire::StoredMessage& entry) {
    log_.write(warning, "order_log_entry", "an entry of the order log is no order of ours",
               {{"sequence", entry.sequence},
                {"entry", std::string_view(entry.data).substr(0, kExcerptBytes)}});
  }

  // --- Events and orders ------------------------------------------------------------------------

  void event_dropped(Reason reason, EventKind kind, std::string_view frame) {
    log_.write_as(to_string(reason), warning, "event_dropped", "an event was dropped",
                  {{"reason", to_string(reason)},
                   {"kind", to_string(kind)},
                   {"frame", frame.substr(0, kExcerptBytes)}});
  }

  // `why`: the sentence that `explain` says of it.
  void decision(const Decision& decision, std::string_view symbol, std::string_view why) {
    std::vector<telemetry::Field> fields{{"strategy", to_string(decision.strategy)},
                                         {"symbol", symbol},
                                         {"outcome", to_string(decision.outcome)}};
    const auto names = indicator_names(decision.strategy);
    for (std::size_t i = 0; i < names.size(); ++i) {
      fields.push_back({names[i], decision.indicators[i].value()});
    }
    log_.write_each(debug, "decision", why, fields);
  }

  void order(const OrderReport& report) {
    const Order& order = report.order;
    const UuidText id = to_text(order.id);
    const std::string quantity = order.quantity.to_string();
    std::vector<telemetry::Field> fields{{"order_id", std::string_view(id.data(), id.size())},
                                         {"correlation_id", order.correlation_id},
                                         {"strategy", to_string(order.strategy)},
                                         {"symbol", order.symbol},
                                         {"side", to_string(order.signal.side)},
                                         {"quantity", std::string_view(quantity)},
                                         {"price", order.signal.price.value()},
                                         {"reduce_only", order.reduce_only},
                                         {"result", to_string(report.result)},
                                         {"attempts", std::int64_t{report.attempts}},
                                         {"detail", report.detail}};
    if (report.answered_in) fields.push_back({"answer_ms", milliseconds(*report.answered_in)});
    log_.write_each(level_of(report.result), "order", config::meaning(report.result), fields);
  }

  void odd_answer(std::string_view answer) {
    log_.write(warning, "odd_answer", "an answer to an order could not be read",
               {{"answer", answer.substr(0, kExcerptBytes)}});
  }

  void breaker_changed(BreakerState state) {
    const bool closed = state == BreakerState::closed;
    log_.write_each(closed ? info : error, "circuit_breaker",
                    closed ? "orders can be sent again" : "orders are held back",
                    std::array{telemetry::Field{"state", to_string(state)}});
  }

  // --- Control ----------------------------------------------------------------------------------

  void control_log_off(std::string_view why) {
    log_.write(warning, "control_log", "the control log is off", {{"reason", why}});
  }

  void settings_changed(std::uint64_t sequence, const wire::SettingsValue& value) {
    std::string effective_from;
    append_iso8601(effective_from, value.effective_from);
    log_.write(warning, "settings_changed", "other settings hold from an event time on",
               {{"sequence", sequence},
                {"effective_from", std::string_view(effective_from)},
                {"values", std::uint64_t{value.values.size()}},
                {"by", value.author.by},
                {"reason", value.author.reason}});
  }

  void odd_control_entry(const wire::StoredMessage& entry, std::string_view problem) {
    log_.write(error, "control_log_entry", problem,
               {{"sequence", entry.sequence},
                {"subject", std::string_view(entry.subject).substr(0, kExcerptBytes)},
                {"entry", std::string_view(entry.data).substr(0, kExcerptBytes)}});
  }

  void control_unreadable(std::string_view message) {
    log_.write(warning, "control_unreadable", "a control message could not be read",
               {{"message", message.substr(0, kExcerptBytes)}});
  }

  void paused_still(std::string_view by) {
    log_.write(warning, "trading_paused", "resumed here, but the control log pauses still",
               {{"by", by}});
  }

  // No strategy: all of them. `by`: the subject or signal the command came by.
  void paused(bool paused, std::optional<StrategyId> strategy, std::string_view by) {
    log_.write(warning, paused ? "trading_paused" : "trading_resumed",
               paused ? "no orders until resumed" : "orders again",
               {{"strategy", strategy ? to_string(*strategy) : "all"}, {"by", by}});
  }

 private:
  using enum config::LogLevel;

  // Of a message that could not be read, in bytes.
  static constexpr std::size_t kExcerptBytes = 200;

  static telemetry::Level level_of(OrderResult result) noexcept {
    using enum OrderResult;
    const bool is_usual = result == confirmed || result == unconfirmed || result == duplicate ||
                          result == superseded || result == dry_run;
    return is_usual ? info : warning;
  }

  // Rounded to microseconds.
  static double milliseconds(std::chrono::duration<double, std::micro> duration) noexcept {
    return std::round(duration.count()) / 1000;
  }

  telemetry::Log& log_;
  const config::Settings& settings_;
};

}  // namespace rts::service
