// The order log's stream at a test's nats-server, as `provision` makes it but asked for by hand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <rts/wire/stream_info.hpp>

namespace rts::test {

inline constexpr const char* kIntents = "orders.intents";
inline constexpr const char* kStoredIntents = "orders.intents.stored";

class OrderLogStream {
 public:
  static constexpr const char* kName = "ORDERS";

  // Creates nothing by itself.
  explicit OrderLogStream(std::string url) : url_(std::move(url)) {}

  // `more` is added to the request, and wins: R"(,"max_msgs":1)".
  void create(std::string_view more = "") const;
  void remove() const;
  void purge() const;
  [[nodiscard]] StreamFacts facts() const;
  [[nodiscard]] std::uint64_t messages() const;  // that it holds
  // Throws std::runtime_error when it is not there.
  [[nodiscard]] wire::StoredMessage entry(std::uint64_t sequence) const;

  // The broker's answer to a request, or why there is none.
  [[nodiscard]] std::string ask(const std::string& subject, std::string_view payload = "") const;

 private:
  std::string url_;
};

// The configuration that create() asks for, without the braces around it.
[[nodiscard]] std::string order_log_configuration();

// An order as an entry of the log; `at_ms` its event time.
struct EntryParts {
  std::string id = "00000000-0000-4000-8000-000000000001";
  std::string strategy = "orderbook_skew";
  std::string side = "BUY";
  std::string symbol = "BTCUSDT";
  std::int64_t at_ms = 0;
};
[[nodiscard]] std::string log_entry(const EntryParts& parts);

// JetStream's answer to a request for a message that it has stored.
[[nodiscard]] std::string stored_message(const wire::StoredMessage& message);

}  // namespace rts::test
