#include "service/status.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/version.hpp>
#include <rts/config/render.hpp>
#include <rts/market/units.hpp>

namespace rts::service {
namespace {

using telemetry::Check;
using telemetry::kChecks;

constexpr std::array<std::string_view, 3> kKinds{"book", "trade", "ticker"};

// Why a check holds or does not, in words.
std::string detail(const State& state, Check check) {
  const nats::Status& nats = state.nats;
  switch (check) {
    case Check::nats_connected:
      return nats.connected ? nats.server : "not connected: " + nats.last_error;
    case Check::subscribed:
      return nats.subscribed ? "a round trip through the broker has come back"
                             : "not subscribed: " + nats.last_error;
    case Check::order_path:
      if (!nats.connected) return "no connection to publish on";
      if (!nats.answering) return "the broker does not answer: orders are dropped";
      if (!state.path_problem.empty()) return state.path_problem;
      if (!state.holds(check)) return "the broker does not take what is sent";
      if (state.dry_run) return "dry run: no order is sent";
      return state.path_tried ? "orders can be sent"
                              : "whether anybody takes orders is not known until the first order";
    case Check::breaker:
      return state.holds(check)
                 ? "closed"
                 : fmt::format("{}: orders are held back", to_string(state.delivery.breaker));
    case Check::not_draining:
      return state.draining ? "shutting down" : "running";
  }
  return "";
}

void append_seconds(JsonWriter& json, double seconds) {
  json.number(Indicator::from(std::round(seconds * 1000) / 1000).value_or(Indicator()));
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
        break;
    }
  }
  return out;
}

// clang-format off
constexpr std::string_view kPageHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="5"><title>Petrosa Realtime Strategies</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
         color: #1c2430; background: #fff }
  h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .25rem 0; border-bottom: 1px solid #d8dde4 }
  th + th, td + td { text-align: right; font-variant-numeric: tabular-nums }
  .ok { color: #0a6b2d } .bad { color: #a3120a } a { color: #0b57a4 }
  @media (prefers-color-scheme: dark) {
    body { color: #dfe5ec; background: #12161c } th, td { border-color: #2c3440 }
    .ok { color: #5fd38a } .bad { color: #ff8a80 } a { color: #7db8ff }
  }
</style></head><body>
)";
// clang-format on

void append_row(std::string& out, std::string_view name, std::uint64_t count) {
  fmt::format_to(std::back_inserter(out), "<tr><td>{}</td><td>{}</td></tr>", name, count);
}

void append_strategy(std::string& out, const State& state, const Tally& tally,
                     const OrderCounts& orders, StrategyId strategy) {
  fmt::format_to(
      std::back_inserter(out),
      "<h2>{}{}</h2><table><tr><th scope=\"col\">events by outcome, orders by result</th>"
      "<th scope=\"col\">count</th></tr>",
      to_string(strategy), state.enabled[index_of(strategy)] ? "" : " (disabled)");
  for (std::size_t i = 0; i < kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    if (const auto count = tally.count(strategy, outcome); count > 0) {
      append_row(out, to_string(outcome), count);
    }
  }
  for (const OrderResult result : all_of<OrderResult>) {
    if (const auto count = orders[index_of(strategy)][static_cast<std::size_t>(result)];
        count > 0) {
      append_row(out, fmt::format("order: {}", to_string(result)), count);
    }
  }
  out += "</table>";
}

}  // namespace

std::string delivery_guarantee(const config::Settings& settings) {
  if (settings.dry_run) return "dry run: every decision is taken, no order is sent";
  if (config::delivery_mode(settings) == DeliveryMode::jetstream) {
    return "JetStream: an order is published with the same id until the stream acknowledges it or "
           "its valid_until passes; the stream stores each id once within its duplicate window";
  }
  return "core NATS: an order is sent at most once, before its valid_until, or dropped with a "
         "counted reason; nothing is queued or repeated; it is confirmed when the TradeEngine "
         "answers, and known to be lost when nobody listens";
}

bool State::holds(Check check) const noexcept {
  switch (check) {
    case Check::nats_connected:
      return nats.connected;
    case Check::subscribed:
      return nats.subscribed;
    case Check::order_path:
      return nats.answering && nats.buffered_bytes < max_buffered_bytes && path_problem.empty();
    case Check::breaker:
      return delivery.breaker == BreakerState::closed;
    case Check::not_draining:
      return !draining;
  }
  return false;
}

bool State::ready() const noexcept {
  return std::all_of(kChecks.begin(), kChecks.end(), [this](Check check) { return holds(check); });
}

std::string ready_json(const State& state) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("ready").boolean(state.ready());
  json.key("checks").begin_object();
  for (const Check check : kChecks) {
    json.key(telemetry::to_string(check)).begin_object();
    json.key("ok").boolean(state.holds(check));
    json.key("detail").string(detail(state, check)).end_object();
  }
  json.end_object();
  json.key("orders_in_flight").integer(static_cast<std::int64_t>(state.delivery.in_flight));
  json.key("trading_paused").begin_object();
  for (const StrategyId strategy : kStrategies) {
    json.key(to_string(strategy)).boolean(state.paused[index_of(strategy)]);
  }
  json.end_object();
  json.key("seconds_since_last_event").begin_object();  // shown; silence does not fail readiness
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    json.key(kKinds[i]);
    if (state.event_age_seconds[i]) {
      append_seconds(json, *state.event_age_seconds[i]);
    } else {
      json.null();
    }
  }
  json.end_object().end_object();
  return out;
}

