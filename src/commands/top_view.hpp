// What `top` shows: what the services have said → lines of text. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rts/base/time.hpp>
#include <rts/wire/service_status.hpp>

namespace rts::commands {

// A service that is watched.
struct Replica {
  std::string name;                             // as it is asked: "10.0.0.7:8080"
  std::optional<wire::ServiceStatus> status{};  // empty: it has not answered
  std::string problem{};                        // why
  std::optional<double> frames_a_second{};      // between the last two answers
};

struct TopView {
  std::vector<Replica> replicas{};
  std::size_t selected = 0;  // of the replicas, of which there is one at least
  // Of the selected one, oldest first; empty: it has not said.
  std::optional<std::vector<wire::OrderStatus>> orders{};
  UnixMs at{};           // when it was looked
  bool is_hour = false;  // funnels over an hour, not a minute
  bool is_stopped = false, has_help = false;
  bool has_keys = false;  // the lines fill the screen, and the last one says which keys there are
};

struct ScreenSize {
  std::size_t columns = 80, rows = 24;
};

enum class Mood : std::uint8_t { plain, heading, faint, warning, bad };
// Printable, and no wider than the screen.
struct TopLine {
  std::string text;
  Mood mood = Mood::plain;
};

// At most as many as the screen has rows.
[[nodiscard]] std::vector<TopLine> lines_of(const TopView& view, ScreenSize size);

}  // namespace rts::commands
