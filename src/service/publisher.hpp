// From an order to exactly one result: the checks before sending, the message, the answer awaited,
// the circuit breaker; in JetStream mode the order is stored in the order log first, and sent so by
// the process that has stored it. The rules are in rts/trading/delivery.hpp. In doubt an opening
// order is not sent; nothing is queued for later. The broker, its log and time are behind small
// interfaces, so that a test can play them. Thread: the loop's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/result.hpp>
#include <rts/base/time.hpp>
#include <rts/trading/breaker.hpp>
#include <rts/trading/delivery.hpp>
#include <rts/trading/order.hpp>
#include <rts/wire/answer.hpp>

#include "nats/types.hpp"

namespace rts::service {

using SteadyTime = std::chrono::steady_clock::time_point;
using OrderNumber = std::uint64_t;  // of the orders of this process: from 1, never used again

// What is sent of an order. Between two attempts only `life` and what is expected change.
struct OrderMessage {
  std::string_view subject{};  // lives as long as the publisher
  std::string id;
  std::string correlation_id;  // where it is empty or no header can carry it: the id
  std::chrono::milliseconds answer_timeout{};
  std::chrono::milliseconds life{};  // from now: later it must not arrive at the broker
  std::string traceparent{};         // empty: none
  std::string payload{};
  // To store it: who sends it, and the last sequence that the stream has to have.
  std::string_view sender{};  // empty: it is not to be stored; lives as long as the publisher
  std::uint64_t expected_sequence = 0;
};

// The bytes of an answer, which live until the handler returns; or why there is none.
using Reply = Result<std::string_view, AttemptResult>;
using ReplyHandler = std::function<nats::AfterReply(const Reply&)>;

// The way to the broker, and the time.
class OrderTransport {
 public:
  // Empty: sent, and `on_reply` runs at least once. Otherwise why it was not sent. No order's
  // handler runs inside send(). A number that is sent again keeps the handler it came with first,
  // and an answer to any of its attempts is the answer.
  [[nodiscard]] virtual std::optional<AttemptResult> send(OrderNumber number,
                                                          const OrderMessage& message,
                                                          ReplyHandler on_reply) = 0;
  // A message to ourselves through the broker.
  [[nodiscard]] virtual std::optional<AttemptResult> round_trip(std::chrono::milliseconds timeout,
                                                                ReplyHandler on_reply) = 0;
  [[nodiscard]] virtual nats::Status status() const = 0;
  [[nodiscard]] virtual UnixMs now() const = 0;
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;
  // Calls `wake` once at that time. It cannot be taken back, and any number may be set.
  virtual void wake_at(SteadyTime at, std::function<void()> wake) = 0;
};

// The order log, as far as it is read here. After each reading Publisher::on_log_read() is called.
class OrderLog {
 public:
  // Up to what it held when it was looked at on this connection, also when it is gone since. Until
  // then no order leaves.
  [[nodiscard]] virtual bool is_read() const = 0;
  // The sequence of the newest entry that was read; 0: none.
  [[nodiscard]] virtual std::uint64_t last() const = 0;
  // Another number: what was read before is of a log that is no more.
  [[nodiscard]] virtual std::uint64_t generation() const = 0;
  // Reads on, soon. Returns the number of the reading that will have all that is there now.
  virtual std::uint64_t read_on() = 0;
};

// How an order ended. Lives until the callback returns.
struct OrderReport {
  const Order& order;
  OrderResult result;
  int attempts = 0;                                     // that were sent
  std::optional<std::chrono::nanoseconds> answered_in;  // from the last sending to its answer
  std::string_view detail;                              // what the answer says, or what is wrong
};

// Of an order, with its headers, rounded up: less than a broker must not take a message.
inline constexpr std::int64_t kLargestOrderBytes = 2048;

// That no other process has: a random UUID.
[[nodiscard]] std::string new_process_id();

class Publisher {
 public:
  struct Callbacks {
    std::function<std::string_view()> held_back_by;  // why no order may leave; empty: it may
    std::function<bool(StrategyId)> is_paused;       // nothing is sent then
    std::function<bool(const Order&)> passes_still;  // the gate, after others were stored
    std::function<void(const Order&, std::uint64_t sequence)> on_stored;  // the log's next entry
    std::function<void(SteadyTime received_at)> on_sent;  // an order's first attempt
    std::function<void(const OrderReport&)> on_result;    // once for each order
    std::function<void(std::string_view)> on_odd_answer;  // its bytes: they could not be read
    std::function<void(BreakerState)> on_breaker;         // it has changed
  };

