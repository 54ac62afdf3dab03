#include <algorithm>
#include <array>
#include <optional>
#include <variant>

#include <rts/base/json_writer.hpp>
#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/wire/stream_info.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

constexpr std::size_t kMaxDescriptionBytes = 256;
// A broker takes messages of 1 MiB unless it is told otherwise, and base64 makes them a third
// longer.
constexpr std::size_t kMaxMessageReplyBytes = std::size_t{2} << 20U;

// The settings of a stream that we read, and that a plan decides; all others of a configuration are
// kept as they are.
struct Setting {
  std::string_view key;
  std::variant<std::string StreamFacts::*, std::int64_t StreamFacts::*, bool StreamFacts::*,
               std::chrono::nanoseconds StreamFacts::*, std::vector<std::string> StreamFacts::*,
               std::optional<Republish> StreamFacts::*>
      member;
};
constexpr std::array kSettings{
    Setting{"name", &StreamFacts::name},
    Setting{"subjects", &StreamFacts::subjects},
    Setting{"retention", &StreamFacts::retention},
    Setting{"max_msgs", &StreamFacts::max_messages},
    Setting{"max_age", &StreamFacts::max_age},
    Setting{"max_msgs_per_subject", &StreamFacts::max_messages_per_subject},
    Setting{"discard", &StreamFacts::discard},
    Setting{"storage", &StreamFacts::storage},
    Setting{"no_ack", &StreamFacts::no_ack},
    Setting{"duplicate_window", &StreamFacts::duplicate_window},
    Setting{"republish", &StreamFacts::republish},
    Setting{"sealed", &StreamFacts::sealed},
    Setting{"num_replicas", &StreamFacts::replicas},
    Setting{"allow_rollup_hdrs", &StreamFacts::allow_rollup},
    Setting{"deny_delete", &StreamFacts::deny_delete},
    Setting{"deny_purge", &StreamFacts::deny_purge},
};

const Setting* find_setting(std::string_view key) noexcept {
  const auto* const found = std::ranges::find(kSettings, key, &Setting::key);
  return found == kSettings.end() ? nullptr : found;
}

// The functions read() are false when the value is of another type; null leaves `out` as it is.
template <class Value, class Out>
bool read_as(dom::element from, Out& out) {
  const auto value = as<Value>(from);
  if (value) out = Out(*value);
  return value || from.is_null();
}
bool read(dom::element from, std::string& out) { return read_as<std::string_view>(from, out); }
bool read(dom::element from, std::int64_t& out) { return read_as<std::int64_t>(from, out); }
bool read(dom::element from, bool& out) { return read_as<bool>(from, out); }
bool read(dom::element from, std::chrono::nanoseconds& out) {
  return read_as<std::int64_t>(from, out);
}
bool read(dom::element from, std::vector<std::string>& out) {
  const auto texts = as<dom::array>(from);
  if (!texts) return from.is_null();
  return std::all_of(texts->begin(), texts->end(),
                     [&out](dom::element text) { return read(text, out.emplace_back()); });
}
bool read(dom::element from, std::optional<Republish>& out) {
  const auto republish = as<dom::object>(from);
  if (!republish) return from.is_null();
  out.emplace();
  return std::all_of(republish->begin(), republish->end(), [&out](const auto& field) {
    if (field.key == "src") return read(field.value, out->source);
    if (field.key == "dest") return read(field.value, out->destination);
    return field.key != "headers_only" || read(field.value, out->headers_only);
  });
}

ApiError not_understood() { return {0, "the reply is not one of JetStream's"}; }

// A reply's object, or the error that it carries.
Result<dom::object, ApiError> parse_reply(dom::parser& parser, std::string_view payload,
                                          std::size_t max_bytes = kMaxStreamReplyBytes) {
  const auto reply = parse_as_json<dom::object>(parser, payload, max_bytes);
  if (!reply) return Failure{not_understood()};
  if (!value_at<dom::element>(*reply, "error")) return *reply;
  const auto error = value_at<dom::object>(*reply, "error");
  if (!error) return Failure{not_understood()};
  return Failure{ApiError{value_at<std::int64_t>(*error, "err_code").value_or(0),
                          shown(text_at(*error, "description"), kMaxDescriptionBytes, '?')}};
}

// Since nats-server 2.10 a single broker has a `cluster`, too, but one without a name.
bool is_clustered(const dom::object& reply) {
  const auto cluster = value_at<dom::object>(reply, "cluster");
  return cluster && !text_at(*cluster, "name").empty();
}

Result<StreamFacts, ApiError> facts_of(const dom::object& reply) {
  const auto config = value_at<dom::object>(reply, "config");
  if (!config) return Failure{not_understood()};
  StreamFacts facts;
  for (const auto field : *config) {
    const Setting* const setting = find_setting(field.key);
    if (setting == nullptr) continue;
    const auto read_into = [&](auto member) { return read(field.value, facts.*member); };
    if (!std::visit(read_into, setting->member)) return Failure{not_understood()};
  }
  if (facts.name.empty()) return Failure{not_understood()};
  facts.clustered = is_clustered(reply);
  facts.created = text_at(reply, "created");
  facts.answered = text_at(reply, "ts");
  if (const auto state = value_at<dom::object>(reply, "state")) {
    facts.first_sequence = value_at<std::uint64_t>(*state, "first_seq").value_or(0);
    facts.last_sequence = value_at<std::uint64_t>(*state, "last_seq").value_or(0);
    facts.last_stored_at = parse_iso8601(text_at(*state, "last_ts")).value_or(UnixMs());
  }
  return facts;
}

