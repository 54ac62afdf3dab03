// What the broker has to allow. Text only; connects to nothing.
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/trading/order_subject.hpp>

#include "commands/provision.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

// A subject, and why it is needed.
struct Allowed {
  std::string subject;
  std::string_view why;
};
using Rows = std::vector<Allowed>;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string list(std::string_view what, const Rows& rows) {
  std::string out = fmt::format("        {}: {{\n          allow: [\n", what);
  for (const auto& [subject, why] : rows) {
    out += fmt::format("            # {}\n            {}\n", why, quoted(subject));
  }
  return out + "          ]\n        }\n";
}

struct Name {
  std::string_view who, user, password_variable;
};

std::string user(const Name& name, const std::string& allowed) {
  return fmt::format(
      "    # {}\n    {{\n      user: {}\n      password: ${}\n      permissions: {{\n{}      }}\n"
      "    }}\n",
      name.who, quoted(name.user), name.password_variable, allowed);
}

// The subjects of a topic one by one: a wildcard would allow more than there is.
Rows orders_on(std::string_view topic) {
  Rows rows;
  for (std::string& subject : order_subjects(topic)) rows.push_back({std::move(subject), "orders"});
  return rows;
}

std::string service(const PermissionNeeds& needs) {
  const std::string inbox = nats::inbox_prefix(needs.consumer_name) + ".>";
  Rows publish = orders_on(needs.publisher_topic);
  publish.push_back({inbox, "heartbeats to itself, which prove that what was sent has arrived"});
  if (needs.jetstream) {
    publish.push_back({"$JS.API.STREAM.NAMES", "which stream stores the orders?"});
    publish.push_back({"$JS.API.STREAM.INFO." + needs.stream, "does it fit? (it only reads)"});
  }
  Rows subscribe;
  if (needs.consumer_group.empty()) {
    subscribe.push_back({needs.consumer_topic, "market data; every replica sees all of it"});
  } else {
    subscribe.push_back({needs.consumer_topic + " " + needs.consumer_group,
                         "market data, in this queue group only"});
  }
  if (!needs.control_topic.empty()) subscribe.push_back({needs.control_topic, "pause and resume"});
  subscribe.push_back({inbox, "answers to orders, and the heartbeats"});
  return user({"the service", nats::subject_safe(needs.consumer_name), "RTS_NATS_PASSWORD"},
              list("publish", publish) + list("subscribe", subscribe));
}

std::string provisioner(const PermissionNeeds& needs) {
  const std::string name = provisioner_name(needs.consumer_name);
  const auto api = [&](std::string_view verb) {
    return fmt::format("$JS.API.STREAM.{}.{}", verb, needs.stream);
  };
  return user(
      {"`realtime-strategies provision`; it may not publish orders", nats::subject_safe(name),
       "RTS_PROVISION_PASSWORD"},
      list("publish", {{"$JS.API.STREAM.NAMES", "does another stream store the orders already?"},
                       {api("INFO"), "what is there"},
                       {api("CREATE"), "create that one stream"},
                       {api("UPDATE"), "change that one stream; it cannot delete or purge"}}) +
          list("subscribe", {{nats::inbox_prefix(name) + ".>", "the answers"}}));
}

std::string trade_engine(const PermissionNeeds& needs) {
  return user({"the TradeEngine", "tradeengine", "RTS_TRADEENGINE_PASSWORD"},
              "        # nothing of its own accord\n        publish: { deny: \">\" }\n" +
                  list("subscribe", orders_on(needs.engine_topic)) +
                  "        # but one answer to each order, to the inbox that came with it\n"
                  "        allow_responses: { max: 1, expires: \"1m\" }\n");
}

}  // namespace

std::string provisioner_name(const std::string& consumer_name) {
  return consumer_name + "-provision";
}

std::string permissions(const PermissionNeeds& needs) {
  return "# nats-server configuration: least privilege for realtime-strategies and its "
         "neighbours,\n"
         "# written by `realtime-strategies provision --permissions`. Who publishes the market "
         "data\n"
         "# or the pause commands needs a user of his own. The passwords are read from "
         "nats-server's\n"
         "# environment.\n"
         "authorization {\n  users: [\n" +
         service(needs) + provisioner(needs) + trade_engine(needs) + "  ]\n}\n";
}

}  // namespace rts::commands
