#include "service/status.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/version.hpp>
#include <rts/config/render.hpp>
#include <rts/market/units.hpp>

#include "service/metrics.hpp"

namespace rts::service {
namespace {

// What delivery promises.
std::string_view delivery_guarantee(const config::Settings& settings) {
  if (settings.delivery.dry_run) return "dry run: every decision is taken, no order is sent";
  if (settings.delivery.mode == DeliveryMode::jetstream) {
    return "JetStream: an order is published with the same id until the stream acknowledges it or "
           "its valid_until passes; the stream stores each id once within its duplicate window";
  }
  return "core NATS: an order is sent at most once, before its valid_until, or dropped with a "
         "counted reason; nothing is queued or repeated; it is confirmed when the TradeEngine "
         "answers, and known to be lost when nobody listens";
}

void append_seconds(JsonWriter& json, double seconds) {
  json.number(Indicator::from(std::round(seconds * 1000) / 1000).value_or(Indicator()));
}

std::string html_escaped(std::string_view text) {
  constexpr std::string_view kSpecial = R"(<>&")";
  constexpr std::array<std::string_view, kSpecial.size()> kEntities{"&lt;", "&gt;", "&amp;",
                                                                    "&quot;"};
  std::string out;
  for (const char& c : text) {
    const std::size_t special = kSpecial.find(c);
    out += special == std::string_view::npos ? std::string_view(&c, 1) : kEntities[special];
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

void append_strategy(std::string& out, const State& state, const Counts& counts,
                     StrategyId strategy) {
  fmt::format_to(
      std::back_inserter(out),
      "<h2>{}{}</h2><table><tr><th scope=\"col\">events by outcome, orders by result</th>"
      "<th scope=\"col\">count</th></tr>",
      to_string(strategy), state.enabled[index_of(strategy)] ? "" : " (disabled)");
  for (const Outcome outcome : all_of<Outcome>) {
    if (const auto count = counts.tally.count(strategy, outcome); count > 0) {
      append_row(out, to_string(outcome), count);
    }
  }
  for (const OrderResult result : all_of<OrderResult>) {
    if (const auto count = counts.orders[index_of(strategy)][index_of(result)]; count > 0) {
      append_row(out, fmt::format("order: {}", to_string(result)), count);
    }
  }
  out += "</table>";
}

}  // namespace

CheckResult State::result_of(Check check) const {
  switch (check) {
    case Check::nats_connected:
      return {nats.connected, nats.connected ? nats.server : "not connected: " + nats.last_error};
    case Check::subscribed:
      return {nats.subscribed, nats.subscribed ? "a round trip through the broker has come back"
                                               : "not subscribed: " + nats.last_error};
    case Check::order_path:
      if (!nats.connected) return {false, "no connection to publish on"};
      if (!nats.answering) return {false, "the broker does not answer: orders are dropped"};
      if (!path_problem.empty()) return {false, path_problem};
      if (nats.buffered_bytes >= max_buffered_bytes) {
        return {false, "the broker does not take what is sent"};
      }
      if (dry_run) return {true, "dry run: no order is sent"};
      return {true, path_tried ? "orders can be sent"
                               : "whether anybody takes orders is not known until the first order"};
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

std::string ready_json(const State& state) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("ready").boolean(state.ready());
  json.key("checks").begin_object();
  for (const Check check : all_of<Check>) {
    const CheckResult result = state.result_of(check);
    json.key(to_string(check)).begin_object();
    json.key("ok").boolean(result.ok).key("detail").string(result.detail).end_object();
  }
  json.end_object();
  json.key("orders_in_flight").integer(static_cast<std::int64_t>(state.delivery.in_flight));
  json.key("trading_paused").begin_object();
  for (const StrategyId strategy : all_of<StrategyId>) {
    json.key(to_string(strategy)).boolean(state.paused[index_of(strategy)]);
  }
  json.end_object();
  json.key("seconds_since_last_event").begin_object();  // shown; silence does not fail readiness
  for (const EventKind kind : kMarketKinds) {
    json.key(to_string(kind));
    if (const auto age = state.event_age_seconds[static_cast<std::size_t>(kind)]) {
      append_seconds(json, *age);
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
  json.key("mode").string(to_string(configuration.settings.delivery.mode));
  json.key("guarantee").string(delivery_guarantee(configuration.settings));
  json.end_object();
  json.key("strategies").begin_object();
  for (const StrategyId strategy : all_of<StrategyId>) {
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
                       const Counts& counts) {
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
  append_row(out, "frames", counts.tally.frames());
  append_row(out, "events", counts.tally.events());
  for (const Reason reason : all_of<Reason>) {
    if (counts.tally.count(reason) == 0) continue;
    append_row(out, fmt::format("{}: {}", disposition(reason), to_string(reason)),
               counts.tally.count(reason));
  }
  out += "</table>";
  for (const StrategyId strategy : all_of<StrategyId>) {
    append_strategy(out, state, counts, strategy);
  }
  return out + "</body></html>\n";
}

}  // namespace rts::service
