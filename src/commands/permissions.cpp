#include "commands/permissions.hpp"

#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/trading/order_subject.hpp>

#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

// A subject, and why it is needed.
struct Allowed {
  std::string subject;
  std::string_view why;
};

struct User {
  std::string_view who;
  std::string name;
  std::string_view password_variable;
  std::vector<Allowed> publish;  // empty: nothing at all
  std::vector<Allowed> subscribe;
  bool may_respond = false;
};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string list(std::string_view what, const std::vector<Allowed>& subjects) {
  std::string out = fmt::format("        {}: {{\n          allow: [\n", what);
  for (const auto& [subject, why] : subjects) {
    out += fmt::format("            # {}\n            {}\n", why, quoted(subject));
  }
  return out + "          ]\n        }\n";
}

std::string block(const User& user) {
  std::string out =
      fmt::format("    # {}\n    {{\n      user: {}\n      password: ${}\n      permissions: {{\n",
                  user.who, quoted(user.name), user.password_variable);
  if (user.publish.empty()) {
    out += "        # nothing of its own accord\n        publish: { deny: \">\" }\n";
  } else {
    out += list("publish", user.publish);
  }
  out += list("subscribe", user.subscribe);
  if (user.may_respond) {
    out +=
        "        # but one answer to each order, to the inbox that came with it\n"
        "        allow_responses: { max: 1, expires: \"1m\" }\n";
  }
  return out + "      }\n    }\n";
}

// The subjects of a topic one by one: a wildcard would allow more than there is.
std::vector<Allowed> orders_on(std::string_view topic) {
  std::vector<Allowed> rows;
  for (std::string& subject : order_subjects(topic)) rows.push_back({std::move(subject), "orders"});
  return rows;
}

User service(const PermissionNeeds& needs) {
  const std::string inbox = nats::inbox_prefix(needs.consumer_name) + ".>";
  User user{"the service",
            nats::subject_safe(needs.consumer_name),
            "RTS_NATS_PASSWORD",
            orders_on(needs.publisher_topic),
            {}};
  user.publish.push_back(
      {inbox, "heartbeats to itself, which prove that what was sent has arrived"});
  if (needs.jetstream) {
    user.publish.push_back({"$JS.API.STREAM.NAMES", "which stream stores the orders?"});
    user.publish.push_back({"$JS.API.STREAM.INFO." + needs.stream, "does it fit? (it only reads)"});
  }
  if (needs.consumer_group.empty()) {
    user.subscribe.push_back({needs.consumer_topic, "market data; every replica sees all of it"});
  } else {
    user.subscribe.push_back({needs.consumer_topic + " " + needs.consumer_group,
                              "market data, in this queue group only"});
  }
  if (!needs.control_topic.empty()) {
    user.subscribe.push_back({needs.control_topic, "pause and resume"});
  }
  user.subscribe.push_back({inbox, "answers to orders, and the heartbeats"});
  return user;
}

User provisioner(const PermissionNeeds& needs) {
  const std::string name = provisioner_name(needs.consumer_name);
  const auto api = [&](std::string_view verb) {
    return fmt::format("$JS.API.STREAM.{}.{}", verb, needs.stream);
  };
  return {"`realtime-strategies provision`; it may not publish orders",
          nats::subject_safe(name),
          "RTS_PROVISION_PASSWORD",
          {{"$JS.API.STREAM.NAMES", "does another stream store the orders already?"},
           {api("INFO"), "what is there"},
           {api("CREATE"), "create that one stream"},
           {api("UPDATE"), "change that one stream; it cannot delete or purge"}},
          {{nats::inbox_prefix(name) + ".>", "the answers"}}};
}

User trade_engine(const PermissionNeeds& needs) {
  return {"the TradeEngine",
          "tradeengine",
          "RTS_TRADEENGINE_PASSWORD",
          {},
          orders_on(needs.engine_topic),
          true};
}

}  // namespace

std::string provisioner_name(const std::string& consumer_name) {
  return consumer_name + "-provision";
}

std::string permissions(const PermissionNeeds& needs) {
  std::string out =
      "# nats-server configuration: least privilege for realtime-strategies and its neighbours,\n"
      "# written by `realtime-strategies provision --permissions`. Who publishes the market data\n"
      "# or the pause commands needs a user of his own. The passwords are read from nats-server's\n"
      "# environment.\n"
      "authorization {\n  users: [\n";
  for (const User& user : {service(needs), provisioner(needs), trade_engine(needs)}) {
    out += block(user);
  }
  return out + "  ]\n}\n";
}

}  // namespace rts::commands