  struct Status {
    BreakerState breaker = BreakerState::closed;
    CircuitBreaker::Entered breaker_entered{};
    std::size_t in_flight = 0;
    std::uint64_t repeats = 0;      // attempts after an order's first
    std::uint64_t odd_answers = 0;  // that could not be read
    // Why orders do not arrive, as the last one found or the broker says of itself; empty when they
    // do, for all that is known. That nobody listens is known of one connection only; a refusal
    // stays until an order gets through.
    std::string path_problem;
    // Why an order would not even be tried now; empty: it would be.
    std::string_view held_by{};
    // Whether it is known at all who takes the orders: of this connection, by an order that has
    // found somebody or nobody.
    bool path_tried = true;
  };

  // `transport` and `log` must outlive the publisher, and not call it any more once it is gone.
  Publisher(OrderTransport& transport, OrderLog& log, DeliveryParameters parameters,
            Callbacks callbacks, std::string sender = new_process_id());

  // What entries of the log say as their sender that this process has stored. No other process has
  // the same.
  [[nodiscard]] const std::string& sender() const noexcept { return sender_; }

  // The time of an event that was decided upon. An order's time is never before it: a clock of ours
  // that is slow would make a late order look early. How far ahead of us an event may be is the
  // engine's rule.
  void accepted(UnixMs event_time) noexcept { newest_event_ = std::max(newest_event_, event_time); }

  // Ends in one on_result, now or later. An order leaves before its valid_until. Correlation-Id is
  // the frame's message_id, or the order's id where there is none that a header can carry.
  // `header_traceparent` is the NATS header of the frame; the envelope's stands in when it is
  // empty.
  // `in_log`: another process has stored it, so it is done.
  void publish(const Order& order, std::string_view header_traceparent, SteadyTime received_at,
               bool in_log);

  // To be called when the transport's status has changed.
  void on_connection_change();
  // To be called with each entry that is read from the log, and when a reading is done.
  void on_log_entry(const Uuid& id, std::string_view sender);
  void on_log_read(std::uint64_t reading);

  // `done` runs when nothing is in flight any more. Once only.
  void finish(std::function<void()> done);
  // Ends what is in flight: what may have arrived as `ambiguous`, what is not stored as `expired`.
  void abandon();

  [[nodiscard]] Status status() const;

 private:
  // Of an order in flight. It ends from each of them; core begins with the last:
  //
  //   storing --no clear answer--> asking_again --in a while--> storing
  //      |---another was stored--> reading_log --it is not there, and passes still--> storing
  //      '--------stored---------> forwarding <--it is there, by us-- any of the others
  enum class OrderState : std::uint8_t {
    storing,       // the stream's answer to an attempt is awaited
    asking_again,  // an attempt may have been stored; its answer still counts
    reading_log,   // the log will say
    forwarding     // the TradeEngine's answer is awaited
  };
  // By whom an order is in the log, as far as that was read.
  enum class Stored : std::uint8_t { no, by_us, by_other };
  // An order on its way, with its own copy of the texts that the order only looks at.
  struct InFlight {
    OrderNumber number = 0;
    Order order;
    std::string symbol;
    OrderMessage message;
    SteadyTime received_at;  // the frame it came of
    CircuitBreaker::Permit permit;
    OrderState state = OrderState::storing;
    Stored stored = Stored::no;
    bool known_to_stream = false;             // it says so: it is not to be stored again
    bool overtaken = false;                   // as the stream has said last
    std::uint64_t others_heard = 0;           // entries of others, when it was checked last
    std::uint64_t awaited_reading = 0;        // while reading_log
    std::optional<std::uint64_t> doubtful;    // the last sequence behind which it may be stored yet
    int attempts = 0;                         // that were sent
    SteadyTime sent_at;                       // the last one
    std::optional<SteadyTime> pending_since;  // its first answer of these in a row
    std::uint64_t last_when_pending = 0;      // the log's last sequence then
    std::optional<std::chrono::nanoseconds> answered_in;
  };
  enum class Path : std::uint8_t { unknown, works, no_responders, denied };
  // A subject, and what the last order that went there found out about it.
  struct Destination {
    std::string subject;
    SilenceWatch silence;  // who listens on one subject says nothing of the others
    Path path = Path::unknown;
  };

