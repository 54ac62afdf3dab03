// Orders as sets of ids: what was expected, what arrived, and the judgement. Counts prove nothing:
// one order lost and another sent twice add up to what was expected.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/time.hpp>

namespace rts::test {

// By order id: when the frame that leads to it was due to be published.
using ExpectedOrders = std::map<std::string, UnixMs>;

// A file of ids and times in Unix ms, one order a line.
void write_expected(const std::string& path, const ExpectedOrders& expected);
// Throws std::runtime_error when the file is not there.
[[nodiscard]] ExpectedOrders read_expected(const std::string& path);

struct ArrivedOrder {
  std::string id;
  std::string strategy;
  std::string symbol{};
  std::string side{};  // BUY, SELL; buy, sell
  UnixMs arrived;
  UnixMs timestamp;    // the order's own: its event time
  UnixMs valid_until;  // the order's own; far in the future where its format has none
  bool valid = true;   // against the schema of its format

  // Whoever sends checks the time, and then it takes a moment. Orders that were kept somewhere and
  // flushed after a fault are seconds late.
  static constexpr std::chrono::milliseconds kTransit{200};
  [[nodiscard]] bool stale() const {
    return arrived.time_since_epoch() - kTransit > valid_until.time_since_epoch();
  }
};
// The value of a key whose value is a string without escapes, as ids and times are; empty: none.
[[nodiscard]] std::string_view text_at(std::string_view json, std::string_view key);
// From the payload of an order of either format.
[[nodiscard]] ArrivedOrder read_order(std::string_view payload, UnixMs arrived);

// A stretch of time in which a fault is allowed to cost orders.
struct FaultWindow {
  UnixMs from;
  UnixMs to;
  // What was sent in it up to here was with a broker that then froze and will deliver it late: no
  // sender can take that back.
  UnixMs handed_over = UnixMs::min();
};

struct Verdict {
  std::vector<std::string> missing;    // due outside of all windows, never arrived
  std::vector<std::string> duplicate;  // arrived again
  std::vector<std::string> stale;      // arrived past valid_until, and no broker had kept it
  std::vector<std::string> unknown;    // arrived, not expected
  std::vector<std::string> invalid;    // arrived, not as the schema wants it
  std::size_t arrived = 0;
  std::size_t excused = 0;         // due inside a window, never arrived
  std::size_t kept_by_broker = 0;  // arrived past valid_until, handed over before the broker froze

  [[nodiscard]] bool clean() const {
    return missing.empty() && duplicate.empty() && stale.empty() && unknown.empty() &&
           invalid.empty();
  }
  // "1200 arrived; missing 0, duplicate 0, stale 0, unknown 0; 3 lost during the fault"
  [[nodiscard]] std::string text() const;
  // The first few ids of every list that should be empty, one a line.
  [[nodiscard]] std::string details() const;
};
[[nodiscard]] Verdict judge(const std::vector<ArrivedOrder>& arrived,
                            const ExpectedOrders& expected,
                            const std::vector<FaultWindow>& windows = {});

// What orders in this sequence have against the rules of SPEC §4, one line each; empty: nothing.
// Limits of 0 are off. Day and minute never run backwards: an older order counts to the current.
struct OrderLimits {
  std::chrono::milliseconds cooldown{0};  // of a strategy, symbol and side, in event time
  std::size_t per_day = 0;                // of a strategy
  std::size_t per_minute = 0;             // of all
};
[[nodiscard]] std::string broken_limits(const std::vector<ArrivedOrder>& orders,
                                        const OrderLimits& limits);

[[nodiscard]] UnixNs wall_clock();
// The same in ms since 1970, as frames have it.
[[nodiscard]] std::int64_t now_ms();

}  // namespace rts::test
