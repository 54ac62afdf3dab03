// A running service as whoever watches its orders sees it: what became of each is read where people
// read it, in /metrics, in its one log line and in /ready.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "support/daemon.hpp"

namespace rts::test {

// The settings, with more of them, which win.
[[nodiscard]] Environment with(Environment all, const Environment& more);
// Settings under which each book that is skewed makes an order of its own id, without a price
// before it.
[[nodiscard]] Environment order_settings(const std::string& url, const Environment& more = {});
// The same with the order log.
[[nodiscard]] Environment logged_settings(const std::string& url, const Environment& more = {});

class OrderService {
 public:
  static constexpr std::chrono::seconds kSoon{15};

  // One order's end as the log tells it.
  struct Line {
    std::string result;
    int attempts = 0;
    std::string id;
    std::string detail;
    std::string answer_ms;  // empty: it was not answered
  };

  explicit OrderService(const Environment& environment) : daemon(environment) {}

  [[nodiscard]] std::vector<Line> lines() const;
  // "confirmed/1": the results and attempts of all orders, in the order of their ends.
  [[nodiscard]] std::vector<std::string> ends() const;
  // Waits until so many orders have ended and are logged.
  [[nodiscard]] bool ended(std::size_t orders, std::chrono::milliseconds limit = kSoon) const;
  [[nodiscard]] double results(const std::string& result) const {
    return daemon.metric("rts_orders_total", "result=\"" + result + "\"");
  }
  [[nodiscard]] std::string ready() const { return daemon.get("/ready").body; }
  [[nodiscard]] bool becomes(bool is_ready, std::chrono::milliseconds limit = kSoon) const;
  // Waits until /ready has the text.
  [[nodiscard]] bool says(const std::string& text, std::chrono::milliseconds limit = kSoon) const;
  [[nodiscard]] bool breaker_is(const std::string& state) const {
    return daemon.metric("rts_circuit_breaker_state", "state=\"" + state + "\"") == 1;
  }

  // Exactly one order, and it ended so, wherever one looks. `repeats`: attempts to store it after
  // the first.
  void expect_one(const std::string& result, int attempts, const std::string& detail, bool answered,
                  int repeats = 0) const;

  Daemon daemon;
};

}  // namespace rts::test
