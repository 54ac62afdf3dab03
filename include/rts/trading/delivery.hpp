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
    confirmed,      // the TradeEngine has answered
    unconfirmed,    // sent to somebody who listens, and no answer in time
    duplicate,      // the order log has it already, stored by another replica: that one sends it
    superseded,     // not sent: what others have stored meanwhile, or a pause, holds it back now
    no_responders,  // nobody listens on the order subject: not received
    rejected,       // an answer refuses it, or the broker or the library cannot take it
    expired,        // valid_until has passed: before it could be sent, or stored
    disconnected,   // no broker, or its order log is not read: not sent
    circuit_open,   // the circuit breaker holds it back: not sent
    buffer_full,    // the connection does not take more, or too many are in flight: not sent
    ambiguous,      // sent, and whether it arrived will not become known: not repeated
    dry_run         // DRY_RUN_MODE: decided, not sent
)

BOOST_DEFINE_FIXED_ENUM_CLASS(
    DeliveryMode, std::uint8_t,
    core,      // at most once: sent once, an answer is awaited, never repeated
    jetstream  // stored in the order log first, then sent so by the process that has stored it
)

// To the order log, or to the TradeEngine.
BOOST_DEFINE_FIXED_ENUM_CLASS(DeliveryStep, std::uint8_t, storing, forwarding)

// How one attempt to deliver an order ended.
BOOST_DEFINE_FIXED_ENUM_CLASS(
    AttemptResult, std::uint8_t,
    // Answered.
    acknowledged,  // by the TradeEngine, or a stream has stored it
    duplicate,     // a stream says that it has this id
    refused,       // by the TradeEngine, or by a stream's limits
    overtaken,     // a stream has stored something else meanwhile: not stored
    pending,       // a stream is storing a copy of it, or has nobody who could say now
    failed,        // a stream cannot store it
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
  return result <= AttemptResult::failed;
}

// Of an error that a stream answers with, by its err_code.
[[nodiscard]] AttemptResult result_of_error(std::uint64_t code) noexcept;
// Whether it says that nothing more can be stored, whatever it is; its own words are mere
// "resources".
[[nodiscard]] bool is_storage_full(std::uint64_t code) noexcept;

// What the result of an attempt leads to. Where the order ends, a result and what it says of the
// path; else what comes next, at most until valid_until.
struct Judgement {
  enum class Next : std::uint8_t {
    end,
    forward,    // it is in the log by us
    ask_again,  // the same id again, in a while
    read_log    // the log says what became of it: ours, another's, or none
  };
  Next next = Next::end;
  OrderResult result = OrderResult::ambiguous;
  BreakerSignal signal = BreakerSignal::none;
};

// `in_doubt`: an earlier attempt to store the same order may be stored yet. No attempt at
// forwarding is made twice.
[[nodiscard]] Judgement judge(DeliveryStep step, AttemptResult result, bool in_doubt) noexcept;

// Whether an attempt at storing may be stored yet, as far as its own result says.
[[nodiscard]] bool is_unclear(AttemptResult result) noexcept;

// Whether silence means anything: the TradeEngine that answers its orders has gone quiet, or it
// never answers. Once it has confirmed an order on a connection, so many orders in
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
  std::string subject{kTradeEngineSubject};   // one of its tokens may be {strategy}
  std::string log_subject{kOrderLogSubject};  // of the order log
  OrderFormat format = OrderFormat::trade_order;
  DeliveryMode mode = DeliveryMode::core;
  std::chrono::milliseconds ack_timeout{1000};
  CircuitBreaker::Policy breaker{};
  std::size_t max_in_flight = 8192;  // of orders whose end is not known; more are `buffer_full`
  std::int64_t silence_limit = 3;    // 0: off
  bool dry_run = false;
};

}  // namespace rts
