#include "support/order_service.hpp"

#include <cstdlib>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/deadline.hpp"

namespace rts::test {
namespace {

// The value of a key in a log line; empty when it is not there.
std::string field(const std::string& line, const std::string& key) {
  const std::size_t at = line.find("\"" + key + "\":");
  if (at == std::string::npos) return "";
  std::size_t begin = at + key.size() + 3;
  const bool quoted = line[begin] == '"';
  if (quoted) ++begin;
  return line.substr(begin, line.find_first_of(quoted ? "\"" : ",}", begin) - begin);
}

}  // namespace

Environment with(Environment all, const Environment& more) {
  for (const auto& [name, value] : more) all[name] = value;
  return all;
}

Environment order_settings(const std::string& url, const Environment& more) {
  return with({{"NATS_URL", url},
               {"SIGNAL_COOLDOWN_SECONDS", "0"},
               {"RISK_PRICE_BAND_PERCENT", "0"},
               {"RISK_MAX_DAILY_SIGNALS", "0"},
               {"RISK_MAX_ORDERS_PER_MINUTE", "0"}},
              more);
}

Environment logged_settings(const std::string& url, const Environment& more) {
  // A control log is there for who asks for one.
  return with(order_settings(url, {{"ORDER_DELIVERY", "jetstream"}, {"CONTROL_BUCKET", ""}}), more);
}

std::vector<OrderService::Line> OrderService::lines() const {
  std::vector<Line> all;
  for (const std::string& line : daemon.log("order")) {
    all.push_back({field(line, "result"), std::atoi(field(line, "attempts").c_str()),
                   field(line, "order_id"), field(line, "detail"), field(line, "answer_ms")});
  }
  return all;
}

std::vector<std::string> OrderService::ends() const {
  std::vector<std::string> all;
  for (const Line& line : lines()) all.push_back(fmt::format("{}/{}", line.result, line.attempts));
  return all;
}

bool OrderService::ended(std::size_t orders, std::chrono::milliseconds limit) const {
  return eventually([&] { return lines().size() >= orders; }, limit);
}

bool OrderService::becomes(bool is_ready, std::chrono::milliseconds limit) const {
  return eventually([&] { return daemon.ready() == is_ready; }, limit);
}

bool OrderService::says(const std::string& text, std::chrono::milliseconds limit) const {
  return eventually([&] { return ready().find(text) != std::string::npos; }, limit);
}

void OrderService::expect_one(const std::string& result, int attempts, const std::string& detail,
                              bool answered, int repeats) const {
  ASSERT_TRUE(ended(1)) << ready() << daemon.log();
  EXPECT_EQ(results(result), 1);
  EXPECT_EQ(daemon.metric("rts_orders_total"), 1);
  ASSERT_EQ(lines().size(), 1U);
  const Line line = lines()[0];
  EXPECT_EQ(line.result, result);
  EXPECT_EQ(line.attempts, attempts);
  EXPECT_EQ(line.id.size(), 36U);
  EXPECT_THAT(line.detail, testing::HasSubstr(detail));
  EXPECT_EQ(line.answer_ms.empty(), !answered) << line.answer_ms;
  EXPECT_EQ(daemon.metric("rts_order_answer_seconds_count"), answered ? 1 : 0);
  EXPECT_EQ(daemon.metric("rts_order_repeats_total"), repeats);
  daemon.expect_accounts_balance();
}

}  // namespace rts::test
