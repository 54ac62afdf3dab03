// What loading the settings takes and gives outside of the core: the files they name, and what a
// command says of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/config/settings.hpp>

namespace rts::commands {

// For config::load(). Blocks while it reads; a pipe or a device is refused.
[[nodiscard]] Result<std::string, std::string> read_settings_file(const std::string& path,
                                                                  std::size_t max_bytes);

// How orders are sent and frames are shared is of interest where that happens (`run`) or is asked
// for (`check`); what decides concerns every command.
[[nodiscard]] std::vector<std::string> warnings_for(std::string_view command,
                                                    const config::Configuration& configuration);

// "settings are valid", "settings are valid, 3 warnings".
[[nodiscard]] std::string verdict(const config::Configuration& configuration);

}  // namespace rts::commands
