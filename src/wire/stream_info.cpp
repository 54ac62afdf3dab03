#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <rts/base/json_writer.hpp>
#include <rts/wire/stream_info.hpp>

#include "wire/json_cursor.hpp"

namespace rts::wire {
namespace {

constexpr std::size_t kMaxDescriptionBytes = 256;

// The settings that a plan decides; all others of a configuration are kept as they are.
constexpr std::array<std::string_view, 13> kPlanned{
    "name",         "subjects",
    "retention",    "max_msgs",
    "max_age",      "max_msgs_per_subject",
    "discard",      "storage",
    "no_ack",       "duplicate_window",
    "republish",    "sealed",
    "num_replicas",
};

// What one reply holds, whichever request it answers.
struct Contents {
  std::optional<ApiError> error;
  std::optional<StreamFacts> facts;  // when there is a configuration
  bool has_names = false;
  std::string first_name;
  bool clustered = false;
};

// Reads a scalar of one type; null leaves `out` alone.
bool read(JsonCursor& cursor, Scalar::Type wanted, Scalar& out) {
  return cursor.read_scalar(out) && (out.type == wanted || out.type == Scalar::Type::absent);
}

bool read_text(JsonCursor& cursor, std::string& out) {
  Scalar scalar;
  if (!read(cursor, Scalar::Type::string, scalar)) return false;
  if (scalar.type != Scalar::Type::absent) out = scalar.text;
  return true;
}

bool read_integer(JsonCursor& cursor, std::int64_t& out) {
  Scalar scalar;
  if (!read(cursor, Scalar::Type::number, scalar)) return false;
  if (scalar.type == Scalar::Type::absent) return true;
  const char* const end = scalar.text.data() + scalar.text.size();
  const auto result = std::from_chars(scalar.text.data(), end, out);
  return result.ec == std::errc{} && result.ptr == end;
}

bool read_duration(JsonCursor& cursor, std::chrono::nanoseconds& out) {
  std::int64_t count = out.count();
  if (!read_integer(cursor, count)) return false;
  out = std::chrono::nanoseconds(count);
  return true;
}

bool read_flag(JsonCursor& cursor, bool& out) {
  Scalar scalar;
  if (!read(cursor, Scalar::Type::boolean, scalar)) return false;
  if (scalar.type != Scalar::Type::absent) out = scalar.truth;
  return true;
}

// Calls `each` with every string of an array; null is an empty one.
template <class Each>
bool for_each_text(JsonCursor& cursor, Each each) {
  if (cursor.type() == JsonType::null) return cursor.skip(1);
  return cursor.for_each_element([&] {
    std::string text;
    if (!read_text(cursor, text)) return false;
    each(std::move(text));
    return true;
  });
}

std::string printable(std::string text) {
  if (text.size() > kMaxDescriptionBytes) text.resize(kMaxDescriptionBytes);
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, '?');
  return text;
}

bool read_error(JsonCursor& cursor, ApiError& error) {
  const bool ok = cursor.for_each_member([&](std::string_view key) {
    if (key == "err_code") return read_integer(cursor, error.code);
    if (key == "description") return read_text(cursor, error.description);
    return cursor.skip(2);
  });
  error.description = printable(std::move(error.description));
  return ok;
}

bool read_republish(JsonCursor& cursor, std::optional<Republish>& out) {
  if (cursor.type() == JsonType::null) return cursor.skip(2);
  Republish& republish = out.emplace();
  return cursor.for_each_member([&](std::string_view key) {
    if (key == "src") return read_text(cursor, republish.source);
    if (key == "dest") return read_text(cursor, republish.destination);
    if (key == "headers_only") return read_flag(cursor, republish.headers_only);
    return cursor.skip(3);
  });
}

// A single broker names a leader, too, since 2.10; only a cluster has a name.
bool read_cluster(JsonCursor& cursor, bool& clustered) {
  if (cursor.type() == JsonType::null) return cursor.skip(1);
  std::string name;
  const bool ok = cursor.for_each_member([&](std::string_view key) {
    return key == "name" ? read_text(cursor, name) : cursor.skip(2);
  });
  clustered = !name.empty();
  return ok;
}

bool read_setting(std::string_view key, JsonCursor& cursor, StreamFacts& facts) {
  if (key == "name") return read_text(cursor, facts.name);
  if (key == "subjects") {
    return for_each_text(
        cursor, [&](std::string subject) { facts.subjects.push_back(std::move(subject)); });
  }
  if (key == "storage") return read_text(cursor, facts.storage);
  if (key == "retention") return read_text(cursor, facts.retention);
  if (key == "discard") return read_text(cursor, facts.discard);
  if (key == "duplicate_window") return read_duration(cursor, facts.duplicate_window);
  if (key == "max_age") return read_duration(cursor, facts.max_age);
  if (key == "max_msgs") return read_integer(cursor, facts.max_messages);
  if (key == "max_msgs_per_subject") return read_integer(cursor, facts.max_messages_per_subject);
  if (key == "num_replicas") return read_integer(cursor, facts.replicas);
  if (key == "republish") return read_republish(cursor, facts.republish);
  if (key == "no_ack") return read_flag(cursor, facts.no_ack);
  if (key == "sealed") return read_flag(cursor, facts.sealed);
  return cursor.skip(2);
}

// One payload, copied.
class Reply {
 public:
  explicit Reply(std::string_view payload)
      : text_(std::min(payload.size(), kMaxStreamReplyBytes)), is_open_(text_.open(payload)) {}

