#include "commands/control_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <pwd.h>
#include <unistd.h>

#include <rts/base/utf8.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/answer.hpp>
#include <rts/wire/stream_info.hpp>

#include "commands/output.hpp"
#include "commands/provision.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

nats::Admin connected(const config::BrokerParameters& broker) {
  if (broker.control_bucket.empty()) {
    throw CommandError(ExitCode::configuration,
                       "CONTROL_BUCKET is empty: there is no control log; set it to the bucket "
                       "that the service has");
  }
  return connected_as(operator_name(broker.consumer_name), broker);
}

// "me@here".
std::string user_at_host() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.front() = '\0';
  const passwd* const user = ::getpwuid(::geteuid());
  return fmt::format("{}@{}", user == nullptr ? fmt::format("uid {}", ::geteuid()) : user->pw_name,
                     host.data());
}

}  // namespace

ControlLog::ControlLog(const config::BrokerParameters& broker)
    : broker_(broker), admin_(connected(broker)) {}

std::string ControlLog::name() const {
  return fmt::format("bucket {} at {}", broker_.control_bucket, admin_.server());
}

std::optional<wire::StoredMessage> ControlLog::ask(const std::string& request) {
  const std::string verb = "STREAM.MSG.GET." + bucket_stream(broker_.control_bucket);
  const auto answer = admin_.request(nats::jetstream_api(broker_.jetstream_domain, verb), request);
  if (!answer) throw CommandError(ExitCode::unavailable, "{}: {}", admin_.server(), answer.error());
  auto message = wire::parse_stored_message(answer.value());
  if (message) return std::move(message).value();
  if (message.error().code == wire::kMessageNotFound) return std::nullopt;
  if (message.error().code == wire::kStreamNotFound) {
    throw CommandError(ExitCode::unavailable, "there is no {}; run `realtime-strategies provision`",
                       name());
  }
  throw CommandError(ExitCode::unavailable, "{}: {}", name(), message.error().description);
}

wire::StoredMessage ControlLog::last(std::string_view key) {
  const std::string subject = bucket_subject(broker_.control_bucket, key);
  return ask(wire::last_message_request(subject)).value_or(wire::StoredMessage{});
}

std::vector<wire::StoredMessage> ControlLog::history(std::string_view key) {
  const std::string subject = bucket_subject(broker_.control_bucket, key);
  std::vector<wire::StoredMessage> entries;
  std::uint64_t from = 1;
  while (auto entry = ask(wire::next_message_request(subject, from))) {
    from = entry->sequence + 1;
    if (entries.size() == kMaxHistory) entries.erase(entries.begin());
    entries.push_back(*std::move(entry));
  }
  return entries;
}

std::uint64_t ControlLog::write(std::string_view key, const std::string& json, std::uint64_t seen) {
  std::string subject = bucket_subject(broker_.control_bucket, key);
  const std::string& domain = broker_.jetstream_domain;
  if (!domain.empty()) subject = nats::jetstream_api(domain, subject);
  const std::string expected = std::to_string(seen);
  const std::array headers{nats::Header{"Nats-Expected-Last-Subject-Sequence", expected}};
  const auto answer = admin_.request(subject, json, headers);
  if (!answer) throw CommandError(ExitCode::unavailable, "{}: {}", name(), answer.error());
  const auto parsed = wire::parse_answer(answer.value());
  if (const auto* ack = parsed ? std::get_if<wire::PubAck>(&*parsed) : nullptr) {
    return ack->sequence;
  }
  const auto* error = parsed ? std::get_if<wire::StreamError>(&*parsed) : nullptr;
  if (error != nullptr && error->code == wire::kWrongLastSequence) {
    throw CommandError(ExitCode::unavailable,
                       "somebody else has written {} meanwhile, and this has not changed it; see "
                       "`settings`, and try again",
                       key);
  }
  throw CommandError(ExitCode::unavailable, "{}: {}", name(),
                     error != nullptr ? error->description : "the answer is none of a stream");
}

std::vector<SettingsEntry> readable(const std::vector<wire::StoredMessage>& history) {
  std::vector<SettingsEntry> entries;
  for (const wire::StoredMessage& entry : history) {
    auto value = wire::settings_in(entry);
    if (!value || value->effective_from > entry.stored_at + wire::kMaxAheadOfStored) continue;
    entries.push_back({entry.sequence, *std::move(value)});
  }
  return entries;
}

UnixMs now_ms() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

wire::Authorship authorship(const Invocation& invocation) {
  const std::string reason = invocation.option("reason").value_or("");
  require(reason.size() <= wire::kMaxNoteBytes && is_plain_text(reason),
          "--reason takes at most {} bytes without control characters", wire::kMaxNoteBytes);
  return {reason, user_at_host(), rfc3339(now_ms())};
}

std::string shown_authorship(const wire::Authorship& author) {
  return (author.by.empty() ? "" : " by " + author.by) +
         (author.reason.empty() ? "" : ": " + author.reason);
}

UnixMs effective_from(const Invocation& invocation, UnixMs now) {
  const auto in = invocation.whole_number("in", {1, std::chrono::seconds(kMaxDelay).count()});
  const auto text = invocation.option("effective-from");
  require(!in || !text, "--in and --effective-from: give one of them");
  if (!text) return now + (in ? std::chrono::seconds(*in) : kDefaultDelay);
  const auto at = parse_iso8601(*text);
  require(at.has_value(), "--effective-from takes a time as 2026-11-28T10:40:00Z, not '{}'", *text);
  require(*at >= now, "--effective-from {}: is past; the service has decided about that already",
          *text);
  require(*at <= now + kMaxDelay, "--effective-from {}: is more than 24 h away", *text);
  return *at;
}

ExitCode write_settings(ControlLog& log, const Invocation& invocation,
                        const config::Configuration& configuration,
                        const wire::SettingsValue& value, std::uint64_t seen) {
  if (const auto accepted = config::with_live_values(configuration, value.values); !accepted) {
    for (const std::string& problem : accepted.error()) print_error("{}\n", problem);
    return ExitCode::configuration;
  }
  const std::string json = to_json(value);
  require(value.values.size() <= wire::kMaxLiveValues && json.size() <= wire::kMaxControlBytes,
          "these are more values than a revision holds");
  const std::uint64_t revision = log.write(wire::kSettingsKey, json, seen);
  const std::string from = rfc3339(value.effective_from);
  if (invocation.has("json")) {
    print_json([&](JsonWriter& out) {
      out.key("revision").unsigned_integer(revision).key("effective_from").string(from);
    });
  } else {
    print_out("revision {} of the settings holds from {} on\n", revision, from);
    for (const auto& [name, text] : value.values) print_out("  {}={}\n", name, text);
    if (value.values.empty()) print_out("  nothing is changed any more\n");
  }
  return ExitCode::ok;
}

}  // namespace rts::commands
