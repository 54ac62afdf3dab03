// Secrets out of files: what is stripped, what is refused, and that nothing of it is said.
#include <cstring>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "nats/credentials.hpp"
#include "support/scratch_files.hpp"

namespace rts::nats {
namespace {

using test::ScratchFiles;

std::string content_of(const std::string& path) {
  const auto read = read_secret_file("X_FILE", Secret(path));
  return read ? read.value().reveal() : "error: " + read.error();
}

TEST(SecretFile, IsReadWithoutTheLineEndAtItsEnd) {
  const ScratchFiles files;
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},         {"a", "a"},     {"a\n", "a"}, {"a\r\n", "a"},
      {"a\n\n", "a\n"}, {" a ", " a "}, {"\n", ""},   {"a\nb\n", "a\nb"}};
  for (const auto& [text, content] : rows) {
    EXPECT_EQ(content_of(files.write("secret", text)), content);
  }
}

TEST(SecretFile, HoldsAtMost64KiB) {
  const ScratchFiles files;
  const std::string most(64 << 10, 'x');
  EXPECT_EQ(content_of(files.write("secret", most)), most);
  EXPECT_EQ(content_of(files.write("secret", most + "x")), "error: X_FILE: is larger than 64 KiB");
}

TEST(SecretFile, ThatCannotBeReadIsSaidWithoutItsPath) {
  const ScratchFiles files;
  EXPECT_EQ(content_of(files.path("canary")),
            "error: X_FILE: cannot be read: No such file or directory");
  EXPECT_EQ(content_of(files.write("canary", "") + "/x"),
            "error: X_FILE: cannot be read: Not a directory");
  EXPECT_EQ(content_of(files.directory()), "error: X_FILE: is not a file");
}

TEST(SecretFile, ThatIsAPipeIsRefusedAtOnce) {
  const ScratchFiles files;
  const std::string path = files.path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(content_of(path), "error: X_FILE: is not a file");
  EXPECT_EQ(content_of("/dev/zero"), "error: X_FILE: is not a file");
}

}  // namespace
}  // namespace rts::nats
