#include "nats/requests.hpp"

namespace rts::nats {

std::uint64_t Requests::add(std::string_view subject, TimePoint now,
                            std::chrono::milliseconds timeout, ReplyHandler on_reply) {
  put(++last_number_, {std::string(subject), timeout, now + timeout, std::move(on_reply), false});
  return last_number_;
}

void Requests::put(std::uint64_t number, Request request) {
  deadlines_.emplace(request.deadline, number);
  waiting_.emplace(number, std::move(request));
}

std::optional<Requests::Request> Requests::take(std::uint64_t number) {
  auto node = waiting_.extract(number);
  if (node.empty()) return {};
  deadlines_.erase({node.mapped().deadline, number});
  return std::move(node.mapped());
}

void Requests::renew(std::uint64_t number, TimePoint now) {
  auto request = take(number);
  if (!request) return;
  request->deadline = now + request->timeout;
  put(number, std::move(*request));
}

void Requests::arrived(std::uint64_t number) {
  const auto found = waiting_.find(number);
  if (found != waiting_.end()) found->second.arrived = true;
}

// The handler is told; what it answers counts when waiting on makes sense.
bool Requests::tell(std::uint64_t number, Reply reply) {
  auto request = take(number);
  if (!request) return false;
  reply.number = number;
  reply.arrived = request->arrived;
  const bool may_wait =
      reply.kind != Reply::Kind::connection_lost && reply.kind != Reply::Kind::denied;
  if (request->on_reply(reply) == AfterReply::keep_waiting && may_wait) {
    put(number, std::move(*request));
  }
  return true;
}

bool Requests::reply(std::uint64_t number, Reply::Kind kind, std::string_view payload) {
  return tell(number, {.kind = kind, .payload = payload});
}

void Requests::expire(TimePoint now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const std::uint64_t number = deadlines_.begin()->second;
    tell(number, {.kind = Reply::Kind::timed_out});
    renew(number, now);
  }
}

void Requests::deny(std::string_view subject) {
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, request] : waiting_) {
    if (request.subject == subject && !request.arrived) numbers.push_back(number);
  }
  for (const std::uint64_t number : numbers) {
    tell(number, {.kind = Reply::Kind::denied, .certain = numbers.size() == 1});
  }
}

void Requests::end_all(Reply::Kind kind) {
  for (const std::uint64_t last = last_number_;
       !waiting_.empty() && waiting_.begin()->first <= last;) {
    tell(waiting_.begin()->first, {.kind = kind});
  }
}

}  // namespace rts::nats
