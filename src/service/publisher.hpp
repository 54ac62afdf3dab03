// From an order to exactly one result: the checks before sending, the bytes, the headers, the
// answer awaited, the circuit breaker, and in JetStream mode the same id again while in doubt. The
// rules are in rts/trading/delivery.hpp. In doubt an opening order is not sent; nothing is queued
// for later. Thread: the loop's.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <rts/base/time.hpp>
#include <rts/trading/breaker.hpp>
#include <rts/trading/delivery.hpp>
#include <rts/trading/order.hpp>

#include "nats/client.hpp"

namespace rts::service {

// How an order ended. Lives until the callback returns.
struct OrderReport {
  const Order& order;
  OrderResult result;
  int attempts = 0;                                     // that were sent
  std::optional<std::chrono::nanoseconds> answered_in;  // from the last sending to its answer
  std::string_view detail;                              // what the answer says, or what is wrong
};

class Publisher {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  struct Callbacks {
    std::function<UnixMs()> now;                          // wall clock
    std::function<bool(StrategyId)> is_paused;            // nothing is repeated then
    std::function<void(SteadyTime received_at)> on_sent;  // an order's first attempt
    std::function<void(const OrderReport&)> on_result;    // once for each order
    std::function<void(std::string_view)> on_odd_answer;  // not what anybody should say to an order
    std::function<void(CircuitBreaker::State)> on_breaker;  // it has changed
  };

  struct Stats {
    CircuitBreaker::State breaker = CircuitBreaker::State::closed;
    std::array<std::uint64_t, CircuitBreaker::kStates.size()> breaker_entered{};
    std::size_t in_flight = 0;
    std::uint64_t repeats = 0;      // attempts after an order's first
    std::uint64_t odd_answers = 0;  // that could not be read
  };

  // `client` must outlive the publisher, and not call it any more once it is gone.
  Publisher(boost::asio::io_context& io, nats::Client& client, DeliveryParameters options,
            Callbacks callbacks);

  // Ends in one on_result, now or later. An order leaves before its valid_until. Correlation-Id is
  // the frame's message_id, or the order's id where there is none that a header can carry.
  // `header_traceparent` is the NATS header of the frame; the envelope's stands in when it is
  // empty.
  void publish(const Order& order, std::string_view header_traceparent, SteadyTime received_at);

  // To be called when the client's status has changed.
  void on_connection_change();
  // To be called when the stream has been looked up: who listens is then known from there.
  void on_stream_looked();

  // `done` runs when nothing is in flight any more. Once only.
  void finish(std::function<void()> done);
  // Ends what is in flight as `ambiguous`.
  void abandon();

  // Why orders do not arrive, as the last one found or the broker says of itself; empty when they
  // do, for all that is known. That nobody listens is known of one connection only; a refusal stays
  // until an order gets through.
  [[nodiscard]] std::string path_problem() const;
  // Whether it is known at all who takes the orders: of this connection, by an order that has found
  // somebody or nobody; in JetStream mode by the look at the stream.
  [[nodiscard]] bool path_tried() const;
  [[nodiscard]] Stats stats() const;

 private:
  // An order on its way, with its own copy of the texts that the order only looks at.
  struct InFlight {
    Order order;
    std::string symbol;
    std::string correlation_id;
    std::string traceparent;
    std::string payload;  // jetstream only: what is sent again
    SteadyTime sent_at;
    int attempts = 0;
    std::uint64_t request = 0;                     // the client's, that waits still; 0: none
    std::optional<CircuitBreaker::Permit> permit;  // of the attempt whose end is not known
    bool in_doubt = false;                         // an attempt may have arrived
    bool waiting = false;                          // to be sent again
  };
  using Key = std::uint64_t;
  struct Ending;
  enum class Path : std::uint8_t { untried, fine, unheard, denied };
  // A subject, and what the last order that went there found out about it.
  struct Destination {
    std::string subject;
    SilenceWatch silence;  // who listens on one subject says nothing of the others
    Path path = Path::untried;
  };

  InFlight& take_in(const Order& order, std::string_view header_traceparent, Key key);
  nats::PublishResult send(Key key, InFlight& order, std::string_view payload,
                           CircuitBreaker::Permit permit);
  nats::AfterReply on_reply(Key key, const nats::Reply& reply);
  std::optional<Ending> read(const InFlight& order, const nats::Reply& reply);
  void conclude(Key key, InFlight& order, const Ending& ending);
  void send_again(Key key);
  void send_all_again();
  void wait_to_send_again(InFlight& order);
  void end(Key key, OrderResult result, std::optional<std::chrono::nanoseconds> answered_in,
           std::string_view detail);
  void refuse(const Order& order, OrderResult result);
  Destination& destination_of(const InFlight& order);

  std::optional<CircuitBreaker::Permit> admit();
  void found(CircuitBreaker::Permit permit, CircuitBreaker::Finding finding);
  void watch_breaker();
  void breaker_due();
  void probe();

  nats::Client& client_;
  const DeliveryParameters options_;
  const Callbacks callbacks_;
  CircuitBreaker breaker_;
  CircuitBreaker::State breaker_before_ = CircuitBreaker::State::closed;  // as last told
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer breaker_timer_;
  bool retrying_ = false;  // retry_timer_ is armed
  std::string payload_;    // of the order being sent
  std::map<Key, InFlight> in_flight_;
  Key last_key_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t odd_answers_ = 0;
  std::uint64_t connection_ = 0;           // the client's number of the present connection
  std::vector<Destination> destinations_;  // one for all strategies, or one for each
  std::function<void()> finished_;
};

}  // namespace rts::service
