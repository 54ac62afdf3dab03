// A plain NATS client beside the service: publishes frames, and receives orders as the TradeEngine
// would. nats.c with its own threads, nothing of ours.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rts::test {

struct Received {
  std::string subject;
  std::string payload;
  std::map<std::string, std::string> headers;
};

class Peer {
 public:
  // Connects, and reconnects for ever; throws std::runtime_error when nobody is there.
  explicit Peer(const std::string& url);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer(Peer&&) = delete;
  Peer& operator=(Peer&&) = delete;

  // What comes from now on is kept; the subscription is at the broker when this returns.
  void subscribe(const std::string& subject);

  void publish(const std::string& subject, std::string_view payload,
               const std::map<std::string, std::string>& headers = {});
  // Returns when the broker has everything that was published; false when it is not there.
  bool flush();

  [[nodiscard]] std::vector<Received> received() const;
  [[nodiscard]] bool wait_for(std::size_t messages, std::chrono::milliseconds limit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rts::test
