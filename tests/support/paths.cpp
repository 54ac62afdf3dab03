#include "support/paths.hpp"

namespace rts::test {

const std::string& source_root() {
  static const std::string path = RTS_SOURCE_DIR;
  return path;
}

const std::string& binary() {
  static const std::string path = RTS_BINARY;
  return path;
}

}  // namespace rts::test
