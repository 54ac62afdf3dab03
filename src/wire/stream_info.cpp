#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <rts/base/json_writer.hpp>
#include <rts/wire/stream_info.hpp>

#include "wire/json_values.hpp"

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

// Calls `each` with every key and value; false as soon as one is no JSON or `each` refuses it.
template <class Each>
bool for_each_member(ondemand::object object, Each each) {
  for (auto member : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(member).get(field) != simdjson::SUCCESS || !read_key(field, key)) return false;
    if (!each(key, field.value())) return false;
  }
  return true;
}

template <class Each>
bool for_each_member(ondemand::value value, Each each) {
  ondemand::object object;
  return value.get_object().get(object) == simdjson::SUCCESS && for_each_member(object, each);
}

// Reads a scalar of one type; null leaves `out` alone.
bool read(ondemand::value value, Scalar::Type wanted, Scalar& out) {
  ondemand::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS || type == ondemand::json_type::array ||
      type == ondemand::json_type::object) {
    return false;
  }
  return read_scalar(value, type, out) && (out.type == wanted || out.type == Scalar::Type::absent);
}

bool read_text(ondemand::value value, std::string& out) {
  Scalar scalar;
  if (!read(value, Scalar::Type::string, scalar)) return false;
  if (scalar.type != Scalar::Type::absent) out = scalar.text;
  return true;
}

bool read_integer(ondemand::value value, std::int64_t& out) {
  Scalar scalar;
  if (!read(value, Scalar::Type::number, scalar)) return false;
  if (scalar.type == Scalar::Type::absent) return true;
  const char* const end = scalar.text.data() + scalar.text.size();
  const auto result = std::from_chars(scalar.text.data(), end, out);
  return result.ec == std::errc{} && result.ptr == end;
}

bool read_duration(ondemand::value value, std::chrono::nanoseconds& out) {
  std::int64_t count = out.count();
  if (!read_integer(value, count)) return false;
  out = std::chrono::nanoseconds(count);
  return true;
}

bool read_flag(ondemand::value value, bool& out) {
  Scalar scalar;
  if (!read(value, Scalar::Type::boolean, scalar)) return false;
  if (scalar.type != Scalar::Type::absent) out = scalar.truth;
  return true;
}

bool is_null(ondemand::value& value) {
  ondemand::json_type type{};
  return value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::null;
}

// Calls `each` with every string of an array; null is an empty one.
template <class Each>
bool for_each_text(ondemand::value value, Each each) {
  if (is_null(value)) return skip(value, 1);
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return false;
  for (auto element : array) {
    ondemand::value item;
    std::string text;
    if (element.get(item) != simdjson::SUCCESS || !read_text(item, text)) return false;
    each(std::move(text));
  }
  return true;
}

std::string printable(std::string text) {
  if (text.size() > kMaxDescriptionBytes) text.resize(kMaxDescriptionBytes);
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, '?');
  return text;
}

bool read_error(ondemand::value value, ApiError& error) {
  const bool ok = for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "err_code") return read_integer(member, error.code);
    if (key == "description") return read_text(member, error.description);
    return skip(member, 2);
  });
  error.description = printable(std::move(error.description));
  return ok;
}

bool read_republish(ondemand::value value, std::optional<Republish>& out) {
  if (is_null(value)) return skip(value, 2);
  Republish& republish = out.emplace();
  return for_each_member(value, [&](std::string_view key, ondemand::value member) {
    if (key == "src") return read_text(member, republish.source);
    if (key == "dest") return read_text(member, republish.destination);
    if (key == "headers_only") return read_flag(member, republish.headers_only);
    return skip(member, 3);
  });
}

bool read_setting(std::string_view key, ondemand::value value, StreamFacts& facts) {
  if (key == "name") return read_text(value, facts.name);
  if (key == "subjects") {
    return for_each_text(
        value, [&](std::string subject) { facts.subjects.push_back(std::move(subject)); });
  }
  if (key == "storage") return read_text(value, facts.storage);
  if (key == "retention") return read_text(value, facts.retention);
  if (key == "discard") return read_text(value, facts.discard);
  if (key == "duplicate_window") return read_duration(value, facts.duplicate_window);
  if (key == "max_age") return read_duration(value, facts.max_age);
  if (key == "max_msgs") return read_integer(value, facts.max_messages);
  if (key == "max_msgs_per_subject") return read_integer(value, facts.max_messages_per_subject);
  if (key == "num_replicas") return read_integer(value, facts.replicas);
  if (key == "republish") return read_republish(value, facts.republish);
  if (key == "no_ack") return read_flag(value, facts.no_ack);
  if (key == "sealed") return read_flag(value, facts.sealed);
  return skip(value, 2);
}

// One payload, copied and read once.
class Reply {
 public:
  explicit Reply(std::string_view payload) : bytes_(payload) {}

  // Empty unless the payload is one complete JSON object with members of the expected types.
  std::optional<Contents> read() {
    Contents contents;
    const bool ok = for_each_root_member([&](std::string_view key, ondemand::value value) {
      if (key == "error") return read_error(value, contents.error.emplace());
      if (key == "config") return read_config(value, contents.facts.emplace());
      if (key == "streams") {
        contents.has_names = true;
        return for_each_text(value, [&](std::string name) {
          if (contents.first_name.empty()) contents.first_name = std::move(name);
        });
      }
      if (key == "cluster") contents.clustered = !is_null(value);
      return skip(value, 1);
    });
    if (!ok) return std::nullopt;
    if (contents.facts) contents.facts->clustered = contents.clustered;
    return contents;
  }

  // ,"key":value for each member of the configuration that no plan decides. After read(), which
  // has checked all of it.
  std::string unplanned_settings() {
    std::string out;
    (void)for_each_root_member([&](std::string_view key, ondemand::value value) {
      if (key != "config") return skip(value, 1);
      return for_each_member(value, [&](std::string_view name, ondemand::value setting) {
        if (std::find(kPlanned.begin(), kPlanned.end(), name) != kPlanned.end()) {
          return skip(setting, 2);
        }
        std::string_view raw;
        if (simdjson::to_json_string(setting).get(raw) != simdjson::SUCCESS) return false;
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
  static bool read_config(ondemand::value value, StreamFacts& facts) {
    return for_each_member(value, [&](std::string_view key, ondemand::value setting) {
      return read_setting(key, setting, facts);
    });
  }

  template <class Each>
  bool for_each_root_member(Each each) {
    ondemand::document document;
    ondemand::object root;
    return bytes_.size() <= kMaxStreamReplyBytes &&
           parser_.iterate(bytes_).get(document) == simdjson::SUCCESS &&
           document.get_object().get(root) == simdjson::SUCCESS && for_each_member(root, each) &&
           document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  }

  simdjson::padded_string bytes_;
  ondemand::parser parser_;
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
