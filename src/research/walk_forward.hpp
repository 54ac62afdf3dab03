// Walk-forward: the trial that was best on some time is looked at on the time behind it, again and
// again through the recording. What is best is chosen from what was known then, so what the test
// parts say is no result of the choice. Pure; usable from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "research/scoreboard.hpp"

namespace rts::research {

// One step: trained on the periods [first, test), tested on [test, end).
struct Fold {
  std::int64_t first = 0, test = 0, end = 0;
  std::size_t best = 0;   // trial, by the training part
  double trained = 0;     // its value on that
  double tested = 0;      // and on the test part
  double configured = 0;  // of trial 0, the settings as they are, on the test part
};

struct WalkForward {
  std::vector<Fold> folds;
  Interval tested;  // mean of the folds' test parts; a fold is a block
};

struct WalkForwardPlan {
  Objective objective = Objective::pnl;  // not evenness
  std::size_t horizon = 0;               // of kHorizons, for markout
  std::int64_t train = 1;                // periods, at least 1
  std::int64_t test = 1;                 // likewise, by which it goes on
};

// Precondition: the scoreboard keeps periods.
[[nodiscard]] WalkForward walk_forward(const Scoreboard& scoreboard, std::size_t trials,
                                       const WalkForwardPlan& plan);

}  // namespace rts::research
