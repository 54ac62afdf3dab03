// The messages of nats.c: what is read of them, how they are made, and when they are freed. Private
// to this room; loop thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "nats/handles.hpp"
#include "nats/types.hpp"

namespace rts::nats {

// Takes what one read has left in the subscription's list and says how many bytes that is, headers
// included. Never waits. A null message stands for "no responders" (503), which nats.c keeps to
// itself. A null subscription has none.
std::size_t take_pending(natsSubscription* subscription, std::vector<MessagePtr>& messages);

// Null when the message has no such header. Lives as long as the message, like the view.
const char* header_of(natsMsg* message, const char* name);
Message view_of(natsMsg* message);
// With the reply address.
Message command_view_of(natsMsg* message);

// No empty subject, space or control character: those would be protocol, not subject.
bool valid_subject(std::string_view subject);

// Bytes that a publish adds to the write buffer, rounded up.
std::size_t wire_size(const Outgoing& message);

// Null when nats.c refuses. Headers that break the rule of types.hpp are left out. An empty
// reply_to: none.
MessagePtr build_message(const Outgoing& message, const std::string& reply_to);

// Messages that are of no use any more, until they are worth freeing. nats.c frees messages on a
// thread of its own. To wake that thread costs much time, most of all between the making of an
// order and its leaving, and while it frees it holds the heap, which a read wants. So it gets many
// at once, between a read and the next.
class RetiredMessages {
 public:
  RetiredMessages() { messages_.reserve(kMostMessages); }

  // `bytes` is what the message holds, its headers included: nats.c tells of a list, not of one.
  void add(MessagePtr message, std::size_t bytes);
  // The time between a read and the next.
  void add_all(std::vector<MessagePtr>& messages, std::size_t bytes);

 private:
  static constexpr std::size_t kManyMessages = 512;
  static constexpr std::size_t kManyBytes = std::size_t{256} << 10U;
  // A read brings at most 128 KiB, so these are rare.
  static constexpr std::size_t kMostMessages = 4096;
  static constexpr std::size_t kMostBytes = std::size_t{2} << 20U;
  // The other thread does not take the CPU from ours (telemetry/background.hpp). Where the two have
  // one CPU and ours never sleeps, it gets its turn after so much, so that memory does not grow.
  static constexpr std::size_t kTurnBytes = std::size_t{1} << 20U;

  void free_above(std::size_t messages, std::size_t bytes);

  std::vector<MessagePtr> messages_;
  std::size_t bytes_ = 0;
  std::size_t given_bytes_ = 0;  // to the other thread since its last turn
};

}  // namespace rts::nats