  [[nodiscard]] UnixMs now() const { return std::max(transport_.now(), newest_event_); }
  [[nodiscard]] bool stores() const noexcept { return parameters_.mode == DeliveryMode::jetstream; }
  // Why no order may leave as far as the logs go; empty: it may.
  [[nodiscard]] std::string_view unread_log() const;
  Destination& destination_of(StrategyId strategy);
  InFlight& take_in(const Order& order, std::string_view header_traceparent, SteadyTime received_at,
                    CircuitBreaker::Permit permit);
  void store(InFlight& order);
  void forward(InFlight& order);
  void send(InFlight& order);
  nats::AfterReply on_reply(OrderNumber number, const Reply& reply);
  void on_answer(InFlight& order, std::string_view payload);
  void on_ack(InFlight& order, const wire::PubAck& ack);
  void conclude(InFlight& order, AttemptResult result, std::string_view detail);
  void conclude_storing(InFlight& order, AttemptResult result, std::string_view detail);
  void conclude_forwarding(InFlight& order, AttemptResult result, std::string_view detail);
  void read_log(InFlight& order);
  void settle(InFlight& order);
  void ask_again(InFlight& order);
  void wait_to_ask(InFlight& order);
  void expire(InFlight& order);
  void look_at_waiting();
  template <typename Visit>
  void for_each_in_flight(Visit visit);
  void end(InFlight& order, OrderResult result, BreakerSignal signal, std::string_view detail);
  [[nodiscard]] std::string detail_of(const InFlight& order, AttemptResult result) const;
  [[nodiscard]] std::string path_problem() const;

  std::optional<CircuitBreaker::Permit> admit();
  std::optional<CircuitBreaker::Permit> admit_order();
  void report(CircuitBreaker::Permit permit, BreakerSignal signal);
  void on_breaker_used();
  void look_at_breaker(SteadyTime at);
  void probe();

  OrderTransport& transport_;
  OrderLog& log_;
  const DeliveryParameters parameters_;
  const Callbacks callbacks_;
  UnixMs newest_event_{};
  CircuitBreaker breaker_;
  BreakerState breaker_before_ = BreakerState::closed;  // as last told
  SteadyTime breaker_look_at_;                          // the next one
  bool look_is_set_ = false;                            // at those that wait
  std::uint64_t awaited_reading_ = 0;  // the first since the breaker is open for want of the log
  std::map<OrderNumber, InFlight> in_flight_;
  OrderNumber last_number_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t odd_answers_ = 0;
  std::uint64_t others_heard_ = 0;    // entries of the log that other processes have stored
  std::uint64_t log_generation_ = 0;  // as last read
  std::uint64_t reconnects_ = 0;      // of the transport, as last looked at while connected
  const std::string sender_;
  // What the next order expects at least: one more than the last that was sent and is not stored.
  std::uint64_t expected_sequence_ = 0;
  std::vector<Destination> destinations_;  // one for all strategies, or one for each
  std::string log_problem_;  // why the log takes no order, as the last one found; empty: it does
  std::function<void()> finished_;
};

}  // namespace rts::service
