#include "nats/inbox.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <rts/base/text.hpp>

#include "nats/handles.hpp"

namespace rts::nats {
namespace {

constexpr std::string_view kHeartbeats = ".hb.";
constexpr std::string_view kReplies = ".r.";
constexpr std::string_view kFences = ".f.";

// 0, which no heartbeat and no request has, when the text is not a number.
std::uint64_t parse_number(std::string_view digits) {
  return parse_as<std::uint64_t>(digits).value_or(0);
}

}  // namespace

std::string new_inbox(std::string_view prefix) {
  natsInbox* raw = nullptr;
  if (natsInbox_Create(&raw) != NATS_OK) return {};
  const InboxPtr inbox(raw);
  const std::string_view text = inbox.get();
  return std::string(prefix).append(text.substr(text.rfind('.')));
}

std::string Inbox::next_heartbeat(TimePoint now) {
  return fmt::format("{}{}{}", name_, kHeartbeats, heartbeat_.send(now));
}

std::string Inbox::reply_subject(std::uint64_t request) const {
  return fmt::format("{}{}{}", name_, kReplies, request);
}

std::string Inbox::next_fence(std::uint64_t request, TimePoint arrive_by) {
  ++fence_sent_;
  if (arrive_by != TimePoint::max()) arrivals_.await(fence_sent_, arrive_by);
  return fmt::format("{}{}{}.{}", name_, kFences, fence_sent_, request);
}

void Inbox::take(std::string_view subject, std::string_view payload, TimePoint now) {
  const std::string_view below = subject.substr(std::min(name_.size(), subject.size()));
  const std::size_t dot = below.rfind('.') + 1;
  const std::string_view kind = below.substr(0, dot);
  const std::uint64_t number = parse_number(below.substr(dot));
  if (kind == kHeartbeats) {
    heartbeat_.returned(number, now);
  } else if (kind.starts_with(kFences)) {
    fence_back(parse_number(kind.substr(kFences.size(), kind.size() - kFences.size() - 1)), number);
  } else if (kind != kReplies || !requests_.reply(number, Reply::Kind::answered, payload)) {
    on_unexpected_(subject);
  }
}

// The broker never says so behind the fence: what comes there another client has made up.
void Inbox::take_no_responders() {
  if (fence_back_ < fence_sent_) {
    no_responders_ = true;
  } else {
    on_unexpected_(name_);
  }
}

// The broker has handled what stood before the fence.
void Inbox::fence_back(std::uint64_t fence, std::uint64_t request) {
  if (fence > fence_sent_) return;
  fence_back_ = std::max(fence_back_, fence);
  arrivals_.confirm(fence);
  requests_.arrived(request);
  if (std::exchange(no_responders_, false)) {
    requests_.reply(request, Reply::Kind::no_responders, {});
  }
}

}  // namespace rts::nats
