// Fails on the inputs `require`, `address` and `undefined`, and on no other: a build that does not
// notice them would notice nothing that the other targets find. fuzz.py tries them first.
#include <limits>
#include <vector>

#include "fuzz.hpp"

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  fuzz::require(text != "require", "the canary");
  if (text == "address") {
    const std::vector<char> bytes(size, 'x');
    const volatile char* const end = bytes.data() + bytes.size();
    static_cast<void>(*end);
  }
  if (text == "undefined") {
    volatile int most = std::numeric_limits<int>::max();
    most = most + 1;
  }
  return 0;
}
