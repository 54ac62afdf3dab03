// Funding rates: every shape that people have them in, and what is said of a text that is none.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/funding.hpp>

namespace rts::wire {
namespace {

using testing::ElementsAre;

std::vector<std::string> lines_of(std::string_view text, const char* file = "-") {
  const auto parsed = parse_funding(text, symbol_of_file_name(file));
  if (!parsed) return {"error: " + parsed.error()};
  std::vector<std::string> lines;
  for (const FundingEntry& entry : parsed.value()) {
    lines.push_back(fmt::format("{} {} {}", entry.symbol.text(),
                                entry.at.time_since_epoch().count(), entry.rate));
  }
  return lines;
}

TEST(Funding, OfTheArchiveHasItsSymbolInTheFilesName) {
  EXPECT_THAT(lines_of("calc_time,funding_interval_hours,last_funding_rate\n"
                       "1719792000000,8,0.00010000\n"
                       "1719820800005,8,-0.00002345\n",
                       "2024/BTCUSDT-fundingRate-2024-07.csv"),
              ElementsAre("BTCUSDT 1719792000000 0.0001", "BTCUSDT 1719820800005 -2.345e-05"));
}

TEST(Funding, MayNameItsSymbols) {
  EXPECT_THAT(lines_of("\xEF\xBB\xBFsymbol,fundingTime,fundingRate,markPrice\r\n"
                       "btcusdt,1719792000000,0.0001,62000.5\r\n\r\n"
                       "ETHUSDT,1719792000000,0.0002,3400\r\n"),
              ElementsAre("BTCUSDT 1719792000000 0.0001", "ETHUSDT 1719792000000 0.0002"));
}

TEST(Funding, OfTheInterfaceIsAnArray) {
  EXPECT_THAT(
      lines_of(R"([{"symbol":"BTCUSDT","fundingTime":1719792000000,"fundingRate":"0.00010000",)"
               R"("markPrice":"62000.5"},{"symbol":"ETHUSDT","fundingTime":"1719820800000",)"
               R"("fundingRate":-0.0002}])"),
      ElementsAre("BTCUSDT 1719792000000 0.0001", "ETHUSDT 1719820800000 -0.0002"));
}

TEST(Funding, SaysWhatIsWrong) {
  const std::string header = "symbol,fundingTime,fundingRate\n";
  for (const auto& [text, error] : {
           std::pair<std::string, const char*>{
               "",
               "is no file of funding rates: its first line does not name the columns calc_time "
               "and last_funding_rate, or fundingTime and fundingRate"},
           {header, "holds no funding rates"},
           {"[]", "holds no funding rates"},
           {"[1]", "entry 1 is no object"},
           {"[", "is not JSON"},
           {header + "BTCUSDT,now,0.1", "line 2 has no time in milliseconds"},
           {header + "BTCUSDT,1719792000000000,0.1", "line 2 has no time in milliseconds"},
           {header + "BTCUSDT,1719792000000,nan", "line 2 has no rate between −1 and 1"},
           {header + "BTCUSDT,1719792000000,1.01", "line 2 has no rate between −1 and 1"},
           {header + "BTCUSDT,1719792000000", "line 2 has no rate between −1 and 1"},
           {header + ",1719792000000,0.1",
            "line 2 names no symbol, and neither does the file's name"},
           {"[{\"symbol\":\"A\",\"fundingTime\":1}]", "entry 1 has no rate between −1 and 1"},
           {std::string(kMaxFundingBytes + 1, ' '), "is larger than 16 MiB"},
       }) {
    EXPECT_THAT(lines_of(text, ""), ElementsAre(std::string("error: ") + error));
  }
}

TEST(Funding, FileNamesBeginWithTheirSymbol) {
  const auto symbol = [](const char* path) {
    const auto found = symbol_of_file_name(path);
    return found ? std::string(found->text()) : "";
  };
  EXPECT_EQ(symbol("a-b/ethusdt.csv"), "ETHUSDT");
  EXPECT_EQ(symbol("1000PEPEUSDT-fundingRate-2024-07.csv"), "1000PEPEUSDT");
  EXPECT_EQ(symbol("BTCUSDT"), "BTCUSDT");
  EXPECT_EQ(symbol("dir/.csv"), "");
  EXPECT_EQ(symbol("my file.csv"), "");
}

}  // namespace
}  // namespace rts::wire
