// RecentCounts against a list of all that was ever counted.
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/base/recent_counts.hpp>

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr UnixMs kNoon{std::chrono::hours(12)};

TEST(RecentCounts, HasThePresentPartLast) {
  RecentCounts<2, 3> counts(10s);
  counts.add(0, kNoon);
  counts.add(1, kNoon + 9s);
  counts.add(1, kNoon + 10s);
  const std::array<std::uint32_t, 2> none{};
  EXPECT_THAT(counts.parts(kNoon + 19s),
              ElementsAre(none, ElementsAre(1U, 1U), ElementsAre(0U, 1U)));
  EXPECT_THAT(counts.parts(kNoon + 20s),
              ElementsAre(ElementsAre(1U, 1U), ElementsAre(0U, 1U), none));
  EXPECT_THAT(counts.sum(kNoon + 20s), ElementsAre(1U, 2U));
  EXPECT_EQ(counts.since(kNoon + 20s), kNoon);
  EXPECT_EQ(counts.since(kNoon + 29999ms), kNoon);
  EXPECT_THAT(counts.sum(kNoon + 30s), ElementsAre(0U, 1U)) << "reading forgets nothing";
  EXPECT_THAT(counts.sum(kNoon + 40s), ElementsAre(0U, 0U));
  EXPECT_THAT(counts.sum(kNoon + 20s), ElementsAre(1U, 2U));
}

TEST(RecentCounts, CountsToThePresentPartWhileAClockIsSetBack) {
  RecentCounts<1, 2> counts(1s);
  counts.add(0, kNoon + 3600s);
  counts.add(0, kNoon);
  EXPECT_THAT(counts.sum(kNoon), ElementsAre(2U));
  EXPECT_EQ(counts.since(kNoon), kNoon + 3599s);
  counts.add(0, kNoon + 3601s);
  EXPECT_THAT(counts.sum(kNoon + 3601s), ElementsAre(3U));
}

TEST(RecentCounts, IsWhatAListOfAllSaysAtAnyTime) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    RecentCounts<3, 4> counts(7s);
    std::vector<std::pair<std::size_t, UnixMs>> all;
    UnixMs now = kNoon;
    for (int i = 0; i < 50; ++i) {
      now += std::chrono::milliseconds(random() % (random() % 5 == 0 ? 60'000 : 3'000));
      all.emplace_back(random() % 3, now);
      counts.add(all.back().first, now);
      const UnixMs at = now + std::chrono::milliseconds(random() % 30'000);
      std::array<std::uint32_t, 3> expected{};
      for (const auto& [key, when] : all) {
        if (when >= counts.since(at)) ++expected[key];
      }
      ASSERT_EQ(counts.sum(at), expected) << round;
      ASSERT_GT(at - counts.since(at), 21s - 1ms);
      ASSERT_LE(at - counts.since(at), 28s);
    }
  }
}

}  // namespace
}  // namespace rts::test
