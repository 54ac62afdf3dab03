// Arbitrary bytes as a reply of JetStream's: reading ends, a stored message has a number and is no
// longer than the reply, and what describes a stream makes a valid request to change it, after
// which it would be as planned.
#include <string>

#include <rts/wire/stream_info.hpp>

#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

StreamPlan plan() {
  StreamPlanSource source;
  source.subject = "orders.intents";
  source.cooldown = std::chrono::seconds(900);
  source.daily_signals = 50;
  return plan_stream(source);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload = fuzz::as_text(data, size);
  static_cast<void>(wire::parse_stream_names(payload));
  if (const auto stored = wire::parse_stored_message(payload)) {
    const wire::StoredMessage& message = stored.value();
    fuzz::require(message.sequence > 0, "a stream counts from 1");
    fuzz::require(message.headers.size() + message.data.size() < size, "base64 is longer");
    fuzz::require(message.header("Rts-Sender").size() <= message.headers.size(), "of the headers");
  }
  const auto facts = wire::parse_stream_info(payload);
  const auto request = wire::stream_update_request(payload, plan());
  fuzz::require(facts.ok() == request.ok(), "a described stream can be changed");
  if (!facts) {
    fuzz::require(facts.error().description.size() <= 256, "descriptions are bounded");
    return 0;
  }
  static_cast<void>(stream_problems({"orders.intents", std::chrono::seconds(900)}, facts.value()));
  const auto after = wire::parse_stream_info("{\"config\":" + request.value() + "}");
  fuzz::require(after.ok(), "the request is JSON");
  fuzz::require(differences(plan(), after.value()).empty(), "the change leaves nothing to change");
  return 0;
}
