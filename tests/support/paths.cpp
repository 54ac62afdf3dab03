#include "support/paths.hpp"

#include <cstdlib>

namespace rts::test {

const std::string& source_root() {
  static const std::string path = RTS_SOURCE_DIR;
  return path;
}

const std::string& binary() {
  static const std::string path = RTS_BINARY;
  return path;
}

std::string corpus_root() {
  const char* const named = std::getenv("RTS_CORPUS");
  return named != nullptr ? named : source_root() + "/../shared/corpus";
}

}  // namespace rts::test
