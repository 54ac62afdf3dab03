#include "support/log_stream.hpp"

#include <chrono>
#include <stdexcept>

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/time.hpp>

#include "nats/admin.hpp"
#include "nats/subjects.hpp"
#include "support/rapidjson.hpp"

namespace rts::test {
namespace {

std::string base64(const std::string& bytes) {
  namespace iterators = boost::archive::iterators;
  using Encoded =
      iterators::base64_from_binary<iterators::transform_width<std::string::const_iterator, 6, 8>>;
  std::string text(Encoded(bytes.begin()), Encoded(bytes.end()));
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

}  // namespace

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

std::string stored_message(const wire::StoredMessage& message) {
  std::string at;
  append_iso8601(at, message.stored_at);
  return fmt::format(
      R"({{"message":{{"subject":"{}","seq":{},"hdrs":"{}","data":"{}","time":"{}"}}}})",
      message.subject, message.sequence, base64(message.headers), base64(message.data), at);
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
