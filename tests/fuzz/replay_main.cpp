// Without libFuzzer: every file of the folders and files named runs once through the target, whole,
// cut in half and with its first byte flipped.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz.hpp"

namespace {

void run_one(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void run_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string input{std::istreambuf_iterator<char>(file), {}};
  run_one(input);
  run_one(input.substr(0, input.size() / 2));
  if (!input.empty()) input.front() = static_cast<char>(input.front() ^ 1);
  run_one(input);
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      run_file(argv[i]);
      ++files;
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      run_file(entry.path());
      ++files;
    }
  }
  std::printf("%d inputs\n", files);
  return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;  // a corpus that is not found is no corpus
}
