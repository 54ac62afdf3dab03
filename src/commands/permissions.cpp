// What the broker has to allow. Text only; connects to nothing.
#include <rts/trading/order_subject.hpp>

#include "commands/provision.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

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

// The subjects of a topic one by one: a wildcard would allow more than there is.
std::string orders_on(std::string_view topic) {
  std::string rows;
  for (const std::string& subject : order_subjects(topic)) rows += row(subject, "orders");
  return rows;
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

std::string service(const config::Settings& settings, const std::string& stream) {
  const config::BrokerParameters& broker = settings.broker;
  const std::string inbox = nats::inbox_prefix(broker.consumer_name) + ".>";
  std::string publish =
      orders_on(settings.delivery.subject) +
      row(inbox, "heartbeats to itself, which prove that what was sent has arrived");
  if (settings.delivery.mode == DeliveryMode::jetstream) {
    publish += row("$JS.API.STREAM.NAMES", "which stream stores the orders?") +
               row("$JS.API.STREAM.INFO." + stream, "does it fit? (it only reads)");
  }
  std::string subscribe =
      broker.queue_group.empty()
          ? row(broker.subject, "market data; every replica sees all of it")
          : row(broker.subject + " " + broker.queue_group, "market data, in this queue group only");
  if (!broker.control_subject.empty()) subscribe += row(broker.control_subject, "pause and resume");
  subscribe += row(inbox, "answers to orders, and the heartbeats");
  return user("the service", broker.consumer_name, "RTS_NATS_PASSWORD",
              allow("publish", publish) + allow("subscribe", subscribe));
}

std::string provisioner(const std::string& name, const std::string& stream) {
  const std::string api = "$JS.API.STREAM.";
  return user("`realtime-strategies provision`; it may not publish orders", name,
              "RTS_PROVISION_PASSWORD",
              allow("publish", row(api + "NAMES", "does another stream store the orders already?") +
                                   row(api + "INFO." + stream, "what is there") +
                                   row(api + "CREATE." + stream, "create that one stream") +
                                   row(api + "UPDATE." + stream,
                                       "change that one stream; it cannot delete or purge")) +
                  allow("subscribe", row(nats::inbox_prefix(name) + ".>", "the answers")));
}

std::string trade_engine(const std::string& topic) {
  return user("the TradeEngine", "tradeengine", "RTS_TRADEENGINE_PASSWORD",
              "        # nothing of its own accord\n        publish: { deny: \">\" }\n" +
                  allow("subscribe", orders_on(topic)) +
                  "        # but one answer to each order, to the inbox that came with it\n"
                  "        allow_responses: { max: 1, expires: \"1m\" }\n");
}

}  // namespace

std::string permissions(const config::Settings& settings, const StreamPlan& plan) {
  const bool republishes = settings.delivery.mode == DeliveryMode::jetstream && plan.republish;
  return "# nats-server configuration: least privilege for realtime-strategies and its "
         "neighbours,\n"
         "# written by `realtime-strategies provision --permissions`. Who publishes the market "
         "data\n"
         "# or the pause commands needs a user of his own. The passwords are read from "
         "nats-server's\n"
         "# environment.\n"
         "authorization {\n  users: [\n" +
         service(settings, plan.name) +
         provisioner(provisioner_name(settings.broker.consumer_name), plan.name) +
         trade_engine(republishes ? plan.republish_topic : settings.delivery.subject) + "  ]\n}\n";
}

}  // namespace rts::commands
