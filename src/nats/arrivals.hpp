// Messages that are of use for a while only, and by when each has to have arrived: named by the
// fence behind it, whose return proves it. A value; time is passed in. Private to this room.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

namespace rts::nats {

class Arrivals {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Fences are numbered in the order in which they are sent.
  void await(std::uint64_t fence, TimePoint by) { due_.emplace(fence, by); }
  // The broker handles what we send in order: with this fence it has all that stood before it.
  void proven(std::uint64_t fence) { due_.erase(due_.begin(), due_.upper_bound(fence)); }
  void clear() { due_.clear(); }

  std::size_t size() const { return due_.size(); }
  // By when the first of them has to have arrived; empty when all have.
  std::optional<TimePoint> earliest() const {
    const auto first = std::min_element(
        due_.begin(), due_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return first == due_.end() ? std::nullopt : std::optional(first->second);
  }

 private:
  std::map<std::uint64_t, TimePoint> due_;
};

}  // namespace rts::nats
