// Threads beside the loop's: those that write the log, connect and free messages.
#pragma once

#include <sched.h>

namespace rts::telemetry {

// Sets the scheduling of the calling thread and of every thread it starts: a batch thread that is
// woken does not preempt the loop's thread, which woke it and is still working. It runs when the
// loop sleeps or has used its share of the CPU. Where the system refuses, the loop is only slower.
inline void stay_in_background() noexcept {
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
}

}  // namespace rts::telemetry
