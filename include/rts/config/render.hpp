// The settings table as text: effective values with their origin, or the reference documentation.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <rts/base/enum_names.hpp>
#include <rts/base/json_writer.hpp>
#include <rts/config/settings.hpp>

namespace rts::config {

// text: NAME=value with origin, for people · json: one object · env: NAME=value as docker's
// --env-file takes it, nothing quoted ·
// markdown: docs/CONFIGURATION.md (defaults, no values) · configmap: a Kubernetes ConfigMap without
// the secrets.
BOOST_DEFINE_FIXED_ENUM_CLASS(Format, std::uint8_t, text, json, env, markdown, configmap)

[[nodiscard]] std::string render(const Configuration& configuration, Format format);

// 16 hexadecimal digits that are the same where all settings but the secrets are, whatever their
// origin: replicas that differ are seen by it. FNV-1a over names and values, with those of `live`
// in place of theirs, and the instruments.
[[nodiscard]] std::string fingerprint(const Configuration& configuration,
                                      std::span<const Given> live = {});

// {"NATS_URL":{"value":"…","origin":"default"},…}; `live` are the control log's values in force, as
// with_live_values() has accepted them.
void append_settings(JsonWriter& json, const Configuration& configuration,
                     std::span<const Given> live = {});

// The list of settings as `help settings` prints it: of one group, or of all.
[[nodiscard]] std::string help_text(std::optional<Group> only = {});

}  // namespace rts::config
