// An order of either format as one line for people: "12:03:11.109  BUY  0.002 BTCUSDT at 6394 …".
// Whoever may publish on the order subject may have written anything. Usable from any thread.
#pragma once

#include <string>
#include <string_view>

namespace rts::wire {

// One line without its end, free of control characters. What is no order is shown as it is, cut to
// kMaxAnswerTextBytes.
[[nodiscard]] std::string order_text(std::string_view payload);

}  // namespace rts::wire
