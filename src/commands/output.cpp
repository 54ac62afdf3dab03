#include "commands/output.hpp"

#include <cerrno>
#include <cstring>
#include <optional>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rts::commands {
namespace {

constexpr std::string_view kStandardOutput = "standard output";
constexpr mode_t kFileMode = 0666;  // less the umask

// The file's identity, whatever it is called; nothing where it is no regular file.
std::optional<struct stat> regular_file(int fd) noexcept {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return status;
}

bool arrived(std::FILE* stream) noexcept {
  return std::fflush(stream) == 0 && std::ferror(stream) == 0;
}

Failure<Outputs::Refusal> refused(const std::string& option, const std::string& why) {
  return Failure{Outputs::Refusal{ExitCode::usage, option + ": " + why}};
}

Failure<Outputs::Refusal> not_written(const std::string& option, const std::string& path,
                                      int error) {
  return Failure{Outputs::Refusal{ExitCode::output_lost, quoting("{}: cannot write {}: {}", option,
                                                                 path, std::strerror(error))}};
}

}  // namespace

void write_out(std::string_view text) noexcept {
  std::ignore = std::fwrite(text.data(), 1, text.size(), stdout);
}

void write_error(std::string_view text) noexcept {
  std::ignore = std::fwrite(text.data(), 1, text.size(), stderr);
}

bool all_output_arrived() noexcept {
  const bool out = arrived(stdout);
  if (!out) {
    write_error("realtime-strategies: output was lost: standard output cannot be written\n");
  }
  return arrived(stderr) && out;
}

// --- OutputFile ---------------------------------------------------------------------------------

OutputFile::OutputFile(int fd, std::string path, Origin origin)
    : file_(fd == STDOUT_FILENO ? stdout : ::fdopen(fd, "w"),
            Close{origin == Origin::made_here ? path : std::string()}),
      path_(std::move(path)) {
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

bool OutputFile::finish(std::string_view command) {
  if (file_.get() == stdout) {
    note(arrived(stdout));
    return error_ == 0;
  }
  std::FILE* const file = file_.release();
  if (file != nullptr) note(std::fclose(file) == 0);
  if (error_ != 0) {
    print_error("{}: cannot write {}: {}\n", command, path_, std::strerror(error_));
  }
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

Result<OutputFile, Outputs::Refusal> Outputs::open(const std::string& option,
                                                   const std::string& path) {
  if (path == "-" || path == "/dev/stdout") {
    const std::string as = "written as standard output";
    const Taken* const taken = find(STDOUT_FILENO);
    if (taken != nullptr && taken->as != as) {
      return refused(option, quoting("{} is a file that is {}, too", kStandardOutput, taken->as));
    }
    if (taken == nullptr) take(STDOUT_FILENO, as);
    return OutputFile(STDOUT_FILENO, std::string(kStandardOutput), OutputFile::Origin::was_there);
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (fd < 0 && errno == EEXIST) return open_existing(option, path);
  if (fd < 0) return not_written(option, path, errno);
  take(fd, "written by " + option);
  return OutputFile(fd, path, OutputFile::Origin::made_here);
}

// It is emptied only after it is known what it is.
Result<OutputFile, Outputs::Refusal> Outputs::open_existing(const std::string& option,
                                                            const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return not_written(option, path, errno);
  OutputFile file(fd, path, OutputFile::Origin::was_there);
  if (!regular_file(fd)) return file;
  if (const Taken* taken = find(fd)) {
    return refused(option, quoting("{} is {}, too, and would be lost", path, taken->as));
  }
  if (existing_ == Existing::refuse) {
    return refused(option, quoting("{} exists; --force overwrites it", path));
  }
  if (::ftruncate(fd, 0) != 0) return not_written(option, path, errno);
  take(fd, "written by " + option);
  return file;
}

}  // namespace rts::commands
