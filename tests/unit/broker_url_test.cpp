// The url of a broker: what is dialled, what is refused, what is shown.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/broker_url.hpp>

namespace rts::config {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Parsed {
  const char* text;
  bool tls;
  const char* user;      // null: none
  const char* password;  // null: none
  const char* host;
  int port;
};
constexpr Parsed kParsed[] = {
    {"nats://broker.example:4333", false, nullptr, nullptr, "broker.example", 4333},
    {"broker", false, nullptr, nullptr, "broker", 4222},
    {"tls://broker", true, nullptr, nullptr, "broker", 4222},
    {"localhost:1/", false, nullptr, nullptr, "localhost", 1},
    {"a:65535", false, nullptr, nullptr, "a", 65535},
    {"[::1]", false, nullptr, nullptr, "::1", 4222},
    {"tls://us%40er:p%3aw@[::1]:1", true, "us@er", "p:w", "::1", 1},
    {"token@localhost", false, "token", nullptr, "localhost", 4222},
    {"u:@localhost", false, "u", "", "localhost", 4222},
    {"u:p@q@localhost", false, "u", "p@q", "localhost", 4222},
    {"u:p/q@localhost", false, "u", "p/q", "localhost", 4222},
    {"u:%C3%BC@localhost", false, "u", "\xC3\xBC", "localhost", 4222},
};

TEST(BrokerUrl, IsParsed) {
  for (const Parsed& row : kParsed) {
    SCOPED_TRACE(row.text);
    const auto url = parse_broker_url(row.text);
    ASSERT_TRUE(url);
    EXPECT_EQ(url->tls, row.tls);
    EXPECT_EQ(url->host, row.host);
    EXPECT_EQ(url->port, row.port);
    ASSERT_EQ(url->user.has_value(), row.user != nullptr);
    if (row.user != nullptr) {
      EXPECT_EQ(url->user->reveal(), row.user);
    }
    ASSERT_EQ(url->password.has_value(), row.password != nullptr);
    if (row.password != nullptr) {
      EXPECT_EQ(url->password->reveal(), row.password);
    }
  }
}

TEST(BrokerUrl, IsRefusedWhenItIsNone) {
  for (const char* text :
       {"",       "nats://", "tls://",   "http://x", "NATS://x", "x:0",     "x:65536",
        "x:1a",   "x:",      ":1",       "x:1:2",    "[::1",     "[]:1",    "[::1]1",
        "a]b",    "a b",     "a/b",      "a\tb",     "a\x7F",    "@x",      ":p@x",
        "u:p@",   "a%4:b@x", "a%zz@x",   "a%@x",     "a%22b@x",  "a%5cb@x", "a%0ab@x",
        "a\"b@x", "a\\b@x",  "u:a\nb@x", "u:%7f@x",  "%:p@x",    "\xC3\xBC"}) {
    EXPECT_FALSE(parse_broker_url(text)) << text;
  }
}

TEST(BrokerUrl, IsShownWithoutItsUserinfo) {
  EXPECT_EQ(parse_broker_url("tls://us%40er:p%3aw@[::1]")->display(), "tls://[::1]:4222");
  EXPECT_EQ(parse_broker_url("canary@host")->display(), "nats://host:4222");
}

TEST(BrokerUrl, CredentialsHoldNothingThatEndsAStringOfTheHandshake) {
  EXPECT_TRUE(is_handshake_text(""));
  EXPECT_TRUE(is_handshake_text(" !#[]^~{}\xC3\xBC"));
  for (const char* text : {"\"", "\\", "\n", "\r", "\x1F", "\x7F", "a\tb"}) {
    EXPECT_FALSE(is_handshake_text(text)) << text;
  }
  EXPECT_FALSE(is_handshake_text(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace rts::config
