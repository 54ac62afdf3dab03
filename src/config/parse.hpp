// Text → value, by the rule of a row of the settings table.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <rts/config/settings.hpp>

namespace rts::config {

// Assigns the value to its member; false when the rule does not accept it.
[[nodiscard]] bool assign(const Rule& rule, std::string_view text, Settings& settings);

// A symbol as somebody writes it: what looks like a separator, a pattern or another venue's
// spelling (BTC/USDT) is a slip, and so is a quote, a blank or a control character.
[[nodiscard]] std::optional<Symbol> parse_symbol(std::string_view text) noexcept;

// A NATS subject: tokens between dots, none empty, no whitespace; wildcards only where asked for.
enum class Wildcards : std::uint8_t { refused, accepted };
[[nodiscard]] bool is_subject(std::string_view text, Wildcards wildcards) noexcept;

}  // namespace rts::config