  // Empty unless the payload is one complete JSON object with members of the expected types.
  std::optional<Contents> read() {
    if (!is_open_) return std::nullopt;
    Contents contents;
    JsonCursor cursor = text_.begin();
    const bool ok = cursor.for_each_member([&](std::string_view key) {
      if (key == "error") return read_error(cursor, contents.error.emplace());
      if (key == "config") return read_config(cursor, contents.facts.emplace());
      if (key == "streams") {
        contents.has_names = true;
        return for_each_text(cursor, [&](std::string name) {
          if (contents.first_name.empty()) contents.first_name = std::move(name);
        });
      }
      if (key == "cluster") return read_cluster(cursor, contents.clustered);
      return cursor.skip(1);
    });
    if (!ok || !cursor.at_end()) return std::nullopt;
    if (contents.facts) contents.facts->clustered = contents.clustered;
    return contents;
  }

  // ,"key":value for each member of the configuration that no plan decides. After read(), which
  // has checked all of it.
  std::string unplanned_settings() {
    std::string out;
    if (!is_open_) return out;
    JsonCursor cursor = text_.begin();
    (void)cursor.for_each_member([&](std::string_view key) {
      if (key != "config") return cursor.skip(1);
      return cursor.for_each_member([&](std::string_view name) {
        if (std::find(kPlanned.begin(), kPlanned.end(), name) != kPlanned.end()) {
          return cursor.skip(2);
        }
        std::string_view raw;
        if (!cursor.skip(2, raw)) return false;
        out += ',';
        append_json_string(out, name);
        out += ':';
        out += raw;
        return true;
      });
    });
    return out;
  }

 private:
  static bool read_config(JsonCursor& cursor, StreamFacts& facts) {
    return cursor.for_each_member(
        [&](std::string_view key) { return read_setting(key, cursor, facts); });
  }

  JsonText text_;
  bool is_open_;
};

ApiError not_understood() {
  return {0, "the reply is not one of JetStream's"};
}

void write_settings(JsonWriter& json, const StreamPlan& plan, const StreamFacts& facts) {
  json.key("name").string(plan.name).key("subjects").begin_array();
  for (const std::string& subject : wanted_subjects(plan, facts)) json.string(subject);
  json.end_array();
  json.key("retention").string("limits").key("storage").string("file");
  json.key("discard").string("new").key("max_msgs").integer(plan.max_messages);
  json.key("max_msgs_per_subject").integer(-1);
  json.key("max_age").integer(std::chrono::nanoseconds(plan.max_age).count());
  json.key("duplicate_window").integer(wanted_duplicate_window(plan, facts).count());
  json.key("num_replicas").integer(plan.replicas);
  if (plan.republish) {
    json.key("republish").begin_object().key("src").string(plan.republish->source);
    json.key("dest").string(plan.republish->destination).end_object();
  }
}

}  // namespace

std::string stream_names_request(std::string_view subject) {
  std::string out;
  JsonWriter(out).begin_object().key("subject").string(subject).end_object();
  return out;
}

Result<std::string, ApiError> parse_stream_names(std::string_view payload) {
  std::optional<Contents> contents = Reply(payload).read();
  if (!contents) return Failure{not_understood()};
  if (contents->error) return Failure{std::move(*contents->error)};
  if (!contents->has_names) return Failure{not_understood()};
  return std::move(contents->first_name);
}

Result<StreamFacts, ApiError> parse_stream_info(std::string_view payload) {
  std::optional<Contents> contents = Reply(payload).read();
  if (!contents) return Failure{not_understood()};
  if (contents->error) return Failure{std::move(*contents->error)};
  if (!contents->facts || contents->facts->name.empty()) return Failure{not_understood()};
  return std::move(*contents->facts);
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
  const auto facts = parse_stream_info(info);
  if (!facts) return Failure{facts.error()};
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_settings(json, plan, facts.value());
  out += Reply(info).unplanned_settings();
  json.end_object();
  return out;
}

}  // namespace rts::wire
