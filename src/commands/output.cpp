#include "commands/output.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <tuple>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rts::commands {
namespace {

constexpr mode_t kFileMode = 0666;  // less the umask

// The file's identity, whatever it is called; nothing where it is no regular file.
std::optional<struct stat> regular_file(int fd) noexcept {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return status;
}

// What could not be written is thrown away: it would be tried again, and might block again.
bool arrived(std::FILE* stream) noexcept {
  if (std::ferror(stream) == 0 && std::fflush(stream) == 0) return true;
  ::__fpurge(stream);
  return false;
}

CommandError refused(std::string_view option, const std::string& why) {
  return {ExitCode::usage, fmt::format("{}: {}", option, why)};
}

CommandError not_written(std::string_view option, const std::string& path) {
  return {ExitCode::output_lost,
          fmt::format("{}: cannot write {}: {}", option, path, std::strerror(errno))};
}

}  // namespace

void write_out(std::string_view text) noexcept {
  std::ignore = std::fwrite(text.data(), 1, text.size(), stdout);
}

void write_error(std::string_view text) noexcept {
  std::ignore = std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) print_error("warning: {}\n", warning);
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

OutputFile::OutputFile(int fd, const std::string& path, Origin origin, std::string_view command)
    : file_(fd == STDOUT_FILENO ? stdout : ::fdopen(fd, "w"),
            Close{origin == Origin::made_here ? path : std::string()}),
      complaint_(fmt::format("{}: cannot write {}", command, path)) {
  note(file_ != nullptr);
}

void OutputFile::Close::operator()(std::FILE* file) const noexcept {
  if (file == stdout) return;
  std::fclose(file);
  if (!remove.empty()) ::unlink(remove.c_str());
}

void OutputFile::note(bool written) noexcept {
  if (!written && error_ == 0) error_ = errno != 0 ? errno : EIO;
}

bool OutputFile::write(std::string_view text) noexcept {
  if (error_ == 0) note(std::fwrite(text.data(), 1, text.size(), file_.get()) == text.size());
  return error_ == 0;
}

bool OutputFile::finish() {
  if (file_.get() == stdout) {
    note(arrived(stdout));
    return error_ == 0;
  }
  std::FILE* const file = file_.release();
  if (file != nullptr) note(std::fclose(file) == 0);
  if (error_ != 0) print_error("{}: {}\n", complaint_, std::strerror(error_));
  return error_ == 0;
}

// --- Outputs ------------------------------------------------------------------------------------

const Outputs::Taken* Outputs::find(int fd) const noexcept {
  const auto file = regular_file(fd);
  if (!file) return nullptr;
  for (const Taken& taken : taken_) {
    if (taken.device == file->st_dev && taken.inode == file->st_ino) return &taken;
  }
  return nullptr;
}

void Outputs::take(int fd, std::string as) {
  const auto file = regular_file(fd);
  if (file) taken_.push_back({file->st_dev, file->st_ino, std::move(as)});
}

void Outputs::keep(const std::string& path) {
  if (path == "-") return take(STDIN_FILENO, "read");
  // A path that is no regular file is not opened: a pipe would wait for its writer.
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  taken_.push_back({status.st_dev, status.st_ino, "read"});
}

OutputFile Outputs::open(std::string_view option, const std::string& path) {
  if (path == "-" || path == "/dev/stdout") {
    const std::string as = "written as standard output";
    const Taken* const taken = find(STDOUT_FILENO);
    if (taken != nullptr && taken->as != as) {
      throw refused(option, fmt::format("standard output is a file that is {}, too", taken->as));
    }
    if (taken == nullptr) take(STDOUT_FILENO, as);
    return {STDOUT_FILENO, "standard output", OutputFile::Origin::was_there, command_};
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (fd < 0 && errno == EEXIST) return open_existing(option, path);
  if (fd < 0) throw not_written(option, path);
  take(fd, fmt::format("written by {}", option));
  return {fd, path, OutputFile::Origin::made_here, command_};
}

// It is emptied only after it is known what it is.
OutputFile Outputs::open_existing(std::string_view option, const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) throw not_written(option, path);
  OutputFile file(fd, path, OutputFile::Origin::was_there, command_);
  if (!regular_file(fd)) return file;
  if (const Taken* taken = find(fd)) {
    throw refused(option, fmt::format("{} is {}, too, and would be lost", path, taken->as));
  }
  if (!overwrites_) throw refused(option, fmt::format("{} exists; --force overwrites it", path));
  if (::ftruncate(fd, 0) != 0) throw not_written(option, path);
  take(fd, fmt::format("written by {}", option));
  return file;
}

}  // namespace rts::commands
