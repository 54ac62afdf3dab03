#include <algorithm>

#include <rts/base/utf8.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/broker_info.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

constexpr std::size_t kMaxNameBytes = 100;

BrokerFacts broker_in(const dom::object& answer) {
  const auto server = value_at<dom::object>(answer, "server");
  if (!server) return {};
  return {.version = shown(text_at(*server, "ver"), kMaxNameBytes, '?'),
          .jetstream = value_at<bool>(*server, "jetstream").value_or(false),
          .at = parse_iso8601(text_at(*server, "time")).value_or(UnixMs())};
}

BrokerClient client_of(const dom::object& connection) {
  BrokerClient client{.name = shown(text_at(connection, "name"), kMaxNameBytes, '?')};
  for (const dom::element element : elements_at(connection, "subscriptions_list_detail")) {
    const auto subscription = as<dom::object>(element);
    if (!subscription) continue;
    client.subscriptions.push_back({std::string(text_at(*subscription, "subject")),
                                    std::string(text_at(*subscription, "qgroup"))});
  }
  return client;
}

SubjectRules rules_in(const dom::object& permissions, std::string_view kind) {
  SubjectRules rules;
  const auto lists = value_at<dom::object>(permissions, kind);
  if (!lists) return rules;
  for (const auto& [key, list] : {std::pair{"allow", &rules.allow}, {"deny", &rules.deny}}) {
    for (const dom::element subject : elements_at(*lists, key)) {
      list->emplace_back(as<std::string_view>(subject).value_or(""));
    }
  }
  return rules;
}

bool any_covers(const std::vector<std::string>& rules, std::string_view subject,
                std::string_view queue_group) {
  return std::ranges::any_of(rules, [&](std::string_view rule) {
    const std::size_t blank = rule.find(' ');
    if (!covers(rule.substr(0, blank), subject)) return false;
    if (blank == std::string_view::npos) return true;
    return !queue_group.empty() && covers(rule.substr(blank + 1), queue_group);
  });
}

}  // namespace

std::optional<ClientsAnswer> parse_clients(std::string_view payload) {
  dom::parser parser;
  const auto answer = parse_as_json<dom::object>(parser, payload, kMaxBrokerAnswerBytes);
  const auto data = answer ? value_at<dom::object>(*answer, "data") : std::nullopt;
  if (!data) return std::nullopt;
  const auto listed = value_at<std::uint64_t>(*data, "num_connections");
  if (!listed) return std::nullopt;
  ClientsAnswer clients{
      .broker = broker_in(*answer),
      .clients = {},
      .is_complete = *listed >= value_at<std::uint64_t>(*data, "total").value_or(0)};
  for (const dom::element element : elements_at(*data, "connections")) {
    const auto connection = as<dom::object>(element);
    if (connection) clients.clients.push_back(client_of(*connection));
  }
  return clients;
}

bool SubjectRules::permits(std::string_view subject, std::string_view queue_group) const {
  return (allow.empty() || any_covers(allow, subject, queue_group)) &&
         !any_covers(deny, subject, queue_group);
}

std::optional<UserAnswer> parse_user(std::string_view payload) {
  dom::parser parser;
  const auto answer = parse_as_json<dom::object>(parser, payload, kMaxBrokerAnswerBytes);
  const auto data = answer ? value_at<dom::object>(*answer, "data") : std::nullopt;
  if (!data || !value_at<std::string_view>(*data, "user")) return std::nullopt;
  UserAnswer user{.broker = broker_in(*answer), .publish = {}, .subscribe = {}};
  if (const auto permissions = value_at<dom::object>(*data, "permissions")) {
    user.publish = rules_in(*permissions, "publish");
    user.subscribe = rules_in(*permissions, "subscribe");
  }
  return user;
}

}  // namespace rts::wire
