// Variations: which values of which settings are tried, as somebody writes it, and the combinations
// that come of it. Pure; usable from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/config/settings.hpp>

namespace rts::research {

// A setting, NAME or NAME__SYMBOL, and what is tried of it: the values of a list; or, of a range
// without a step, any number between two, both included, in units of 10^−places.
struct Variation {
  struct Range {
    std::int64_t first = 0, last = 0;  // units
    int places = 0;
  };

  std::string name;
  std::vector<std::string> values{};  // none of a range
  std::optional<Range> range{};
};

inline constexpr std::size_t kMaxTrials = 20'000;

// "SIGNAL_COOLDOWN_SECONDS=900,3600", "TRADE_MOMENTUM_BUY_THRESHOLD=0.6..0.8:0.02" or, to be drawn
// from at random, "…=0.6..0.8". The name has to be that of a live setting. Of a text that is none
// of these, a sentence.
[[nodiscard]] Result<Variation, std::string> parse_variation(std::string_view text);

using Combination = std::vector<config::Given>;  // a value of each variation

// Every combination; of neighbours the last variation differs first. Empty when there are more than
// kMaxTrials. Precondition: no range among the variations.
[[nodiscard]] std::optional<std::vector<Combination>> grid(std::span<const Variation> variations);

// So many of them, drawn evenly and independently, none twice: fewer where there are no more to be
// found. The same seed draws the same on every machine.
[[nodiscard]] std::vector<Combination> draw(std::span<const Variation> variations,
                                            std::size_t count, std::uint64_t seed);

}  // namespace rts::research
