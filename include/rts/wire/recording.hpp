// Recordings: text, one frame a line, either bare or "<receive time in ns> <frame>" (the format of
// hftbacktest's collector, so recordings interchange).
#pragma once

#include <optional>
#include <string_view>

#include <rts/base/time.hpp>

namespace rts::wire {

struct RecordedFrame {
  std::optional<UnixNs> received_at;  // empty: the recording has no receive times
  std::string_view frame;             // part of the line
};

// `line` without its line end. Empty for a line that carries no frame: a blank one, or a comment,
// which begins with '#'.
[[nodiscard]] std::optional<RecordedFrame> parse_recorded_line(std::string_view line) noexcept;

}  // namespace rts::wire