void write_settings(JsonWriter& json, const StreamPlan& plan, const StreamFacts& facts) {
  json.key("name").string(plan.name).key("subjects").begin_array();
  for (const std::string& subject : wanted_subjects(plan, facts)) json.string(subject);
  json.end_array();
  json.key("retention").string("limits").key("storage").string("file");
  json.key("discard").string("new").key("max_msgs").integer(plan.max_messages);
  json.key("max_msgs_per_subject").integer(plan.max_messages_per_subject);
  json.key("max_age").integer(std::chrono::nanoseconds(plan.max_age).count());
  json.key("duplicate_window").integer(wanted_duplicate_window(plan, facts).count());
  json.key("num_replicas").integer(plan.replicas);
  if (plan.republish) {
    json.key("republish").begin_object().key("src").string(plan.republish->source);
    json.key("dest").string(plan.republish->destination).end_object();
  }
  json.key("allow_rollup_hdrs").boolean(plan.is_bucket);
  json.key("deny_delete").boolean(true);
  if (!plan.is_bucket || facts.deny_purge) json.key("deny_purge").boolean(true);
}

}  // namespace

std::string stream_names_request(std::string_view subject) {
  std::string out;
  JsonWriter(out).begin_object().key("subject").string(subject).end_object();
  return out;
}

Result<std::string, ApiError> parse_stream_names(std::string_view payload) {
  dom::parser parser;
  const auto reply = parse_reply(parser, payload);
  if (!reply) return Failure{reply.error()};
  const auto streams = value_at<dom::element>(reply.value(), "streams");
  std::vector<std::string> names;
  if (!streams || !read(*streams, names)) return Failure{not_understood()};
  return names.empty() ? std::string() : std::move(names.front());
}

Result<StreamFacts, ApiError> parse_stream_info(std::string_view payload) {
  dom::parser parser;
  const auto reply = parse_reply(parser, payload);
  if (!reply) return Failure{reply.error()};
  return facts_of(reply.value());
}

Result<AccountInfo, ApiError> parse_account_info(std::string_view payload) {
  dom::parser parser;
  const auto reply = parse_reply(parser, payload);
  if (!reply) return Failure{reply.error()};
  const auto used = value_at<std::uint64_t>(reply.value(), "storage");
  if (!used) return Failure{not_understood()};
  AccountInfo info{.domain = std::string(text_at(reply.value(), "domain")),
                   .storage_used_bytes = *used,
                   .storage_max_bytes = {}};
  // Without a limit it is -1, which is no unsigned number.
  if (const auto limits = value_at<dom::object>(reply.value(), "limits")) {
    info.storage_max_bytes = value_at<std::uint64_t>(*limits, "max_storage");
  }
  return info;
}

std::string stream_create_request(const StreamPlan& plan) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_settings(json, plan, StreamFacts{});
  // No limit where JetStream would take 0 for nothing at all.
  for (const char* unlimited : {"max_consumers", "max_bytes", "max_msg_size"}) {
    json.key(unlimited).integer(-1);
  }
  json.end_object();
  return out;
}

Result<std::string, ApiError> stream_update_request(std::string_view info, const StreamPlan& plan) {
  dom::parser parser;
  const auto reply = parse_reply(parser, info);
  if (!reply) return Failure{reply.error()};
  const auto facts = facts_of(reply.value());
  if (!facts) return Failure{facts.error()};
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_settings(json, plan, facts.value());
  const auto config = value_at<dom::object>(reply.value(), "config");
  for (const auto field : *config) {
    if (find_setting(field.key) == nullptr) json.key(field.key).raw(simdjson::minify(field.value));
  }
  json.end_object();
  return out;
}

std::string_view StoredMessage::header(std::string_view name) const noexcept {
  std::string_view lines = headers;
  for (std::size_t end = 0; (end = lines.find("\r\n")) != std::string_view::npos;
       lines.remove_prefix(end + 2)) {
    const std::string_view line = lines.substr(0, end);
    if (line.starts_with(name) && line.substr(name.size()).starts_with(':')) {
      return trimmed(line.substr(name.size() + 1));
    }
  }
  return {};
}

std::string last_message_request(std::string_view subject) {
  std::string out;
  JsonWriter(out).begin_object().key("last_by_subj").string(subject).end_object();
  return out;
}

std::string next_message_request(std::string_view subject, std::uint64_t from) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("seq").unsigned_integer(from);
  json.key("next_by_subj").string(subject).end_object();
  return out;
}

std::string message_request(std::uint64_t sequence) {
  std::string out;
  JsonWriter(out).begin_object().key("seq").unsigned_integer(sequence).end_object();
  return out;
}

Result<StoredMessage, ApiError> parse_stored_message(std::string_view payload) {
  dom::parser parser;
  const auto reply = parse_reply(parser, payload, kMaxMessageReplyBytes);
  if (!reply) return Failure{reply.error()};
  const auto message = value_at<dom::object>(reply.value(), "message");
  if (!message) return Failure{not_understood()};
  const auto sequence = value_at<std::uint64_t>(*message, "seq").value_or(0);
  auto headers = from_base64(text_at(*message, "hdrs"));
  auto data = from_base64(text_at(*message, "data"));
  const auto stored_at = parse_iso8601(text_at(*message, "time"));
  if (sequence == 0 || !headers || !data || !stored_at) return Failure{not_understood()};
  return StoredMessage{sequence, std::string(text_at(*message, "subject")), std::move(*headers),
                       std::move(*data), *stored_at};
}

}  // namespace rts::wire
