// What others say to us as JSON: answers to orders, commands on the control subject, and orders on
// their subject. It may be anything; whatever it is, reading it is bounded and never fails harder
// than with "unreadable". Usable from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <rts/strategy/verdict.hpp>
#include <rts/trading/order_memory.hpp>

namespace rts::wire {

// Longer ones are not read.
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{64} << 10U;
// Texts of others that we show are cut to so many bytes.
inline constexpr std::size_t kMaxAnswerTextBytes = 200;

// A stream has stored the message: {"stream":"ORDERS","seq":7}; or has it already, as
// "duplicate":true says. A duplicate of sequence 0 is being stored (nats-server 2.10).
struct PubAck {
  std::string stream;
  std::uint64_t sequence = 0;
  bool duplicate = false;
};
// A stream has refused it: {"error":{"code":503,"err_code":10077,"description":"…"}}.
struct StreamError {
  std::uint64_t code = 0;  // 10077: a limit of the stream is reached
  std::string description;
};
// The TradeEngine's word: {"status":"processed","result":{"status":"rejected","reason":…}} for what
// it refuses, {"status":"error","error":…} for what it cannot read. It refuses when either status
// is `rejected`, `error` or `failed`, in letters of any case; any other word confirms.
struct EngineStatus {
  std::string status;         // empty: it has none
  std::string result_status;  // of its `result`, likewise
  std::string reason;         // the first of reason, message and error, the result's own before
  bool refused = false;
};
using Answer = std::variant<PubAck, StreamError, EngineStatus>;

// Empty when it is none of these.
[[nodiscard]] std::optional<Answer> parse_answer(std::string_view payload);

// {"command":"pause"|"resume"}, with "strategy" for one of them only; "all" is all.
struct ControlCommand {
  bool pause = false;
  std::optional<StrategyId> strategy;  // empty: all
};

// Empty when it is no such command; also when it names a strategy that we do not have.
[[nodiscard]] std::optional<ControlCommand> parse_control(std::string_view payload);

// {"paused":true|false}, as a recording has it, with "strategy" as above.
[[nodiscard]] std::optional<ControlCommand> parse_pause(std::string_view payload);

// An order of either format, read back as far as the limits count it. Empty when it is none of
// ours: without a strategy that we have, a symbol, a side, an id and a time.
[[nodiscard]] std::optional<CountedOrder> parse_counted_order(std::string_view payload);

// An order of either format as one line for people, free of control characters and without its end:
// "12:03:11.109  BUY  0.002 BTCUSDT at 6394 …". What is no order is shown as it is, cut to
// kMaxAnswerTextBytes.
[[nodiscard]] std::string order_text(std::string_view payload);

}  // namespace rts::wire
