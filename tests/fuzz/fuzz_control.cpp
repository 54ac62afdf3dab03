// Arbitrary bytes as a command on the control subject, and as a pause in a recording: reading ends,
// nothing behind a document goes unseen, and a pause is read again as it was written.
#include <string>

#include <rts/wire/answer.hpp>
#include <rts/wire/control_log.hpp>

#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one
using Command = std::optional<wire::ControlCommand>;

bool are_same(const Command& a, const Command& b) {
  return a.has_value() == b.has_value() &&
         (!a || (a->pause == b->pause && a->strategy == b->strategy));
}

void check(std::string_view payload, Command (*parse)(std::string_view)) {
  const Command command = parse(payload);
  if (!command) return;
  fuzz::require(payload.size() <= wire::kMaxAnswerBytes, "longer ones are not read");
  fuzz::require(!parse(std::string(payload) + "0"), "one document, no more");
  fuzz::require(payload.size() == wire::kMaxAnswerBytes ||
                    are_same(command, parse(std::string(payload) + " ")),
                "a blank behind it changes nothing");
  const wire::PauseChange change{command->strategy, {.paused = command->pause}};
  fuzz::require(are_same(command, wire::parse_pause(to_json(change))),
                "a pause is read as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload = fuzz::as_text(data, size);
  check(payload, wire::parse_control);
  check(payload, wire::parse_pause);
  return 0;
}
