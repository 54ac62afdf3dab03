// The processes that tests start: what they are given of the test's own surroundings.
#include "support/process.hpp"

#include <array>
#include <chrono>

#include <gtest/gtest.h>
#include <unistd.h>

namespace rts::test {
namespace {

using namespace std::chrono_literals;

// The test's input may be a terminal: a child would wait for what is typed, or change the terminal.
TEST(ChildProcess, ReadsNothingOfWhatTheTestMayRead) {
  std::array<int, 2> input{};
  ASSERT_EQ(::pipe(input.data()), 0);
  const int before = ::dup(STDIN_FILENO);
  ASSERT_EQ(::dup2(input[0], STDIN_FILENO), STDIN_FILENO);
  Process reader({"cat"}, {.env = {}, .capture_stdout = true});
  ::dup2(before, STDIN_FILENO);
  const auto ended = reader.wait(10s);
  for (const int fd : {before, input[0], input[1]}) ::close(fd);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 0);
}

}  // namespace
}  // namespace rts::test
