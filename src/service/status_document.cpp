// What the status page and `top` show, as one JSON document.
#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/version.hpp>
#include <rts/config/explanation.hpp>

#include "service/status_json.hpp"
#include "service/status_page.hpp"

namespace rts::service {
namespace {

// A feed that has been silent for longer is said to be; a kind of it, while others come; and a
// made-up market is said to be gone.
constexpr std::chrono::seconds kSilence{10}, kSilenceOfKind{30}, kSimulatedFor{60};

// --- Is it trading? -----------------------------------------------------------------------------

// Frames come and an order would be tried, if there were one.
bool has_way(const State& state) {
  return state.nats.subscribed && state.nats.answering && state.nats.takes_headers &&
         state.delivery.held_by.empty() && state.nats.buffered_bytes < kMaxUnsentOrderBytes;
}

// By whom each of the enabled strategies is paused; empty unless all are.
std::set<std::string> all_paused_by(const State& state) {
  std::set<std::string> by;
  for (const StrategyId id : all_of<StrategyId>) {
    if (!state.enabled[index_of(id)]) continue;
    if (!state.paused[index_of(id)]) return {};
    by.insert(state.counts.history.paused_by(id));
  }
  return by;
}

// Whether a strategy that is switched on looks at events of this kind.
bool is_needed(const State& state, EventKind kind) {
  return state.enabled[index_of(*strategy_of(kind))];
}

std::optional<SteadyTime> last_needed_event(const State& state) {
  std::optional<SteadyTime> last;
  for (const EventKind kind : kMarketKinds) {
    if (is_needed(state, kind)) last = std::max(last, state.counts.last_received[index_of(kind)]);
  }
  return last;
}

std::string silence_of(const State& state, std::string_view what,
                       const std::optional<SteadyTime>& last) {
  if (!last) return fmt::format("{} has come since the start", what);
  return fmt::format("{} has come for {:.0f} s", what, in_seconds(state.at - *last));
}

void add_silences(const State& state, std::vector<NoticeText>& notices) {
  const auto is_silent = [&](const std::optional<SteadyTime>& last, std::chrono::seconds limit) {
    return last ? state.at - *last > limit : state.uptime > limit;
  };
  const auto last = last_needed_event(state);
  if (!last || is_silent(last, kSilence)) {
    notices.push_back({Notice::no_feed, silence_of(state, "nothing to decide on", last)});
    return;
  }
  for (const EventKind kind : kMarketKinds) {
    const auto& last_of_kind = state.counts.last_received[index_of(kind)];
    if (!is_needed(state, kind) || !is_silent(last_of_kind, kSilenceOfKind)) continue;
    notices.push_back(
        {Notice::strategy_silent,
         fmt::format("{}: {} decides nothing",
                     silence_of(state, fmt::format("no {}", to_string(kind)), last_of_kind),
                     to_string(*strategy_of(kind)))});
  }
}

void append_trading(JsonWriter& json, const State& state) {
  json.key("trading").boolean(state.trades());
  json.key("notices").begin_array();
  for (const auto& [what, text] : state.notices()) {
    json.begin_object().key("what").string(to_string(what));
    json.key("text").string(text).end_object();
  }
  json.end_array();
  append_checks(json.key("checks"), state);
  const DeliveryParameters& delivery = state.configuration.settings.delivery;
  json.key("delivery").begin_object().key("mode").string(to_string(delivery.mode));
  json.key("guarantee").string(delivery_guarantee(state.configuration.settings));
  json.key("dry_run").boolean(delivery.dry_run);
  json.key("orders_in_flight").unsigned_integer(state.delivery.in_flight);
  json.key("breaker").string(to_string(state.delivery.breaker)).end_object();
}

// --- Is the feed alive? -------------------------------------------------------------------------

// Whole parts since the start, the oldest first; the present one has only begun.
void append_rates(JsonWriter& json, const State& state) {
  const auto parts = state.counts.rates.parts(state.clock());
  const std::size_t whole = parts.size() - 1;
  const auto of_whole = state.uptime - state.clock() % Counts::kRatePart;
  const auto known =
      std::min(whole, static_cast<std::size_t>(std::max(0.0, of_whole / Counts::kRatePart)));
  json.begin_object().key("seconds").integer(Counts::kRatePart.count());
  for (const EventKind kind : kMarketKinds) {
    json.key(to_string(kind)).begin_array();
    for (std::size_t i = whole - known; i < whole; ++i) {
      json.number_or_null(parts[i][index_of(kind)] / in_seconds(Counts::kRatePart));
    }
    json.end_array();
  }
  json.end_object();
}

void append_feed(JsonWriter& json, const State& state) {
  const Counts& counts = state.counts;
  json.begin_object().key("frames").unsigned_integer(counts.tally.frames());
  json.key("events").unsigned_integer(counts.tally.events());
  append_rates(json.key("rates"), state);
  json.key("reasons").begin_object();
  for (const Reason reason : all_of<Reason>) {
    const std::uint64_t count = counts.tally.count(reason);
    if (count == 0) continue;
    json.key(fmt::format("{}/{}", disposition(reason), to_string(reason))).unsigned_integer(count);
  }
  json.end_object().key("symbols").begin_array();
  for (std::size_t i = 0; i < counts.symbols.size(); ++i) {
    const Counts::LastEvents& last = counts.last_events[i];
    const bool is_known = last.symbol == counts.symbols.at(i);  // else nothing has come of it
    json.begin_object().key("symbol").string(counts.symbols.at(i).text());
    for (const EventKind kind : kMarketKinds) {
      append_age(json.key(to_string(kind)), state,
                 is_known ? last.received[index_of(kind)] : std::nullopt);
    }
    json.end_object();
  }
  json.end_array().end_object();
}

// --- What did it do, and why not? ---------------------------------------------------------------

void append_orders(JsonWriter& json, const Counts& counts) {
  std::array<std::uint64_t, count_of<OrderResult>> by_result{};
  std::uint64_t made = 0;
  for (const StrategyId id : all_of<StrategyId>) {
    made +=
        counts.tally.count(id, Outcome::signal_buy) + counts.tally.count(id, Outcome::signal_sell);
    for (const OrderResult result : all_of<OrderResult>) {
      by_result[index_of(result)] += counts.orders[index_of(id)][index_of(result)];
    }
  }
  const auto ended = std::reduce(by_result.begin(), by_result.end());
  json.begin_object().key("total").unsigned_integer(made);
  json.key("changes").unsigned_integer(made + ended);
  json.key("by_result").begin_object();
  for (const OrderResult result : all_of<OrderResult>) {
    if (by_result[index_of(result)] == 0) continue;
    json.key(to_string(result)).unsigned_integer(by_result[index_of(result)]);
  }
  json.end_object().end_object();
}

void append_funnel(JsonWriter& json, const State& state, const Funnel* funnel, FunnelSpan span) {
  if (funnel == nullptr) {
    json.null();
    return;
  }
  const Funnel::Counted counted = funnel->counted(span, state.clock());
  std::uint64_t events = 0;
  json.begin_object();
  json.key("since").string(
      rfc3339(std::max(state.now - (state.clock() - counted.since()), state.started())));
  json.key("outcomes").begin_object();
  const auto append = [&](const End& end) {
    const std::uint32_t count = counted.of(end);
    events += count;
    if (count > 0) json.key(to_string(end)).unsigned_integer(count);
  };
  for (const Reason reason : all_of<Reason>) {
    if (!is_ignored(reason)) append(reason);
  }
  for (const Outcome outcome : all_of<Outcome>) append(outcome);
  json.end_object().key("events").unsigned_integer(events).end_object();
}

void append_strategy(JsonWriter& json, const State& state, const std::optional<Symbol>& watched,
                     StrategyId id) {
  const History& history = state.counts.history;
  const Funnel* const funnel = watched ? history.funnel(*watched, id) : nullptr;
  json.begin_object().key("enabled").boolean(state.enabled[index_of(id)]);
  json.key("paused").boolean(state.paused[index_of(id)]);
  json.key("paused_by");
  state.paused[index_of(id)] ? json.string(history.paused_by(id)) : json.null();
  json.key("last");
  const auto last = funnel == nullptr
                        ? std::vector<History::Found>()
                        : history.find({.symbol = watched, .strategy = id, .last = 1});
  if (last.empty()) {
    json.null();
  } else {
    config::append_json(
        json, last.front(),
        {state.configuration, history.paused_by(last.front().decision), state.live_values()});
  }
  for (const FunnelSpan span : all_of<FunnelSpan>) {
    append_funnel(json.key(to_string(span)), state, funnel, span);
  }
  json.end_object();
}

// --- Latency, settings, replicas ----------------------------------------------------------------

void append_histogram(JsonWriter& json, const telemetry::Histogram& histogram) {
  json.begin_object().key("le").begin_array();
  for (const double bound : histogram.bounds()) json.number_or_null(bound);
  json.end_array().key("count").begin_array();
  for (const std::uint64_t count : histogram.counts()) json.unsigned_integer(count);
  json.end_array().end_object();
}

void append_latency(JsonWriter& json, const Counts& counts) {
  json.begin_object();
  append_histogram(json.key("step"), counts.step_duration);
  append_histogram(json.key("receive_to_publish"), counts.receive_to_publish);
  append_histogram(json.key("order_answer"), counts.order_answer);
  for (const EventKind kind : kMarketKinds) {
    append_histogram(json.key(fmt::format("lag_{}", to_string(kind))),
                     counts.event_lag[index_of(kind)]);
  }
  json.end_object();
}

void append_settings(JsonWriter& json, const State& state) {
  const TakenSettings* const in_force = state.in_force();
  json.begin_object().key("hash").string(state.settings_hash);
  json.key("sequence");
  in_force == nullptr ? json.null() : json.unsigned_integer(in_force->sequence);
  json.key("pending").unsigned_integer(state.revisions.size() - (in_force == nullptr ? 0 : 1));
  json.end_object();
}

void append_replica(JsonWriter& json, const State& state, const wire::MicroPing& said,
                    const std::optional<SteadyTime>& at) {
  json.begin_object().key("id").string(said.id);
  json.key("self").boolean(said.id == state.id);
  json.key("version").string(said.version);
  json.key("settings").string(said.settings);
  json.key("ready").boolean(said.is_ready);
  append_age(json.key("age"), state, at).end_object();
}

// Itself first, whether or not it is heard.
void append_replicas(JsonWriter& json, const State& state) {
  json.key("discovery").string(to_string(state.discovery));
  json.key("replicas").begin_array();
  append_replica(json, state,
                 {std::string(state.id), std::string(kVersion), std::string(state.settings_hash),
                  state.ready()},
                 state.at);
  for (const auto& [said, at] : state.replicas) {
    if (said.id != state.id) append_replica(json, state, said, at);
  }
  json.end_array();
}

}  // namespace

bool State::trades() const {
  return !draining && has_way(*this) && !configuration.settings.delivery.dry_run &&
         std::ranges::any_of(all_of<StrategyId>, [this](StrategyId strategy) {
           return enabled[index_of(strategy)] && !paused[index_of(strategy)];
         });
}

std::vector<NoticeText> State::notices() const {
  std::vector<NoticeText> notices;
  const auto add = [&](Notice what, std::string text) {
    notices.push_back({what, std::move(text)});
  };
  if (draining) add(Notice::draining, "it is shutting down");
  // What fails is said in any case; how grave it is, shows whether an order would be tried.
  for (const Check check : all_of<Check>) {
    const CheckResult result = result_of(check);
    if (check == Check::not_draining || result.ok) continue;
    add(has_way(*this) ? Notice::impaired : Notice::not_ready,
        fmt::format("{}: {}", to_string(check), result.detail));
  }
  const auto by = all_paused_by(*this);
  if (!by.empty()) add(Notice::paused, fmt::format("paused by {}", fmt::join(by, ", ")));
  const bool is_enabled = std::ranges::count(enabled, true) > 0;
  if (!is_enabled) add(Notice::disabled, "every strategy is switched off");
  if (configuration.settings.delivery.dry_run) {
    add(Notice::dry_run, "every decision is taken, no order is sent (DRY_RUN_MODE)");
  }
  if (counts.last_simulated && at - *counts.last_simulated <= kSimulatedFor) {
    add(Notice::simulated_feed, "the frames say that their market is made up");
  }
  if (is_enabled) add_silences(*this, notices);
  for (const StrategyId strategy : all_of<StrategyId>) {
    if (!by.empty() || !enabled[index_of(strategy)] || !paused[index_of(strategy)]) continue;
    add(Notice::strategy_paused,
        fmt::format("{} is paused by {}", to_string(strategy), counts.history.paused_by(strategy)));
  }
  std::ranges::stable_sort(notices, {}, &NoticeText::what);
  return notices;
}

std::string status_document(const State& state, const std::optional<Symbol>& watched) {
  std::string document;
  JsonWriter json(document);
  json.begin_object().key("service").string("petrosa-realtime-strategies");
  json.key("version").string(kVersion);
  json.key("commit").string(kCommit);
  json.key("environment").string(state.configuration.settings.environment);
  json.key("id").string(state.id);
  json.key("time").string(rfc3339(state.now));
  append_seconds(json.key("uptime_seconds"), state.uptime);
  append_trading(json, state);
  append_feed(json.key("feed"), state);
  append_orders(json.key("orders"), state.counts);
  json.key("symbol");
  watched ? json.string(watched->text()) : json.null();
  append_object(json.key("strategies"), all_of<StrategyId>,
                [&](StrategyId id) { append_strategy(json, state, watched, id); });
  append_latency(json.key("latency"), state.counts);
  append_settings(json.key("settings"), state);
  append_replicas(json, state);
  json.end_object();
  return document;
}

http::Response page_response() {
  static const std::string kPolicy = http::page_policy(kStatusPage);
  return {.content_type = "text/html", .body = std::string(kStatusPage), .policy = kPolicy};
}

}  // namespace rts::service
