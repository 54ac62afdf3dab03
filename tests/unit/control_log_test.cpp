// The control log's values as JSON: what is read of what anybody may have written, and what is
// written is read back. The stream's answers are what nats-server 2.9.10 sent.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <rts/base/text.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/stream_info.hpp>

namespace rts::wire {
namespace {

// In words, so that a test reads like a table.
std::string pause(std::string_view json) {
  const auto value = parse_pause_value(json);
  if (!value) return "none";
  const auto& [reason, by, at] = value->author;
  return fmt::format("{} {}|{}|{}", value->paused, reason, by, at);
}
std::string settings(std::string_view json) {
  const auto value = parse_settings_value(json);
  if (!value) return "none";
  std::string text = std::to_string(value->effective_from.time_since_epoch().count());
  for (const auto& [name, given] : value->values) text += " " + name + "=" + given;
  return text + " " + value->author.by;
}

TEST(ControlLog, ReadsAPause) {
  EXPECT_EQ(pause(R"({"paused":true,"reason":"news","by":"me@here","at":"2024-07-19T12:00:00Z"})"),
            "true news|me@here|2024-07-19T12:00:00Z");
  EXPECT_EQ(pause(R"({"at":7,"paused":false,"x":[1]})"), "false ||");
  EXPECT_EQ(pause(R"({"paused":true,"by":"a\u001b[2J\n"})"), "true |a [2J |") << "no controls";
  for (const char* none : {"", "{}", "true", "[]", R"({"paused":1})", R"({"paused":"true"})",
                           R"({"paused":true)", R"({"paused":true} {})", "\xEF\xBB\xBF{}"}) {
    EXPECT_EQ(pause(none), "none") << none;
  }
}

TEST(ControlLog, ReadsARevisionOfTheSettings) {
  EXPECT_EQ(settings(R"({"effective_from":1721390400000,"values":{"A":"1","B__X":""},"by":"me"})"),
            "1721390400000 A=1 B__X= me");
  EXPECT_EQ(settings(R"({"values":{},"effective_from":0})"), "0 ") << "nothing is changed any more";
  EXPECT_EQ(settings(R"({"values":{},"effective_from":253402300799999})"), "253402300799999 ");
  for (const char* none :
       {"", "{}", R"({"effective_from":1})", R"({"values":{"A":"1"}})",
        R"({"effective_from":-1,"values":{}})", R"({"effective_from":1.5,"values":{}})",
        R"({"effective_from":"1","values":{}})", R"({"effective_from":1,"values":[]})",
        R"({"effective_from":1,"values":{"A":1}})", R"({"effective_from":1,"values":{"A":null}})",
        R"({"effective_from":253402300800000,"values":{}})",
        R"({"effective_from":9223372036854775807,"values":{}})"}) {
    EXPECT_EQ(settings(none), "none") << none;
  }
}

TEST(ControlLog, IsBounded) {
  const auto revision = [](const std::string& values) {
    return R"({"effective_from":1,"values":{)" + values + "}}";
  };
  std::string many = R"("A0":"")";
  for (int i = 1; i < 512; ++i) many += fmt::format(R"(,"A{}":"")", i);
  EXPECT_NE(settings(revision(many)), "none");
  EXPECT_EQ(settings(revision(many + R"(,"B":"")")), "none");
  const std::string longest(200, 'x');
  EXPECT_NE(settings(revision(fmt::format(R"("{0}":"{0}")", longest))), "none");
  EXPECT_EQ(settings(revision(fmt::format(R"("{}y":"1")", longest))), "none");
  EXPECT_EQ(settings(revision(fmt::format(R"("A":"{}y")", longest))), "none");
  EXPECT_EQ(pause(R"({"paused":true,"by":")" + longest + "cut\"}"), "true |" + longest + "|");
  const std::string blanks(kMaxControlBytes - 15, ' ');
  EXPECT_EQ(pause(R"({"paused":true})" + blanks), "true ||");
  EXPECT_EQ(pause(R"({"paused":true})" + blanks + " "), "none");
  const std::string empty = R"({"effective_from":1,"values":{}})";
  const std::string rest(kMaxControlBytes - empty.size(), ' ');
  EXPECT_EQ(settings(empty + rest), "1 ");
  EXPECT_EQ(settings(empty + rest + " "), "none");
}

TEST(ControlLog, HasAPauseForAllAndOneForEachStrategy) {
  using enum StrategyId;
  EXPECT_EQ(pausable(), (std::vector<std::optional<StrategyId>>{std::nullopt, orderbook_skew,
                                                                trade_momentum, ticker_velocity}));
}

TEST(ControlLog, ReadsWhatItWrites) {
  const Authorship author{"a \"reason\"", "me@here", "2024-07-19T12:00:00Z"};
  EXPECT_EQ(
      to_json(PauseValue{true, author}),
      R"({"paused":true,"reason":"a \"reason\"","by":"me@here","at":"2024-07-19T12:00:00Z"})");
  EXPECT_EQ(pause(to_json(PauseValue{true, author})),
            "true a \"reason\"|me@here|2024-07-19T12:00:00Z");
  const SettingsValue value{
      UnixMs(std::chrono::milliseconds(7)), {{"A", "1"}, {"B", "x\"y"}}, author};
  EXPECT_EQ(settings(to_json(value)), "7 A=1 B=x\"y me@here");
}

TEST(ControlLog, AKeyThatWasDeletedPausesNobodyAndHasNoValuesFromThenOn) {
  using std::chrono::milliseconds;
  StoredMessage entry;
  entry.stored_at = UnixMs(milliseconds(7));
  EXPECT_FALSE(pause_in(entry)) << "empty, and not deleted";
  EXPECT_FALSE(settings_in(entry));
  entry.headers = "NATS/1.0\r\nKV-Operation: DEL\r\n\r\n";
  ASSERT_TRUE(pause_in(entry));
  EXPECT_FALSE(pause_in(entry)->paused);
  const auto value = settings_in(entry);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->effective_from, entry.stored_at);
  EXPECT_TRUE(value->values.empty());
  entry.headers.clear();
  entry.data = R"({"paused":true})";
  ASSERT_TRUE(pause_in(entry));
  EXPECT_TRUE(pause_in(entry)->paused);
  entry.data = R"({"effective_from":9,"values":{}})";
  ASSERT_TRUE(settings_in(entry));
  EXPECT_EQ(settings_in(entry)->effective_from, UnixMs(milliseconds(9)));
}

