// `record`: what the service hears, as a recording that `replay` reads: every frame, and what the
// order log and the control log say, in the order in which it came. The loop takes it in, a thread
// of its own writes it, so that a slow disk makes no slow consumer of us.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <rts/base/text.hpp>
#include <rts/base/version.hpp>
#include <rts/wire/recording.hpp>

#include "commands/heard_logs.hpp"
#include "commands/output.hpp"
#include "commands/recording_tape.hpp"
#include "commands/recording_writer.hpp"
#include "nats/client.hpp"
#include "service/log_entries.hpp"
#include "service/nats_transport.hpp"
#include "service/stream_follower.hpp"

namespace rts::commands {
namespace {

namespace asio = boost::asio;
using service::StreamFollower;

constexpr std::chrono::seconds kFlushInterval{1};

UnixNs now() {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// --- What is asked for --------------------------------------------------------------------------

struct Plan {
  RecordingPlan recording;
  std::vector<Symbol> symbols;  // whose frames; empty: all
  std::optional<std::chrono::seconds> duration;
  bool is_quiet = false;
};

// Which file, and how it is written, as its name says.
RecordingPlan parse_target(const Invocation& invocation) {
  require(invocation.arguments.size() <= 1, "one FILE is written; --rotate makes more of them");
  const bool is_plain = invocation.has("plain");
  const std::string given = invocation.arguments.empty()
                                ? fmt::format("binance.ndjson{}", is_plain ? "" : ".zst")
                                : invocation.arguments.front();
  require(!given.empty() && !given.ends_with('/'), "FILE is the name of a file, not '{}'", given);
  require(!given.ends_with(".gz"), "{}: is written as zstd or plain; call it {}.zst", given,
          given.substr(0, given.size() - 3));
  const bool is_zstd_name = given.ends_with(".zst");
  require(!is_plain || !is_zstd_name, "--plain: {} is the name of a zstd file", given);
  RecordingPlan plan{.path = given};
  if (const auto text = invocation.option("rotate")) {
    const auto rotation = parse_rotation(*text);
    require(rotation.has_value(),
            "--rotate takes a time (30s, 10m, 1h, 1d), a size (500K, 100M, 1G) or both (1h,1G), "
            "not '{}'",
            *text);
    plan.rotation = *rotation;
  }
  plan.has_time_name = invocation.arguments.empty() || plan.rotation.is_on();
  const auto directory = invocation.option("directory");
  require(given != "-" || (!directory && !plan.rotation.is_on()),
          "standard output is no file to be put into a directory or rotated");
  require(!directory || !given.starts_with('/'), "--directory: {} names a directory itself", given);
  if (directory) plan.path = fmt::format("{}/{}", *directory, given);
  return plan;
}

std::vector<Symbol> parse_symbols(const Invocation& invocation) {
  std::vector<Symbol> symbols;
  const auto text = invocation.option("symbols");
  if (!text) return symbols;
  for (const std::string_view name : split(*text, ',')) {
    const auto symbol = Symbol::may_name(name) ? Symbol::from(name) : std::nullopt;
    require(symbol.has_value(), "--symbols takes names as BTCUSDT,ETHUSDT, not '{}'", *text);
    symbols.push_back(*symbol);
  }
  return symbols;
}

Plan parse_plan(const Invocation& invocation) {
  Plan plan{.recording = parse_target(invocation),
            .symbols = parse_symbols(invocation),
            .duration = {},
            .is_quiet = invocation.has("quiet")};
  if (const auto text = invocation.option("duration")) {
    plan.duration = parse_duration(*text);
    require(plan.duration.has_value(), "--duration takes a time as 90s, 10m, 2h or 7d, not '{}'",
            *text);
  }
  return plan;
}

nats::ClientOptions client_options(const config::Settings& settings) {
  nats::ClientOptions options{settings.broker};
  options.name = options.consumer_name + "-record";
  options.queue_group.clear();
  options.control_subject.clear();
  options.subscribes_when_told = true;
  // Hints that there is something to be read. Where the broker refuses them the logs are read on
  // every 5 s, and frames are not given up for them.
  if (service::uses_order_log(settings)) {
    options.optional_subjects.push_back(stored_subject(settings.stream.subject));
  }
  if (const std::string& bucket = settings.broker.control_bucket; !bucket.empty()) {
    options.optional_subjects.push_back(bucket_subject(bucket));
  }
  return options;
}

// --- What is heard ------------------------------------------------------------------------------

// Whether an event of the frame is of one of the symbols, by the rule of the engine: its own `s`,
// or else the stream's name; where they differ, both. What cannot be read is of none.
bool concerns(wire::FrameReader& reader, std::string_view frame,
              const std::vector<Symbol>& symbols) {
  const auto is_wanted = [&](std::string_view name) {
    const auto symbol = Symbol::from(name);
    return symbol && std::ranges::count(symbols, *symbol) > 0;
  };
  if (reader.open(frame)) return false;
  if (is_wanted(reader.envelope().symbol_prefix())) return true;
  while (const wire::WireEvent* event = reader.next()) {
    if (event->symbol.valid() && is_wanted(event->symbol.value)) return true;
  }
  return false;
}

// A stretch of time in which frames were not heard or not kept.
struct Gap {
  UnixNs from;
  std::string why;
  std::uint64_t frames = 0;  // that are known to be lost
};

constexpr const char* kSlowDisk = "the disk does not take them in time";

std::string text_of(const Gap& gap, UnixNs to) {
  return fmt::format("gap from {} to {}: {}{}", rfc3339(to_ms(gap.from)), rfc3339(to_ms(to)),
                     gap.frames > 0 ? fmt::format("{} frames were lost: ", gap.frames) : "",
                     gap.why);
}

// "12.3 MB".
std::string shown_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, kUnits[unit]);
}

// --- The command --------------------------------------------------------------------------------

class Recorder {
 public:
  Recorder(const Plan& plan, const config::Settings& settings, Outputs outputs)
      : plan_(plan),
        settings_(settings),
        is_watched_(!plan.is_quiet && ::isatty(STDERR_FILENO) == 1),
        tape_(loop_, plan.recording, std::move(outputs), [this] { on_written(); }),
        client_(loop_, client_options(settings),
                {.on_messages = [this](auto messages) { on_messages(messages); },
                 .on_command = [this](const auto& message) { on_hint(message); },
                 .on_status_change = [this] { on_status_change(); }}),
        transport_(loop_, client_),
        heard_(settings.stream),
        ticks_(loop_),
        end_(loop_),
        subscribe_timer_(loop_),
        signals_(loop_, SIGINT, SIGTERM) {
    if (service::uses_order_log(settings)) {
      order_log_.emplace(transport_,
                         StreamFollower::Source{.domain = settings.broker.jetstream_domain,
                                                .subject = settings.stream.subject,
                                                .stream = {}},
                         callbacks("order log", order_log_, &Recorder::on_order));
    }
    if (const std::string& bucket = settings.broker.control_bucket; !bucket.empty()) {
      control_log_.emplace(transport_,
                           StreamFollower::Source{.domain = settings.broker.jetstream_domain,
                                                  .subject = {},
                                                  .stream = bucket_stream(bucket)},
                           callbacks("control log", control_log_, &Recorder::on_control));
    }
  }

