#include "service/micro.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/base/version.hpp>

#include "service/status_json.hpp"

namespace rts::service {
namespace {

using Verb = MicroVerb;
constexpr std::array<std::pair<std::string_view, Verb>, 3> kVerbs{
    {{"PING", Verb::ping}, {"INFO", Verb::info}, {"STATS", Verb::stats}}};

struct Endpoint {
  std::string_view name;
  std::string_view subject;
  std::string_view queue_group;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  std::chrono::nanoseconds time{0};  // spent on them
};

std::vector<Endpoint> endpoints_of(const State& state) {
  const config::BrokerParameters& broker = state.configuration.settings.broker;
  const Counts& counts = state.counts;
  std::uint64_t dropped = 0;
  for (const Reason reason : all_of<Reason>) {
    if (!is_ignored(reason)) dropped += counts.tally.count(reason);
  }
  std::vector<Endpoint> endpoints{{.name = "frames",
                                   .subject = broker.subject,
                                   .queue_group = broker.queue_group,
                                   .requests = counts.tally.frames(),
                                   .errors = dropped,
                                   .time = counts.step_duration.total()}};
  if (!broker.control_subject.empty()) {
    std::uint64_t commands = 0;
    for (const std::uint64_t count : counts.control_messages) commands += count;
    endpoints.push_back({.name = "control",
                         .subject = broker.control_subject,
                         .queue_group = {},
                         .requests = commands,
                         .errors = counts.control_messages[index_of(Control::unreadable)],
                         .time = {}});
  }
  return endpoints;
}

void append_endpoint(JsonWriter& json, const Endpoint& endpoint, Verb verb) {
  json.begin_object().key("name").string(endpoint.name);
  json.key("subject").string(endpoint.subject);
  json.key("queue_group").string(endpoint.queue_group);
  if (verb == Verb::stats) {
    const std::int64_t time = endpoint.time.count();
    const auto requests = static_cast<std::int64_t>(endpoint.requests);
    json.key("num_requests").unsigned_integer(endpoint.requests);
    json.key("num_errors").unsigned_integer(endpoint.errors);
    json.key("last_error").string("");
    json.key("processing_time").integer(time);
    json.key("average_processing_time").integer(requests == 0 ? 0 : time / requests);
  }
  json.end_object();
}

}  // namespace

std::array<std::string, 3> micro_subjects(std::string_view name) {
  return {"$SRV.*", fmt::format("$SRV.*.{}", name), fmt::format("$SRV.*.{}.*", name)};
}

std::string micro_ping_subject(std::string_view name) {
  return fmt::format("{}PING.{}", kMicroPrefix, name);
}

std::optional<MicroVerb> micro_verb(std::string_view subject, const MicroIdentity& of) {
  for (const auto& [name, verb] : kVerbs) {
    const std::string of_all = fmt::format("{}{}", kMicroPrefix, name);
    const std::string of_name = fmt::format("{}.{}", of_all, of.name);
    const bool is_ours =
        subject == of_all || subject == of_name || subject == fmt::format("{}.{}", of_name, of.id);
    if (is_ours) return verb;
  }
  return std::nullopt;
}

std::string micro_answer(MicroVerb verb, const MicroIdentity& of, const State& state) {
  const config::Settings& settings = state.configuration.settings;
  std::string answer;
  JsonWriter json(answer);
  json.begin_object().key("type").string(verb == Verb::ping   ? "io.nats.micro.v1.ping_response"
                                         : verb == Verb::info ? "io.nats.micro.v1.info_response"
                                                              : "io.nats.micro.v1.stats_response");
  json.key("name").string(of.name).key("id").string(of.id).key("version").string(kVersion);
  // So that it is seen who runs with other settings.
  json.key("metadata").begin_object();
  json.key("environment").string(settings.environment);
  json.key("commit").string(kCommit);
  json.key("settings").string(state.settings_hash);
  json.key("ready").string(state.ready() ? "true" : "false").end_object();
  if (verb == Verb::info) {
    json.key("description").string("trading signals from market data: orders for the TradeEngine");
  }
  if (verb == Verb::stats) {
    json.key("started").string(rfc3339(state.started()));
  }
  if (verb != Verb::ping) {
    json.key("endpoints").begin_array();
    for (const Endpoint& endpoint : endpoints_of(state)) append_endpoint(json, endpoint, verb);
    json.end_array();
  }
  json.end_object();
  return answer;
}

}  // namespace rts::service