TEST(ControlLog, NamesItsKeys) {
  EXPECT_EQ(bucket_subject("b", kSettingsKey), "$KV.b.settings");
  EXPECT_EQ(pause_key(std::nullopt), "pause");
  EXPECT_EQ(pause_key(StrategyId::trade_momentum), "pause.trade_momentum");
}

std::string message(std::string_view payload) {
  const auto stored = parse_stored_message(payload);
  if (!stored) return fmt::format("error {}", stored.error().code);
  return fmt::format("{} {} {}", stored.value().subject, stored.value().sequence,
                     stored.value().data);
}

TEST(StreamMessage, IsReadFromTheAnswer) {
  EXPECT_EQ(message(R"({"type":"io.nats.jetstream.api.v1.stream_msg_get_response","message":{)"
                    R"("subject":"$KV.b.pause","seq":3,"data":"eyJwYXVzZWQiOnRydWV9",)"
                    R"("time":"2026-11-28T10:40:23.1Z"}})"),
            R"($KV.b.pause 3 {"paused":true})");
  EXPECT_EQ(message(R"({"message":{"subject":"a","seq":1,"hdrs":"TkFUUw==",)"
                    R"("time":"2026-11-28T10:40:23Z"}})"),
            "a 1 ")
      << "a key that was deleted";
  EXPECT_EQ(message(R"({"error":{"code":404,"err_code":10037,"description":"no message found"}})"),
            "error 10037");
  for (const char* none : {"", "{}", R"({"message":{"seq":1,"data":"x"}})", R"({"message":5})",
                           R"({"message":{"data":"eA=="}})"}) {
    EXPECT_EQ(message(none), "error 0") << none;
  }
}

TEST(StreamMessage, IsAskedFor) {
  EXPECT_EQ(last_message_request("$KV.b.pause"), R"({"last_by_subj":"$KV.b.pause"})");
  EXPECT_EQ(next_message_request("a", 7), R"({"seq":7,"next_by_subj":"a"})");
  EXPECT_EQ(message_request(7), R"({"seq":7})");
}

TEST(Base64, HoldsBytes) {
  EXPECT_EQ(from_base64(""), "");
  EXPECT_EQ(from_base64("Zg=="), "f");
  EXPECT_EQ(from_base64("Zm8="), "fo");
  EXPECT_EQ(from_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(from_base64("+/+/"), "\xFB\xFF\xBF");
  for (const char* none : {"Z", "Zg=", "Zg", "Zg==Zg==", "Z===", "Zm9-", "Zm 9"}) {
    EXPECT_EQ(from_base64(none), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace rts::wire