  ExitCode run() {
    await_signal();
    tick();
    if (plan_.duration) {
      end_.expires_after(*plan_.duration);
      end_.async_wait([this](boost::system::error_code error) {
        if (!error) stop();
      });
    }
    client_.start();
    loop_.run();
    return result_;
  }

 private:
  using Log = std::optional<StreamFollower>;

  // --- Frames -----------------------------------------------------------------------------------

  void on_messages(std::span<const nats::Message> messages) {
    const UnixNs at = now();
    if (gap_) end_gap(at);
    for (const nats::Message& message : messages) {
      if (!plan_.symbols.empty() && !concerns(reader_, message.payload, plan_.symbols)) {
        ++other_frames_;
        continue;
      }
      take_frame(at, message.payload);
    }
    last_heard_ = at;
  }

  void take_frame(UnixNs at, std::string_view frame) {
    // What a file begins with is what was said before its first frame.
    if (std::exchange(has_news_, false)) tape_.set_head(heard_.lines(to_ms(at)));
    std::string* const out = tape_.room(at);
    if (out == nullptr) {
      if (!overflow_) say("frames are being lost: {}", kSlowDisk);
      if (!overflow_) overflow_ = Gap{at, kSlowDisk};
      ++overflow_->frames;
      return;
    }
    if (overflow_) note_gap(*std::exchange(overflow_, std::nullopt), at);
    const std::size_t before = out->size();
    wire::append_recorded_frame(*out, at, frame, reader_);
    ++frames_;
    frame_bytes_ += frame.size();
    tape_.appended(out->size() - before);
  }

  // A line that is no frame. Also where there is no room: there are few of them.
  void note(const std::function<void(std::string&)>& append) {
    std::string line;
    append(line);
    tape_.add(now(), line);
  }

  void comment(std::string_view text) {
    note([&](std::string& out) { wire::append_recorded_comment(out, text); });
  }

  // --- The logs ---------------------------------------------------------------------------------

  StreamFollower::Callbacks callbacks(const char* name, const Log& log,
                                      void (Recorder::*on_entry)(const wire::StoredMessage&)) {
    return {.check = [](const StreamFacts&) { return StreamFollower::Fit{}; },
            .on_entry = [this, on_entry](const auto& entry) { (this->*on_entry)(entry); },
            .on_looked =
                [this, name, &log](bool, bool changed) {
                  if (changed) tell_log(name, *log);
                  subscribe_once_logs_are_read();
                }};
  }

