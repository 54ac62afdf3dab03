// Heat map: the trials of a sweep by the two settings that were varied most, each cell with the
// best of the trials that fall into it. Pure; usable from any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "research/scoreboard.hpp"
#include "research/sweep.hpp"
#include "research/variation.hpp"

namespace rts::research {

struct HeatMap {
  static constexpr std::size_t kMaxValues =
      16;  // of a setting; of more there are kMaxValues ranges

  struct Axis {
    std::string name;
    std::vector<std::string> labels;  // "900", or "900 to 1200"
  };
  struct Cell {
    std::size_t x = 0, y = 0;     // places among the labels
    const Score* best = nullptr;  // of `scores`, by the objective
    std::size_t trials = 0;       // that fall into it
  };

  Axis x, y;                          // y has one label without a text where one setting was varied
  std::vector<std::string> others{};  // varied, too: a cell is the best over their values
  std::vector<Cell> cells{};          // those with trials, by row
};

// Of trials that vary something; the settings as they are lie on no axis. Precondition: at least
// one variation.
[[nodiscard]] HeatMap heat_map(std::span<const Variation> variations,
                               const std::vector<Trial>& trials, std::span<const Score> scores,
                               Objective objective);

}  // namespace rts::research
