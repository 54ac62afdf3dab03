// The TradeEngine's side: a subscriber of the order subject that remembers every order's id, times
// and whether it is as its schema says, and answers like the engine when told to. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/orders.hpp"

namespace rts::test {

// What the sink says to an order that wants an answer.
enum class Answer {
  none,
  accepted,  // {"status":"accepted"}
};

class Sink {
 public:
  // The subscription is at the broker when this returns; it comes back by itself when the broker
  // was away.
  Sink(const std::string& url, const std::string& subject, Answer answer = Answer::none);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  Sink(Sink&&) = delete;
  Sink& operator=(Sink&&) = delete;

  [[nodiscard]] std::vector<ArrivedOrder> orders() const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool wait_for(std::size_t orders, std::chrono::milliseconds limit) const;
  // Waits until every expected order outside of the windows is there, or the limit has passed.
  Verdict settle(const ExpectedOrders& expected, const std::vector<FaultWindow>& windows,
                 std::chrono::milliseconds limit) const;

  // Waits until it is connected and what it subscribed to is known to the broker.
  [[nodiscard]] bool wait_subscribed(std::chrono::milliseconds limit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rts::test
