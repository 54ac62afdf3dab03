// What is known of the path to the broker, from what of our own has come back and what has not.
// Values; time is passed in. Private to this room.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

namespace rts::nats {

// Numbered messages to ourselves.
class Heartbeat {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Milliseconds = std::chrono::milliseconds;

  // The number of the next heartbeat, counted from 1. The first leaves when the broker has just
  // answered the handshake. Who sends them ends the connection when one stays away for long: so
  // many are remembered as can be sent in that time.
  std::uint64_t send(TimePoint now) {
    if (sent_ == 0) confirmed_at_ = now;
    unanswered_.push_back(now);
    return ++sent_;
  }

  // The broker handles all in order: those before it count as returned.
  void returned(std::uint64_t number, TimePoint now) {
    if (number <= last_returned() || number > sent_) return;
    const auto last =
        unanswered_.begin() + static_cast<std::ptrdiff_t>(number - last_returned()) - 1;
    confirmed_at_ = *last;
    unanswered_.erase(unanswered_.begin(), last + 1);
    round_trip_ = std::chrono::duration_cast<std::chrono::microseconds>(now - confirmed_at_);
  }

  // The age of the oldest heartbeat that has not come back: as long it is not known that what we
  // send arrives. Zero when all are back.
  Milliseconds unanswered_for(TimePoint now) const {
    if (unanswered_.empty()) return Milliseconds(0);
    return std::chrono::duration_cast<Milliseconds>(now - unanswered_.front());
  }

  // Since when it is not known that what we send arrives: the path was sound when the last one that
  // came back was sent. Never 0 for long, also on a sound path, and never less than its round trip.
  Milliseconds unconfirmed_for(TimePoint now) const {
    return std::chrono::duration_cast<Milliseconds>(now - confirmed_at_);
  }

  std::uint64_t last_sent() const { return sent_; }
  std::uint64_t last_returned() const { return sent_ - unanswered_.size(); }
  std::optional<std::chrono::microseconds> round_trip() const { return round_trip_; }

 private:
  std::uint64_t sent_ = 0;
  std::deque<TimePoint> unanswered_;  // when each left that is not back, the oldest first
  TimePoint confirmed_at_{};
  std::optional<std::chrono::microseconds> round_trip_;
};

// Messages that are of use for a while only, and by when each has to have arrived: named by the
// fence behind it (inbox.hpp), whose return confirms it.
class Arrivals {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Fences are numbered in the order in which they are sent.
  void await(std::uint64_t fence, TimePoint by) { due_.emplace(fence, by); }
  // The broker handles what we send in order: with this fence it has all that stood before it.
  void confirm(std::uint64_t fence) { due_.erase(due_.begin(), due_.upper_bound(fence)); }

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
