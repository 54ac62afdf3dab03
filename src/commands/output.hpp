// What a command writes: standard output, standard error, and the files it is told to make. The one
// place that prints. A descriptor that is closed, full or a broken pipe ends nothing and throws
// nothing: the stream remembers that something was lost, and main asks once, at the end. Text that
// is quoted cannot end its line or command a terminal. The service's own output is its log.
//
// Thread: one.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/utf8.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

// --- Standard output and standard error ---------------------------------------------------------

// Text that was made to be shown as it is: help, settings, JSON, a progress bar.
void write_out(std::string_view text) noexcept;
void write_error(std::string_view text) noexcept;

// Text as printable() has it, anything else as it is.
template <class Value>
[[nodiscard]] auto shown(const Value& value) {
  if constexpr (std::convertible_to<const Value&, std::string_view>) {
    return printable(value);
  } else {
    return value;
  }
}

// fmt::format, but texts among the arguments are quotations: see shown().
template <class... Values>
[[nodiscard]] std::string quoting(fmt::format_string<Values...> format, Values&&... values) {
  const auto formatted = [&](const auto&... safe) {
    return fmt::vformat(format, fmt::make_format_args(safe...));
  };
  return formatted(shown(values)...);
}
template <class... Values>
void print_out(fmt::format_string<Values...> format, Values&&... values) {
  write_out(quoting(format, std::forward<Values>(values)...));
}
template <class... Values>
void print_error(fmt::format_string<Values...> format, Values&&... values) {
  write_error(quoting(format, std::forward<Values>(values)...));
}

// A line with one JSON object, whose members `write_members` writes.
void print_json(const std::function<void(JsonWriter&)>& write_members);

// Whether what is written to the descriptor has colours: as --color says, else on a terminal,
// unless NO_COLOR has a value or the terminal is dumb.
[[nodiscard]] bool has_colors(const Invocation& invocation, int descriptor);

// Standard output in one piece, past its buffer: a screen that arrives in parts flickers. False
// when it did not arrive.
[[nodiscard]] bool write_at_once(std::string_view text) noexcept;

// A line of standard error, a quotation as a whole. What stands before its first ": ", which is
// what it is about, is red; of a warning the word is yellow.
void print_problem(const Invocation& invocation, std::string_view line);
void print_warnings(const Invocation& invocation, const std::vector<std::string>& warnings);

// Hands over what is in standard output's buffer. False when any of what was printed since the
// start did not arrive; that is said at the end, by all_output_arrived().
[[nodiscard]] bool standard_output_arrived() noexcept;

// The same of both streams; says so where that is still possible. Once, at the end.
[[nodiscard]] bool all_output_arrived() noexcept;

// --- Files ---------------------------------------------------------------------------------------

// A file that is being written, or standard output. A file that we made and that is not finished is
// removed: the command ended before it had anything to say.
class OutputFile {
 public:
  // Once something could not be written, the rest is passed over.
  void write(std::string_view text) noexcept;
  // Hands over what is in buffers, so that others can read it.
  void flush() noexcept;
  // And waits until it is where a crash of the machine leaves it. No pipe or terminal can that.
  void sync() noexcept;
  // Hands over what is in buffers. False when any of it was lost; of a file, that has been said.
  [[nodiscard]] bool finish();
  // The same, but what there is to be said is returned; empty: nothing.
  [[nodiscard]] std::string end();
  [[nodiscard]] bool failed() const noexcept { return error_ != 0; }

 private:
  friend class Outputs;
  // Takes over the descriptor, but for standard output's. `made_here`: the path of a file that we
  // made, else empty.
  OutputFile(int fd, const std::string& complaint, const std::string& made_here);

  struct Close {
    std::string made_here;
    void operator()(std::FILE* file) const noexcept;
  };
  void note(bool written) noexcept;

  std::unique_ptr<std::FILE, Close> file_;
  std::string complaint_;  // "replay: cannot write out.ndjson"
  int error_ = 0;          // errno of the first failure
};

// Opens the files a command writes, so that none is lost by a slip: no file that is read is
// written, no file is written twice, and one that exists is written only with --force.
class Outputs {
 public:
  explicit Outputs(const Invocation& invocation)
      : command_(invocation.command->name), overwrites_(invocation.has("force")) {}

  // A file that is read; "-" = standard input. One that is not there needs no keeping.
  void keep(const std::string& path);
  // `option` is what the file was given by. "-" = standard output. Throws CommandError.
  [[nodiscard]] OutputFile open(std::string_view option, const std::string& path);

 private:
  // What the file is used as: `as`, unless it was taken before. Nothing where it is no regular
  // file: a pipe or a terminal has nothing to lose.
  std::optional<std::string> take(const struct stat& status, const std::string& as);

  std::string_view command_;
  bool overwrites_;
  std::map<std::pair<dev_t, ino_t>, std::string> taken_;  // "read", "written by --orders"
};

}  // namespace rts::commands
