#include <algorithm>

#include <rts/wire/service_status.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

// What is not there has no members, and is not known.
using Object = std::optional<dom::object>;

template <class T>
T at(const Object& object, std::string_view key) {
  return object ? value_at<T>(*object, key).value_or(T{}) : T{};
}
std::string string_at(const Object& object, std::string_view key) {
  return std::string(at<std::string_view>(object, key));
}
Object object_at(const Object& object, std::string_view key) {
  return object ? value_at<dom::object>(*object, key) : std::nullopt;
}
std::vector<dom::element> list_at(const Object& object, std::string_view key) {
  return object ? elements_at(*object, key) : std::vector<dom::element>();
}

Funnel funnel_in(const Object& span) {
  Funnel funnel{.events = at<std::uint64_t>(span, "events")};
  if (const Object outcomes = object_at(span, "outcomes")) {
    for (const auto& [outcome, count] : *outcomes) {
      funnel.outcomes.emplace_back(outcome, as<std::uint64_t>(count).value_or(0));
    }
  }
  return funnel;
}

StrategyStatus strategy_in(std::string_view name, const Object& strategy) {
  const Object last = object_at(strategy, "last");
  return {.name = std::string(name),
          .enabled = at<bool>(strategy, "enabled"),
          .paused = at<bool>(strategy, "paused"),
          .paused_by = string_at(strategy, "paused_by"),
          .last_time = string_at(last, "time"),
          .last_outcome = string_at(last, "outcome"),
          .last_sentence = string_at(last, "sentence"),
          .minute = funnel_in(object_at(strategy, "minute")),
          .hour = funnel_in(object_at(strategy, "hour"))};
}

// The upper bound of the bucket up to which 99 of 100 are.
std::optional<Lag> lag_in(const Object& histogram) {
  const auto bounds = list_at(histogram, "le");
  std::vector<std::uint64_t> counts;
  std::uint64_t total = 0;
  for (const dom::element count : list_at(histogram, "count")) {
    counts.push_back(as<std::uint64_t>(count).value_or(0));
    total += counts.back();
  }
  if (total == 0 || bounds.empty() || counts.size() != bounds.size() + 1) return std::nullopt;
  std::uint64_t above = total - counts.front();
  std::size_t bucket = 0;
  while (above > total / 100 && bucket < bounds.size()) above -= counts[++bucket];
  const bool beyond = bucket == bounds.size();
  const auto bound = as<double>(beyond ? bounds.back() : bounds[bucket]);
  return bound ? std::optional(Lag{*bound, beyond}) : std::nullopt;
}

void take_feed(const Object& feed, ServiceStatus& status) {
  constexpr std::array<std::string_view, 3> kKinds{"book", "trade", "ticker"};
  status.frames = at<std::uint64_t>(feed, "frames");
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    const auto means = list_at(object_at(feed, "rates"), kKinds[i]);
    if (!means.empty()) status.rates[i] = as<double>(means.back());
  }
  for (const dom::element row : list_at(feed, "symbols")) {
    status.symbols.push_back(string_at(as<dom::object>(row), "symbol"));
  }
}

}  // namespace

std::optional<ServiceStatus> parse_service_status(std::string_view text) {
  dom::parser parser;
  const Object document = parse_as_json<dom::object>(parser, text, kMaxStatusBytes);
  const Object feed = object_at(document, "feed");
  const auto trading = document ? value_at<bool>(*document, "trading") : std::nullopt;
  if (!feed || !trading) return std::nullopt;
  ServiceStatus status;
  status.id = string_at(document, "id");
  status.version = string_at(document, "version");
  status.uptime_seconds = at<double>(document, "uptime_seconds");
  status.trading = *trading;
  for (const dom::element element : list_at(document, "notices")) {
    const Object notice = as<dom::object>(element);
    status.notices.push_back({string_at(notice, "what"), string_at(notice, "text")});
  }
  status.breaker = string_at(object_at(document, "delivery"), "breaker");
  take_feed(feed, status);
  status.orders = at<std::uint64_t>(object_at(document, "orders"), "total");
  const Object latency = object_at(document, "latency");
  for (const auto* const kind : {"lag_book", "lag_trade", "lag_ticker"}) {
    status.lag = std::max(status.lag, lag_in(object_at(latency, kind)));
  }
  status.symbol = string_at(document, "symbol");
  if (const Object strategies = object_at(document, "strategies")) {
    for (const auto& [name, strategy] : *strategies) {
      status.strategies.push_back(strategy_in(name, as<dom::object>(strategy)));
    }
  }
  status.settings_hash = string_at(object_at(document, "settings"), "hash");
  return status;
}

std::vector<OrderStatus> parse_order_statuses(std::string_view text) {
  dom::parser parser;
  std::vector<OrderStatus> orders;
  const Object document = parse_as_json<dom::object>(parser, text, kMaxStatusBytes);
  for (const dom::element element : list_at(document, "decisions")) {
    const Object decision = as<dom::object>(element);
    const Object signal = object_at(decision, "signal");
    const Object order = object_at(decision, "order");
    orders.push_back({.time = string_at(decision, "time"),
                      .symbol = string_at(decision, "symbol"),
                      .strategy = string_at(decision, "strategy"),
                      .side = string_at(signal, "side"),
                      .price = at<double>(signal, "price"),
                      .quantity = at<double>(order, "quantity"),
                      .result = string_at(order, "result"),
                      .sentence = string_at(decision, "sentence")});
  }
  return orders;
}

}  // namespace rts::wire
