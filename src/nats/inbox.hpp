// What comes back to us through the broker, below a subject of our own: heartbeats, replies to
// requests, and fences. A fence is an empty message that is sent behind a request: the broker
// handles both in order, so what it says of the request comes before the fence. nats.c tells that
// nobody responded, but not to what; the fence does.
//
// It makes the subjects and takes what arrives on them; sending and receiving is the Connection's.
// Time is passed in. Private to this room; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "nats/heartbeat.hpp"
#include "nats/requests.hpp"

namespace rts::nats {

// "<prefix>.<unique>", which no other client knows. Empty when nats.c cannot make one.
[[nodiscard]] std::string new_inbox(std::string_view prefix);

// Of one connection, on which everything below `name` is ours.
class Inbox {
 public:
  using TimePoint = Requests::TimePoint;

  // `on_unexpected` is told the subject of each reply that no request awaits.
  Inbox(std::string name, Requests& requests,
        std::function<void(std::string_view subject)> on_unexpected)
      : name_(std::move(name)), requests_(requests), on_unexpected_(std::move(on_unexpected)) {}

  const std::string& name() const { return name_; }
  const Heartbeat& heartbeat() const { return heartbeat_; }
  const Arrivals& arrivals() const { return arrivals_; }

  // The subject of the next heartbeat.
  std::string next_heartbeat(TimePoint now);
  std::string reply_subject(std::uint64_t request) const;
  // The subject of the fence that has to be sent behind an attempt of that request, and before the
  // next one. `arrive_by`: when the attempt is of no use any more; TimePoint::max(): never.
  std::string next_fence(std::uint64_t request, TimePoint arrive_by);

  // A message on a subject below ours.
  void take(std::string_view subject, std::string_view payload, TimePoint now);
  // nats.c says that no client listens.
  void take_no_responders();

 private:
  void fence_back(std::uint64_t fence, std::uint64_t request);

  std::string name_;
  Requests& requests_;
  std::function<void(std::string_view)> on_unexpected_;
  Heartbeat heartbeat_;
  Arrivals arrivals_;
  bool no_responders_ = false;    // to the request that the next fence will name
  std::uint64_t fence_sent_ = 0;  // numbers of the last one sent and the last one back
  std::uint64_t fence_back_ = 0;
};

}  // namespace rts::nats
