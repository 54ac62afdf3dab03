// Compares two JSON documents as values: strings, integers and structure exactly, floating-point
// numbers to a relative 1e-9, key order ignored. For `replay --expect` and for tests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rts::wire {

// The first differences, at most `limit`: ".metadata.schema: expected "a", got "b"". Empty when
// equal.
[[nodiscard]] std::vector<std::string> json_differences(std::string_view expected,
                                                        std::string_view actual,
                                                        std::size_t limit = 4);

}  // namespace rts::wire
