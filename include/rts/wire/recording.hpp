// Writes the lines of a recording, so that a replay of them takes each frame as the service took
// it, whatever bytes it is of, and hears of the logs what it heard. What reads them is in
// frame.hpp. Usable from any thread.
#pragma once

#include <string>
#include <string_view>

#include <rts/base/time.hpp>
#include <rts/trading/order_memory.hpp>
#include <rts/wire/frame.hpp>

namespace rts::wire {

// Appends "<receive time in ns> <frame>" and the line's end. A line ends at the first newline,
// which JSON allows between its values: there it becomes a blank. In what is no frame it becomes a
// character that JSON has nowhere, for a blank could make a frame of it. Of a frame that is too
// large to be read so much is kept that it still is. `reader` is for those that have a newline.
void append_recorded_frame(std::string& out, UnixNs at, std::string_view frame,
                           FrameReader& reader);

// "# order {…}". Precondition: it is one complete JSON value.
void append_recorded_note(std::string& out, RecordedLog log, std::string_view json);
// "# gap …": for people. What could end the line or command a terminal is shown as printable() has
// it. Precondition: it is not the name of a log with a '{' behind it.
void append_recorded_comment(std::string& out, std::string_view text);

// Of an order as much as the limits count; parse_counted_order() reads it.
[[nodiscard]] std::string to_json(const CountedOrder& order);

}  // namespace rts::wire
