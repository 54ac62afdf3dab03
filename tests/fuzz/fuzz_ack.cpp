// Arbitrary bytes as an answer to an order: reading ends, what is shown is short and UTF-8, a
// stored message has a number, and nothing behind a document goes unseen.
#include <string>

#include <rts/wire/answer.hpp>

#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

void check(const wire::Answer& answer) {
  const auto check_text = [](std::string_view text) {
    fuzz::require_shown(text, wire::kMaxAnswerTextBytes);
  };
  if (const auto* ack = std::get_if<wire::PubAck>(&answer)) {
    fuzz::require(ack->sequence > 0 || ack->duplicate, "a stream counts from 1");
    check_text(ack->stream);
  } else if (const auto* error = std::get_if<wire::StreamError>(&answer)) {
    check_text(error->description);
  } else {
    const auto& status = std::get<wire::EngineStatus>(answer);
    for (const auto& text : {status.status, status.result_status, status.reason}) check_text(text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload = fuzz::as_text(data, size);
  const auto answer = wire::parse_answer(payload);
  if (!answer) return 0;
  fuzz::require(size <= wire::kMaxAnswerBytes, "longer ones are not read");
  check(*answer);
  fuzz::require(!wire::parse_answer(std::string(payload) + "0"), "one document, no more");
  const auto same = wire::parse_answer(std::string(payload) + " ");
  fuzz::require(size == wire::kMaxAnswerBytes || (same && same->index() == answer->index()),
                "a blank behind it changes nothing");
  return 0;
}
