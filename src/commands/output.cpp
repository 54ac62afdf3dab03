#include "commands/output.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <stdio_ext.h>
#include <unistd.h>

namespace rts::commands {
namespace {

constexpr mode_t kFileMode = 0666;  // less the umask

// What could not be written is thrown away: it would be tried again, and might block again.
bool arrived(std::FILE* stream) noexcept {
  if (std::ferror(stream) == 0 && std::fflush(stream) == 0) return true;
  ::__fpurge(stream);
  return false;
}

// SGR: bold, and a colour that is legible on light and dark.
constexpr std::string_view kRed = "\x1b[1;31m", kYellow = "\x1b[1;33m", kPlain = "\x1b[0m";

// What stands before the first ": " in this colour; empty: none.
void print_line(std::string_view color, std::string_view line) {
  const std::size_t end = color.empty() ? 0 : std::min(line.find(": "), line.size());
  write_error(color);
  print_error("{}", line.substr(0, end));
  if (!color.empty()) write_error(kPlain);
  print_error("{}\n", line.substr(end));
}

}  // namespace

void write_out(std::string_view text) noexcept {
  std::ignore = std::fwrite(text.data(), 1, text.size(), stdout);
}

void write_error(std::string_view text) noexcept {
  std::ignore = std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_json(const std::function<void(JsonWriter&)>& write_members) {
  std::string text;
  JsonWriter json(text);
  write_members(json.begin_object());
  json.end_object();
  print_out("{}\n", text);
}

bool has_colors(const Invocation& invocation, int descriptor) {
  const std::string when = invocation.option("color").value_or("auto");
  if (when != "auto") return when == "always";
  const auto value_of = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  return value_of("NO_COLOR").empty() && value_of("TERM") != "dumb" && ::isatty(descriptor) == 1;
}

bool write_at_once(std::string_view text) noexcept {
  if (!arrived(stdout)) return false;
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody else has set the terminal so
      pollfd room{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

void print_problem(const Invocation& invocation, std::string_view line) {
  print_line(has_colors(invocation, STDERR_FILENO) ? kRed : "", line);
}

void print_warnings(const Invocation& invocation, const std::vector<std::string>& warnings) {
  const std::string_view color = has_colors(invocation, STDERR_FILENO) ? kYellow : "";
  for (const std::string& warning : warnings) print_line(color, "warning: " + warning);
}

bool standard_output_arrived() noexcept { return arrived(stdout); }

bool all_output_arrived() noexcept {
  const bool out = arrived(stdout);
  if (!out) {
    write_error("realtime-strategies: output was lost: standard output cannot be written\n");
  }
  return arrived(stderr) && out;
}

// --- OutputFile ---------------------------------------------------------------------------------

OutputFile::OutputFile(int fd, const std::string& complaint, const std::string& made_here)
    : file_(fd == STDOUT_FILENO ? stdout : ::fdopen(fd, "w"), Close{made_here}),
      complaint_(complaint) {
  note(file_ != nullptr);
}

void OutputFile::Close::operator()(std::FILE* file) const noexcept {
  if (file == stdout) return;
  std::fclose(file);
  if (!made_here.empty()) ::unlink(made_here.c_str());
}

void OutputFile::note(bool written) noexcept {
  if (!written && error_ == 0) error_ = errno != 0 ? errno : EIO;
}

void OutputFile::write(std::string_view text) noexcept {
  if (error_ == 0) note(std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size());
}

void OutputFile::flush() noexcept {
  if (error_ == 0) note(std::fflush(file_.get()) == 0);
}

void OutputFile::sync() noexcept {
  flush();
  if (error_ == 0) note(::fsync(::fileno(file_.get())) == 0 || errno == EINVAL || errno == EROFS);
}

bool OutputFile::finish() {
  const std::string problem = end();
  if (!problem.empty()) write_error(problem + '\n');
  return error_ == 0;
}

std::string OutputFile::end() {
  if (file_.get() == stdout) {
    note(arrived(stdout));
    return "";
  }
  std::FILE* const file = file_.release();
  if (file != nullptr) note(std::fclose(file) == 0);
  return error_ == 0 ? "" : quoting("{}: {}", complaint_, std::strerror(error_));
}

// --- Outputs ------------------------------------------------------------------------------------

std::optional<std::string> Outputs::take(const struct stat& status, const std::string& as) {
  if (!S_ISREG(status.st_mode)) return std::nullopt;
  return taken_.try_emplace({status.st_dev, status.st_ino}, as).first->second;
}

void Outputs::keep(const std::string& path) {
  // A path is not opened: a pipe would wait for its writer.
  struct stat status {};
  if ((path == "-" ? ::fstat(STDIN_FILENO, &status) : ::stat(path.c_str(), &status)) != 0) return;
  take(status, "read");
}

OutputFile Outputs::open(std::string_view option, const std::string& path) {
  const bool is_standard_output = path == "-" || path == "/dev/stdout";
  const auto complaint =
      fmt::format("cannot write {}", is_standard_output ? "standard output" : path);
  int fd = STDOUT_FILENO;
  bool is_new = false;
  if (!is_standard_output) {
    fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
    is_new = fd >= 0;
    if (fd < 0 && errno == EEXIST) fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  }
  const auto lost = [&] {
    return CommandError(ExitCode::output_lost, "{}: {}: {}", option, complaint,
                        std::strerror(errno));
  };
  if (fd < 0) throw lost();
  OutputFile file(fd, fmt::format("{}: {}", command_, complaint), is_new ? path : "");

  struct stat status {};
  if (::fstat(fd, &status) != 0) return file;
  const std::string as =
      is_standard_output ? "written as standard output" : fmt::format("written by {}", option);
  const auto use = take(status, as);
  require(!use || *use == as, "{}: {} {}, too{}", option,
          is_standard_output ? "standard output is a file that is" : path + " is", use.value_or(""),
          is_standard_output ? "" : ", and would be lost");
  if (!use || is_new || is_standard_output) return file;
  // It is emptied only after it is known what it is.
  require(overwrites_, "{}: {} exists; --force overwrites it", option, path);
  if (::ftruncate(fd, 0) != 0) throw lost();
  return file;
}

}  // namespace rts::commands
