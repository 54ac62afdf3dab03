// Arbitrary bytes as an entry of the control log, its key on the first line and its value behind
// it: reading ends, what it says is bounded and is read again as it was written, and settings are
// accepted or refused with a word.
#include <algorithm>
#include <string>

#include <rts/config/settings.hpp>
#include <rts/wire/control_log.hpp>

#include "fuzz.hpp"
#include "service/log_entries.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

const std::string kBucket = "realtime-strategies";

void check(const wire::Authorship& author) {
  for (const auto& text : {author.reason, author.by, author.at}) {
    fuzz::require_shown(text, wire::kMaxNoteBytes);
  }
}

void check(const wire::PauseChange& change) {
  check(change.value.author);
  const auto again = wire::parse_pause_value(to_json(change.value));
  fuzz::require(again && again->paused == change.value.paused &&
                    again->author.reason == change.value.author.reason,
                "a pause is read as it was written");
}

void check(const wire::SettingsValue& settings) {
  check(settings.author);
  fuzz::require(settings.values.size() <= wire::kMaxLiveValues, "values are bounded");
  const std::string json = to_json(settings);
  const auto again = wire::parse_settings_value(json);
  fuzz::require(json.size() > wire::kMaxControlBytes || (again && to_json(*again) == json),
                "a revision is read as it was written");
  static const config::Configuration kPresent = config::load({}, {}).value();
  const auto accepted = config::with_live_values(kPresent, settings.values);
  fuzz::require(accepted.ok() || !accepted.error().empty(), "a refusal says why");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  const std::size_t end = std::min(text.find('\n'), size);
  wire::StoredMessage entry;
  entry.subject = bucket_subject(kBucket, text.substr(0, end));
  entry.data = text.substr(std::min(end + 1, size));
  // As the broker would have stored it when it was to hold from.
  entry.stored_at = UnixMs(std::chrono::milliseconds(253'402'300'799'999));
  if (entry.data.empty()) entry.headers = "NATS/1.0\r\nKV-Operation: DEL\r\n\r\n";
  const auto said = service::control_in(kBucket, entry);
  if (!said) {
    fuzz::require(!said.error().empty(), "what is passed over has a reason");
    return 0;
  }
  std::visit([](const auto& what) { check(what); }, said.value());
  return 0;
}
