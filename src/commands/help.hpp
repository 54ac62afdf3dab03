// What the command line says of itself: help, completion and the manual page. All of them are walks
// over the tables of commands and settings.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "commands/command_line.hpp"

namespace rts::commands {

// All commands, a line each; and of one its options and an example, on a screen of 80 columns.
[[nodiscard]] std::string help_text();
[[nodiscard]] std::string help_text(const Command& command);

// "replay [OPTIONS] [FILE…|-]".
[[nodiscard]] std::string usage(const Command& command);

inline constexpr std::string_view kExitCodes =
    "0 fine, 1 there is a difference or it is not well, 64 usage, 65 bad input data, "
    "69 unavailable, 70 internal, 74 output lost, 78 configuration";

// The manual page, as man(7) macros.
[[nodiscard]] std::string manual_page();

// What may stand in place of the last of the words behind the program's name, which is empty or a
// beginning: "candidate" or "candidate\tdescription". A candidate is the whole word, "--name=value"
// where the value is asked for so. The words "--name", "=", "value" are that, too: bash splits it.
inline constexpr std::string_view kFiles = ":files";  // the only candidate: names of files
[[nodiscard]] std::vector<std::string> completions(std::span<const std::string> words);

}  // namespace rts::commands
