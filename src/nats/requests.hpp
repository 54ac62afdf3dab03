// The requests that await a reply: each ends exactly once, by a reply, its time-out or the end of
// the connection. Time is passed in. Private to this room; loop thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nats/types.hpp"

namespace rts::nats {

class Requests {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The number under which a reply will come; numbers are never used again.
  std::uint64_t add(std::string_view subject, TimePoint now, std::chrono::milliseconds timeout,
                    ReplyHandler on_reply);
  // Takes one back that could not be sent; its handler is not called.
  void forget(std::uint64_t number) { take(number); }

  // The time-out counts anew from now.
  void renew(std::uint64_t number, TimePoint now);
  // The broker has handled a message of this request.
  void arrived(std::uint64_t number);
  // False: no request of this number waits (any more).
  bool reply(std::uint64_t number, Reply::Kind kind, std::string_view payload);
  // Those whose time is up, in order.
  void expire(TimePoint now);
  // Those to a subject that the broker refuses us; not those it has taken before. It does not say
  // which: of several none is certain.
  void deny(std::string_view subject);
  void end_all(Reply::Kind kind);

  std::size_t size() const { return waiting_.size(); }
  std::optional<TimePoint> next_deadline() const {
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
  }

 private:
  struct Request {
    std::string subject;
    std::chrono::milliseconds timeout;
    TimePoint deadline;
    ReplyHandler on_reply;
    bool arrived = false;
  };

  // A handler may make new requests: it is taken out before it is called, and put back if it waits
  // on. False: no request of this number waits.
  bool tell(std::uint64_t number, Reply reply);
  std::optional<Request> take(std::uint64_t number);
  void put(std::uint64_t number, Request request);

  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Request> waiting_;
  std::set<std::pair<TimePoint, std::uint64_t>> deadlines_;
};

}  // namespace rts::nats
