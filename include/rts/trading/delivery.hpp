// The rules of delivery (SPEC §6) as a table: what the result of an attempt means for the order and
// for the circuit breaker. Pure; `src/service/publisher.hpp` is what applies it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <rts/base/enum_names.hpp>
#include <rts/trading/breaker.hpp>
#include <rts/trading/order.hpp>
#include <rts/trading/order_subject.hpp>

namespace rts {

// How an order ended. Every signal ends in exactly one.
BOOST_DEFINE_FIXED_ENUM_CLASS(
    OrderResult, std::uint8_t,
    confirmed,      // the TradeEngine has answered, or the stream has stored it
    unconfirmed,    // core: sent to somebody who listens, and no answer in time
    duplicate,      // the stream has it already, from an earlier attempt or another replica
    no_responders,  // nobody listens on the order subject: not received
    rejected,       // an answer refuses it, or the broker or the library cannot take it
    expired,        // valid_until has passed: before it could be sent, or without acknowledgement
    disconnected,   // no broker: not sent
    circuit_open,   // the circuit breaker holds it back: not sent
    buffer_full,    // the connection does not take more, or too many are in flight: not sent
    ambiguous,      // sent, and whether it arrived will not become known: not repeated
    dry_run         // DRY_RUN_MODE: decided, not sent
)

BOOST_DEFINE_FIXED_ENUM_CLASS(
    DeliveryMode, std::uint8_t,
    core,      // at most once: sent once, an answer is awaited, never repeated
    jetstream  // repeated with the same id until the stream acknowledges or valid_until
)

// How one attempt to deliver an order ended.
BOOST_DEFINE_FIXED_ENUM_CLASS(
    AttemptResult, std::uint8_t,
    // Answered.
    acknowledged,    // by the TradeEngine (core) or the stream
    duplicate,       // the stream says that it has this id
    refused,         // by the TradeEngine, or by a stream that never stored the id: it has looked
    refused_unseen,  // another error, which says nothing of earlier attempts
    // Sent, and not answered.
    no_responders,     // the broker says that nobody listens
    timed_out,         // the broker has it, and there is no answer within ORDER_ACK_TIMEOUT_MS
    arrival_unproven,  // as long, and it is not known either whether the broker has it
    connection_lost,   // the connection ended before an answer
    denied,            // the broker refuses us the subject
    denied_unsure,     // it does, and may have meant another order of that moment
    // Not sent.
    disconnected,   // no connection, or the broker does not answer
    buffer_full,    // the connection takes no more
    path_unproven,  // the broker has not answered for longer than the order is good for
    unsendable      // the broker cannot take such a message
)

// The TradeEngine or the stream has said something: the path works.
[[nodiscard]] constexpr bool is_answer(AttemptResult result) noexcept {
  return result <= AttemptResult::refused_unseen;
}

// What the result of an attempt leads to.
struct Judgement {
  std::optional<OrderResult> result;  // empty: publish the same id again, until valid_until
  BreakerSignal signal = BreakerSignal::none;
};

// `in_doubt`: an earlier attempt for the same order may have arrived.
[[nodiscard]] Judgement judge(DeliveryMode mode, AttemptResult result, bool in_doubt) noexcept;

// Whether silence means anything: the TradeEngine that answers its orders has gone quiet, or it
// never answers. Core delivery. Once it has confirmed an order on a connection, so many orders in
// a row without an answer are an outage: what is frozen behind our broker would get them late, when
// it thaws. A refusal ends a silence and proves nothing of later ones: there are engines that
// answer what they refuse only.
class SilenceWatch {
 public:
  // `limit`: ORDER_SILENCE_LIMIT, >= 0; 0: silence never means anything.
  explicit SilenceWatch(std::int64_t limit) noexcept;

  void on_new_connection() noexcept;
  // Takes the result of every attempt; true when it is one too many without an answer.
  [[nodiscard]] bool is_outage(AttemptResult result) noexcept;

 private:
  std::int64_t limit_;
  bool has_confirmed_ = false;
  std::int64_t unanswered_ = 0;  // in a row
};

// What the settings say of delivery.
struct DeliveryParameters {
  std::string subject{kTradeEngineSubject};  // one of its tokens may be {strategy}
  OrderFormat format = OrderFormat::trade_order;
  DeliveryMode mode = DeliveryMode::core;
  std::chrono::milliseconds ack_timeout{1000};
  CircuitBreaker::Policy breaker{};
  std::size_t max_in_flight = 8192;  // of orders whose end is not known; more are `buffer_full`
  std::int64_t silence_limit = 3;    // 0: off
  bool dry_run = false;
};

}  // namespace rts
