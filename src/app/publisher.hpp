// From an order to exactly one result: the checks before sending, the bytes, the headers. Nothing
// is kept for later; in doubt an order is not sent. Confirmation by the reply inbox, the circuit
// breaker and JetStream (SPEC §6) will live here, between `publish` and the result.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <rts/base/time.hpp>
#include <rts/trading/order.hpp>

#include "nats/client.hpp"
#include "telemetry/metrics.hpp"

namespace rts::app {

struct PublisherOptions {
  std::string subject;
  OrderFormat format = OrderFormat::trade_order;
  bool dry_run = false;
};

class Publisher {
 public:
  // `client` must outlive the publisher.
  Publisher(nats::Client& client, PublisherOptions options);

  // An order leaves before its valid_until. Correlation-Id is the frame's message_id, or the
  // order's id where there is none that a header can carry. `header_traceparent` is the NATS header
  // of the frame; the envelope's stands in when it is empty.
  [[nodiscard]] telemetry::OrderResult publish(const Order& order, UnixMs now,
                                               std::string_view header_traceparent);

 private:
  nats::Client& client_;
  PublisherOptions options_;
  std::string payload_;
};

// W3C trace context: "00-<32 hex>-<16 hex>-<2 hex>", lower case.
[[nodiscard]] bool is_traceparent(std::string_view text) noexcept;

}  // namespace rts::app
