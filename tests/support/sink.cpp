#include "support/sink.hpp"

#include <mutex>

#include "support/deadline.hpp"
#include "support/peer.hpp"

namespace rts::test {

struct Sink::State {
  explicit State(const std::string& url) : peer(url) {}

  mutable std::mutex mutex;
  std::vector<ArrivedOrder> orders;
  Peer peer;  // last: its callbacks use the others
};

Sink::Sink(const std::string& url, const std::string& subject, Answer answer)
    : state_(std::make_unique<State>(url)) {
  state_->peer.subscribe(subject, [state = state_.get(), answer](const Received& received) {
    ArrivedOrder order = read_order(received.payload, to_ms(wall_clock()));
    const auto id = received.headers.find("Nats-Msg-Id");
    order.valid = order.valid && id != received.headers.end() && id->second == order.id;
    {
      const std::lock_guard lock(state->mutex);
      state->orders.push_back(std::move(order));
    }
    // Only now: a test that waits for what the answer causes finds the order counted.
    if (answer == Answer::accepted && !received.reply.empty()) {
      state->peer.publish(received.reply, R"({"status":"accepted"})");
    }
  });
}

Sink::~Sink() = default;

std::vector<ArrivedOrder> Sink::orders() const {
  const std::lock_guard lock(state_->mutex);
  return state_->orders;
}

std::size_t Sink::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->orders.size();
}

bool Sink::wait_for(std::size_t orders, std::chrono::milliseconds limit) const {
  return eventually([&] { return size() >= orders; }, limit);
}

Verdict Sink::settle(const ExpectedOrders& expected, const std::vector<FaultWindow>& windows,
                     std::chrono::milliseconds limit) const {
  // Judging is not cheap: again only when something has come.
  std::size_t judged = size();
  Verdict verdict = judge(orders(), expected, windows);
  const auto complete = [&] {
    if (const std::size_t now = size(); now != judged) {
      judged = now;
      verdict = judge(orders(), expected, windows);
    }
    return verdict.missing.empty();
  };
  (void)eventually(complete, limit);
  return judge(orders(), expected, windows);
}

bool Sink::wait_subscribed(std::chrono::milliseconds limit) const {
  const Deadline deadline(limit);
  return eventually([&] { return state_->peer.connected(); }, limit) && state_->peer.flush() &&
         !deadline.expired();
}

}  // namespace rts::test
