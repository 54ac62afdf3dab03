// The streams of the order log and the control log (SPEC §6) as `provision` makes them, and a look
// at what the first holds: with a client of its own, nothing of ours.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/daemon.hpp"
#include "support/orders.hpp"

namespace rts::test {

inline constexpr const char* kOrderLogTopic = "orders.intents";

struct OrderLogOptions {
  std::int64_t max_messages = -1;  // the cluster's daily cap; -1: none
  int replicas = 1;
};

// An order as it was stored, and the process that has stored it.
struct StoredOrder {
  std::uint64_t sequence = 0;
  std::string sender;
  ArrivedOrder order;  // arrived: when it was stored
};

// By order id: the result in which an order has ended, as the service's log says.
[[nodiscard]] std::map<std::string, std::string> order_results(const Daemon& daemon);

// Of a broker, or of several: a comma list. Goes on when one of them is lost. Not thread-safe.
class OrderLogAdmin {
 public:
  // Throws std::runtime_error when nobody is there.
  explicit OrderLogAdmin(const std::string& url);
  ~OrderLogAdmin();
  OrderLogAdmin(const OrderLogAdmin&) = delete;
  OrderLogAdmin& operator=(const OrderLogAdmin&) = delete;
  OrderLogAdmin(OrderLogAdmin&&) = delete;
  OrderLogAdmin& operator=(OrderLogAdmin&&) = delete;

  // Each waits 30 s at most for JetStream to have a leader, and throws std::runtime_error with its
  // answer when it refuses.
  void make(const OrderLogOptions& options = {});
  void remove();
  void purge();
  // The leader of a stream of several copies resigns.
  void step_down();

  // What it holds, in its order; entries that are no order have no id.
  [[nodiscard]] std::vector<StoredOrder> orders();
  // The name of the server that leads it; empty: none, or nobody says so.
  [[nodiscard]] std::string leader();
  // Whether it has a leader, and all its copies are there and have what that has.
  [[nodiscard]] bool is_whole();

 private:
  struct State;
  [[nodiscard]] std::string ask(const std::string& verb, std::string_view payload,
                                std::string_view stream);
  void demand(const std::string& verb, std::string_view payload, std::string_view stream);
  std::unique_ptr<State> state_;
};

}  // namespace rts::test
