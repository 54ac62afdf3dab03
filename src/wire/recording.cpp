#include <algorithm>
#include <cstdint>

#include <rts/base/text.hpp>
#include <rts/wire/recording.hpp>

namespace rts::wire {

std::optional<RecordedFrame> parse_recorded_line(std::string_view line) noexcept {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlank);
  if (first == std::string_view::npos || line[first] == '#') return std::nullopt;

  // A receive time is digits and a blank; digits alone are a frame (and no event).
  const std::size_t end = std::min(line.find(' ', first), line.size());
  const std::size_t frame = line.find_first_not_of(kBlank, end);
  const auto nanoseconds = parse_as<std::int64_t>(line.substr(first, end - first), 0);
  if (!nanoseconds || frame == std::string_view::npos) return RecordedFrame{std::nullopt, line};
  return RecordedFrame{UnixNs(std::chrono::nanoseconds(*nanoseconds)), line.substr(frame)};
}

}  // namespace rts::wire
