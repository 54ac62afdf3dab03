// RecentCounts: how often each of some keys was counted lately, by parts of time of one length: the
// present one and those before it. A fold: time is passed in. A clock that is set back counts to
// the present part until it has caught up. Nothing is allocated. Not thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <rts/base/time.hpp>

namespace rts {

template <std::size_t kKeys, std::size_t kParts>
class RecentCounts {
 public:
  using Counts = std::array<std::uint32_t, kKeys>;
  static_assert(kParts > 1, "the present part has only begun");

  // Precondition: `part` > 0.
  explicit RecentCounts(std::chrono::milliseconds part) noexcept : part_(part) {
    assert(part_.count() > 0);
  }

  // Precondition: key < kKeys.
  void add(std::size_t key, UnixMs at) noexcept {
    assert(key < kKeys);
    if (at >= end_) turn(at);
    ++parts_[present_][key];
  }

  // The parts as they are at this time, the oldest first and the present one last.
  [[nodiscard]] std::array<Counts, kParts> parts(UnixMs now) const noexcept {
    RecentCounts turned = *this;
    if (now >= end_) turned.turn(now);
    std::rotate(turned.parts_.begin(), turned.parts_.begin() + turned.present_ + 1,
                turned.parts_.end());
    return turned.parts_;
  }
  // Of all of them together.
  [[nodiscard]] Counts sum(UnixMs now) const noexcept {
    Counts sum{};
    for (const Counts& part : parts(now)) {
      for (std::size_t key = 0; key < kKeys; ++key) sum[key] += part[key];
    }
    return sum;
  }
  // From when on parts(now) counts.
  [[nodiscard]] UnixMs since(UnixMs now) const noexcept {
    return std::max(end_, end_of_part(now)) - kParts * part_;
  }

 private:
  [[nodiscard]] UnixMs end_of_part(UnixMs at) const noexcept {
    return at - at.time_since_epoch() % part_ + part_;
  }

  // To the part of this time, which is behind the present one.
  void turn(UnixMs at) noexcept {
    const UnixMs end = end_of_part(at);
    const auto passed = static_cast<std::size_t>((end - end_) / part_);
    for (std::size_t i = 0; i < std::min(passed, kParts); ++i) {
      present_ = (present_ + 1) % kParts;
      parts_[present_] = {};
    }
    end_ = end;
  }

  std::chrono::milliseconds part_;
  std::array<Counts, kParts> parts_{};
  std::size_t present_ = 0;
  UnixMs end_{};  // of the present part
};

}  // namespace rts
