// A NATS server that follows a script instead of the protocol, for what a real one would not do
// when asked. Every connection ("visitor") gets the same treatment but for the lists, of which
// visitor n gets element n, round and round. Anybody may call the methods; one thread of its own
// does the work.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rts::test {

inline constexpr const char* kBrokerInfo =
    "INFO {\"server_id\":\"FAKE\",\"version\":\"2.9.10\",\"proto\":1,\"headers\":true,"
    "\"max_payload\":1048576}\r\n";

// What a NATS server may complain of, as it says it.
[[nodiscard]] const std::vector<std::string>& broker_errors();

// A message to the visitor: its subject and payload. It is delivered through the visitor's first
// subscription that matches, or not at all.
using FakeMessage = std::pair<std::string, std::string>;
struct FakePublish {
  std::string subject;
  std::string reply;    // empty: no answer is wanted
  std::string inbox;    // the visitor's: "_INBOX.x." of its subscription to "_INBOX.x.>"
  std::string payload;  // without headers
};

struct BrokerScript {
  std::vector<std::string> greetings{kBrokerInfo};
  bool answers_ping = true;                    // in the handshake and later
  std::vector<std::string> instead_of_pong{};  // said to the first PING
  std::vector<std::string> after_pong{};       // said once behind the first PONG
  bool hangs_up = false;                       // behind either of them
  bool returns_heartbeats = true;              // delivers what a visitor publishes to itself
  // What a publish outside of the visitor's inbox is answered with.
  std::function<std::vector<FakeMessage>(const FakePublish&)> ack{};
};

// Answers for BrokerScript::ack. `seq` counts up.
[[nodiscard]] std::vector<FakeMessage> pub_ack(const FakePublish& order);
[[nodiscard]] std::vector<FakeMessage> ack_for_somebody_else(const FakePublish& order);
[[nodiscard]] std::vector<FakeMessage> oversized_ack(const FakePublish& order);

// The scripts of the kit, by name: nonsense of every kind.
struct NamedScript {
  std::string name;
  BrokerScript script;
  std::chrono::milliseconds patience{3500};  // how long a client may stay with it
};
[[nodiscard]] const std::vector<NamedScript>& broker_scripts();

struct Visit {
  std::optional<std::chrono::milliseconds> stay;  // empty while the visitor is here
  bool shook_hands = false;                       // sent CONNECT and PING
};

class FakeBroker {
 public:
  explicit FakeBroker(BrokerScript script);
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;
  FakeBroker(FakeBroker&&) = delete;
  FakeBroker& operator=(FakeBroker&&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::uint16_t port() const;
  // In the order they came.
  [[nodiscard]] std::vector<Visit> visits() const;
  // To everybody who has subscribed.
  void deliver(const std::string& subject, const std::string& payload);
  // To everybody who is here, as it stands.
  void say(const std::string& bytes);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace rts::test
