// The rules of delivery (SPEC §6) as a table: what an attempt's end means for the order and for the
// circuit breaker. Pure; `src/service/publisher.hpp` is what applies it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rts/base/enum_names.hpp>
#include <rts/trading/breaker.hpp>
#include <rts/trading/order.hpp>

namespace rts {

// How an order ended. Every signal ends in exactly one.
enum class OrderResult : std::uint8_t {
  confirmed,      // the TradeEngine has answered, or the stream has stored it
  unconfirmed,    // core: sent to somebody who listens, and no answer in time
  duplicate,      // the stream has it already, from an earlier attempt or another replica
  no_responders,  // nobody listens on the order subject: not received
  rejected,       // an answer refuses it, or the broker or the library cannot take it
  expired,        // valid_until has passed: before it could be sent, or without acknowledgement
  disconnected,   // no broker: not sent
  circuit_open,   // the circuit breaker holds it back: not sent
  buffer_full,    // the connection does not take more, or too many are in flight: not sent
  ambiguous,      // sent, and nobody will learn whether it arrived: not repeated
  dry_run,        // DRY_RUN_MODE: decided, not sent
};
inline constexpr std::array kOrderResults{
    OrderResult::confirmed,     OrderResult::unconfirmed,  OrderResult::duplicate,
    OrderResult::no_responders, OrderResult::rejected,     OrderResult::expired,
    OrderResult::disconnected,  OrderResult::circuit_open, OrderResult::buffer_full,
    OrderResult::ambiguous,     OrderResult::dry_run};
[[nodiscard]] std::string_view to_string(OrderResult result) noexcept;

enum class DeliveryMode : std::uint8_t {
  core,       // at most once: sent once, an answer is awaited, never repeated
  jetstream,  // repeated with the same id until the stream acknowledges or valid_until
};
BOOST_DESCRIBE_ENUM(DeliveryMode, core, jetstream)

struct DeliveryParameters {
  std::string subject = "tradeengine.orders";  // one of its tokens may be {strategy}
  OrderFormat format = OrderFormat::trade_order;
  DeliveryMode mode = DeliveryMode::core;
  std::chrono::milliseconds ack_timeout{1000};
  CircuitBreaker::Policy breaker{};
  std::size_t max_in_flight = 8192;  // of orders whose end is not known; more are `buffer_full`
  std::int64_t silence_limit = 3;    // 0: off
  bool dry_run = false;
};

// How one attempt to deliver ended.
enum class AttemptEnd : std::uint8_t {
  acknowledged,     // by the TradeEngine (core) or the stream
  duplicate,        // the stream says that it has this id
  refused,          // by the TradeEngine, or by a stream that never stored the id: it has looked
  refused_unseen,   // another error, which says nothing of earlier attempts
  no_responders,    // the broker says that nobody listens
  timed_out,        // the broker has it, and there is no answer within ORDER_ACK_TIMEOUT_MS
  unproven,         // as long, and not even the broker is known to have it
  connection_lost,  // sent, and the connection ended before an answer
  denied,           // the broker refuses us the subject
  denied_unsure,    // it does, and may have meant another order of that moment
};
inline constexpr std::array kAttemptEnds{AttemptEnd::acknowledged,  AttemptEnd::duplicate,
                                         AttemptEnd::refused,       AttemptEnd::refused_unseen,
                                         AttemptEnd::no_responders, AttemptEnd::timed_out,
                                         AttemptEnd::unproven,      AttemptEnd::connection_lost,
                                         AttemptEnd::denied,        AttemptEnd::denied_unsure};

struct Ruling {
  std::optional<OrderResult> result;  // empty: publish the same id again, until valid_until
  CircuitBreaker::Finding finding = CircuitBreaker::Finding::nothing;
};

// Whether silence means anything: the TradeEngine that answers its orders has gone quiet, or it
// never answers. Core delivery. Once it has confirmed an order on a connection, so many orders in
// a row without an answer are an outage: what is frozen behind our broker would get them late, when
// it thaws. A refusal ends a silence and proves nothing of later ones: there are engines that
// answer what they refuse only.
class SilenceWatch {
 public:
  // `limit`: ORDER_SILENCE_LIMIT; 0: silence never means anything.
  explicit SilenceWatch(std::int64_t limit) noexcept : limit_(limit) {}

  void on_new_connection() noexcept;
  // Takes every order's end; true when it is one too many without an answer.
  [[nodiscard]] bool is_outage(AttemptEnd end) noexcept;

 private:
  std::int64_t limit_;
  bool has_confirmed_ = false;
  std::int64_t unanswered_ = 0;  // in a row
};

// `in_doubt`: an earlier attempt for the same order may have arrived.
[[nodiscard]] Ruling judge(DeliveryMode mode, AttemptEnd end, bool in_doubt) noexcept;

}  // namespace rts
