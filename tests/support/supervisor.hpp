// A small installation under fire: one broker, replicas in a queue group, a feed, a sink, and a
// seeded schedule of faults. The same seed gives the same schedule. At the end: were the orders the
// right ones, did everybody behave, and did anything grow.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/daemon.hpp"
#include "support/orders.hpp"

namespace rts::test {

enum class FaultKind { kill_broker, freeze_broker, stop_replica, kill_replica };
[[nodiscard]] std::string_view to_string(FaultKind kind);

struct ScheduledFault {
  std::chrono::milliseconds at;  // from the beginning
  FaultKind kind;
  std::size_t replica;               // of stop_replica and kill_replica; never 0, the witness
  std::chrono::milliseconds length;  // of kill_broker and freeze_broker
};

struct SupervisorOptions {
  std::uint64_t seed = 1;
  std::size_t replicas = 3;  // at least 2
  std::uint64_t rate = 500;  // frames a second
  std::chrono::seconds length{30};
  std::chrono::milliseconds pause{4000};  // between faults, half to one and a half of it
  bool talk = false;                      // say what is being done on stdout
};

[[nodiscard]] std::vector<ScheduledFault> make_schedule(const SupervisorOptions& options);

// How something was at the start and at the end of a run, behind its warm-up.
struct Trend {
  double slope_mb_per_hour = 0;       // of resident memory, least squares
  double own_slope_mb_per_hour = 0;   // of what of it is no page of a file
  double resolution_mb_per_hour = 0;  // below this a slope of this run means nothing
  std::chrono::seconds window{0};
  std::size_t fds_before = 0, fds_after = 0;
  std::size_t threads_before = 0, threads_after = 0;
  std::size_t resident_bytes = 0;               // at the end
  std::size_t file_bytes = 0;                   // of these
  std::optional<double> p99_before, p99_after;  // seconds from a frame to its order

  [[nodiscard]] bool flat() const;
  [[nodiscard]] std::string text() const;
  // An object's members, without braces.
  [[nodiscard]] std::string json() const;
};

// Everything that was seen of the witness, a sample a time. Not thread-safe.
class Growth {
 public:
  struct Sample {
    std::chrono::milliseconds at;
    std::size_t resident_bytes, file_bytes, fds, threads;
  };
  void add(const Sample& sample) { samples_.push_back(sample); }
  // From a frame to its order, as the witness counts it at the time of the last sample.
  void add(std::vector<Bucket> delays) { delays_.push_back({samples_.size(), std::move(delays)}); }
  // Of the samples behind the first third.
  [[nodiscard]] Trend trend() const;

 private:
  struct Delays {
    std::size_t sample;
    std::vector<Bucket> buckets;
  };
  [[nodiscard]] std::optional<double> p99(std::size_t from, std::size_t to) const;

  std::vector<Sample> samples_;
  std::vector<Delays> delays_;
};

struct SupervisorResult {
  Verdict orders;
  Trend trend;
  std::vector<std::size_t> faults;            // by kind
  std::vector<std::string> complaints;        // whatever else was not as it has to be
  std::chrono::nanoseconds slowest_ready{0};  // after the broker's return
  std::uint64_t frames = 0;

  [[nodiscard]] bool held() const { return orders.clean() && trend.flat() && complaints.empty(); }
  [[nodiscard]] std::string text() const;
  // One line, for docs/RELIABILITY.md.
  [[nodiscard]] std::string json(const SupervisorOptions& options) const;
};

// Blocks for the length of the run and a little more. Children die with the calling thread.
[[nodiscard]] SupervisorResult supervise(const SupervisorOptions& options);

}  // namespace rts::test
