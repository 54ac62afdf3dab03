#include "nats/inbox.hpp"

#include <cassert>

#include <fmt/format.h>

#include <rts/base/text.hpp>

#include "nats/handles.hpp"

namespace rts::nats {
namespace {

constexpr std::string_view kHeartbeats = ".hb.";
constexpr std::string_view kReplies = ".r.";

}  // namespace

std::string new_inbox(std::string_view prefix) {
  natsInbox* raw = nullptr;
  if (natsInbox_Create(&raw) != NATS_OK) return {};
  const InboxPtr inbox(raw);
  const std::string_view text = inbox.get();
  return std::string(prefix).append(text.substr(text.rfind('.')));
}

std::string Inbox::reply_subject(std::uint64_t request) const {
  return fmt::format("{}{}{}", name_, kReplies, request);
}

void Inbox::request_sent(std::uint64_t request, TimePoint now, TimePoint arrive_by) {
  assert(!heartbeat_has_to_follow());
  next_ = {.sent = now, .request = request, .arrive_by = arrive_by};
  next_is_copy_ = request <= newest_request_;
  newest_request_ = std::max(newest_request_, request);
}

std::string Inbox::next_heartbeat() const {
  return fmt::format("{}{}{}", name_, kHeartbeats, last_sent_ + 1);
}

void Inbox::heartbeat_sent(TimePoint now) {
  if (++last_sent_ == 1) confirmed_at_ = now;
  next_.sent = now;
  unanswered_.push_back(std::exchange(next_, {}));
}

Inbox::Milliseconds Inbox::unanswered_for(TimePoint now) const {
  if (unanswered_.empty()) return Milliseconds(0);
  return std::chrono::duration_cast<Milliseconds>(now - unanswered_.front().sent);
}

Inbox::Milliseconds Inbox::unconfirmed_for(TimePoint now) const {
  return std::chrono::duration_cast<Milliseconds>(now - confirmed_at_);
}

Inbox::TimePoint Inbox::first_arrival() const {
  TimePoint first = next_.arrive_by;
  for (const Heartbeat& heartbeat : unanswered_) first = std::min(first, heartbeat.arrive_by);
  return first;
}

void Inbox::take(std::string_view subject, std::string_view payload) {
  const std::string_view below = subject.substr(std::min(name_.size(), subject.size()));
  const std::size_t dot = below.rfind('.') + 1;
  const std::string_view kind = below.substr(0, dot);
  // 0, which no heartbeat and no request has, when it is not a number.
  const auto number = parse_as<std::uint64_t>(below.substr(dot)).value_or(0);
  if (kind == kHeartbeats) return heartbeat_back(number);
  // It has arrived, and its handler may send the next. Of a copy nothing is known: the answer may
  // be to the one before.
  if (kind == kReplies && number != 0 && number == next_.request && !next_is_copy_) {
    confirmed_at_ = std::max(confirmed_at_, next_.sent);
    next_ = {};
    requests_.arrived(number);
  }
  if (kind != kReplies || !requests_.reply(number, Reply::Kind::answered, payload)) {
    on_unexpected_(subject);
  }
}

// The broker never says so behind the heartbeat: what comes there another client has made up.
void Inbox::take_no_responders() {
  const bool awaited = heartbeat_has_to_follow() ||
                       std::any_of(unanswered_.begin(), unanswered_.end(),
                                   [](const Heartbeat& sent) { return sent.request != 0; });
  if (awaited) {
    no_responders_ = true;
  } else {
    on_unexpected_(name_);
  }
}

// Those before it count as back, too. The handler of a request may send the next.
void Inbox::heartbeat_back(std::uint64_t number) {
  if (number > last_sent_) return;
  while (last_returned() < number) {
    const Heartbeat back = unanswered_.front();
    unanswered_.pop_front();
    confirmed_at_ = back.sent;
    if (back.request == 0) continue;
    requests_.arrived(back.request);
    if (std::exchange(no_responders_, false)) {
      requests_.reply(back.request, Reply::Kind::no_responders, {});
    }
  }
}

}  // namespace rts::nats
