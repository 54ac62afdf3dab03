// Arbitrary bytes as an env file and as a Kubernetes manifest: both are read to their end or
// refused with a word, every name is given once, and every line that is named is one of the text.
#include <algorithm>
#include <set>
#include <string>

#include "commands/command_line.hpp"
#include "commands/settings_file.hpp"
#include "fuzz.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

void check(const commands::FoundSettings& found, std::size_t lines) {
  fuzz::require(found.given.size() == found.lines.size(), "each setting has its line");
  std::set<std::string> names;
  for (std::size_t i = 0; i < found.given.size(); ++i) {
    fuzz::require(names.insert(found.given[i].name).second, "no name is given twice");
    fuzz::require(found.lines[i] <= lines, "a line of the text");
  }
  for (const auto* const complaints : {&found.problems, &found.warnings}) {
    for (const auto& [line, text] : *complaints) {
      fuzz::require(line <= lines && !text.empty(), "a complaint about a line of the text");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::as_text(data, size));
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  check(commands::parse_env_file(text), lines);
  try {
    // YAML has other ends of lines, too.
    for (const auto& found : commands::parse_config_maps("x", text)) check(found, size + 1);
  } catch (const commands::CommandError& error) {
    fuzz::require(error.code == ExitCode::bad_input, "what is none is bad input");
  }
  return 0;
}
