#include "telemetry/log.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/time.hpp>
#include <rts/market/units.hpp>

#include "telemetry/background.hpp"

namespace rts::telemetry {
namespace {

constexpr std::chrono::milliseconds kStallPatience{100};  // of the writer thread, for one line
constexpr std::chrono::seconds kCloseTimeout{1};

// "WARNING".
std::string upper_name(Level level) {
  std::string name(to_string(level));
  for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
  return name;
}

// Writes finished lines to a descriptor; runs on spdlog's thread.
class DescriptorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit DescriptorSink(int fd) noexcept : fd_(fd) {}

  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
  void give_up() noexcept { given_up_ = true; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string_view rest(message.payload.data(), message.payload.size());
    while (!rest.empty() && is_writable()) {
      const ssize_t n = ::write(fd_, rest.data(), rest.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    if (!rest.empty()) ++lost_;
  }
  void flush_() override {}

 private:
  bool is_writable() const noexcept {
    const auto patience = given_up_ ? std::chrono::milliseconds(0) : kStallPatience;
    pollfd descriptor{fd_, POLLOUT, 0};
    return ::poll(&descriptor, 1, static_cast<int>(patience.count())) == 1 &&
           (descriptor.revents & POLLOUT) != 0;
  }

  int fd_;
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> given_up_{false};
};

// One value as JSON, in text lines, too: escaped, a line stays one line.
void append_value(JsonWriter& json, const Field& field, bool& shortened) {
  struct Append {
    JsonWriter& json;
    bool& shortened;
    void operator()(std::string_view value) const {
      json.string(value.substr(0, Log::kMaxValueBytes));
      if (value.size() > Log::kMaxValueBytes) shortened = true;
    }
    void operator()(std::int64_t value) const { json.integer(value); }
    void operator()(std::uint64_t value) const { json.unsigned_integer(value); }
    void operator()(bool value) const { json.boolean(value); }
    void operator()(double value) const {
      if (const auto finite = Indicator::from(value)) {
        json.number(*finite);
      } else {
        json.null();
      }
    }
  };
  std::visit(Append{json, shortened}, field.value);
}

}  // namespace

struct Log::Line {
  Level level;
  std::string_view event;
  std::string_view message;
  std::span<const Field> fields;
  std::uint64_t suppressed = 0;
  UnixMs at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  bool shortened = false;
};

// The queue, its thread and the sink.
class Log::Writer {
 public:
  explicit Writer(int fd)
      : sink_(std::make_shared<DescriptorSink>(fd)),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1, stay_in_background)),
        logger_(std::make_shared<spdlog::async_logger>(
            "log", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_level(spdlog::level::trace);
  }

  ~Writer() {
    const auto deadline = std::chrono::steady_clock::now() + kCloseTimeout;
    while (pool_->queue_size() > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (pool_->queue_size() > 0) sink_->give_up();
    logger_.reset();
    pool_.reset();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  Writer(Writer&&) = delete;
  Writer& operator=(Writer&&) = delete;

  void put(std::string_view line) {
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return sink_->lost() + pool_->overrun_counter();
  }

 private:
  std::shared_ptr<DescriptorSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

Log::Log(int fd, Level least, LogFormat format)
    : least_(least), format_(format), writer_(std::make_unique<Writer>(fd)) {
  if (format == LogFormat::automatic) {
    format_ = ::isatty(fd) == 1 ? LogFormat::text : LogFormat::json;
  }
  line_.reserve(2 * kMaxLineBytes);
}

Log::~Log() = default;

std::uint64_t Log::lost_lines() const noexcept { return writer_->lost(); }

void Log::write_limited(std::string_view kind, Level level, std::string_view event,
                        std::string_view message, std::span<const Field> fields) {
  if (!enabled(level)) return;
  using std::chrono::seconds;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t second = std::chrono::duration_cast<seconds>(now).count();
  Window& window = windows_[kind];
  if (window.second != second) {
    window.second = second;
    window.lines = 0;
  }
  if (++window.lines > kLinesPerSecond) {
    ++window.suppressed;
    return;
  }
  emit({level, event, message, fields, std::exchange(window.suppressed, 0)});
}

void Log::write_each(Level level, std::string_view event, std::string_view message,
                     std::span<const Field> fields) {
  if (enabled(level)) emit({level, event, message, fields});
}

void Log::emit(Line line) {
  line.shortened = line.message.size() > kMaxValueBytes;
  line.message = line.message.substr(0, kMaxValueBytes);
  format(line);
  if (line_.size() >= kMaxLineBytes) {  // without its end it would not parse
    line.shortened = true;
    line.fields = {};
    format(line);
  }
  if (line.shortened) ++shortened_;
  line_ += '\n';
  writer_->put(line_);
}

void Log::format(Line& line) {
  line_.clear();
  if (format_ == LogFormat::json) {
    format_as_json(line);
  } else {
    format_as_text(line);
  }
}

void Log::format_as_json(Line& line) {
  JsonWriter json(line_);
  json.begin_object().key("ts").raw("\"");
  append_iso8601(line_, line.at);
  line_ += "Z\"";
  json.key("level").string(upper_name(line.level)).key("event").string(line.event);
  json.key("msg").string(line.message);
  for (const Field& field : line.fields) append_value(json.key(field.key), field, line.shortened);
  if (line.suppressed > 0) json.key("suppressed").unsigned_integer(line.suppressed);
  json.end_object();
}

void Log::format_as_text(Line& line) {
  append_iso8601(line_, line.at);
  fmt::format_to(std::back_inserter(line_), "Z {:<7} {} ", upper_name(line.level), line.event);
  append_json_string(line_, line.message);
  for (const Field& field : line.fields) {
    fmt::format_to(std::back_inserter(line_), " {}=", field.key);
    JsonWriter json(line_);
    append_value(json, field, line.shortened);
  }
  if (line.suppressed > 0) {
    fmt::format_to(std::back_inserter(line_), " suppressed={}", line.suppressed);
  }
}

}  // namespace rts::telemetry
