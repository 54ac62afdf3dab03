#include <rts/base/utf8.hpp>
#include <rts/wire/micro_ping.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {

std::optional<MicroPing> parse_micro_ping(std::string_view payload) {
  constexpr std::size_t kMaxTextBytes = 100;
  dom::parser parser;
  const auto ping = parse_as_json<dom::object>(parser, payload, kMaxPingBytes);
  if (!ping || text_at(*ping, "id").empty()) return std::nullopt;
  const auto metadata = value_at<dom::object>(*ping, "metadata");
  const auto said = [&](const char* key) {
    return metadata ? text_at(*metadata, key) : std::string_view();
  };
  return MicroPing{.id = shown(text_at(*ping, "id"), kMaxTextBytes, '?'),
                   .version = shown(text_at(*ping, "version"), kMaxTextBytes, '?'),
                   .settings = shown(said("settings"), kMaxTextBytes, '?'),
                   .is_ready = said("ready") == "true"};
}

}  // namespace rts::wire
