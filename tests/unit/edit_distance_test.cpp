// The distance of two names in letters.
#include <gtest/gtest.h>

#include <rts/base/edit_distance.hpp>

namespace rts {
namespace {

TEST(EditDistance, CountsLettersThatAreMissingTooManyOrOthers) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("url", "url"), 0U);
  EXPECT_EQ(edit_distance("--order", "--orders"), 1U);
  EXPECT_EQ(edit_distance("--orders", "--order"), 1U);
  EXPECT_EQ(edit_distance("DRYRUN_MODE", "DRY_RUN_MODE"), 1U);
  EXPECT_EQ(edit_distance("nats-ulr", "nats-url"), 2U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace rts
