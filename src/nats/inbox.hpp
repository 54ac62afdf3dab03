// What comes back to us through the broker, below a subject of our own: replies to requests, and
// heartbeats. A heartbeat is a numbered empty message to ourselves, sent at an interval and behind
// each request. The broker handles all we send in order, so one that is back says three things:
// the path was sound when it was sent, what was sent before it has arrived, and what the broker
// has said meanwhile is about that. nats.c tells that no client listens, but not on what: it is
// the request before the heartbeat.
//
// It makes the subjects and takes what arrives on them; sending and receiving is the Connection's.
// Time is passed in. Private to this room; loop thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "nats/requests.hpp"

namespace rts::nats {

// "<prefix>.<unique>", which no other client knows. Empty when nats.c cannot make one.
[[nodiscard]] std::string new_inbox(std::string_view prefix);

// Of one connection, on which everything below `name` is ours.
class Inbox {
 public:
  using TimePoint = Requests::TimePoint;
  using Milliseconds = std::chrono::milliseconds;

  // `on_unexpected` is told the subject of each reply that no request awaits.
  Inbox(std::string name, Requests& requests,
        std::function<void(std::string_view subject)> on_unexpected)
      : name_(std::move(name)), requests_(requests), on_unexpected_(std::move(on_unexpected)) {}

  const std::string& name() const { return name_; }
  std::string reply_subject(std::uint64_t request) const;

  // A request has been sent and has to have arrived in time; TimePoint::max(): whenever it does. A
  // heartbeat has to follow before the next request, unless it is answered before that and is no
  // copy of an earlier one. Precondition: none has to follow already.
  void request_sent(std::uint64_t request, TimePoint now, TimePoint arrive_by);
  bool heartbeat_has_to_follow() const { return next_.request != 0; }
  // To be sent on this subject; and was. The first of a connection leaves when the broker has just
  // answered the handshake.
  std::string next_heartbeat() const;
  void heartbeat_sent(TimePoint now);

  // Counted from 1; 0: none.
  std::uint64_t last_sent() const { return last_sent_; }
  std::uint64_t last_returned() const { return last_sent_ - unanswered_.size(); }
  std::size_t unanswered() const { return unanswered_.size(); }
  // The age of the oldest heartbeat that has not come back: as long it is not known that what we
  // send arrives. Zero when all are back.
  Milliseconds unanswered_for(TimePoint now) const;
  // Since when it is not known that what we send arrives: the path was sound when the last one that
  // came back was sent. Never 0 for long, also on a sound path, and never less than its round trip.
  Milliseconds unconfirmed_for(TimePoint now) const;
  // By when the first of the requests has to have arrived of which that is not known yet;
  // TimePoint::max(): none has to.
  TimePoint first_arrival() const;

  // A message on a subject below ours.
  void take(std::string_view subject, std::string_view payload);
  // nats.c says that no client listens.
  void take_no_responders();

 private:
  struct Heartbeat {
    TimePoint sent{};
    std::uint64_t request = 0;  // that it follows; 0: none
    TimePoint arrive_by = TimePoint::max();
  };

  void heartbeat_back(std::uint64_t number);

  std::string name_;
  Requests& requests_;
  std::function<void(std::string_view)> on_unexpected_;
  Heartbeat next_;
  bool next_is_copy_ = false;  // of a request that was sent before
  std::uint64_t newest_request_ = 0;
  std::deque<Heartbeat> unanswered_;  // the oldest first
  std::uint64_t last_sent_ = 0;
  TimePoint confirmed_at_{};    // when the last one that is back was sent
  bool no_responders_ = false;  // to the request that the next one to come back follows
};

}  // namespace rts::nats
