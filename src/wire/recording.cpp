#include <charconv>
#include <cstdint>

#include <rts/wire/recording.hpp>

namespace rts::wire {

std::optional<RecordedFrame> parse_recorded_line(std::string_view line) noexcept {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos || line[first] == '#') return std::nullopt;

  // A receive time is digits and a blank; digits alone are a frame (and no event).
  std::int64_t nanoseconds = 0;
  const char* const end = line.data() + line.size();
  const auto number = std::from_chars(line.data() + first, end, nanoseconds);
  if (number.ec != std::errc{} || nanoseconds < 0 || number.ptr == end || *number.ptr != ' ') {
    return RecordedFrame{std::nullopt, line};
  }
  const auto rest = static_cast<std::size_t>(number.ptr - line.data());
  const std::size_t frame = line.find_first_not_of(kBlank, rest);
  if (frame == std::string_view::npos) return RecordedFrame{std::nullopt, line};
  return RecordedFrame{UnixNs(std::chrono::nanoseconds(nanoseconds)), line.substr(frame)};
}

}  // namespace rts::wire
