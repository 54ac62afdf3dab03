#include "telemetry/log.hpp"

#include <atomic>
#include <chrono>
#include <iterator>
#include <thread>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/text.hpp>
#include <rts/base/time.hpp>
#include <rts/market/units.hpp>

#include "telemetry/background.hpp"

namespace rts::telemetry {
namespace {

constexpr int kStallTimeoutMs = 100;  // of the writer thread, for one line
constexpr std::chrono::seconds kCloseTimeout{1};

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
    pollfd descriptor{fd_, POLLOUT, 0};
    return ::poll(&descriptor, 1, given_up_ ? 0 : kStallTimeoutMs) == 1 &&
           (descriptor.revents & POLLOUT) != 0;
  }

  int fd_;
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> given_up_{false};
};

// One value as JSON, in text lines, too: escaped, a line stays one line.
void append_value(JsonWriter& json, const Field& field, bool& shortened) {
  const auto append = [&](const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, std::string_view>) {
      json.string(value.substr(0, Log::kMaxValueBytes));
      shortened = shortened || value.size() > Log::kMaxValueBytes;
    } else if constexpr (std::is_same_v<Value, double>) {
      const auto finite = Indicator::from(value);
      finite ? json.number(*finite) : json.null();
    } else {
      json.raw(fmt::format("{}", value));  // a whole number, or true or false
    }
  };
  std::visit(append, field.value);
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

  void format_as(LogFormat format, std::string& out) {
    format == LogFormat::json ? format_as_json(out) : format_as_text(out);
  }
  void format_as_json(std::string& out);
  void format_as_text(std::string& out);
};

void Log::Line::format_as_json(std::string& out) {
  out.clear();
  JsonWriter json(out);
  json.begin_object().key("ts").raw("\"");
  append_iso8601(out, at);
  out += "Z\"";
  json.key("level").string(to_upper(to_string(level))).key("event").string(event);
  json.key("msg").string(message);
  for (const Field& field : fields) append_value(json.key(field.key), field, shortened);
  if (suppressed > 0) json.key("suppressed").unsigned_integer(suppressed);
  json.end_object();
}

void Log::Line::format_as_text(std::string& out) {
  out.clear();
  append_iso8601(out, at);
  fmt::format_to(std::back_inserter(out), "Z {:<7} {} ", to_upper(to_string(level)), event);
  append_json_string(out, message);
  for (const Field& field : fields) {
    fmt::format_to(std::back_inserter(out), " {}=", field.key);
    JsonWriter json(out);
    append_value(json, field, shortened);
  }
  if (suppressed > 0) fmt::format_to(std::back_inserter(out), " suppressed={}", suppressed);
}

// The queue, its thread and the sink.
struct Log::Writer {
  std::shared_ptr<DescriptorSink> sink;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

Log::Log(int fd, Level least, LogFormat format) : fd_(fd), least_(least), format_(format) {
  const auto sink = std::make_shared<DescriptorSink>(fd);
  const auto pool =
      std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1, stay_in_background);
  const auto logger = std::make_shared<spdlog::async_logger>(
      "log", sink, pool, spdlog::async_overflow_policy::overrun_oldest);
  writer_.reset(new Writer{sink, pool, logger});
  if (format == LogFormat::automatic) {
    format_ = ::isatty(fd) == 1 ? LogFormat::text : LogFormat::json;
  }
  line_.reserve(2 * kMaxLineBytes);
}

Log::~Log() {
  const auto deadline = std::chrono::steady_clock::now() + kCloseTimeout;
  while (writer_->pool->queue_size() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (writer_->pool->queue_size() > 0) writer_->sink->give_up();
}

std::uint64_t Log::lost_lines() const noexcept {
  return writer_->sink->lost() + writer_->pool->overrun_counter();
}

void Log::write_limited(std::string_view kind, Level level, std::string_view event,
                        std::string_view message, std::span<const Field> fields) {
  if (!enabled(level)) return;
  const auto second =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch());
  Window& window = windows_[kind];
  if (std::exchange(window.second, second) != second) window.lines = 0;
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

void Log::format_line(std::string& out, LogFormat format, Level level, std::string_view event,
                      std::string_view message, std::span<const Field> fields) {
  Line{level, event, message, fields}.format_as(format, out);
}

void Log::emit(Line line) {
  line.shortened = line.message.size() > kMaxValueBytes;
  line.message = line.message.substr(0, kMaxValueBytes);
  line.format_as(format_, line_);
  if (line_.size() >= kMaxLineBytes) {  // without its end it would not parse
    line.shortened = true;
    line.fields = {};
    line.format_as(format_, line_);
  }
  if (line.shortened) ++shortened_;
  line_ += '\n';
  writer_->logger->log(spdlog::level::info, spdlog::string_view_t(line_.data(), line_.size()));
}

}  // namespace rts::telemetry