std::string info_json(const State& state, const config::Configuration& configuration) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("service").string("petrosa-realtime-strategies");
  json.key("version").string(kVersion);
  json.key("commit").string(kCommit);
  json.key("build").string(kBuild);
  json.key("environment").string(configuration.settings.environment);
  json.key("uptime_seconds");
  append_seconds(json, state.uptime_seconds);
  json.key("delivery").begin_object();
  json.key("mode").string(configuration.settings.order_delivery);
  json.key("guarantee").string(delivery_guarantee(configuration.settings));
  json.end_object();
  json.key("strategies").begin_object();
  for (const StrategyId strategy : kStrategies) {
    json.key(to_string(strategy)).begin_object();
    json.key("enabled").boolean(state.enabled[index_of(strategy)]);
    json.key("paused").boolean(state.paused[index_of(strategy)]);
    json.end_object();
  }
  json.end_object();
  json.key("settings");
  config::append_settings(json, configuration);
  json.end_object();
  return out;
}

std::string index_html(const State& state, const config::Configuration& configuration,
                       const Tally& tally, const OrderCounts& orders) {
  std::string out(kPageHead);
  fmt::format_to(std::back_inserter(out),
                 "<h1>Petrosa Realtime Strategies</h1><p>{} · {} · up {:.0f} s · "
                 "<strong class=\"{}\">{}</strong></p>"
                 "<p><a href=\"/healthz\">/healthz</a> · <a href=\"/ready\">/ready</a> · "
                 "<a href=\"/metrics\">/metrics</a> · <a href=\"/info\">/info</a></p>",
                 html_escaped(kVersion), html_escaped(configuration.settings.environment),
                 state.uptime_seconds, state.ready() ? "ok" : "bad",
                 state.ready() ? "ready" : "not ready");
  out += "<h2>Frames</h2><table><tr><th scope=\"col\">what</th><th scope=\"col\">count</th></tr>";
  append_row(out, "frames", tally.frames());
  append_row(out, "events", tally.events());
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    const Reason reason = reason_at(i);
    if (tally.count(reason) == 0) continue;
    append_row(out, fmt::format("{}: {}", disposition(reason), to_string(reason)),
               tally.count(reason));
  }
  out += "</table>";
  for (const StrategyId strategy : kStrategies) {
    append_strategy(out, state, tally, orders, strategy);
  }
  return out + "</body></html>\n";
}

}  // namespace rts::service
