// The log: one line an event on standard output, a JSON object or text for people. A line is handed
// to spdlog's queue and written by its thread: whoever logs never waits, whatever becomes of the
// reader; lines that could not be written are counted. Repeated events are limited to
// kLinesPerSecond a kind, and the next that gets through says how many were suppressed.
//
// Thread: one (the loop's). The only room that knows spdlog.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include <rts/config/parameters.hpp>

namespace rts::telemetry {

using Level = config::LogLevel;
using config::LogFormat;

// One named value of a line. Views live until the call returns.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;
};

class Log {
 public:
  static constexpr std::size_t kQueueLines = 8192;
  static constexpr std::size_t kMaxLineBytes = 4096;  // PIPE_BUF: such a write is atomic
  // Of a message or a value. Where they are many, or of characters that have to be escaped, the
  // line may still be too long: then it is written without its fields.
  static constexpr std::size_t kMaxValueBytes = 512;
  static constexpr std::uint64_t kLinesPerSecond = 10;

  // Writes to `fd`, which stays the caller's; `automatic` is text where that is a terminal. SIGPIPE
  // must be ignored by the process.
  Log(int fd, Level least, LogFormat format);
  // Waits up to a second for the queue to be written; what is stuck after that is lost.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  Log(Log&&) = delete;
  Log& operator=(Log&&) = delete;

  // `event` is a literal in snake_case and names the kind of line; `message` is for people.
  void write(Level level, std::string_view event, std::string_view message,
             std::initializer_list<Field> fields = {}) {
    write_limited(event, level, event, message, {fields.begin(), fields.size()});
  }
  // The same, limited together with others of the same `kind` (a literal) instead of `event`.
  void write_as(std::string_view kind, Level level, std::string_view event,
                std::string_view message, std::initializer_list<Field> fields) {
    write_limited(kind, level, event, message, {fields.begin(), fields.size()});
  }
  // For lines of which every single one matters (orders): not limited by rate.
  void write_each(Level level, std::string_view event, std::string_view message,
                  std::span<const Field> fields);

  [[nodiscard]] bool enabled(Level level) const noexcept { return level >= least_; }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  // Json or text.
  [[nodiscard]] LogFormat format() const noexcept { return format_; }

  // What emit() hands to the queue, for who cannot wait for that: one line, without its end, in
  // place of what `out` holds. Allocates nothing where `out` has room and all values are texts.
  static void format_line(std::string& out, LogFormat format, Level level, std::string_view event,
                          std::string_view message, std::span<const Field> fields);

  // Lines that were lost because the reader stalled, closed or was full.
  [[nodiscard]] std::uint64_t lost_lines() const noexcept;
  // Lines of which something is missing because it was too long.
  [[nodiscard]] std::uint64_t shortened_lines() const noexcept { return shortened_; }

 private:
  struct Writer;  // the queue, its thread and the sink
  struct Window {
    std::chrono::seconds second{0};
    std::uint64_t lines = 0;
    std::uint64_t suppressed = 0;
  };

  void write_limited(std::string_view kind, Level level, std::string_view event,
                     std::string_view message, std::span<const Field> fields);
  struct Line;
  void emit(Line line);

  int fd_;
  Level least_;
  LogFormat format_;
  std::unordered_map<std::string_view, Window> windows_;  // by kind: literals, a closed set
  std::string line_;
  std::uint64_t shortened_ = 0;
  std::unique_ptr<Writer> writer_;
};

}  // namespace rts::telemetry
