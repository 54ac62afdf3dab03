// Messages that are of no use any more, until they are worth freeing. nats.c frees messages on a
// thread of its own. To wake that thread costs much time, most of all between the making of an
// order and its leaving, and while it frees it holds the heap, which a read wants. So it gets many
// at once, between a read and the next. Private to this room; loop thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

#include "nats/handles.hpp"

namespace rts::nats {

class RetiredMessages {
 public:
  RetiredMessages() { messages_.reserve(kMostMessages); }

  // `bytes` is what the message holds, its headers included: nats.c tells of a list, not of one.
  void add(MessagePtr message, std::size_t bytes) {
    messages_.push_back(std::move(message));
    bytes_ += bytes;
    free_above(kMostMessages, kMostBytes);
  }
  // The time between a read and the next.
  void add_all(std::vector<MessagePtr>& messages, std::size_t bytes) {
    std::move(messages.begin(), messages.end(), std::back_inserter(messages_));
    messages.clear();
    bytes_ += bytes;
    free_above(kManyMessages, kManyBytes);
  }

 private:
  static constexpr std::size_t kManyMessages = 512;
  static constexpr std::size_t kManyBytes = std::size_t{256} << 10U;
  // A read brings at most 128 KiB, so these are rare.
  static constexpr std::size_t kMostMessages = 4096;
  static constexpr std::size_t kMostBytes = std::size_t{2} << 20U;
  // The other thread does not take the CPU from ours (telemetry/background.hpp). Where the two have
  // one CPU and ours never sleeps, it gets its turn after so much, so that memory does not grow.
  static constexpr std::size_t kTurnBytes = std::size_t{1} << 20U;

  void free_above(std::size_t messages, std::size_t bytes) {
    if (messages_.size() < messages && bytes_ < bytes) return;
    messages_.clear();
    given_bytes_ += std::exchange(bytes_, 0);
    if (given_bytes_ < kTurnBytes) return;
    given_bytes_ = 0;
    std::this_thread::yield();
  }

  std::vector<MessagePtr> messages_;
  std::size_t bytes_ = 0;
  std::size_t given_bytes_ = 0;  // to the other thread since its last turn
};

}  // namespace rts::nats
