// What a running service says of itself at "/" and of its orders at /decisions, as far as who
// watches it shows it. Texts are as they were written: who shows them makes them printable.
// Synchronous; whatever the text, it returns. Any thread. Source: the service's own src/service.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rts::wire {

// Longer ones are not read: 512 symbols and 200 decisions are a quarter of it.
inline constexpr std::size_t kMaxStatusBytes = std::size_t{4} << 20U;

// Why it does not trade, or not as usual: "paused", "orders are paused by …".
struct Notice {
  std::string what, text;
};

// What became of events, over a minute or an hour.
struct Funnel {
  std::uint64_t events = 0;
  std::vector<std::pair<std::string, std::uint64_t>> outcomes{};  // in the order of deciding
};

struct StrategyStatus {
  std::string name;
  bool enabled = false, paused = false;
  std::string paused_by{};  // "who: why", where it is known
  // Of the last decision; empty: there is none.
  std::string last_time{}, last_outcome{}, last_sentence{};
  Funnel minute{}, hour{};
};

// 99 of 100 events were no older when they came. beyond: they were, or nobody knows by how much.
struct Lag {
  double seconds = 0;
  bool beyond = false;

  friend auto operator<=>(const Lag&, const Lag&) = default;
};

struct ServiceStatus {
  std::string id, version;
  double uptime_seconds = 0;
  bool trading = false;
  std::vector<Notice> notices{};  // the gravest first
  std::string breaker{};
  std::uint64_t frames = 0, orders = 0;          // since the start
  std::array<std::optional<double>, 3> rates{};  // events a second: book, trade, ticker; over 5 s
  std::optional<Lag> lag{};                      // of the slowest kind, since the start
  std::vector<std::string> symbols{};            // of which it sees events
  std::string symbol{};                          // that the strategies' status is of
  std::vector<StrategyStatus> strategies{};
  std::string settings_hash{};
};
// Empty where it is no such document.
[[nodiscard]] std::optional<ServiceStatus> parse_service_status(std::string_view text);

// A decision that became an order, or was to become one.
struct OrderStatus {
  std::string time, symbol, strategy, side;
  double price = 0, quantity = 0;  // 0: not known
  std::string result;              // empty: not known yet
  std::string sentence;
};
// Oldest first, as they are written; empty where it is no such document.
[[nodiscard]] std::vector<OrderStatus> parse_order_statuses(std::string_view text);

}  // namespace rts::wire
