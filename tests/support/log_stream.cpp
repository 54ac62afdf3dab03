#include "support/log_stream.hpp"

#include <chrono>
#include <stdexcept>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/time.hpp>

#include "nats/admin.hpp"
#include "nats/subjects.hpp"
#include "support/rapidjson.hpp"

namespace rts::test {

std::string order_log_configuration() {
  return fmt::format(
      R"("name":"{}","subjects":["{}"],"retention":"limits","storage":"file","num_replicas":1,)"
      R"("discard":"new","duplicate_window":1800000000000,"max_age":86400000000000,)"
      R"("republish":{{"src":"{}","dest":"{}"}})",
      OrderLogStream::kName, kIntents, kIntents, kStoredIntents);
}

std::string log_entry(const EntryParts& parts) {
  std::string at;
  append_iso8601(at, UnixMs(std::chrono::milliseconds(parts.at_ms)));
  return fmt::format(
      R"({{"order_id":"{}","strategy_name":"{}","side":"{}","symbol":"{}","timestamp":"{}"}})",
      parts.id, parts.strategy, parts.side, parts.symbol, at);
}

std::string OrderLogStream::ask(const std::string& subject, std::string_view payload) const {
  nats::ClientOptions options;
  options.urls.emplace_back(url_);
  auto admin = nats::Admin::connect(options, nats::inbox_prefix("test"));
  if (!admin) return admin.error();
  const auto answer = admin.value().request(subject, payload);
  return answer ? answer.value() : answer.error();
}

void OrderLogStream::create(std::string_view more) const {
  EXPECT_THAT(ask(fmt::format("$JS.API.STREAM.CREATE.{}", kName),
                  fmt::format("{{{}{}}}", order_log_configuration(), more)),
              testing::HasSubstr(R"("config")"));
}

void OrderLogStream::remove() const {
  EXPECT_THAT(ask(fmt::format("$JS.API.STREAM.DELETE.{}", kName)),
              testing::HasSubstr(R"("success":true)"));
}

void OrderLogStream::purge() const {
  EXPECT_THAT(ask(fmt::format("$JS.API.STREAM.PURGE.{}", kName)),
              testing::HasSubstr(R"("success":true)"));
}

StreamFacts OrderLogStream::facts() const {
  const std::string info = ask(fmt::format("$JS.API.STREAM.INFO.{}", kName));
  const auto facts = wire::parse_stream_info(info);
  if (!facts) throw std::runtime_error(info);
  return facts.value();
}

std::uint64_t OrderLogStream::messages() const {
  const std::string info = ask(fmt::format("$JS.API.STREAM.INFO.{}", kName));
  rapidjson::Document document;
  document.Parse(info.c_str());
  if (!document.IsObject() || !document.HasMember("state")) throw std::runtime_error(info);
  return document["state"]["messages"].GetUint64();
}

wire::StoredMessage OrderLogStream::entry(std::uint64_t sequence) const {
  const std::string answer =
      ask(fmt::format("$JS.API.STREAM.MSG.GET.{}", kName), wire::message_request(sequence));
  auto message = wire::parse_stored_message(answer);
  if (!message) throw std::runtime_error(answer);
  return std::move(message).value();
}

}  // namespace rts::test
