// Settings in a file that is not deployed yet: an env file, or the ConfigMaps of a Kubernetes
// manifest, which also has the arguments of `provision`. What a deployment would refuse or take
// otherwise than it looks is a complaint; whether the values are accepted is for config::load().
// Pure functions, but for settings_text().
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <rts/config/settings.hpp>

namespace rts::commands {

// All of an env file or a manifest; "-" is standard input. The only one here that reads. Throws
// CommandError(bad_input) of what cannot be read, or is larger than 16 MiB.
[[nodiscard]] std::string settings_text(const std::string& path);

struct Complaint {
  std::size_t line = 0;  // from 1; 0: none is known
  std::string text;
};

// One set of settings.
struct FoundSettings {
  std::string name;                    // "ConfigMap petrosa"; empty: it is all of its file
  std::vector<config::Given> given{};  // in the order of the file, each name once
  std::vector<std::size_t> lines{};    // where each of these is
  std::vector<Complaint> problems{}, warnings{};

  // Of the setting that a line of config::load() begins with; 0: none, or not in this file.
  [[nodiscard]] std::size_t line_of(std::string_view said) const;
  // Whether it has anything that is a setting of ours.
  [[nodiscard]] bool has_settings() const;
};

// NAME=value a line, as docker's --env-file, Kubernetes and the service's environment have it:
// nothing is unquoted; # begins a comment line.
[[nodiscard]] FoundSettings parse_env_file(std::string_view text);

// `data` of each ConfigMap among the documents of the file. Throws CommandError(bad_input) of what
// is no YAML, with the line, and where there is no ConfigMap.
[[nodiscard]] std::vector<FoundSettings> parse_config_maps(const std::string& file,
                                                           const std::string& text);

// What follows `provision` in the arguments of the first container among the documents of the file
// that runs it, in a Job or a Pod; empty: none does, or nothing follows. Throws as above of what is
// no YAML.
[[nodiscard]] std::vector<std::string> provision_arguments(const std::string& file,
                                                           const std::string& text);

}  // namespace rts::commands
