// What follows from what `doctor` has found out.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/trading/order_subject.hpp>

#include "commands/doctor.hpp"
#include "service/publisher.hpp"

namespace rts::commands {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::microseconds kSlowRoundTrip{100'000};
constexpr milliseconds kClockSkew{1000};
constexpr std::uint64_t kLeastFreeShare = 10;  // a warning below one in so many

constexpr const char* kProvisionFix = "Run `realtime-strategies provision`.";
constexpr const char* kJetStreamFix =
    "Switch JetStream on at the broker and for the account, name its domain with "
    "NATS_JETSTREAM_DOMAIN, or do without: ORDER_DELIVERY=core, CONTROL_BUCKET=.";

constexpr std::string_view kOrders = "orders";
constexpr std::string_view kAfterSettings[]{"broker", "limits",      "permissions", "round trip",
                                            kOrders,  "order log",   "control log", kFeed,
                                            "clock",  "queue group", "HTTP port"};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// --- The broker ----------------------------------------------------------------------------------

std::string connect_fix(std::string_view problem) {
  const std::string said = to_lower(problem);
  if (has(said, "handshake_first")) {
    return "Look whether the broker stands still. With handshake_first: true in its tls it waits "
           "for us, as we do for it: let it be handshake_first: auto.";
  }
  if (has(said, "max_connections") || has(said, "maximum")) {
    return "Raise max_connections at the broker, or the account's limit, or end clients that "
           "nobody needs.";
  }
  if (has(said, "authoriz") || has(said, "authentic") || has(said, "nkey")) {
    return "Correct the user and its password, token, NKey or .creds file (NATS_USER …), or the "
           "user at the broker.";
  }
  if (has(said, "tls") || has(said, "certificate") || has(said, "ssl")) {
    return "Let NATS_URL (tls:// or not, and its host name) and NATS_TLS_… fit the broker's "
           "certificate.";
  }
  if (has(problem, "_FILE: ")) return "Let the file that the setting names be there and readable.";
  return "Start the broker, correct NATS_URL, or let firewall and NetworkPolicy pass it.";
}

void say_broker(const DoctorFacts& facts, Rows& rows) {
  rows.push_back(
      {"broker", Health::ok, fmt::format("connected to {}, and authorised", facts.server)});
  const bool knows = facts.broker.has_value();
  Finding limits{"limits", Health::ok,
                 fmt::format("nats-server {}, {} headers, max_payload {}, JetStream {}",
                             knows ? facts.broker->version : "of a version it does not tell",
                             facts.takes_headers ? "with" : "without", facts.max_payload,
                             !knows                    ? "see below"
                             : facts.broker->jetstream ? "on"
                                                       : "off")};
  if (!facts.takes_headers) {
    limits.health = Health::failed;
    limits.fix =
        "Use a nats-server from 2.2 on without no_header_support: every order has headers.";
  } else if (facts.max_payload < service::kLargestOrderBytes) {
    limits.health = Health::failed;
    limits.fix = fmt::format("Raise max_payload at the broker: an order has up to {} bytes.",
                             service::kLargestOrderBytes);
  }
  rows.push_back(limits);
}

// A subscription is tried. A publication is not, for no message that is no order may go to where
// orders go: what may be published only the broker can say.
void say_permissions(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  for (const std::string& refusal : facts.refused) {
    // Without these the service trades all the same.
    const bool is_optional = has(refusal, "\"$SRV.");
    rows.push_back(
        {"permissions", is_optional ? Health::warning : Health::failed, refusal, kPermissionsFix});
  }
  if (!facts.untried.empty()) {
    rows.push_back(
        {"permissions", Health::not_looked_at,
         fmt::format(
             "whether {} may be subscribed to is not known: {}", listed(facts.untried),
             facts.untried_problem.empty() ? "the time was too short" : facts.untried_problem),
         "Look again when the broker is less busy, and let the account have three "
         "connections more than its services take (max_connections)."});
  }
  if (!facts.user) {
    // Where answers and heartbeats go, and JetStream's API, is tried.
    std::vector<std::string> untried = facts.publish_subjects;
    std::erase_if(untried, [](const auto& s) { return s.starts_with('_') || s.starts_with('$'); });
    rows.push_back(
        {"permissions", Health::not_looked_at,
         fmt::format("whether {} may be published to is not known ({}), and nothing is sent there "
                     "to find out",
                     listed(untried), facts.user_problem),
         "Compare the user at the broker with `realtime-strategies provision --permissions`; after "
         "the first order `order_path` in the service's /ready tells of a refusal."});
    return;
  }
  const std::size_t before = rows.size();
  for (const std::string& subject : facts.publish_subjects) {
    if (facts.user->publish.permits(subject)) continue;
    rows.push_back({"permissions", Health::failed,
                    fmt::format("the broker's user may not publish to {}", subject),
                    kPermissionsFix});
  }
  // In a queue group nothing is tried.
  if (!settings.broker.queue_group.empty() &&
      !facts.user->subscribe.permits(settings.broker.subject, settings.broker.queue_group)) {
    rows.push_back(
        {"permissions", Health::failed,
         fmt::format("the broker's user may not subscribe to {}", settings.broker.subject),
         kPermissionsFix});
  }
  if (rows.size() > before || !facts.refused.empty() || !facts.untried.empty()) return;
  rows.push_back({"permissions", Health::ok,
                  fmt::format("may subscribe to what it has to, and publish to {}",
                              listed(facts.publish_subjects))});
}

void say_round_trip(const DoctorFacts& facts, Rows& rows) {
  if (!facts.round_trip) {
    rows.push_back(
        {"round trip", Health::failed,
         facts.inbox_problem.empty() ? "nothing came back through the broker in time"
                                     : facts.inbox_problem,
         has(facts.inbox_problem, "Permission")
             ? kPermissionsFix
             : "Look whether the broker, or what is between here and it, stands still."});
    return;
  }
  const bool is_slow = *facts.round_trip > kSlowRoundTrip;
  rows.push_back({"round trip", is_slow ? Health::warning : Health::ok,
                  fmt::format("{:.1f} ms through the broker and back",
                              std::chrono::duration<double, std::milli>(*facts.round_trip).count()),
                  is_slow ? "Run the service nearer to the broker: each order is late by half of "
                            "this, and ORDER_TTL_SECONDS counts."
                          : ""});
}

// --- Who listens ---------------------------------------------------------------------------------

// "tradeengine-1 (signals.trading.*, in queue group q)".
std::string described(const wire::BrokerClient& client, const wire::Subscription& subscription) {
  return fmt::format("{} ({}{}{})", client.name.empty() ? "somebody without a name" : client.name,
                     subscription.subject, subscription.queue_group.empty() ? "" : ", queue group ",
                     subscription.queue_group);
}

// What is subscribed to that has a name as subjects of orders have.
std::set<std::string> like_orders(const std::vector<wire::BrokerClient>& clients,
                                  const config::Settings& settings) {
  std::set<std::string> subjects;
  for (const auto& client : clients) {
    for (const auto& [subject, group] : client.subscriptions) {
      const bool is_ours = subject == stored_subject(settings.stream.subject) ||
                           subject == settings.broker.subject ||
                           subject == settings.broker.control_subject;
      const bool is_internal = subject.starts_with('_') || subject.starts_with('$');
      const std::string lower = to_lower(subject);
      const bool is_like =
          has(lower, "order") || has(lower, "signal") || has(lower, "intent") || has(lower, "trad");
      if (is_like && !is_ours && !is_internal) subjects.insert(subject);
    }
  }
  return subjects;
}

// Of one subject to which orders go.
Finding listeners(const std::string& subject, const config::Settings& settings,
                  const DoctorFacts& facts) {
  std::vector<std::string> direct, of_everything;
  for (const auto& client : *facts.clients) {
    for (const auto& subscription : client.subscriptions) {
      if (!covers(subscription.subject, subject)) continue;
      (subscription.subject == ">" ? of_everything : direct)
          .push_back(described(client, subscription));
    }
  }
  if (!direct.empty()) {
    return {kOrders, Health::ok, fmt::format("on {} listens {}", subject, listed(direct))};
  }
  if (!of_everything.empty()) {
    return {kOrders, Health::warning,
            fmt::format("on {} nobody listens but {}", subject, listed(of_everything)),
            "Start the TradeEngine, unless that is it: who listens to everything may only watch."};
  }
  const auto others = like_orders(*facts.clients, settings);
  // Nothing is lost in a dry run; and there may be listeners that are not listed.
  const bool may_be_fine = settings.delivery.dry_run || !facts.has_all_clients ||
                           !settings.broker.jetstream_domain.empty();
  return {kOrders, may_be_fine ? Health::warning : Health::failed,
          fmt::format("nobody listens on {}, of the {} other clients of this account{}{}", subject,
                      facts.clients->size(),
                      others.empty() ? "" : "; there are listeners on " + listed(others),
                      facts.has_all_clients ? "" : "; the broker has more than it lists"),
          "Start the TradeEngine, or set NATS_PUBLISHER_TOPIC to where it listens; behind a leaf "
          "node or in another account it would not be seen from here."};
}

void say_orders(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  if (!facts.clients) {
    rows.push_back(
        {kOrders, Health::not_looked_at,
         fmt::format("who listens on {} is not known: {}",
                     listed(order_subjects(settings.delivery.subject)), facts.clients_problem),
         fmt::format("Let the user publish to {}, which only asks, or look at the broker's "
                     "monitoring (/connz?subs=1).",
                     wire::kClientsSubject)});
    return;
  }
  for (const std::string& subject : order_subjects(settings.delivery.subject)) {
    rows.push_back(listeners(subject, settings, facts));
  }
}

// The market data's subscribers: those of our queue group or, where we have none, those without.
void say_group(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  const config::BrokerParameters& broker = settings.broker;
  const std::string& group = broker.queue_group;
  if (!facts.clients) {
    rows.push_back({"queue group", Health::not_looked_at,
                    "who shares the feed is not known: " + facts.clients_problem,
                    "As for the orders."});
    return;
  }
  std::vector<std::string> own, strangers;
  for (const auto& client : *facts.clients) {
    for (const auto& subscription : client.subscriptions) {
      if (subscription.subject != broker.subject || subscription.queue_group != group) continue;
      const bool is_own = client.name.starts_with(broker.consumer_name + "-");
      (is_own ? own : strangers).push_back(described(client, subscription));
    }
  }
  Finding row{"queue group", Health::ok,
              own.empty() ? "no service of this name runs" : "running: " + listed(own)};
  if (group.empty() && own.size() > 1 && settings.delivery.mode == DeliveryMode::core) {
    row.health = Health::failed;
    row.fix = "Run exactly one, or set ORDER_DELIVERY=jetstream: each sends every order.";
  } else if (!group.empty() && !strangers.empty()) {
    row.health = Health::warning;
    row.found += fmt::format("; {} is shared with {}", group, listed(strangers));
    row.fix = "Give one of the two another NATS_CONSUMER_GROUP: each misses what the other gets.";
  }
  rows.push_back(row);
}

// --- The logs at the broker ----------------------------------------------------------------------

// Nobody answers for the domain that is named.
std::string domain_fix(const std::string& domain, const DoctorFacts& facts) {
  const auto& nearby = facts.jetstream_nearby;
  const std::string fix = fmt::format(
      "Correct NATS_JETSTREAM_DOMAIN={}, or join the leaf node to the hub of this domain", domain);
  if (!nearby) return fix + ".";
  return fmt::format("{}; the broker's own JetStream has {}.", fix,
                     nearby->domain.empty() ? "none" : "the domain " + nearby->domain);
}

std::string look_fix(const StreamLook& look, const config::Settings& settings,
                     const DoctorFacts& facts) {
  const std::string& domain = settings.broker.jetstream_domain;
  if (look.is_absent) return kProvisionFix;
  if (look.is_jetstream_off) return domain.empty() ? kJetStreamFix : domain_fix(domain, facts);
  return has(look.problem, "ermission")
             ? kPermissionsFix
             : "Look whether JetStream at the broker has a leader and answers.";
}

// What the account may store; of a limit of the broker's own nothing is told.
void say_storage(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  if (!facts.jetstream || !facts.jetstream->storage_max_bytes) return;
  const std::uint64_t used = facts.jetstream->storage_used_bytes;
  const std::uint64_t max = *facts.jetstream->storage_max_bytes;
  const std::uint64_t left = max > used ? max - used : 0;
  const bool is_full = left < std::uint64_t{service::kLargestOrderBytes};
  if (!is_full && left >= max / kLeastFreeShare) return;
  const bool stores = settings.delivery.mode == DeliveryMode::jetstream;
  rows.push_back({"order log", is_full && stores ? Health::failed : Health::warning,
                  fmt::format("JetStream has {} of the account's {} bytes left", left, max),
                  "Raise what the account may store (max_file), or remove what nobody needs."});
}

void say_order_log(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  const StreamLook& look = facts.order_log;
  if (settings.delivery.mode == DeliveryMode::core) {
    rows.push_back({"order log", Health::ok, "not used: ORDER_DELIVERY=core"});
    return;
  }
  if (!look.facts) {
    rows.push_back({"order log", Health::failed, look.problem, look_fix(look, settings, facts)});
    return;
  }
  const auto problems = stream_problems(settings.stream, *look.facts);
  for (const std::string& problem : problems) {
    rows.push_back({"order log", Health::failed,
                    fmt::format("stream {}: {}", look.facts->name, problem), kProvisionFix});
  }
  if (!problems.empty()) return;
  rows.push_back({"order log", Health::ok,
                  fmt::format("stream {} fits; the last entry is number {}", look.facts->name,
                              look.facts->last_sequence)});
}

void say_control_log(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  const StreamLook& look = facts.control_log;
  const std::string& bucket = settings.broker.control_bucket;
  if (bucket.empty()) {
    rows.push_back({"control log", Health::ok, "not used: CONTROL_BUCKET is empty"});
    return;
  }
  if (!look.facts) {
    // Without a bucket the service does without, unless orders need JetStream anyway.
    const bool is_off =
        settings.delivery.mode == DeliveryMode::core && (look.is_absent || look.is_jetstream_off);
    rows.push_back({"control log", is_off ? Health::warning : Health::failed,
                    look.problem + (is_off ? ": no pause outlives the process" : ""),
                    look_fix(look, settings, facts)});
    return;
  }
  Rows found;
  for (const auto& [field, present, wanted] :
       differences(plan_bucket(bucket, look.facts->replicas), *look.facts)) {
    found.push_back(
        {"control log", Health::warning,
         fmt::format("stream {}: {} is {}, wanted {}", look.facts->name, field, present, wanted),
         kProvisionFix});
  }
  if (found.empty()) found.push_back({"control log", Health::ok, "bucket " + bucket + " fits"});
  std::ranges::move(found, std::back_inserter(rows));
}

// --- Clock and port ------------------------------------------------------------------------------

void say_clock(const DoctorFacts& facts, Rows& rows) {
  const auto lag = facts.feed ? facts.feed->lag : std::nullopt;
  if (!lag && !facts.ahead_of_broker) {
    rows.push_back({"clock", Health::not_looked_at,
                    "there was no event, and the broker does not tell its time",
                    "Look with `chronyc tracking` or `timedatectl` on the machine."});
    return;
  }
  std::vector<std::string> found;
  if (const auto by = facts.ahead_of_broker) {
    found.push_back(fmt::format("ours is {} ms {} the broker's", std::abs(by->count()),
                                by->count() < 0 ? "behind" : "ahead of"));
  }
  if (lag) {
    found.push_back(fmt::format("events come {} ms {} their time", std::abs(lag->count()),
                                lag->count() < 0 ? "before" : "after"));
  }
  const auto is_off = [](std::optional<milliseconds> by) {
    return by && std::chrono::abs(*by) > kClockSkew;
  };
  const bool is_wrong = is_off(lag) || is_off(facts.ahead_of_broker);
  rows.push_back({"clock", is_wrong ? Health::warning : Health::ok,
                  fmt::format("{}", fmt::join(found, ", ")), is_wrong ? kClockFix : ""});
}

void say_port(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  const std::string where = fmt::format("{} port {}", settings.server.host, settings.server.port);
  Finding row{"HTTP port", Health::ok, where + ": " + facts.port_detail};
  if (facts.port == PortUse::foreign || facts.port == PortUse::unusable) {
    row.health = Health::failed;
    row.fix = "Choose another HEALTH_CHECK_PORT or HEALTH_CHECK_HOST, or end who has the port.";
  }
  rows.push_back(row);
}

void say_settings(const config::Configuration& configuration, Rows& rows) {
  for (const auto* warnings : {&configuration.warnings, &configuration.delivery_warnings}) {
    for (const std::string& warning : *warnings) {
      rows.push_back({"settings", Health::warning, warning,
                      "Change it as it says, or leave it where it is meant."});
    }
  }
  if (rows.empty()) rows.push_back({"settings", Health::ok, "valid"});
}

}  // namespace

Rows findings(const config::Configuration& configuration, const DoctorFacts& facts) {
  const config::Settings& settings = configuration.settings;
  Rows rows;
  say_settings(configuration, rows);
  if (!facts.connect_problem.empty()) {
    rows.push_back(
        {"broker", Health::failed, facts.connect_problem, connect_fix(facts.connect_problem)});
    for (const std::string_view check : kAfterSettings) {
      if (check == "broker" || check == "HTTP port") continue;
      rows.push_back({check, Health::not_looked_at, "there is no connection to the broker",
                      "Mend the connection first."});
    }
    say_port(settings, facts, rows);
    return rows;
  }
  say_broker(facts, rows);
  say_permissions(settings, facts, rows);
  say_round_trip(facts, rows);
  say_orders(settings, facts, rows);
  say_order_log(settings, facts, rows);
  say_storage(settings, facts, rows);
  say_control_log(settings, facts, rows);
  say_feed(settings, facts, rows);
  say_clock(facts, rows);
  say_group(settings, facts, rows);
  say_port(settings, facts, rows);
  return rows;
}

Rows findings(const config::Problems& problems) {
  Rows rows;
  for (const std::string& problem : problems) {
    rows.push_back({"settings", Health::failed, problem, "Correct it as it says."});
  }
  for (const std::string_view check : kAfterSettings) {
    rows.push_back(
        {check, Health::not_looked_at, "the settings are wrong", "Correct the settings first."});
  }
  return rows;
}

}  // namespace rts::commands
