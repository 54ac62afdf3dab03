// The settings of a command: what its environment and command line say, and the files these name.
#pragma once

#include <cstddef>
#include <string>

#include <rts/base/result.hpp>

namespace rts::commands {

// For config::load(). Blocks while it reads; a pipe or a device is refused.
[[nodiscard]] Result<std::string, std::string> read_settings_file(const std::string& path,
                                                                  std::size_t max_bytes);

}  // namespace rts::commands
