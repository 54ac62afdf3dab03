// A zip archive as a LineReader reads it: its members one after the other, each ending in a line
// end. By the table of contents at the archive's end, so it has to be a file. One thread.
#pragma once

#include <string>
#include <vector>

#include "commands/input.hpp"

namespace rts::commands {

// An archive with more files than that is refused: a table of contents has to end.
inline constexpr std::size_t kMaxZipMembers = 10'000;

// Of what is no such archive, or one that cannot be read, the decoder says the damage. `members`:
// the names of the files in it.
[[nodiscard]] Decoder zip_decoder(const std::string& path, std::vector<std::string>& members);

}  // namespace rts::commands
