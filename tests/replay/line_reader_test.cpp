// LineReader: line by line through whatever a recording is stored as, and what it says when the
// file is not what it should be.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/input.hpp"
#include "support/scratch_files.hpp"
#include "support/zip_text.hpp"

namespace rts::commands {
namespace {

using test::gzip;
using test::zip;
using test::zstd;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  std::vector<std::string> lines;
  std::string error;
};

Read read_file(const std::string& path) {
  LineReader reader(path);
  Read read;
  while (const auto line = reader.next()) read.lines.emplace_back(*line);
  read.error = reader.error();
  return read;
}

class LineReaderTest : public testing::Test {
 protected:
  [[nodiscard]] Read read(std::string_view content) const {
    return read_file(files_.write("recording", content));
  }
  [[nodiscard]] const test::ScratchFiles& files() const { return files_; }

 private:
  test::ScratchFiles files_;
};

struct Stored {
  const char* what;
  std::string content;
  std::vector<std::string> lines;
};

TEST_F(LineReaderTest, ReadsLinesHoweverTheyAreStored) {
  const std::vector<Stored> rows{
      {"two lines", "one\ntwo\n", {"one", "two"}},
      {"no line end at the end", "one\ntwo", {"one", "two"}},
      {"an empty file", "", {}},
      {"blank lines", "\n\none\n\n", {"", "", "one", ""}},
      {"Windows line ends", "one\r\n\r\ntwo\r", {"one", "", "two"}},
      {"a carriage return inside", "one\rtwo\r\r\n", {"one\rtwo\r"}},
      {"a byte-order mark", "\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo\n", {"one", "\xEF\xBB\xBFtwo"}},
      {"only a byte-order mark", "\xEF\xBB\xBF", {}},
      {"a byte-order mark in gzip", gzip("\xEF\xBB\xBFone\n"), {"one"}},
      {"a byte-order mark in zstd", zstd("\xEF\xBB\xBFone\n"), {"one"}},
      {"NUL bytes", std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
      {"one byte", "x", {"x"}},
      {"gzip", gzip("one\ntwo\n"), {"one", "two"}},
      {"gzip without a line end", gzip("one\ntwo"), {"one", "two"}},
      {"gzip of nothing", gzip(""), {}},
      {"gzip members one after the other",
       gzip("one\ntw") + gzip("") + gzip("o\n"),
       {"one", "two"}},
      {"zstd", zstd("one\ntwo\n"), {"one", "two"}},
      {"zstd of nothing", zstd(""), {}},
      {"zstd frames one after the other",
       zstd("one\ntw") + zstd("o\nthree"),
       {"one", "two", "three"}},
      {"zip", zip({{"a.csv", "one\ntwo\n"}}), {"one", "two"}},
      {"zip of nothing", zip({{"a.csv", ""}}), {}},
      {"zip as it is", zip({{"a.csv", "one\n"}}, {.is_stored = true}), {"one"}},
      {"zip of 64 bits", zip({{"a.csv", "one\n"}}, {.is_zip64 = true}), {"one"}},
      {"a byte-order mark in zip", zip({{"a.csv", "\xEF\xBB\xBFone\n"}}), {"one"}},
      {"zip of several files, each with its own last line",
       zip({{"d/", ""}, {"d/a.csv", "one\ntwo"}, {"d/b.csv", ""}, {"d/c.csv", "three\nfour"}}),
       {"one", "two", "three", "four"}},
      {"the first byte of gzip's magic alone", "\x1F", {"\x1F"}},
      {"half of zstd's magic", "\x28\xB5\n", {"\x28\xB5"}},
  };
  for (const Stored& row : rows) {
    const Read result = read(row.content);
    EXPECT_EQ(result.lines, row.lines) << row.what;
    EXPECT_EQ(result.error, "") << row.what;
  }
}

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("{:09}\n", i);
  return text;
}

TEST_F(LineReaderTest, ReadsFilesLargerThanItsBuffersInEveryCoding) {
  const std::string text = numbered_lines(300'000);  // 3 MB
  for (const std::string& content : {text, gzip(text), zstd(text), zstd(text, 100'000),
                                     zstd(text, 1'000), zip({{"a.csv", text}})}) {
    const Read result = read(content);
    EXPECT_EQ(result.error, "");
    ASSERT_EQ(result.lines.size(), 300'000U);
    EXPECT_EQ(result.lines.front(), "000000000");
    EXPECT_EQ(result.lines.back(), "000299999");
  }
}

TEST_F(LineReaderTest, ReadsAFlushedZstdFrameToItsEnd) {
  const std::string text = numbered_lines(30'000);
  for (const std::size_t flush_bytes : {50'000U, 99'990U, 100'000U, 120'000U, 131'072U}) {
    const Read result = read(zstd(text, flush_bytes));
    EXPECT_EQ(result.error, "") << flush_bytes;
    EXPECT_EQ(result.lines.size(), 30'000U) << flush_bytes;
  }
}

TEST_F(LineReaderTest, CutsALineThatIsTooLongAndGoesOnBehindIt) {
  for (const std::size_t beyond : {1U, 300'000U, 3'000'000U}) {
    const std::string giant(LineReader::kMaxLineBytes + beyond, 'x');
    const Read result = read("before\n" + giant + "\nafter\n");
    ASSERT_EQ(result.lines.size(), 3U) << beyond;
    EXPECT_EQ(result.lines[0], "before");
    EXPECT_GT(result.lines[1].size(), wire::kMaxFrameBytes) << "a frame that is too large stays so";
    EXPECT_LE(result.lines[1].size(), giant.size());
    EXPECT_EQ(result.lines[2], "after");
    EXPECT_EQ(result.error, "");
  }
}

TEST_F(LineReaderTest, CutsALineThatIsTooLongAtTheEndOfTheFile) {
  const Read result = read("before\n" + std::string(5'000'000, 'x'));
  ASSERT_EQ(result.lines.size(), 2U);
  EXPECT_EQ(result.lines[0], "before");
}

TEST_F(LineReaderTest, ReadsALineOfTheLongestLengthWhole) {
  const std::string longest(wire::kMaxFrameBytes, 'x');
  const Read result = read(longest + "\n" + longest + "\nend");
  EXPECT_THAT(result.lines, ElementsAre(longest, longest, "end"));
}

TEST_F(LineReaderTest, BoundsTheMemoryOfAGzipBomb) {
  const Read result = read(gzip(std::string(64 * 1024 * 1024, 'x') + "\nend\n"));
  ASSERT_EQ(result.lines.size(), 2U);
  EXPECT_LT(result.lines[0].size(), 2U * 1024 * 1024);
  EXPECT_EQ(result.lines[1], "end");
}

TEST_F(LineReaderTest, SaysThatACompressedFileIsTruncatedAfterWhatIsThere) {
  const std::string text = numbered_lines(20'000);
  for (const std::string& whole : {gzip(text), zstd(text, 10'000)}) {
    for (const std::size_t kept : {whole.size() - 1, whole.size() / 2}) {
      const Read result = read(whole.substr(0, kept));
      EXPECT_THAT(result.error, HasSubstr("is truncated"));
      EXPECT_THAT(result.error, HasSubstr("/recording"));
      ASSERT_GT(result.lines.size(), 1'000U);
      EXPECT_EQ(result.lines[0], "000000000");
      EXPECT_EQ(result.lines[999], "000000999");
    }
  }
}

TEST_F(LineReaderTest, SaysThatACompressedFileIsDamaged) {
  const std::string text = numbered_lines(20'000);
  std::string gzip_data = gzip(text);
  gzip_data[gzip_data.size() - 6] = static_cast<char>(~gzip_data[gzip_data.size() - 6]);  // CRC
  EXPECT_THAT(read(gzip_data).error, HasSubstr("gzip data is damaged"));
  EXPECT_THAT(read(gzip("one\n") + "garbage").error, HasSubstr("gzip data is damaged"));
  EXPECT_THAT(read(gzip("one\n") + "garbage").lines, ElementsAre("one"));
  EXPECT_THAT(read(zstd("one\n") + "garbage").error, HasSubstr("zstd data is damaged"));
  EXPECT_THAT(read("\x1F\x8B garbage that only begins like gzip").error,
              HasSubstr("gzip data is damaged"));
}

TEST_F(LineReaderTest, SaysThatAZipArchiveIsDamaged) {
  const std::string whole = zip({{"a.csv", numbered_lines(20'000)}});
  for (const std::size_t kept : {4UL, whole.size() / 2, whole.size() - 10}) {
    EXPECT_THAT(read(whole.substr(0, kept)).error,
                HasSubstr("/recording: zip archive is damaged or truncated"));
  }
  // Also where it reads like the end of the member.
  for (std::size_t at = 100; at < whole.size() - 200; at += whole.size() / 16) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(~damaged[at]);
    EXPECT_THAT(read(damaged).error, HasSubstr("zip archive is damaged or truncated")) << at;
  }
  EXPECT_THAT(read(zip({{"a.csv", "one\n"}}, {.password = "secret"})).error,
              HasSubstr("zip archive is encrypted; unpack it first"));
  EXPECT_THAT(read(zip({{"a.csv", gzip("one\n")}})).error,
              HasSubstr("is gzip data in compressed data"));
}

TEST_F(LineReaderTest, BoundsTheMemoryOfAZipBomb) {
  const Read result =
      read(zip({{"a.csv", std::string(std::size_t{64} * 1024 * 1024, 'x') + "\nend\n"}}));
  ASSERT_EQ(result.lines.size(), 2U);
  EXPECT_LE(result.lines[0].size(), LineReader::kMaxLineBytes);
  EXPECT_EQ(result.lines[1], "end");
}

TEST_F(LineReaderTest, RefusesAZipArchiveOfTooManyFiles) {
  std::vector<std::pair<std::string, std::string>> members(10'000, {"a.csv", ""});
  EXPECT_EQ(read(zip(members)).error, "");
  members.emplace_back("b.csv", "");
  EXPECT_THAT(read(zip(members)).error, HasSubstr("holds more than 10,000 files"));
}

TEST_F(LineReaderTest, NamesTheFilesOfAZipArchive) {
  const LineReader archive(files().write("recording", zip({{"d/", ""}, {"d/a", "1"}, {"b", ""}})));
  EXPECT_THAT(archive.members(), ElementsAre("d/a", "b"));
  const LineReader plain(files().write("recording", "one\n"));
  EXPECT_THAT(plain.members(), IsEmpty());
}

TEST_F(LineReaderTest, SaysWhyAFileCannotBeRead) {
  const Read missing = read_file(files().path("missing"));
  EXPECT_THAT(missing.lines, IsEmpty());
  EXPECT_EQ(missing.error, files().path("missing") + ": No such file or directory");
  const Read directory = read_file(files().directory());
  EXPECT_THAT(directory.lines, IsEmpty());
  EXPECT_EQ(directory.error, files().directory() + ": is a directory");
}

TEST_F(LineReaderTest, NumbersTheLinesOfTheFileBlankOnesIncluded) {
  LineReader reader(
      files().write("recording", "\xEF\xBB\xBFone\n\r\n" + std::string(3'000'000, 'x') + "\nfour"));
  EXPECT_EQ(reader.name(), files().path("recording"));
  EXPECT_EQ(reader.line_number(), 0U);
  for (std::uint64_t number = 1; number <= 4; ++number) {
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.line_number(), number);
  }
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.line_number(), 4U);
}

TEST_F(LineReaderTest, NamesWhatIsNoTextAndReadsNothingOfIt) {
  const std::vector<std::pair<std::string, const char*>> rows{
      {std::string("\xFD"
                   "7zXZ\0",
                   6),
       "is xz data"},
      {"\x04\x22\x4D\x18", "is lz4 data"},
      {std::string("\xFF\xFE\n\0", 4), "is UTF-16 text"},
      {std::string("\xFE\xFF\0\n", 4), "is UTF-16 text"},
      {std::string("\0{\0\"", 4), "is UTF-16 text"},
      {gzip(std::string("PK\x03\x04\n")), "is a zip archive"}};
  for (const auto& [content, what] : rows) {
    const Read result = read(content);
    EXPECT_THAT(result.lines, IsEmpty()) << what;
    EXPECT_THAT(result.error, HasSubstr(files().path("recording") + ": " + what));
  }
}

TEST_F(LineReaderTest, TakesTextThatOnlyResemblesAnArchiveForText) {
  for (const char* text : {"PK", "BZ", "7z", "P", "ustar", "\xFD", "\xEF\xBB"}) {
    EXPECT_THAT(read(text).lines, ElementsAre(text));
  }
}

TEST_F(LineReaderTest, CountsTheBytesOfTheFileAsStored) {
  const std::string content = gzip(numbered_lines(50'000));
  LineReader reader(files().write("recording", content));
  EXPECT_EQ(reader.bytes_total(), content.size());
  while (reader.next()) EXPECT_LE(reader.bytes_read(), content.size());
  EXPECT_EQ(reader.bytes_read(), content.size());
}

// Its table of contents, at the end, is read first and is no progress.
TEST_F(LineReaderTest, CountsTheBytesOfAZipArchiveAsTheyAreDecoded) {
  const std::string content = zip({{"a.csv", numbered_lines(300'000)}});
  LineReader reader(files().write("recording", content));
  EXPECT_EQ(reader.bytes_total(), content.size());
  ASSERT_TRUE(reader.next());
  EXPECT_LT(reader.bytes_read(), content.size() / 2);
  while (reader.next()) EXPECT_LE(reader.bytes_read(), content.size());
  EXPECT_GT(reader.bytes_read(), content.size() - 1'000);
}

}  // namespace
}  // namespace rts::commands
