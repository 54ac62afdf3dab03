// The files of a recording: when the next one begins, what it is called and begins with, and what
// of it can be read at any moment.
#include "commands/recording_writer.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands/input.hpp"
#include "support/frames.hpp"
#include "support/scratch_files.hpp"

namespace rts::commands {
namespace {

using namespace std::chrono_literals;
using test::kNoon;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

using Lines = std::vector<std::string>;

// What `replay` would read of it.
struct Content {
  Lines lines;
  std::string error;
};
Content content_of(const std::string& path) {
  LineReader reader(path);
  Content content;
  while (const auto line = reader.next()) content.lines.emplace_back(*line);
  content.error = reader.error();
  return content;
}
// Without the first, which says what it is.
Lines lines_of(const std::string& path) {
  Lines lines = content_of(path).lines;
  EXPECT_THAT(lines.at(0), StartsWith("# A feed. One frame a line"));
  lines.erase(lines.begin());
  return lines;
}

std::string line(int number) { return fmt::format("{} {{\"number\":{}}}\n", number, number); }

class Writer : public testing::Test {
 protected:
  [[nodiscard]] RecordingPlan plan(const std::string& name, const char* rotation = "") const {
    return {.path = files_.path(name),
            .has_time_name = *rotation != '\0',
            .rotation = parse_rotation(rotation).value_or(Rotation{}),
            .title = "A feed"};
  }
  static Outputs outputs(bool is_forced = false) {
    std::vector<std::string> words{"record"};
    if (is_forced) words.emplace_back("--force");
    return Outputs(parse_command_line(words));
  }
  [[nodiscard]] Lines names() const {
    Lines names;
    for (const auto& file : std::filesystem::directory_iterator(files_.directory())) {
      names.push_back(file.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  test::ScratchFiles files_;
};

// --- What is asked for --------------------------------------------------------------------------

TEST(RecordingTimes, AreWholeNumbersWithAUnit) {
  for (const auto& [text, seconds] : std::vector<std::pair<std::string, int>>{
           {"1", 1}, {"90", 90}, {"90s", 90}, {"10m", 600}, {"2h", 7200}, {"366d", 31'622'400}}) {
    EXPECT_EQ(parse_duration(text), std::chrono::seconds(seconds)) << text;
  }
  for (const char* text : {"", "0", "0s", "-1s", "+1s", "1.5h", "h", "1 h", "1H", "1w", "367d",
                           "99999999999999999999s", "1h1m"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(RecordingRotation, IsATimeASizeOrBoth) {
  const auto is = [](const char* text, std::chrono::seconds every, std::uint64_t bytes) {
    const auto rotation = parse_rotation(text);
    return rotation && rotation->every == every && rotation->bytes == bytes;
  };
  EXPECT_TRUE(is("1h", 1h, 0));
  EXPECT_TRUE(is("30s", 30s, 0));
  EXPECT_TRUE(is("500K", 0s, 500'000));
  EXPECT_TRUE(is("1G", 0s, 1'000'000'000));
  EXPECT_TRUE(is("1d,20M", 24h, 20'000'000));
  EXPECT_TRUE(is("20M,1d", 24h, 20'000'000));
  for (const char* text :
       {"", ",", "1h,", "1h,2h", "1G,1M", "1", "1k", "0h", "0G", "1T", "1h 1G", "1h,1G,1M"}) {
    EXPECT_FALSE(parse_rotation(text)) << text;
  }
}

TEST(RecordingName, HasTheTimeBeforeItsEnding) {
  const auto name = [](const char* path, int number = 1) {
    return time_name(path, kNoon + 3'723s + 999ms, number);
  };
  EXPECT_EQ(name("binance.ndjson.zst"), "binance-20240719T130203Z.ndjson.zst");
  EXPECT_EQ(name("binance.ndjson.zst", 2), "binance-20240719T130203Z-2.ndjson.zst");
  EXPECT_EQ(name("my.feed.ndjson"), "my.feed-20240719T130203Z.ndjson");
  EXPECT_EQ(name("a.b/c/feed"), "a.b/c/feed-20240719T130203Z");
  EXPECT_EQ(name("/data/feed.zst"), "/data/feed-20240719T130203Z.zst");
}

// --- Files --------------------------------------------------------------------------------------

TEST_F(Writer, BeginsAFileAtEachFullPeriodWithWhatItsReaderHasToKnow) {
  for (const char* name : {"a.ndjson.zst", "b.ndjson"}) {
    RecordingWriter writer(plan(name, "1h"), outputs(), kNoon - 10s);
    writer.write(kNoon - 9s, "# a note\n", line(1));
    writer.write(kNoon - 1ns, "# a note\n", line(2));
    writer.write(kNoon, "# a note\n# and one\n", line(3) + line(4));
    writer.write(kNoon + 59min, "", line(5));
    writer.write(kNoon + 3h, "", line(6));
    writer.finish();
    EXPECT_FALSE(writer.failed());
    EXPECT_EQ(writer.files(), 3U);
    const auto of = [&](UnixNs at) { return lines_of(time_name(files_.path(name), at, 1)); };
    EXPECT_THAT(of(kNoon - 10s), ElementsAre(R"(1 {"number":1})", R"(2 {"number":2})")) << name;
    EXPECT_THAT(of(kNoon), ElementsAre("# a note", "# and one", R"(3 {"number":3})",
                                       R"(4 {"number":4})", R"(5 {"number":5})"));
    EXPECT_THAT(of(kNoon + 3h), ElementsAre(R"(6 {"number":6})"));
    EXPECT_EQ(writer.path(), time_name(files_.path(name), kNoon + 3h, 1));
  }
}

TEST_F(Writer, EndsAFileWhosePeriodIsOverAlsoWhenNothingComes) {
  RecordingWriter writer(plan("feed.ndjson.zst", "10m"), outputs(), kNoon);
  const std::string path = writer.path();
  writer.write(kNoon + 1s, "", line(1));
  writer.flush(kNoon + 10min - 1ns);
  EXPECT_THAT(content_of(path).error, EndsWith("is truncated"));
  writer.flush(kNoon + 10min);
  EXPECT_EQ(content_of(path).error, "");
  writer.flush(kNoon + 20min);
  EXPECT_EQ(names().size(), 1U) << "no file without a line";
  writer.finish();
  EXPECT_EQ(names().size(), 1U);
}

TEST_F(Writer, BeginsAFileOnceOneIsAsLargeAsItMayBe) {
  constexpr int kLines = 20'000;
  for (const char* name : {"a.ndjson.zst", "b.ndjson"}) {
    RecordingWriter writer(plan(name, "10K"), outputs(), kNoon);
    Lines paths{writer.path()};
    for (int number = 1; number <= kLines; ++number) {
      writer.write(kNoon + number * 10ms, "", line(number));
      if (number % 100 == 0) writer.flush(kNoon + number * 10ms);
      if (writer.path() != paths.back()) paths.push_back(writer.path());
    }
    writer.finish();
    EXPECT_EQ(writer.files(), paths.size());
    EXPECT_GT(paths.size(), 3U) << name;
    std::uint64_t bytes = 0;
    int next = 1;
    for (const std::string& path : paths) {
      bytes += std::filesystem::file_size(path);
      if (path != paths.back()) {
        EXPECT_GE(std::filesystem::file_size(path), 10'000U);
      }
      EXPECT_LT(std::filesystem::file_size(path), 14'000U);
      for (const std::string& found : lines_of(path)) EXPECT_EQ(found + '\n', line(next++));
    }
    EXPECT_EQ(next, kLines + 1) << "each line is in one file";
    EXPECT_EQ(writer.bytes(), bytes);
  }
}

// --- Files that are there -----------------------------------------------------------------------

TEST_F(Writer, OverwritesNoFile) {
  const std::string there = files_.write("feed.ndjson", "dear\n");
  EXPECT_THROW(RecordingWriter(plan("feed.ndjson"), outputs(), kNoon), CommandError);
  EXPECT_EQ(test::read_file(there), "dear\n");
  const std::string first = time_name(there, kNoon, 1);
  files_.write(std::filesystem::path(first).filename(), "dear, too\n");
  RecordingWriter second(plan("feed.ndjson", "1h"), outputs(true), kNoon);
  EXPECT_EQ(second.path(), time_name(there, kNoon, 2));
  EXPECT_EQ(test::read_file(first), "dear, too\n");
}

TEST_F(Writer, OverwritesTheFileThatIsMeant) {
  const std::string there = files_.write("feed.ndjson", std::string(10'000, 'x') + "\n");
  RecordingWriter writer(plan("feed.ndjson"), outputs(true), kNoon);
  writer.write(kNoon, "", line(1));
  writer.finish();
  EXPECT_THAT(lines_of(there), ElementsAre(R"(1 {"number":1})"));
}

// --- What can be read ---------------------------------------------------------------------------

TEST_F(Writer, GivesEachFlushedLineWhateverBecomesOfUs) {
  RecordingWriter writer(plan("feed.ndjson.zst"), outputs(), kNoon);
  for (int number = 1; number <= 300; ++number) {
    writer.write(kNoon, "", line(number));
    if (number % 10 != 0) continue;
    writer.flush(kNoon);
    const Content content = content_of(writer.path());
    EXPECT_EQ(content.error, writer.path() + ": is truncated");
    ASSERT_EQ(content.lines.size(), static_cast<std::size_t>(1 + number));
    EXPECT_EQ(content.lines.back() + '\n', line(number));
  }
  writer.finish();
  EXPECT_EQ(content_of(writer.path()).error, "");
}

// As a crash of the machine may leave it.
TEST_F(Writer, GivesWholeLinesOfAFileThatIsCutAnywhere) {
  RecordingWriter writer(plan("feed.ndjson.zst"), outputs(), kNoon);
  for (int number = 1; number <= 100; ++number) {
    writer.write(kNoon, "", line(number));
    writer.flush(kNoon);
  }
  writer.finish();
  const std::string whole = test::read_file(writer.path());
  std::size_t most = 0;
  for (std::size_t size = 20; size < whole.size(); size += 7) {
    const Content cut = content_of(files_.write("cut", whole.substr(0, size)));
    EXPECT_THAT(cut.error, EndsWith("is truncated")) << size;
    EXPECT_GE(cut.lines.size(), most) << size;
    most = cut.lines.size();
    if (most > 1) {
      EXPECT_EQ(cut.lines.back() + '\n', line(static_cast<int>(most) - 1)) << size;
    }
  }
  EXPECT_GE(most, 100U);
}

TEST_F(Writer, SaysThatTheDiskIsFullAndTakesNoMore) {
  for (const char* name : {"full.ndjson", "full.ndjson.zst"}) {
    std::filesystem::create_symlink("/dev/full", files_.path(name));
    RecordingWriter writer(plan(name), outputs(), kNoon);
    writer.write(kNoon, "", line(1));
    writer.flush(kNoon);
    EXPECT_TRUE(writer.failed());
    EXPECT_EQ(writer.problem(),
              fmt::format("record: cannot write {}: No space left on device", files_.path(name)));
    writer.write(kNoon, "", line(2));
    writer.flush(kNoon);
    writer.finish();
    EXPECT_TRUE(writer.failed());
  }
}

TEST_F(Writer, SaysThatTheNextFileCannotBeMade) {
  std::filesystem::create_directory(files_.path("feed"));
  RecordingWriter writer(plan("feed/a.ndjson", "1h"), outputs(), kNoon);
  writer.write(kNoon, "", line(1));
  std::filesystem::remove_all(files_.path("feed"));
  writer.write(kNoon + 1h, "", line(2));
  EXPECT_TRUE(writer.failed());
  EXPECT_THAT(writer.problem(), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace rts::commands
