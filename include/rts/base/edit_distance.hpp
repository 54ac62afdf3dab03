// How far a misspelt name is from the right one, in letters.
#pragma once

#include <cstddef>
#include <string_view>

namespace rts {

// Letters that have to be inserted, left out or replaced to make one text of the other
// (Levenshtein): edit_distance("--order", "--orders") = 1, edit_distance("ulr", "url") = 2.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace rts
