// What a broker tells who is connected to it: the answers of the services `$SYS.REQ.…` that each
// account has. Reading them changes nothing at the broker. Synchronous; whatever the payload, it
// returns. Any thread. Source: nats-server 2.9.10 and 2.10.27, whose answers are in the tests.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/time.hpp>

namespace rts::wire {

// Who is connected to the account, and what each listens on; every broker of a cluster answers.
inline constexpr std::string_view kClientsSubject = "$SYS.REQ.ACCOUNT.PING.CONNZ";
inline constexpr std::string_view kClientsRequest = R"({"subscriptions_detail":true,"limit":1024})";
// What the own user may do; nats-server 2.10 and later.
inline constexpr std::string_view kUserSubject = "$SYS.REQ.USER.INFO";

// Longer answers are not read: 1,024 clients with many subscriptions each.
inline constexpr std::size_t kMaxBrokerAnswerBytes = std::size_t{8} << 20U;

struct BrokerFacts {
  std::string version;
  bool jetstream = false;  // on at the broker; an account may be without it
  UnixMs at{};             // the broker's clock when it answered; 1970: it does not say
};

struct Subscription {
  std::string subject;      // may have wildcards
  std::string queue_group;  // empty: none
};

struct BrokerClient {
  std::string name;  // as it calls itself, cut at 100 bytes
  std::vector<Subscription> subscriptions{};
};

struct ClientsAnswer {
  BrokerFacts broker;
  std::vector<BrokerClient> clients;
  bool is_complete = true;  // false: the broker has more than it lists
};
[[nodiscard]] std::optional<ClientsAnswer> parse_clients(std::string_view payload);

// Subjects that are allowed (none said: all) and, of these, not. Of subscriptions also "subject
// group": in such a queue group only.
struct SubjectRules {
  std::vector<std::string> allow, deny;

  // Whether this subject, or all that its wildcards take in, is allowed; to a subscription, in this
  // queue group.
  [[nodiscard]] bool permits(std::string_view subject, std::string_view queue_group = {}) const;
};

struct UserAnswer {
  BrokerFacts broker;
  SubjectRules publish, subscribe;
};
[[nodiscard]] std::optional<UserAnswer> parse_user(std::string_view payload);

}  // namespace rts::wire
