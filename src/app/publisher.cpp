#include "app/publisher.hpp"

#include <array>
#include <span>
#include <utility>

namespace rts::app {

using telemetry::OrderResult;

bool is_traceparent(std::string_view text) noexcept {
  constexpr std::string_view kForm = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (kForm[i] == '-' ? text[i] != '-' : !hex) return false;
  }
  return true;
}

Publisher::Publisher(nats::Client& client, PublisherOptions options)
    : client_(client), options_(std::move(options)) {
  payload_.reserve(4096);
}

OrderResult Publisher::publish(const Order& order, UnixMs now,
                               std::string_view header_traceparent) {
  if (options_.dry_run) return OrderResult::dry_run;
  if (now >= order.valid_until) return OrderResult::expired;

  payload_.clear();
  append_json(payload_, order, options_.format);
  const UuidText id_text = to_text(order.id);
  const std::string_view id(id_text.data(), id_text.size());
  const std::string_view traceparent =
      is_traceparent(header_traceparent) ? header_traceparent : order.traceparent;
  const bool has_correlation =
      !order.correlation_id.empty() && nats::is_header_value(order.correlation_id);
  const std::array<nats::Header, 4> headers{
      nats::Header{"Nats-Msg-Id", id}, nats::Header{"Content-Type", "application/json"},
      nats::Header{"Correlation-Id", has_correlation ? order.correlation_id : id},
      nats::Header{"traceparent", traceparent}};
  const std::size_t used = is_traceparent(traceparent) ? headers.size() : headers.size() - 1;
  switch (client_.publish(options_.subject, payload_, std::span(headers).first(used))) {
    case nats::PublishResult::sent:
      return OrderResult::unconfirmed;
    case nats::PublishResult::disconnected:
      return OrderResult::disconnected;
    case nats::PublishResult::buffer_full:
      return OrderResult::buffer_full;
    case nats::PublishResult::failed:
      return OrderResult::rejected;
  }
  return OrderResult::rejected;
}

}  // namespace rts::app
