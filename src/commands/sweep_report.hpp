// The report of a sweep: its document, made of what it has come to. Thread: one.
#pragma once

#include <string>
#include <vector>

#include "commands/command_line.hpp"
#include "commands/sweep_output.hpp"
#include "research/data_quality.hpp"
#include "research/tape.hpp"

namespace rts::commands {

struct SweepReport {
  static constexpr std::size_t kMostRanked = 50;  // in its table; besides, the settings as they are

  const Invocation& invocation;
  const std::vector<std::string>& recordings;
  const SweepResult& result;
  const research::DataQuality& quality;
  const research::TapeCounts& counts;

  // Precondition: something is ranked.
  [[nodiscard]] std::string document() const;
};

}  // namespace rts::commands
