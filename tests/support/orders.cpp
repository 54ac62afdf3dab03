#include "support/orders.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "support/order_schema.hpp"

namespace rts::test {
namespace {

UnixMs time_at(std::string_view json, std::string_view key, UnixMs otherwise) {
  return parse_iso8601(text_at(json, key)).value_or(otherwise);
}

bool is_inside(UnixMs at, const std::vector<FaultWindow>& windows) {
  return std::any_of(windows.begin(), windows.end(), [at](const FaultWindow& window) {
    return window.from <= at && at <= window.to;
  });
}

bool was_handed_over(UnixMs sent, const std::vector<FaultWindow>& windows) {
  return std::any_of(windows.begin(), windows.end(), [sent](const FaultWindow& window) {
    return window.from <= sent && sent <= window.handed_over;
  });
}

}  // namespace

std::string_view text_at(std::string_view json, std::string_view key) {
  const std::string opening = fmt::format("\"{}\":\"", key);
  const std::size_t at = json.find(opening);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + opening.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

void write_expected(const std::string& path, const ExpectedOrders& expected) {
  std::ofstream file(path);
  for (const auto& [id, at] : expected) file << id << ' ' << at.time_since_epoch().count() << '\n';
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

ExpectedOrders read_expected(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  ExpectedOrders expected;
  std::string id;
  std::int64_t at_ms = 0;
  while (file >> id >> at_ms) expected[id] = UnixMs(std::chrono::milliseconds(at_ms));
  return expected;
}

ArrivedOrder read_order(std::string_view payload, UnixMs arrived) {
  const bool is_trade_order = payload.starts_with(R"({"order_id")");
  const OrderFormat format = is_trade_order ? OrderFormat::trade_order : OrderFormat::signal;
  return {.id = std::string(text_at(payload, is_trade_order ? "order_id" : "id")),
          .strategy = std::string(text_at(payload, is_trade_order ? "strategy_name" : "strategy")),
          .symbol = std::string(text_at(payload, "symbol")),
          .side = std::string(text_at(payload, is_trade_order ? "side" : "action")),
          .arrived = arrived,
          .timestamp = time_at(payload, "timestamp", UnixMs{}),
          .valid_until = time_at(payload, "valid_until", UnixMs::max()),
          .valid = schema_error(payload, format).empty()};
}

Verdict judge(const std::vector<ArrivedOrder>& arrived, const ExpectedOrders& expected,
              const std::vector<FaultWindow>& windows) {
  Verdict verdict;
  verdict.arrived = arrived.size();
  std::set<std::string_view> seen;
  for (const ArrivedOrder& order : arrived) {
    if (!seen.insert(order.id).second) verdict.duplicate.push_back(order.id);
    if (order.stale() && was_handed_over(order.timestamp, windows)) {
      ++verdict.kept_by_broker;
    } else if (order.stale()) {
      verdict.stale.push_back(order.id);
    }
    if (!order.valid) verdict.invalid.push_back(order.id);
    if (expected.count(order.id) == 0) verdict.unknown.push_back(order.id);
  }
  for (const auto& [id, at] : expected) {
    if (seen.count(id) != 0) continue;
    if (is_inside(at, windows)) {
      ++verdict.excused;
    } else {
      verdict.missing.push_back(id);
    }
  }
  return verdict;
}

std::string Verdict::text() const {
  std::string text =
      fmt::format("{} arrived; missing {}, duplicate {}, stale {}, unknown {}", arrived,
                  missing.size(), duplicate.size(), stale.size(), unknown.size());
  if (!invalid.empty()) text += fmt::format(", invalid {}", invalid.size());
  if (kept_by_broker > 0) {
    text += fmt::format("; {} kept by the frozen broker", kept_by_broker);
  }
  if (excused > 0) text += fmt::format("; {} lost during the fault", excused);
  return text;
}

std::string Verdict::details() const {
  constexpr std::size_t kShown = 5;
  std::string text;
  const auto list = [&](std::string_view name, const std::vector<std::string>& ids) {
    for (std::size_t i = 0; i < std::min(ids.size(), kShown); ++i) {
      text += fmt::format("{} {}\n", name, ids[i]);
    }
  };
  list("missing", missing);
  list("duplicate", duplicate);
  list("stale", stale);
  list("unknown", unknown);
  list("invalid", invalid);
  return text;
}

std::string broken_limits(const std::vector<ArrivedOrder>& orders, const OrderLimits& limits) {
  // Orders of the latest period that has had one.
  struct Period {
    std::int64_t number = 0;
    std::size_t orders = 0;

    std::size_t count(std::int64_t now) {
      orders = now > number ? 1 : orders + 1;
      number = std::max(now, number);
      return orders;
    }
  };
  std::map<std::string, UnixMs> last;  // by key
  std::map<std::string, Period> days;  // by strategy
  Period minute;
  std::string broken;
  for (const ArrivedOrder& order : orders) {
    const auto complain = [&](std::string_view what) {
      broken += fmt::format("{}: {} {} {} ", what, order.strategy, order.symbol, order.side);
      append_iso8601(broken, order.timestamp);
      broken += '\n';
    };
    const auto at = order.timestamp.time_since_epoch();
    const auto key = fmt::format("{} {} {}", order.strategy, order.symbol, order.side);
    const auto [before, is_first] = last.try_emplace(key, order.timestamp);
    if (!is_first && limits.cooldown.count() > 0) {
      const auto last_at = before->second.time_since_epoch();
      if (at - last_at < limits.cooldown || at / limits.cooldown <= last_at / limits.cooldown) {
        complain("cooldown");
      }
    }
    before->second = std::max(before->second, order.timestamp);
    const auto of_day = days[order.strategy].count(at / std::chrono::hours(24));
    if (limits.per_day > 0 && of_day > limits.per_day) complain("day");
    const auto of_minute = minute.count(at / std::chrono::minutes(1));
    if (limits.per_minute > 0 && of_minute > limits.per_minute) complain("minute");
  }
  return broken;
}

UnixNs wall_clock() {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

std::int64_t now_ms() { return to_ms(wall_clock()).time_since_epoch().count(); }

}  // namespace rts::test
