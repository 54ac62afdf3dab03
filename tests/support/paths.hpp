// Where the source and the built program are. For tests; known to one file of the build only.
#pragma once

#include <string>

namespace rts::test {

// The repository's folder, without a slash at its end.
[[nodiscard]] const std::string& source_root();
// The folder of recorded market data, which is no part of the repository and may not be there:
// RTS_CORPUS, or one beside it.
[[nodiscard]] std::string corpus_root();
// The realtime-strategies that was built with these tests.
[[nodiscard]] const std::string& binary();

}  // namespace rts::test
