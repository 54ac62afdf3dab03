// Order ids: version 5 UUIDs in the service's own namespace.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <rts/base/text.hpp>
#include <rts/base/uuid.hpp>

namespace rts {
namespace {

std::string id(std::string_view name) {
  const UuidText text = to_text(make_order_id(name));
  return {text.begin(), text.end()};
}

// Made by Python: uuid5(uuid5(NAMESPACE_DNS, "petrosa-realtime-strategies"), name).
TEST(Uuid, KnownAnswers) {
  for (const auto& [name, expected] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"trade_momentum|ETHUSDT|BUY|1721346300000", "3eade307-080f-5c00-98c4-764ac65bee94"},
           {"trade_momentum|BTCUSDT|SELL|1721347200000", "ab9dcddd-14da-512a-8b2d-707505670b7e"},
           {"orderbook_skew|BTCUSDT|BUY|u:42", "5cf23157-9334-5fd5-ab92-1c28facf0c98"},
           {"ticker_velocity|BTCUSDT|SELL|E:1721390460000", "854b7aeb-eec3-508d-8d8f-c389d0f157b3"},
           {"", "776bfa12-e2cd-5da5-9f24-c9442153e33c"},
           {"\xE7\x89\x9B\xE6\x9D\xA5USDT", "1990d137-a46f-5429-a5d9-b29b943a232c"},
       }) {
    EXPECT_EQ(id(name), expected) << name;
  }
}

TEST(Uuid, IsOfVersion5AndRfc4122sVariant) {
  for (int i = 0; i < 100; ++i) {
    const std::string text = id(std::to_string(i));
    ASSERT_EQ(text.size(), 36U);
    EXPECT_EQ(text[14], '5') << text;
    EXPECT_NE(std::string_view("89ab").find(text[19]), std::string_view::npos) << text;
  }
}

TEST(Uuid, SameNameSameId) {
  EXPECT_EQ(make_order_id("a"), make_order_id("a"));
  EXPECT_NE(make_order_id("a"), make_order_id("b"));
  EXPECT_NE(make_order_id("a"), make_order_id(std::string_view("a\0", 2)));
}

TEST(Uuid, ReadsWhatItWritesAndNothingElse) {
  const Uuid id = make_order_id("a");
  const UuidText text = to_text(id);
  std::string lower(text.begin(), text.end());
  EXPECT_EQ(parse_uuid(lower), id);
  EXPECT_EQ(parse_uuid(to_upper(lower)), id);
  for (std::size_t cut = 0; cut < lower.size(); ++cut) {
    EXPECT_FALSE(parse_uuid(lower.substr(0, cut))) << cut;
    std::string other = lower;
    other[cut] = other[cut] == '-' ? '0' : '-';
    EXPECT_FALSE(parse_uuid(other)) << other;
    other[cut] = 'g';
    EXPECT_FALSE(parse_uuid(other)) << other;
  }
  EXPECT_FALSE(parse_uuid(lower + "0"));
  EXPECT_FALSE(parse_uuid("{" + lower + "}"));
}

}  // namespace
}  // namespace rts
