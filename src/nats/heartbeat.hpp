// The heartbeat's bookkeeping: numbered messages to ourselves, and what their return, or their not
// returning, says about the connection. A value; time is passed in. Private to this room.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace rts::nats {

class Heartbeat {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The number of the next heartbeat, counted from 1.
  std::uint64_t send(TimePoint now) {
    ++sent_;
    sent_at_[sent_ % sent_at_.size()] = now;
    heard_ = false;
    return sent_;
  }

  void returned(std::uint64_t number, TimePoint now) {
    if (number <= returned_ || number > sent_) return;
    returned_ = number;
    if (sent_ - number < sent_at_.size()) {
      round_trip_ = std::chrono::duration_cast<std::chrono::microseconds>(
          now - sent_at_[number % sent_at_.size()]);
    }
  }

  // The broker has sent something, whatever it was.
  void heard() { heard_ = true; }

  // To be asked when the next heartbeat is due. With two under way the older one has had two whole
  // intervals, and if nothing at all came in the last of them the peer is gone. While a flood of
  // frames keeps coming it may only be queueing behind them, which gets more patience, not endless.
  bool peer_is_gone() const {
    const std::uint64_t missing = sent_ - returned_;
    return missing >= kMissing && (!heard_ || missing >= kMissingWhileHeard);
  }

  bool any_returned() const { return returned_ > 0; }
  std::uint64_t last_returned() const { return returned_; }
  std::optional<std::chrono::microseconds> round_trip() const { return round_trip_; }

 private:
  static constexpr std::uint64_t kMissing = 2;
  static constexpr std::uint64_t kMissingWhileHeard = 5;

  std::uint64_t sent_ = 0;
  std::uint64_t returned_ = 0;
  bool heard_ = false;
  std::array<TimePoint, 8> sent_at_{};
  std::optional<std::chrono::microseconds> round_trip_;
};

}  // namespace rts::nats
