// Subjects of our own making: where a connection receives answers, below a prefix that a broker's
// permissions can name. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace rts::nats {

// Every character that could mean something in a subject or a configuration becomes '-':
// "my bot.1" → "my-bot-1".
[[nodiscard]] std::string subject_safe(std::string_view name);

// "_INBOX." and the subject-safe name: the user of that name needs `_INBOX.<name>.>`, no more. Of
// no name "_INBOX".
[[nodiscard]] std::string inbox_prefix(std::string_view consumer_name);

// "<prefix>.<unique>", of which nobody else knows. Empty when nats.c cannot make one.
[[nodiscard]] std::string new_inbox(std::string_view prefix);

}  // namespace rts::nats