  void on_hint(const nats::Message& message) {
    if (message.subject == stored_subject(settings_.stream.subject)) {
      if (order_log_) order_log_->read_on();
    } else if (control_log_) {
      control_log_->hint_ahead();
    }
  }

  void on_order(const wire::StoredMessage& entry) {
    const auto order = service::order_in(entry);
    if (!order) return pass_over("order log", entry, "it is no order of ours");
    hear(wire::RecordedLog::order, entry.data, *order);
  }

  void on_control(const wire::StoredMessage& entry) {
    const auto said = service::control_in(settings_.broker.control_bucket, entry);
    if (!said) return pass_over("control log", entry, said.error());
    if (const auto* change = std::get_if<wire::PauseChange>(&said.value())) {
      return hear(wire::RecordedLog::pause, to_json(*change), *change);
    }
    const auto& value = std::get<wire::SettingsValue>(said.value());
    hear(wire::RecordedLog::settings, to_json(value), value);
  }

  template <class Entry>
  void hear(wire::RecordedLog log, const std::string& json, const Entry& entry) {
    note([&](std::string& out) { wire::append_recorded_note(out, log, json); });
    heard_.hear(entry);
    has_news_ = true;
  }

  void pass_over(std::string_view log, const wire::StoredMessage& entry, std::string_view why) {
    comment(fmt::format("{}: entry {} is passed over: {}", log, entry.sequence, why));
  }

  void tell_log(const char* name, const StreamFollower& log) {
    const std::string& problem = log.problem();
    comment(fmt::format("{}: {}", name, problem.empty() ? "read" : problem));
    if (!problem.empty()) say("{}: {}", name, problem);
  }

  // --- The broker -------------------------------------------------------------------------------

  void on_status_change() {
    const nats::Status status = client_.status();
    if (order_log_) order_log_->on_connection_change();
    if (control_log_) control_log_->on_connection_change();
    if (is_ending_) return;
    subscribe_once_logs_are_read();
    if (status.connected && !before_.connected) subscribe_in_any_case();
    if (status.lame_duck && !before_.lame_duck) client_.move_on("the broker shuts down");
    if (status.subscribed && !before_.subscribed) on_subscribed(status);
    if (!status.subscribed && before_.subscribed) {
      gap_ = Gap{last_heard_,
                 status.last_error.empty() ? "the connection was lost" : status.last_error};
      say("{}; trying again", gap_->why);
    } else if (!status.subscribed && status.last_error != before_.last_error) {
      say("no frames yet: {}", status.last_error);
    }
    before_ = status;
  }

  void on_subscribed(const nats::Status& status) {
    if (gap_) end_gap(now());
    last_heard_ = now();
    if (!plan_.is_quiet) {
      say("{} at {}, to {}", settings_.broker.subject, status.server, tape_.written().path);
    }
    was_subscribed_ = true;
  }

  void end_gap(UnixNs to) { note_gap(*std::exchange(gap_, std::nullopt), to); }

  void note_gap(const Gap& gap, UnixNs to) {
    ++gaps_;
    comment(text_of(gap, to));
    say("{}", text_of(gap, to));
  }

  // The service, too, reads them before it hears frames; and where it cannot, it takes them all the
  // same.
  void subscribe_once_logs_are_read() {
    const auto has_looked = [](const Log& log) {
      return !log || log->has_looked() || log->place() == StreamFollower::Place::no_jetstream;
    };
    const bool is_refused = client_.status().refused;
    if (is_refused || (has_looked(order_log_) && has_looked(control_log_))) client_.subscribe();
  }

