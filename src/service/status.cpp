#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include <rts/base/version.hpp>
#include <rts/config/render.hpp>

#include "service/status_json.hpp"

namespace rts::service {

std::string_view delivery_guarantee(const config::Settings& settings) {
  if (settings.delivery.dry_run) return "dry run: every decision is taken, no order is sent";
  if (settings.delivery.mode == DeliveryMode::jetstream) {
    return "JetStream: an order is stored in the order log by one replica, which then sends it to "
           "the TradeEngine at most once, before its valid_until; cooldown and limits are those "
           "of the log, for all replicas and over restarts";
  }
  return "core NATS: an order is sent at most once, before its valid_until, or dropped with a "
         "counted reason; nothing is queued or repeated; it is confirmed when the TradeEngine "
         "answers, and known to be lost when nobody listens";
}

namespace {

void append_paused(JsonWriter& json, const State& state) {
  append_object(json.key("trading_paused"), all_of<StrategyId>,
                [&](StrategyId id) { json.boolean(state.paused[index_of(id)]); });
}

CheckResult result_of_log(const std::optional<LogState>& log) {
  if (!log) return {true, "not used"};
  if (!log->off.empty()) return {true, "off: " + log->off};
  if (!log->problem.empty()) return {false, log->problem};
  return {true, fmt::format("stream {}, read up to {}", log->stream, log->last_sequence)};
}

}  // namespace

CheckResult State::result_of(Check check) const {
  switch (check) {
    case Check::nats_connected:
      return {nats.connected, nats.connected ? nats.server : "not connected: " + nats.last_error};
    case Check::subscribed:
      if (nats.subscribed) return {true, "a round trip through the broker has come back"};
      return {false, "not subscribed: " + (draining ? "shutting down"
                                           : nats.hears_commands
                                               ? "the logs are being read, or the broker has not "
                                                 "answered yet"
                                               : nats.last_error)};
    case Check::order_path:
      if (!nats.connected) return {false, "no connection to publish on"};
      if (!nats.answering) return {false, "the broker does not answer: orders are dropped"};
      if (!delivery.path_problem.empty()) return {false, delivery.path_problem};
      if (nats.buffered_bytes >= kMaxUnsentOrderBytes) {
        return {false, "the broker does not take what is sent"};
      }
      if (configuration.settings.delivery.dry_run) return {true, "dry run: no order is sent"};
      return {true, delivery.path_tried
                        ? "orders can be sent"
                        : "whether anybody takes orders is not known until the first order"};
    case Check::order_log: return result_of_log(order_log);
    case Check::control_log: return result_of_log(control_log);
    case Check::breaker:
      if (delivery.breaker == BreakerState::closed) return {true, "closed"};
      return {false, fmt::format("{}: orders are held back", to_string(delivery.breaker))};
    case Check::not_draining: return {!draining, draining ? "shutting down" : "running"};
  }
  return {};
}

bool State::ready() const {
  return std::ranges::all_of(all_of<Check>, [this](Check check) { return result_of(check).ok; });
}

JsonWriter& append_checks(JsonWriter& json, const State& state) {
  return append_object(json, all_of<Check>, [&](Check check) {
    const CheckResult result = state.result_of(check);
    json.begin_object().key("ok").boolean(result.ok);
    json.key("detail").string(result.detail).end_object();
  });
}

std::string control_answer(const State& state, bool ok) {
  std::string answer;
  JsonWriter json(answer);
  json.begin_object().key("ok").boolean(ok);
  append_paused(json, state);
  json.end_object();
  return answer;
}

http::Response ready_response(const State& state) {
  http::Response response{.status = state.ready() ? 200U : 503U, .body = {}};
  JsonWriter json(response.body);
  json.begin_object().key("ready").boolean(state.ready());
  append_checks(json.key("checks"), state);
  json.key("orders_in_flight").unsigned_integer(state.delivery.in_flight);
  append_paused(json, state);
  // Shown; silence does not fail readiness.
  append_object(json.key("seconds_since_last_event"), kMarketKinds, [&](EventKind kind) {
    append_age(json, state, state.counts.last_received[index_of(kind)]);
  });
  json.end_object();
  return response;
}

namespace {

// [{"sequence":7,"effective_from":"…","in_force":true,"values":{"NAME":"VALUE",…},"by":"…",…},…]
void append_revisions(JsonWriter& json, const State& state) {
  json.begin_array();
  for (const auto& [sequence, value] : state.revisions) {
    json.begin_object().key("sequence").unsigned_integer(sequence);
    json.key("effective_from").string(rfc3339(value.effective_from));
    json.key("in_force").boolean(value.effective_from <= state.now);
    json.key("values").begin_object();
    for (const auto& [name, text] : value.values) json.key(name).string(text);
    json.end_object();
    json.key("by").string(value.author.by);
    json.key("reason").string(value.author.reason);
    json.key("at").string(value.author.at).end_object();
  }
  json.end_array();
}

}  // namespace

http::Response info_response(const State& state) {
  const config::Settings& settings = state.configuration.settings;
  http::Response response{.body = {}};
  JsonWriter json(response.body);
  json.begin_object();
  json.key("service").string("petrosa-realtime-strategies");
  json.key("version").string(kVersion);
  json.key("commit").string(kCommit);
  json.key("build").string(kBuild);
  json.key("environment").string(settings.environment);
  append_seconds(json.key("uptime_seconds"), state.uptime);
  json.key("delivery").begin_object();
  json.key("mode").string(to_string(settings.delivery.mode));
  json.key("guarantee").string(delivery_guarantee(settings)).end_object();
  append_object(json.key("strategies"), all_of<StrategyId>, [&](StrategyId id) {
    json.begin_object().key("enabled").boolean(state.enabled[index_of(id)]);
    json.key("paused").boolean(state.paused[index_of(id)]).end_object();
  });
  config::append_settings(json.key("settings"), state.configuration, state.live_values());
  append_revisions(json.key("settings_revisions"), state);
  json.end_object();
  return response;
}

}  // namespace rts::service
