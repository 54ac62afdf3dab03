// Arbitrary bytes as an answer to an order, as a control command, as a value of the control log and
// as what a service says of itself: reading ends, what is shown is short and UTF-8, a stored
// message has a number, nothing behind a document goes unseen, and a value of the log is read again
// as it was written.
#include <string>

#include <simdjson.h>

#include <rts/config/settings.hpp>
#include <rts/wire/answer.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/service_status.hpp>

#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

void check_text(const std::string& text) {
  fuzz::require(text.size() <= wire::kMaxAnswerTextBytes, "texts are cut");
  fuzz::require(simdjson::validate_utf8(text.data(), text.size()), "texts are UTF-8");
}

void check_answer(const wire::Answer& answer) {
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

void check_author(const wire::Authorship& author) {
  for (const auto& text : {author.reason, author.by, author.at}) check_text(text);
}

void check_control_log(std::string_view payload) {
  if (const auto pause = wire::parse_pause_value(payload)) {
    check_author(pause->author);
    const auto again = wire::parse_pause_value(to_json(*pause));
    fuzz::require(again && again->paused == pause->paused, "a pause is read as it was written");
  }
  const auto settings = wire::parse_settings_value(payload);
  if (!settings) return;
  check_author(settings->author);
  fuzz::require(settings->values.size() <= wire::kMaxLiveValues, "values are bounded");
  const std::string json = to_json(*settings);
  const auto again = wire::parse_settings_value(json);
  fuzz::require(json.size() > wire::kMaxControlBytes || (again && to_json(*again) == json),
                "a revision is read as it was written");
  static const config::Configuration kPresent = config::load({}, {}).value();
  const auto accepted = config::with_live_values(kPresent, settings->values);
  fuzz::require(accepted.ok() || !accepted.error().empty(), "a refusal says why");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload = fuzz::as_text(data, size);
  check_control_log(payload);
  const auto status = wire::parse_service_status(payload);
  fuzz::require(!status || size <= wire::kMaxStatusBytes, "longer ones are not read");
  static_cast<void>(wire::parse_order_statuses(payload));
  const auto answer = wire::parse_answer(payload);
  const auto command = wire::parse_control(payload);
  const bool is_read = answer || command;
  if (!is_read) return 0;
  fuzz::require(size <= wire::kMaxAnswerBytes, "longer ones are not read");
  if (answer) check_answer(*answer);

  const std::string more = std::string(payload) + "0";
  fuzz::require(!wire::parse_answer(more) && !wire::parse_control(more), "one document, no more");
  const std::string blank = std::string(payload) + " ";
  if (blank.size() > wire::kMaxAnswerBytes) return 0;
  const auto same_answer = wire::parse_answer(blank);
  const auto same_command = wire::parse_control(blank);
  fuzz::require(same_answer.has_value() == answer.has_value() &&
                    (!answer || same_answer->index() == answer->index()),
                "a blank behind it changes no answer");
  fuzz::require(same_command.has_value() == command.has_value() &&
                    (!command || (same_command->pause == command->pause &&
                                  same_command->strategy == command->strategy)),
                "nor a command");
  return 0;
}