  void subscribe_in_any_case() {
    subscribe_timer_.expires_after(StreamFollower::kSilenceLimit);
    subscribe_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) client_.subscribe();
    });
  }

  // --- Every second -----------------------------------------------------------------------------

  void tick() {
    look_for_drops();
    tape_.flush();
    if (is_watched_) show_progress();
    frames_before_ = frames_;
    ticked_at_ = now();
    ticks_.expires_after(kFlushInterval);
    ticks_.async_wait([this](boost::system::error_code error) {
      if (!error) tick();
    });
  }

  // Frames that had arrived and that the client's library had no room for.
  void look_for_drops() {
    const std::uint64_t dropped = client_.status().messages_dropped_by_library;
    const std::uint64_t lost = dropped - std::exchange(dropped_, dropped);
    if (lost > 0) note_gap({ticked_at_, "they were not taken in time", lost}, now());
  }

  void show_progress() const {
    const RecordingTape::Written& written = tape_.written();
    write_error(fmt::format("\r{} frames, {} frames/s, {} in {}\x1b[K", frames_,
                            frames_ - frames_before_, shown_bytes(written.bytes),
                            printable(written.path)));
  }

  // A line for people, in place of the progress.
  template <class... Values>
  void say(fmt::format_string<Values...> format, Values&&... values) const {
    if (is_watched_) write_error("\r\x1b[K");
    write_error(fmt::format("record: {}\n",
                            printable(fmt::format(format, std::forward<Values>(values)...))));
  }

  void on_written() {
    if (tape_.written().failed) stop();
  }

  // --- The end ----------------------------------------------------------------------------------

  void await_signal() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      if (is_ending_) std::_Exit(128 + signal);  // the second one: at once
      await_signal();
      stop();
    });
  }

  // What the broker has sent is recorded before the file ends.
  void stop() {
    if (std::exchange(is_ending_, true)) return;
    end_.cancel();
    subscribe_timer_.cancel();
    client_.drain([this] {
      ticks_.cancel();
      look_for_drops();
      for (auto* gap : {&gap_, &overflow_}) {
        if (*gap) note_gap(*std::exchange(*gap, std::nullopt), now());
      }
      client_.close([this](bool) { tape_.finish([this] { conclude(); }); });
    });
  }

  void conclude() {
    const RecordingTape::Written& written = tape_.written();
    result_ = written.failed     ? ExitCode::output_lost
              : !was_subscribed_ ? ExitCode::unavailable
                                 : ExitCode::ok;
    if (is_watched_) write_error("\r\x1b[K");
    if (!written.problem.empty()) write_error(written.problem + '\n');
    if (!plan_.is_quiet) print_summary(written);
    loop_.stop();
  }

  void print_summary(const RecordingTape::Written& written) const {
    const auto seconds = std::chrono::duration<double>(now() - begun_).count();
    print_error("{} frames ({}) in {:.1f} s, written as {} to {}\n", frames_,
                shown_bytes(frame_bytes_), seconds, shown_bytes(written.bytes),
                written.files == 1 ? written.path : fmt::format("{} files", written.files));
    print_error("heard of the logs: {}\n", heard_.counts());
    if (!plan_.symbols.empty()) print_error("{} frames of other symbols\n", other_frames_);
    if (gaps_ > 0) print_error("{} gaps\n", gaps_);
    if (!was_subscribed_) print_error("the broker was never there: {}\n", before_.last_error);
  }

  asio::io_context loop_{1};
  const Plan plan_;
  const config::Settings& settings_;
  const bool is_watched_;  // somebody looks at standard error
  RecordingTape tape_;
  nats::Client client_;
  service::NatsTransport transport_;
  Log order_log_, control_log_;
  HeardLogs heard_;
  bool has_news_ = false;  // heard_ has what no file begins with yet
  wire::FrameReader reader_;
  asio::steady_timer ticks_, end_, subscribe_timer_;
  asio::signal_set signals_;
  nats::Status before_;  // as last looked at
  bool was_subscribed_ = false, is_ending_ = false;
  const UnixNs begun_ = now();
  UnixNs last_heard_ = begun_, ticked_at_ = begun_;
  std::optional<Gap> gap_, overflow_;  // the connection's, and the disk's
  std::uint64_t frames_ = 0, frame_bytes_ = 0, frames_before_ = 0, other_frames_ = 0;
  std::uint64_t gaps_ = 0, dropped_ = 0;
  ExitCode result_ = ExitCode::ok;
};

ExitCode record(const Invocation& invocation, const config::Configuration& configuration) {
  Plan plan = parse_plan(invocation);
  plan.recording.title = fmt::format("{}, recorded by realtime-strategies {}",
                                     configuration.settings.broker.subject, rts::kVersion);
  return Recorder(plan, configuration.settings, Outputs(invocation)).run();
}

constexpr std::array kOptions{
    Option{"--directory", "DIR",
           "where the files are put (default: here); without FILE they are called "
           "binance-20240719T120000Z.ndjson.zst, by the time at which they begin (UTC)"},
    Option{"--plain", "",
           "without FILE: not compressed. A FILE is zstd where its name ends in .zst, else plain"},
    Option{"--rotate", "WHEN",
           "begin another file at each full 30s, 10m, 1h or 1d (UTC), at a size of 500M or 1G, or "
           "at both: 1h,1G; the time goes into FILE's name"},
    Option{"--symbols", "LIST", "only frames of these, as BTCUSDT,ETHUSDT"},
    Option{"--duration", "TIME", "end after 90s, 10m, 2h or 7d"},
    Option{"--force", "", "overwrite FILE where it exists"},
    Option{"--quiet", "", "no summary and no progress"}};

}  // namespace

constinit const Command kRecord{
    {"record", "write every frame and what the logs say to a file, for replay",
     "realtime-strategies record feed.ndjson.zst --duration 5s", "[FILE|-]"},
    Needs::connection,
    record,
    kOptions};

}  // namespace rts::commands
