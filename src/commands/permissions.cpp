// What the broker has to allow. Text only; connects to nothing.
#include <algorithm>
#include <iterator>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/broker_info.hpp>

#include "commands/provision.hpp"
#include "nats/subjects.hpp"
#include "service/micro.hpp"

namespace rts::commands {
namespace {

constexpr std::string_view kOneAnswer = "        allow_responses: { max: 1, expires: \"1m\" }\n";

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

// A subject, and why it is needed.
std::string row(std::string_view subject, std::string_view why) {
  return fmt::format("            # {}\n            {}\n", why, in_quotes(subject));
}

std::string text_of(const std::vector<SubjectNeed>& needs) {
  std::string text;
  for (const SubjectNeed& need : needs) {
    const bool is_plain = need.queue_group.empty();
    text += row(is_plain ? need.subject : fmt::format("{} {}", need.subject, need.queue_group),
                need.why);
  }
  return text;
}

// The subjects of a topic one by one: a wildcard would allow more than there is.
std::vector<SubjectNeed> orders_on(std::string_view topic) {
  std::vector<SubjectNeed> needs;
  for (const std::string& subject : order_subjects(topic)) needs.push_back({subject, "orders"});
  return needs;
}

std::string allow(std::string_view what, std::string_view rows) {
  return fmt::format("        {}: {{\n          allow: [\n{}          ]\n        }}\n", what, rows);
}

std::string user(std::string_view who, std::string_view name, std::string_view password_variable,
                 std::string_view permissions) {
  return fmt::format(
      "    # {}\n    {{\n      user: {}\n      password: ${}\n      permissions: {{\n{}      }}\n"
      "    }}\n",
      who, in_quotes(nats::subject_safe(name)), password_variable, permissions);
}

// To read a stream, entry by entry, and nothing else of it.
void add_reading(std::vector<SubjectNeed>& needs, const std::string& domain,
                 const std::string& stream) {
  needs.push_back(
      {nats::jetstream_api(domain, "STREAM.INFO." + stream), "does it fit, how far is it?"});
  needs.push_back({nats::jetstream_api(domain, "STREAM.MSG.GET." + stream), "its entries"});
}

// What `nats micro ls|info|stats` asks, of all services, of those of our name, and of each.
std::vector<SubjectNeed> micro_needs(const config::BrokerParameters& broker) {
  const auto subjects = service::micro_subjects(nats::subject_safe(broker.consumer_name));
  return {{subjects[0], "who is there? (`nats micro ls`)"},
          {subjects[1], "and of our name?"},
          {subjects[2], "and each of us?"}};
}

std::string service(const config::Settings& settings, const Plans& plans) {
  const auto [publish, subscribe] = service_subjects(settings, plans);
  return user("the service", settings.broker.consumer_name, "RTS_NATS_PASSWORD",
              allow("publish", text_of(publish)) + allow("subscribe", text_of(subscribe)) +
                  "        # and one answer to each question: to commands, and of `nats micro`\n" +
                  std::string(kOneAnswer));
}

// It asks on the order log's subject whether a stream elsewhere stores it. What it would store
// there nobody would forward: only the service's user may publish where the TradeEngine listens.
std::string provisioner(const config::BrokerParameters& broker, const Plans& plans) {
  const auto api = [&](std::string_view verb) {
    return nats::jetstream_api(broker.jetstream_domain, "STREAM." + std::string(verb));
  };
  const auto rows_of = [&](const StreamPlan& plan) {
    return row(api("INFO." + plan.name), "what is there") +
           row(api("CREATE." + plan.name), "create that one stream") +
           row(api("UPDATE." + plan.name), "change that one stream; it cannot delete or purge");
  };
  const std::string name = provisioner_name(broker.consumer_name);
  return user("`realtime-strategies provision`; it may send no order to the TradeEngine", name,
              "RTS_PROVISION_PASSWORD",
              allow("publish",
                    row(api("NAMES"), "does another stream store the orders already?") +
                        row(plans.orders.subject,
                            "the same of other domains; what it stored there nobody would send") +
                        rows_of(plans.orders) + (plans.bucket ? rows_of(*plans.bucket) : "")) +
                  allow("subscribe", row(nats::inbox_prefix(name) + ".>", "the answers")));
}

// Through a leaf node keys are written by way of the domain's API.
std::string people(const config::BrokerParameters& broker, const Plans& plans) {
  const std::string& domain = broker.jetstream_domain;
  std::string publish;
  if (!broker.control_subject.empty()) publish += row(broker.control_subject, "pause and resume");
  if (plans.bucket) {
    publish += row(plans.bucket->subject, "the control log: pauses and settings");
    if (!domain.empty()) {
      publish += row(nats::jetstream_api(domain, plans.bucket->subject), "the same in its domain");
    }
    std::vector<SubjectNeed> reading;
    add_reading(reading, domain, plans.bucket->name);
    publish += text_of(reading);
  }
  if (publish.empty()) return {};
  publish += text_of(micro_needs(broker));
  const std::string inbox = nats::inbox_prefix(operator_name(broker.consumer_name)) + ".>";
  return user("the people who look, pause, resume and change settings", "operator",
              "RTS_OPERATOR_PASSWORD",
              allow("publish", publish) + allow("subscribe", row(inbox, "the answers")));
}

std::string trade_engine(const std::string& topic) {
  return user("the TradeEngine", "tradeengine", "RTS_TRADEENGINE_PASSWORD",
              "        # nothing of its own accord\n        publish: { deny: \">\" }\n" +
                  allow("subscribe", text_of(orders_on(topic))) +
                  "        # but one answer to each order, to the inbox that came with it\n" +
                  std::string(kOneAnswer));
}

}  // namespace

ServiceSubjects service_subjects(const config::Settings& settings, const Plans& plans) {
  const config::BrokerParameters& broker = settings.broker;
  const std::string& domain = broker.jetstream_domain;
  const std::string inbox = nats::inbox_prefix(broker.consumer_name) + ".>";
  std::vector<SubjectNeed> publish = orders_on(settings.delivery.subject);
  publish.push_back({inbox, "heartbeats to itself, which prove that what was sent has arrived"});
  publish.push_back({service::micro_ping_subject(nats::subject_safe(broker.consumer_name)),
                     "which replicas are there? (the status page)"});
  std::vector<SubjectNeed> subscribe{{broker.subject,
                                      broker.queue_group.empty()
                                          ? "market data; every replica sees all of it"
                                          : "market data, in this queue group only",
                                      broker.queue_group}};
  if (!broker.control_subject.empty()) {
    subscribe.push_back({broker.control_subject, "pause and resume"});
  }
  subscribe.push_back({inbox, "answers to orders, and the heartbeats"});
  std::ranges::move(micro_needs(broker), std::back_inserter(subscribe));
  if (settings.delivery.mode == DeliveryMode::jetstream) {
    publish.push_back({plans.orders.subject, "the order log, where each order is stored first"});
    publish.push_back({nats::jetstream_api(domain, "STREAM.NAMES"), "which stream is that?"});
    add_reading(publish, domain, plans.orders.name);
    publish.push_back({"$JS.FC.>", "answers to JetStream's flow control"});
    subscribe.push_back(
        {stored_subject(plans.orders.subject), "what this and other replicas store"});
  }
  if (plans.bucket) {
    add_reading(publish, domain, plans.bucket->name);
    subscribe.push_back({plans.bucket->subject, "the control log"});
  }
  const auto add_for_doctor = [&](std::string subject, std::string_view why) {
    publish.push_back({.subject = std::move(subject), .why = why, .is_for_doctor = true});
  };
  if (plans.bucket || settings.delivery.mode == DeliveryMode::jetstream) {
    add_for_doctor(nats::jetstream_api(domain, "INFO"),
                   "for `doctor`: is there storage left? It only reads");
  }
  add_for_doctor(std::string(wire::kClientsSubject),
                 "for `doctor`: who listens to orders? It only reads");
  add_for_doctor(std::string(wire::kUserSubject),
                 "for `doctor`: what may this user do? It only reads");
  return {publish, subscribe};
}

std::string permissions(const config::Settings& settings, const Plans& plans) {
  return "# nats-server configuration: least privilege for realtime-strategies and its "
         "neighbours,\n"
         "# written by `realtime-strategies provision --permissions`. Who publishes the market "
         "data\n"
         "# needs a user of his own. The passwords are read from nats-server's environment.\n"
         "authorization {\n  users: [\n" +
         service(settings, plans) + provisioner(settings.broker, plans) +
         people(settings.broker, plans) + trade_engine(settings.delivery.subject) + "  ]\n}\n";
}

}  // namespace rts::commands
