// Threads beside the loop's: those that write the log, connect and free messages.
#pragma once

#include <sched.h>

namespace rts::telemetry {

// Of the calling thread and every thread that it begins: to be woken does not take the CPU from the
// loop, which wakes them and is in the middle of something. They get it when the loop sleeps, or
// when their turn has come. Where the system refuses, nothing is lost but time.
inline void stay_in_background() noexcept {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
}

}  // namespace rts::telemetry
