// What time it is for an order: the wall clock's time, but never before the newest event time that
// was accepted. A clock of ours that is slow would make a late order look early. A value; time is
// passed in.
#pragma once

#include <algorithm>

#include <rts/base/time.hpp>

namespace rts::service {

class OrderClock {
 public:
  // Of an event that was decided upon; how far ahead of us one may be is the engine's rule.
  void accepted(UnixMs event_time) noexcept { newest_ = std::max(newest_, event_time); }

  [[nodiscard]] UnixMs now(UnixMs wall) const noexcept { return std::max(wall, newest_); }

 private:
  UnixMs newest_{};
};

}  // namespace rts::service
