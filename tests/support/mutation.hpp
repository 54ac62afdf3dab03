// Frames bent at random: what a broken relay, a cut connection or somebody who means harm sends.
// The same seed bends the same way on every platform.
#pragma once

#include <random>
#include <string>
#include <string_view>

namespace rts::test {

// One to four changes: bytes flipped, cut out, doubled or put in, numbers and words replaced by
// hostile ones, the end cut off.
[[nodiscard]] std::string mutated(std::string_view frame, std::mt19937_64& random);

}  // namespace rts::test
