// Settings as they stand beside a recording: NAME.env, a setting a line, # begins a comment.
#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <rts/config/settings.hpp>

#include "support/scratch_files.hpp"

namespace rts::test {

[[nodiscard]] inline std::vector<config::Given> env_file(const std::filesystem::path& path) {
  std::vector<config::Given> settings;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) {
    const std::size_t equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) continue;
    settings.push_back({line.substr(0, equals), line.substr(equals + 1)});
  }
  return settings;
}

}  // namespace rts::test
