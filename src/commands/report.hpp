// The page that `--report` writes: one file without anything from elsewhere, made of report.html
// and one JSON document, which its script draws. Names in it may be anything: they are data, never
// markup. Here is what the reports of `replay` and `sweep` share. Thread: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/json_writer.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/reason.hpp>

#include "commands/command_line.hpp"
#include "research/data_quality.hpp"
#include "research/statistics.hpp"

namespace rts::commands {

inline constexpr Option kReportOption{"--report", "FILE.html",
                                      "a page with all of it, to read and to keep"};

// report.html, as it is.
extern const std::string_view kReportTemplate;

// The page that shows this document.
[[nodiscard]] std::string report_page(std::string_view document);

// What somebody types to get the same again: every setting that is not the default is a flag;
// secrets are left out.
[[nodiscard]] std::string repeating_command(const Invocation& invocation,
                                            const config::Configuration& configuration);

// "made": command, version, settings with their hash, recordings. Into an open object.
void append_made(JsonWriter& json, const Invocation& invocation,
                 const config::Configuration& configuration,
                 const std::vector<std::string>& recordings);

// What was refused for a reason, and how often.
struct RefusedCount {
  Reason reason;
  std::uint64_t events;
};
// How much was read.
struct ReadCounts {
  std::uint64_t frames = 0, events = 0;
  std::uint64_t log_entries = 0;  // of the control and order logs
  std::vector<RefusedCount> refused{};
};
// "quality". Into an open object.
void append_quality(JsonWriter& json, const research::DataQuality& quality,
                    const ReadCounts& counts);

// "+1.20 bp (95 %: -0.30 to +2.70)", or without bounds "+1.20 bp (one block of time: how sure that
// is is not known)".
[[nodiscard]] std::string basis_points(const research::Interval& interval);

}  // namespace rts::commands
