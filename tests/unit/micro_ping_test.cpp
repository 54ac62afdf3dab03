// What a replica says of itself, and what strangers may say in its place.
#include <string>

#include <gtest/gtest.h>

#include <rts/wire/micro_ping.hpp>

namespace rts::wire {
namespace {

TEST(MicroPing, HasWhoItIsAndBySettingsOfWhichHash) {
  const auto ping = parse_micro_ping(
      R"({"type":"io.nats.micro.v1.ping_response","name":"realtime-strategies","id":"abc",)"
      R"("version":"1.2.3","metadata":{"settings":"77","ready":"true"}})");
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->id, "abc");
  EXPECT_EQ(ping->version, "1.2.3");
  EXPECT_EQ(ping->settings, "77");
  EXPECT_TRUE(ping->is_ready);
}

TEST(MicroPing, TakesWhatIsNotThereForEmpty) {
  const auto ping = parse_micro_ping(R"({"id":"abc","version":7,"metadata":[]})");
  ASSERT_TRUE(ping);
  EXPECT_EQ(ping->version, "");
  EXPECT_FALSE(ping->is_ready);
}

TEST(MicroPing, IsNoneOfAnythingElse) {
  for (const std::string text : {"", "no JSON", "[]", R"({"name":"x"})", R"({"id":""})"}) {
    EXPECT_FALSE(parse_micro_ping(text)) << text;
  }
  EXPECT_FALSE(parse_micro_ping(R"({"id":")" + std::string(kMaxPingBytes, 'x') + "\"}"));
}

TEST(MicroPing, CutsWhatIsLongAndReplacesWhatIsNoText) {
  const auto ping =
      parse_micro_ping(R"({"id":")" + std::string(500, 'x') + R"(","version":"1\u001b[2J"})");
  ASSERT_TRUE(ping);
  EXPECT_LE(ping->id.size(), 110U);
  EXPECT_EQ(ping->version.find('\x1b'), std::string::npos) << ping->version;
}

}  // namespace
}  // namespace rts::wire
