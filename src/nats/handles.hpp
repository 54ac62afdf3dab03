// Owners of what C gives out: nats.c objects and file descriptors. Private to this room.
#pragma once

#include <memory>
#include <utility>

#include <nats/nats.h>
#include <unistd.h>

namespace rts::nats {

template <auto kDestroy>
struct Destroyer {
  template <typename Object>
  void operator()(Object* object) const noexcept {
    kDestroy(object);
  }
};

using OptionsPtr = std::unique_ptr<natsOptions, Destroyer<natsOptions_Destroy>>;
using ConnectionPtr = std::unique_ptr<natsConnection, Destroyer<natsConnection_Destroy>>;
using SubscriptionPtr = std::unique_ptr<natsSubscription, Destroyer<natsSubscription_Destroy>>;
using MessagePtr = std::unique_ptr<natsMsg, Destroyer<natsMsg_Destroy>>;
using InboxPtr = std::unique_ptr<natsInbox, Destroyer<natsInbox_Destroy>>;

// One file descriptor, closed once. -1 is none.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace rts::nats
