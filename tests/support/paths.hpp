// Where the source and the built program are. For tests; known to one file of the build only.
#pragma once

#include <string>

namespace rts::test {

// The repository's folder, without a slash at its end.
[[nodiscard]] const std::string& source_root();
// The realtime-strategies that was built with these tests.
[[nodiscard]] const std::string& binary();

}  // namespace rts::test
