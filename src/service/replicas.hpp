// Which processes answer to our name, this one among them: asked as `nats micro ls` does, but only
// while somebody looks. Thread: the loop's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <rts/wire/micro_ping.hpp>

#include "nats/client.hpp"
#include "service/status.hpp"

namespace rts::service {

class Replicas {
 public:
  static constexpr std::size_t kMost = 100;

  // `subject`: on which those of our name are asked. `client` must outlive it, and not call its
  // handlers any more once it is gone.
  Replicas(nats::Client& client, std::string subject)
      : client_(client), subject_(std::move(subject)) {}

  // To be called when somebody looks: asks, unless it has just done so. Where the broker does not
  // let us, nobody is seen.
  void look(SteadyTime now) {
    if (asked_at_ && now < *asked_at_ + kAskEvery) return;
    asked_at_ = now;
    std::erase_if(seen_, [&](const Replica& replica) { return now > replica.at + kForgetAfter; });
    (void)client_.request({.subject = subject_, .payload = {}}, kAnswerWithin,
                          [this](const nats::Reply& reply) { return take(reply); });
  }

  [[nodiscard]] std::span<const Replica> seen() const noexcept { return seen_; }

 private:
  static constexpr std::chrono::seconds kAskEvery{5}, kForgetAfter{15};
  static constexpr std::chrono::seconds kAnswerWithin{2};

  nats::AfterReply take(const nats::Reply& reply) {
    if (reply.kind != nats::ReplyKind::answered) return nats::AfterReply::done;
    auto said = wire::parse_micro_ping(reply.payload);
    if (!said) return nats::AfterReply::keep_waiting;
    const auto known = std::ranges::find(
        seen_, said->id, [](const Replica& one) -> auto& { return one.said.id; });
    Replica replica{*std::move(said), std::chrono::steady_clock::now()};
    if (known != seen_.end()) {
      *known = std::move(replica);
    } else if (seen_.size() < kMost) {
      seen_.push_back(std::move(replica));
    }
    return nats::AfterReply::keep_waiting;
  }

  nats::Client& client_;
  const std::string subject_;
  std::optional<SteadyTime> asked_at_;
  std::vector<Replica> seen_;
};

}  // namespace rts::service
