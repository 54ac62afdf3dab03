// `import`: archives as people have them become one recording in the order of time, that the engine
// takes whole; and what is wrong with a file is said, and never guessed at.
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "commands/command_line.hpp"
#include "commands/input.hpp"
#include "support/engine_run.hpp"
#include "support/paths.hpp"
#include "support/scratch_files.hpp"
#include "support/zip_text.hpp"

namespace rts::commands {
namespace {

using test::gzip;
using test::zip;
using test::zstd;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::int64_t kMidnightMs = 1'721'347'200'000;  // 2024-07-19
constexpr std::string_view kTradesHeader = "id,price,qty,quote_qty,time,is_buyer_maker\n";
constexpr std::string_view kKlinesHeader =
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n";

std::string trade(std::uint64_t id, std::int64_t ms) {
  return fmt::format("{},64000.1,0.014,896.0014,{},false\n", id, kMidnightMs + ms);
}
std::string kline(int minute, const char* close = "64000.1") {
  const std::int64_t opened = kMidnightMs + std::int64_t{60'000} * minute;
  return fmt::format("{},1,2,1,{},12.5,{},800000,901,6.1,390000,0\n", opened, close,
                     opened + 59'999);
}

struct Imported {
  ExitCode exit_code = ExitCode::internal;
  std::vector<std::string> lines;
  std::string messages;
};

class Import : public testing::Test {
 protected:
  std::string file(const std::string& name, std::string_view content) {
    return files_.write(name, content);
  }

  Imported run(std::vector<std::string> words) {
    const std::string output = files_.path("recording.ndjson");
    words.insert(words.begin(), {"import", "--force", "--output", output});
    Imported imported;
    testing::internal::CaptureStderr();
    try {
      imported.exit_code = run_command(parse_command_line(words), {});
    } catch (const CommandError& error) {
      imported.exit_code = error.code;
      imported.messages = error.what();
    }
    imported.messages += testing::internal::GetCapturedStderr();
    if (std::filesystem::exists(output)) imported.lines = lines_of(output);
    return imported;
  }

  static std::vector<std::string> lines_of(const std::string& path) {
    LineReader reader(path);
    std::vector<std::string> lines;
    while (const auto line = reader.next()) lines.emplace_back(*line);
    EXPECT_EQ(reader.error(), "");
    return lines;
  }

  [[nodiscard]] const test::ScratchFiles& files() const { return files_; }

 private:
  test::ScratchFiles files_;
};

// The ids and symbols of the frames, "# gap" lines as they are.
std::vector<std::string> shapes(const std::vector<std::string>& lines) {
  std::vector<std::string> found;
  for (const std::string& line : lines) {
    const auto value_of = [&](std::string_view key) {
      const std::size_t at = line.find(key) + key.size();
      return line.substr(at, line.find_first_of(",}", at) - at);
    };
    found.push_back(line.starts_with('#') ? line : value_of("\"s\":") + " " + value_of("\"E\":"));
  }
  return found;
}

// --- How files come -----------------------------------------------------------------------------

TEST_F(Import, GivesTheSameLinesHoweverAnArchiveIsPacked) {
  const std::string text = std::string(kTradesHeader) + trade(1, 0) + trade(2, 5);
  const Imported plain = run({file("BTCUSDT-trades-2024-07-19.csv", text)});
  EXPECT_EQ(plain.exit_code, ExitCode::ok) << plain.messages;
  ASSERT_EQ(plain.lines.size(), 2U);
  const std::string windows =
      "\xEF\xBB\xBF" + std::string(kTradesHeader) +
      "1,64000.1,0.014,0,"
      "1721347200000,false\r\n\r\n2,64000.1,0.014,0,1721347200005,False\r\n";
  const std::vector<std::pair<std::string, std::string>> rows{
      {"BTCUSDT-trades-2024-07-19.csv.gz", gzip(text)},
      {"BTCUSDT-trades-2024-07-19.csv.zst", zstd(text)},
      {"BTCUSDT-trades-2024-07-19.zip", zip({{"BTCUSDT-trades-2024-07-19.csv", text}})},
      {"download.zip", zip({{"BTCUSDT-trades-2024-07-19.csv", text}})},
      {"BTCUSDT-trades-2024-07.zip", zip({{"a.csv", std::string(kTradesHeader) + trade(1, 0)},
                                          {"b.csv", std::string(kTradesHeader) + trade(2, 5)}})},
      {"BTCUSDT-trades-headless.csv", trade(1, 0) + trade(2, 5)},
      {"BTCUSDT-trades-windows.csv", windows},
      {"BTCUSDT-trades-us.csv",
       "1,64000.1,0.014,0,1721347200000999,false\n"
       "2,64000.1,0.014,0,1721347200005001,false\n"}};
  for (const auto& [name, content] : rows) {
    const Imported other = run({file(name, content)});
    EXPECT_EQ(other.exit_code, ExitCode::ok) << name << other.messages;
    EXPECT_EQ(other.lines, plain.lines) << name;
  }
}

TEST_F(Import, MergesFilesByTimeWhateverTheirOrder) {
  const std::string later = file("BTCUSDT-1m-2024-07-20.csv", kline(1440) + kline(1441));
  const std::string first =
      file("BTCUSDT-1m-2024-07-19.csv", std::string(kKlinesHeader) + kline(1438) + kline(1439));
  const std::string other =
      file("ETHUSDT-1m-2024-07.zip",
           zip({{"ETHUSDT-1m-2024-07.csv", kline(1438, "3425.1") + kline(1440, "3425.2")}}));
  const Imported imported = run({later, other, first});
  EXPECT_EQ(imported.exit_code, ExitCode::ok) << imported.messages;
  EXPECT_THAT(
      shapes(imported.lines),
      ElementsAre("\"ETHUSDT\" 1721433539999", "\"BTCUSDT\" 1721433539999",
                  "\"BTCUSDT\" 1721433599999", "\"BTCUSDT\" 1721433659999",
                  "# gap ETHUSDT klines 2024-07-19T23:58:59.999Z 2024-07-20T00:00:59.999Z: 1 row "
                  "missing",
                  "\"ETHUSDT\" 1721433659999", "\"BTCUSDT\" 1721433719999"));
  EXPECT_THAT(imported.messages, HasSubstr("BTCUSDT klines: 4 rows from 2024-07-19T23:58:59.999Z"));
  EXPECT_THAT(imported.messages, HasSubstr(", 1 gap of 1 row\n"));
}

TEST_F(Import, OpensOnlyTheFilesThatCoverTheMoment) {
  std::vector<std::string> paths;
  paths.reserve(429);
  for (int hour = 0; hour < 300; ++hour) {  // more than may be open
    paths.push_back(file(fmt::format("BTCUSDT-1m-{}.csv", hour), kline(hour * 60)));
  }
  EXPECT_EQ(run(paths).lines.size(), 300U + 299U);
  for (int i = 0; i < 129; ++i) {
    paths.push_back(file(fmt::format("A{}USDT-1m.csv", i), kline(0)));
  }
  const Imported refused = run(paths);
  EXPECT_EQ(refused.exit_code, ExitCode::bad_input);
  EXPECT_THAT(refused.messages, HasSubstr("more than 128 files cover 2024-07-19T00:00:59.999Z"));
}

TEST_F(Import, WritesZstdWhereTheNameEndsSo) {
  const std::string input = file("BTCUSDT-1m-2024-07.csv", kline(0) + kline(1));
  const Imported plain = run({input});
  const std::string packed = files().path("out.ndjson.zst");
  EXPECT_EQ(run({input, "--output", packed}).exit_code, ExitCode::ok);
  EXPECT_THAT(test::read_file(packed), StartsWith("\x28\xB5\x2F\xFD"));
  EXPECT_EQ(lines_of(packed), plain.lines);
  const Imported refused = run({input, "--output", files().path("out.gz")});
  EXPECT_EQ(refused.exit_code, ExitCode::usage);
  EXPECT_THAT(refused.messages, HasSubstr("ends in .zst"));
  EXPECT_FALSE(std::filesystem::exists(files().path("out.gz")));
}

TEST_F(Import, ReadsAPipeOnce) {
  const std::string pipe = files().path("BTCUSDT-1m.fifo");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::jthread writer([&] { std::ofstream(pipe) << kline(0) << kline(1); });
  const Imported imported = run({pipe});
  EXPECT_EQ(imported.exit_code, ExitCode::ok) << imported.messages;
  EXPECT_EQ(imported.lines.size(), 2U);
}

// --- Rows that cannot be used -------------------------------------------------------------------

TEST_F(Import, LeavesOutBadRowsAndSaysWhichAndWhy) {
  const std::string text = std::string(kTradesHeader) + trade(1, 0) +
                           "2,0,1,0,1721347200001,true\n" + trade(3, 5) + trade(4, 4) +
                           trade(3, 6) + "\n" + "id,price\n" + std::string(kTradesHeader) +
                           "5,1,1\n" + trade(6, 7);
  const std::string path = file("BTCUSDT-trades.csv", text);
  const Imported imported = run({path});
  EXPECT_EQ(imported.exit_code, ExitCode::ok);
  EXPECT_EQ(imported.lines.size(), 3U);
  for (const char* said :
       {" line 3 has no price above 0", " line 5 is earlier than the row before",
        " line 6 is there already", " line 8 is no row, and no header of such rows",
        " line 10 has more or fewer columns"}) {
    EXPECT_THAT(imported.messages, HasSubstr("import: " + path + said));
  }
  EXPECT_THAT(imported.messages, HasSubstr("import: 5 rows left out\n"));
  EXPECT_EQ(run({"--strict", path}).exit_code, ExitCode::bad_input);
  EXPECT_EQ(run({"--strict", file("ETHUSDT-1m.csv", kline(0))}).exit_code, ExitCode::ok);
}

TEST_F(Import, LeavesOutKlinesOfAnotherInterval) {
  const std::string five =
      fmt::format("{},1,1,1,1,1,{},1,1,1,1,0\n", kMidnightMs + 60'000, kMidnightMs + 359'999);
  const Imported imported = run({file("BTCUSDT-1m.csv", kline(0) + five + kline(7))});
  EXPECT_EQ(imported.lines.size(), 3U) << "two klines and a gap";
  EXPECT_THAT(imported.messages, HasSubstr(" line 2 lasts longer or shorter than the klines"));
}

TEST_F(Import, ShowsTenBadRowsAndCountsTheRest) {
  std::string text = kline(0);
  for (int i = 0; i < 25; ++i) text += "1,2\n";
  const std::string path = file("BTCUSDT-1m.csv", text);
  const Imported imported = run({path, file("ETHUSDT-1m.csv", text)});
  std::size_t shown = 0;
  for (std::size_t at = 0; (at = imported.messages.find(" line ", at)) != std::string::npos; ++at) {
    ++shown;
  }
  EXPECT_EQ(shown, 10U);
  EXPECT_THAT(imported.messages, HasSubstr("import: 50 rows left out\n"));
}

TEST_F(Import, TakesARowOnceWhereFilesOverlap) {
  const std::string month =
      file("BTCUSDT-trades-2024-07.csv", trade(1, 0) + trade(2, 5) + trade(3, 9));
  const std::string day =
      file("BTCUSDT-trades-2024-07-19.csv", trade(2, 5) + trade(3, 9) + trade(4, 9));
  const Imported imported = run({month, day});
  EXPECT_EQ(imported.lines.size(), 4U);
  EXPECT_THAT(imported.messages, HasSubstr("import: 2 rows left out\n"));
}

TEST_F(Import, OfNothingThatCanBeUsedExits65AndLeavesNoFile) {
  for (const std::string& text : {std::string(), std::string("\n\n"), std::string(kTradesHeader),
                                  std::string(kTradesHeader) + "1,2\n3,4\n"}) {
    std::filesystem::remove(files().path("recording.ndjson"));
    const Imported imported = run({file("BTCUSDT-trades.csv", text)});
    EXPECT_EQ(imported.exit_code, ExitCode::bad_input) << text;
    EXPECT_THAT(imported.messages, HasSubstr("import: there is no row that can be used\n"));
    EXPECT_FALSE(std::filesystem::exists(files().path("recording.ndjson"))) << text;
  }
}

TEST_F(Import, OfADamagedArchiveExits65AndKeepsWhatIsThere) {
  std::string text;
  for (int minute = 0; minute < 20'000; ++minute)
    text += kline(minute, fmt::to_string(minute * 7919 % 60'000 + 1).c_str());
  const std::string packed = gzip(text);
  const std::string cut = file("BTCUSDT-1m.csv.gz", packed.substr(0, packed.size() / 2));
  const Imported imported = run({cut, file("ETHUSDT-1m.csv", kline(19'999, "3425.1"))});
  EXPECT_EQ(imported.exit_code, ExitCode::bad_input);
  EXPECT_THAT(imported.messages, HasSubstr("import: " + cut + ": is truncated\n"));
  EXPECT_GT(imported.lines.size(), 1'000U);
  EXPECT_THAT(imported.lines.back(), HasSubstr("ETHUSDT"));
}

// --- What is not clear --------------------------------------------------------------------------

struct Unclear {
  std::string name, content;
  std::vector<std::string> options;
  const char* says;
};

TEST_F(Import, GuessesNothingAndSaysWhichOptionSettlesIt) {
  const std::string seven = "3710280111,64000.1,0.014,896.0,1721347200009,True,True\n";
  const std::vector<Unclear> rows{
      {"rows.csv", kline(0), {}, "--symbol says it"},
      {"rows.zip", zip({{"rows.csv", kline(0)}}), {}, "--symbol says it"},
      {"BTCUSDT-2024.csv", kline(0), {}, "--symbol says it"},
      {"BTCUSDT-1m.csv",
       kline(0),
       {"--symbol", "ETHUSDT"},
       "its symbol is ETHUSDT here and BTCUSDT there"},
      {"BTCUSDT-1m.zip",
       zip({{"ETHUSDT-1m.csv", kline(0)}}),
       {},
       "its symbol is BTCUSDT here and ETHUSDT there"},
      {"BTCUSDT-1m.csv",
       "date,open,high,low,close,volume\n2023-07-19T00:00Z,1,1,1,1,1\n",
       {"--interval", "5m"},
       "its interval is 300 s here and 60 s there"},
      {"rows.csv", seven, {"--symbol", "BTCUSDT"}, "--kind trades or --kind aggtrades says which"},
      {"rows.csv",
       "date,open,high,low,close,volume\n2023-07-19T00:00Z,1,1,1,1,1\n",
       {"--symbol", "BTCUSDT"},
       "--interval 1m does"},
      {"rows.csv",
       std::string(kTradesHeader) + trade(1, 0),
       {"--symbol", "BTCUSDT", "--kind", "klines"},
       "by its header it is of trades, not klines"},
      {"BTCUSDT-trades.csv",
       std::string(kKlinesHeader) + kline(0),
       {},
       "it is of klines, not trades"},
      {"BTCUSDT-5m.csv", kline(0), {}, "its interval is 300 s here and 60 s there"},
      {"rows.csv", kline(0), {"--symbol", "btc/usdt"}, "--symbol takes a name as BTCUSDT"},
      {"rows.csv", kline(0), {"--interval", "1 minute"}, "--interval takes one as 1m"},
      {"rows.csv", kline(0), {"--kind", "books"}, "--kind takes klines, trades, aggtrades"}};
  for (const auto& [name, content, options, says] : rows) {
    std::vector<std::string> words = options;
    words.push_back(file(name, content));
    const Imported imported = run(words);
    EXPECT_EQ(imported.exit_code, ExitCode::usage) << says << imported.messages;
    EXPECT_THAT(imported.messages, HasSubstr(says));
    EXPECT_THAT(imported.lines, IsEmpty());
  }
}

TEST_F(Import, TakesWhatTheOptionsSettle) {
  const std::string seven = "3710280111,64000.1,0.014,896.0,1721347200009,True,True\n";
  const std::string aggregate = "2196511345,64000.1,0.014,51,52,1721347200008,true\n";
  const std::string day = "1689724800000,1,1,1,29845.8,1\n";
  const std::vector<std::pair<std::string, std::vector<std::string>>> rows{
      {seven, {"--kind", "trades"}},
      {aggregate, {"--kind", "aggtrades"}},
      {day, {"--kind", "klines", "--interval", "1m"}}};
  for (const auto& [content, options] : rows) {
    std::vector<std::string> words{"--symbol", "BTCUSDT", file("rows.csv", content)};
    words.insert(words.begin(), options.begin(), options.end());
    const Imported imported = run(words);
    EXPECT_EQ(imported.exit_code, ExitCode::ok) << imported.messages;
    EXPECT_EQ(imported.lines.size(), 1U);
  }
}

TEST_F(Import, SaysWhatIsNoArchive) {
  const std::vector<Unclear> rows{
      {"BTCUSDT-1m.csv", "{\"e\":\"trade\"}\n", {}, "line 1: these are not the columns of klines"},
      {"BTCUSDT-1m.csv", "time;price\n", {}, "line 1: these are not the columns of klines"},
      {"BTCUSD_PERP-trades.csv",
       "id,price,qty,base_qty,time,is_buyer_maker\n",
       {},
       "COIN-M is not traded"},
      {"BTCUSDT-1m.zip", "PK\x03\x04", {}, "zip archive is damaged or truncated"},
      {"BTCUSDT-1m.xz",
       std::string("\xFD"
                   "7zXZ\0",
                   6),
       {},
       "is xz data; unpack it first"}};
  for (const auto& [name, content, options, says] : rows) {
    const Imported imported = run({file(name, content)});
    EXPECT_EQ(imported.exit_code, ExitCode::bad_input) << says;
    EXPECT_THAT(imported.messages, HasSubstr(says));
  }
  const Imported missing = run({file("BTCUSDT-1m.csv", kline(0)), files().path("ETHUSDT-1m.csv")});
  EXPECT_EQ(missing.exit_code, ExitCode::bad_input);
  EXPECT_THAT(missing.messages, HasSubstr("ETHUSDT-1m.csv: No such file or directory"));
  EXPECT_EQ(run({}).exit_code, ExitCode::usage);
}

TEST_F(Import, RefusesKlinesOfTwoIntervalsOfOneSymbol) {
  const std::string minute = file("BTCUSDT-1m.csv", kline(0));
  const std::string five = file("BTCUSDT-5m.csv", fmt::format("{0},1,1,1,1,1,{1},1,1,1,1,0\n",
                                                              kMidnightMs, kMidnightMs + 299'999));
  const Imported imported = run({minute, five});
  EXPECT_EQ(imported.exit_code, ExitCode::usage);
  EXPECT_THAT(imported.messages, HasSubstr("has klines of 300 s in it and of 60 s in another"));
}

// --- What the archives cannot tell --------------------------------------------------------------

TEST_F(Import, SaysWhatTheStrategiesWillMiss) {
  const std::string trades = file("BTCUSDT-trades.csv", trade(1, 0));
  const std::string minute = file("BTCUSDT-1m.csv", kline(0));
  const std::string hours =
      file("ETHUSDT-4h.csv",
           fmt::format("{0},1,1,1,1,1,{1},1,1,1,1,0\n", kMidnightMs, kMidnightMs + 14'399'999));
  EXPECT_THAT(run({trades}).messages,
              AllOf(HasSubstr("no books, so orderbook_skew sees nothing"),
                    HasSubstr("no tickers (klines) among these, so ticker_velocity sees nothing"),
                    Not(HasSubstr("trade_momentum sees nothing"))));
  EXPECT_THAT(run({minute}).messages,
              AllOf(HasSubstr("no trades among these, so trade_momentum sees nothing"),
                    HasSubstr("BTCUSDT: one price in 60 s, the close; TICKER_VELOCITY_TIME_WINDOW"),
                    Not(HasSubstr("RISK_PRICE_BAND_PERCENT"))));
  EXPECT_THAT(run({hours}).messages, HasSubstr("no window is as long"));
  EXPECT_EQ(run({"--quiet", minute}).messages, "");
}

// What the summary says of windows and of the price band, held against the engine.
TEST_F(Import, SaysOfKlinesWhatTheEngineDoesWithThem) {
  const auto last_outcome = [&](std::int64_t seconds, test::Given settings) {
    std::string text;
    for (std::int64_t i = 0; i < 20; ++i) {
      const std::int64_t opened = kMidnightMs + i * seconds * 1000;
      text += fmt::format("{},1,1,1,{},1,{},1,1,1,1,0\n", opened, 64'000 + i * 640,
                          opened + seconds * 1000 - 1);
    }
    test::EngineRun engine(test::configured(settings));
    engine.lines(run({file(fmt::format("BTCUSDT-{}s.csv", seconds), text)}).lines);
    EXPECT_EQ(test::accounted_events(engine.tally()), 20U);
    return engine.last();
  };
  EXPECT_EQ(last_outcome(60, {{"SIGNAL_COOLDOWN_SECONDS", "0"}}), "signal_buy");
  EXPECT_EQ(last_outcome(60, {{"TICKER_VELOCITY_TIME_WINDOW", "59"}}), "warming_up");
  EXPECT_EQ(last_outcome(60, {{"TICKER_VELOCITY_TIME_WINDOW", "90"}}), "warming_up");
  EXPECT_EQ(last_outcome(300, {{"TICKER_VELOCITY_TIME_WINDOW", "300"},
                               {"TICKER_VELOCITY_BUY_THRESHOLD", "0.1"}}),
            "no_reference");
  EXPECT_EQ(last_outcome(300, {{"TICKER_VELOCITY_TIME_WINDOW", "300"},
                               {"TICKER_VELOCITY_BUY_THRESHOLD", "0.1"},
                               {"RISK_PRICE_BAND_PERCENT", "0"},
                               {"SIGNAL_COOLDOWN_SECONDS", "0"}}),
            "signal_buy");
}

// --- Recorded candles ---------------------------------------------------------------------------

// 29 days of three symbols, a candle a minute.
TEST_F(Import, OfTheCorpusIsReplayedWithoutADrop) {
  const auto folder = std::filesystem::path(test::corpus_root()) / "klines";
  if (!std::filesystem::exists(folder)) {
    GTEST_SKIP() << "no klines at " << folder << "; set RTS_CORPUS to the folder above";
  }
  std::vector<std::string> words;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    words.push_back(entry.path());
  }
  const Imported imported = run(words);
  EXPECT_EQ(imported.exit_code, ExitCode::ok) << imported.messages;
  constexpr std::uint64_t kFrames = 3UL * 29 * 1440;
  ASSERT_EQ(imported.lines.size(), kFrames) << "no gap";
  test::EngineRun engine(test::configured({}));
  engine.lines(imported.lines);
  EXPECT_EQ(engine.tally().events(StrategyId::ticker_velocity), kFrames);
  EXPECT_EQ(engine.tally().count(StrategyId::ticker_velocity, Outcome::warming_up), 3U);
  for (const Reason reason : all_of<Reason>) EXPECT_EQ(engine.tally().count(reason), 0U);
  EXPECT_GT(engine.orders().size(), 0U);
  std::set<std::string> days;
  for (const std::string& line : imported.lines) {
    std::string day;
    append_iso8601_date(day, to_ms(*wire::parse_recorded_line(line)->received_at));
    days.insert(day);
  }
  EXPECT_EQ(days.size(), 29U);
}

}  // namespace
}  // namespace rts::commands
