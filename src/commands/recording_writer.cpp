#include "commands/recording_writer.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/wire/recording.hpp>

namespace rts::commands {
namespace {

namespace fs = std::filesystem;

struct Unit {
  char letter;
  std::uint64_t factor;
};
constexpr std::array kTimes{Unit{'s', 1}, Unit{'m', 60}, Unit{'h', 3600}, Unit{'d', 86'400}};
constexpr std::array kSizes{Unit{'K', 1'000}, Unit{'M', 1'000'000}, Unit{'G', 1'000'000'000}};
constexpr std::uint64_t kMaxSeconds = 366 * std::uint64_t{86'400};
constexpr std::uint64_t kMaxBytes = 1'000'000'000'000'000;
constexpr std::string_view kZstdEnd = ".zst";

// A whole number above 0 and the letter of its unit; empty when it is none, or more than max.
template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             const std::array<Unit, N>& units, std::uint64_t max) {
  if (text.empty()) return std::nullopt;
  const auto unit = std::ranges::find(units, text.back(), &Unit::letter);
  if (unit == units.end()) return std::nullopt;
  const auto number =
      parse_as<std::uint64_t>(text.substr(0, text.size() - 1), 1, max / unit->factor);
  return number ? std::optional(*number * unit->factor) : std::nullopt;
}

// The first line of each file. What reads a recording sees by the first bytes of a file what it is
// (a tar archive by the 262nd), so that no frame may stand there.
constexpr std::string_view kAbout =
    "One frame a line, behind its time of receipt in ns since 1970, UTC. Lines that begin with # "
    "are no frames: order, pause and settings are what the broker's logs said at that point, and a "
    "gap is where frames are missing. `realtime-strategies replay FILE` reads it, also while it is "
    "still being written.";
static_assert(kAbout.size() > 262);

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  auto seconds = parse_with_unit(text, kTimes, kMaxSeconds);
  if (!seconds) seconds = parse_as<std::uint64_t>(text, 1, kMaxSeconds);
  return seconds ? std::optional(std::chrono::seconds(*seconds)) : std::nullopt;
}

std::optional<Rotation> parse_rotation(std::string_view text) {
  Rotation rotation;
  for (const std::string_view part : split(text, ',')) {
    const auto seconds = parse_with_unit(part, kTimes, kMaxSeconds);
    const auto bytes = parse_with_unit(part, kSizes, kMaxBytes);
    const bool is_second = seconds ? rotation.every.count() > 0 : rotation.bytes > 0;
    if ((!seconds && !bytes) || is_second) return std::nullopt;
    if (seconds) rotation.every = std::chrono::seconds(*seconds);
    if (bytes) rotation.bytes = *bytes;
  }
  return rotation;
}

std::string time_name(const std::string& path, UnixNs at, int number) {
  std::string time;
  append_iso8601(time, std::chrono::floor<std::chrono::seconds>(at));
  time.erase(time.find('.'));
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  const bool is_zstd = path.ends_with(kZstdEnd);
  const fs::path plain = path.substr(0, path.size() - (is_zstd ? kZstdEnd.size() : 0));
  const std::string name = fmt::format("{}-{}Z{}{}{}", plain.stem().string(), time,
                                       number > 1 ? fmt::format("-{}", number) : "",
                                       plain.extension().string(), is_zstd ? kZstdEnd : "");
  return plain.parent_path() / name;
}

RecordingWriter::RecordingWriter(RecordingPlan plan, Outputs outputs, UnixNs now)
    : plan_(std::move(plan)), outputs_(std::move(outputs)) {
  begin(now);
}

// A file that is there already, of another process or an earlier one of this second, is left alone.
void RecordingWriter::begin(UnixNs at) {
  std::string path = plan_.path;
  std::error_code unknown;  // what cannot be looked at cannot be opened either, which says why
  for (int number = 1; plan_.has_time_name && (number == 1 || fs::exists(path, unknown));
       ++number) {
    path = time_name(plan_.path, at, number);
  }
  file_.emplace(outputs_.open("FILE", path), path);
  path_ = path;
  period_ = plan_.rotation.period_of(at);
  begun_ = std::chrono::floor<std::chrono::seconds>(at);
  ++files_;
  std::string title;
  wire::append_recorded_comment(title, fmt::format("{}. {}", plan_.title, kAbout));
  file_->write(title);
  is_flushed_ = false;
}

void RecordingWriter::write(UnixNs at, std::string_view head, std::string_view lines) {
  if (failed_) return;
  // Not twice within a second: then the order of the names would not be that of the files.
  const bool is_full = file_ && plan_.rotation.bytes > 0 &&
                       file_->bytes() >= plan_.rotation.bytes &&
                       std::chrono::floor<std::chrono::seconds>(at) > begun_;
  if (is_full || plan_.rotation.period_of(at) != period_) finish();
  if (!file_) begin_anew(at, head);
  if (!file_) return;
  file_->write(lines);
  is_flushed_ = false;
  if (file_->failed()) end();
}

// After a file that has ended; unless that has failed.
void RecordingWriter::begin_anew(UnixNs at, std::string_view head) {
  if (failed_) return;
  try {
    begin(at);
    file_->write(head);
  } catch (const CommandError& error) {
    failed_ = true;
    problem_ = fmt::format("record: {}", error.what());
  }
}

void RecordingWriter::flush(UnixNs now) {
  if (!file_) return;
  if (plan_.rotation.period_of(now) != period_) return finish();
  if (is_flushed_) return;
  file_->flush();
  is_flushed_ = true;
  if (file_->failed()) end();
}

void RecordingWriter::finish() {
  if (file_) end();
}

// Where it could not be written, what has arrived of it stays.
void RecordingWriter::end() {
  problem_ = file_->end_on_disk();
  failed_ = file_->failed();
  ended_bytes_ += file_->bytes();
  file_.reset();
}

}  // namespace rts::commands
