// The house rules as a function: source files in, offences out, one line each. Reads nothing
// itself, so that the tests can show it bad examples.
#pragma once

#include <string>
#include <vector>

namespace rts::tidy {

struct SourceFile {
  std::string path;  // from the top of the repository: "src/wire/frame.cpp"
  std::string text;
};

// A room includes only its own floor and those below; no circles between rooms; nats and http
// apart; each outside library in its own rooms.
[[nodiscard]] std::vector<std::string> include_offences(const std::vector<SourceFile>& files);

// No exception, thread, environment or clock in rts_core.
[[nodiscard]] std::vector<std::string> core_offences(const std::vector<SourceFile>& files);

// Whatever is printed goes through commands/output, which neither throws nor passes over what is
// lost.
[[nodiscard]] std::vector<std::string> output_offences(const std::vector<SourceFile>& files);

// Columns, notes to self, and headers without guard or opening comment.
[[nodiscard]] std::vector<std::string> text_offences(const std::vector<SourceFile>& files);

// Functions that are too long.
[[nodiscard]] std::vector<std::string> length_offences(const std::vector<SourceFile>& files);

}  // namespace rts::tidy
