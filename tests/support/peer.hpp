// A plain NATS client beside the service: publishes frames, and receives orders as the TradeEngine
// would. nats.c with its own threads, nothing of ours.
#pragma once

#include <chrono>
#include <functional>
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
  std::string reply;  // where an answer is wanted; empty: nowhere
};

// What becomes of a message that is published while the broker is away: kept and sent when it is
// back, as most clients do, or refused, so that it is a gap as at the exchange.
enum class WhileDisconnected { keep, refuse };

class Peer {
 public:
  // Called on a thread of the library, one message after the other.
  using Handler = std::function<void(const Received&)>;

  // Connects, and reconnects for ever, trying every 10 ms; throws std::runtime_error when nobody is
  // there.
  explicit Peer(const std::string& url, WhileDisconnected policy = WhileDisconnected::keep);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer(Peer&&) = delete;
  Peer& operator=(Peer&&) = delete;

  // What comes from now on is kept; the subscription is at the broker when this returns.
  void subscribe(const std::string& subject);
  // The same, but what comes is handed over instead of kept. The handler may publish.
  void subscribe(const std::string& subject, Handler handler);

  // False when the message was refused.
  bool publish(const std::string& subject, std::string_view payload,
               const std::map<std::string, std::string>& headers = {},
               const std::string& reply = {});
  // Returns when the broker has everything that was published; false when it is not there.
  bool flush();
  [[nodiscard]] bool connected() const;

  [[nodiscard]] std::vector<Received> received() const;
  [[nodiscard]] bool wait_for(std::size_t messages, std::chrono::milliseconds limit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rts::test
