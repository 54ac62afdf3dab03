// exchangeInfo answers: what of the filters counts, exactly, and what is said of a text that is
// none.
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/instruments.hpp>

#include "support/paths.hpp"
#include "support/scratch_files.hpp"

namespace rts::wire {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string data_file(const char* name) {
  return test::read_file(test::source_root() + "/tests/data/" + name);
}

// One line an instrument: SYMBOL status quote/margin step [min, max] notional [min, max] tick.
std::string text_of(const ListedInstrument& i) {
  return fmt::format("{} {} {}/{} step {} [{}, {}] notional [{}, {}] tick {}{}{}", i.symbol.text(),
                     i.status, i.quote_asset, i.margin_asset, i.quantity_step.to_string(),
                     i.min_quantity.to_string(), i.max_quantity.to_string(),
                     i.min_notional.to_string(), i.max_notional.to_string(), i.tick.to_string(),
                     i.fault.empty() ? "" : " ! ", i.fault);
}

std::vector<std::string> lines_of(std::string_view text) {
  const auto parsed = parse_instruments(text);
  if (!parsed) return {"error: " + parsed.error()};
  std::vector<std::string> lines;
  for (const ListedInstrument& instrument : parsed.value()) lines.push_back(text_of(instrument));
  return lines;
}

TEST(Instruments, OfSpotAreReadFilterByFilter) {
  EXPECT_THAT(
      lines_of(data_file("exchange_info_spot.json")),
      testing::ElementsAre(
          "BTCUSDT TRADING USDT/ step 0.00001 [0.00001, 98.63243018] notional [5, 0] tick 0.01",
          "BTTCUSDT TRADING USDT/ step 1 [1, 8200562894.33333333] notional [1, 100000] tick "
          "0.00000001",
          "LUNAUSDT BREAK USDT/ step 0.01 [0.01, 900000] notional [10, 0] tick 0",
          "ETHBTC TRADING BTC/ step 0.0001 [0.0001, 100000] notional [0.0001, 0] tick 0.00001",
          "牛来USDT TRADING USDT/ step 0.1 [0.1, 90000] notional [5, 0] tick 0.0001"));
}

TEST(Instruments, OfUsdMarginedFuturesAreReadFilterByFilter) {
  EXPECT_THAT(
      lines_of(data_file("exchange_info_usdm.json")),
      testing::ElementsAre(
          "BTCUSDT TRADING USDT/USDT step 0.001 [0.001, 120] notional [100, 0] tick 0.1",
          "ETHUSDT TRADING USDT/USDT step 0.001 [0.001, 2000] notional [20, 0] tick 0.01",
          "BNBUSDT TRADING USDT/USDT step 0.05 [0.05, 2000] notional [5, 0] tick 0.01",
          "1000PEPEUSDT TRADING USDT/USDT step 1 [1, 25000000] notional [5, 0] tick 0.0000001",
          "BTCUSDC TRADING USDC/USDC step 0.001 [0.001, 60] notional [100, 0] tick 0.1",
          "BTCUSDT_260925 TRADING USDT/USDT step 0.001 [0.001, 50] notional [5, 0] tick 0.1",
          "SRMUSDT SETTLING USDT/USDT step 1 [1, 50000] notional [5, 0] tick 0.0001",
          "BTCUSD_PERP TRADING USD/BTC step 1 [1, 60000] notional [5, 0] tick 0.1",
          "XYZUSDT TRADING USDT/BTC step 1 [1, 60000] notional [5, 0] tick 0.1"));
}

TEST(Instruments, MayBeginWithAByteOrderMarkAndBeWrittenInOtherWays) {
  const std::string text = data_file("exchange_info_usdm.json");
  EXPECT_EQ(lines_of("\xEF\xBB\xBF" + text), lines_of(text));
  std::string windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(lines_of(windows), lines_of(text));
}

std::string entry(const std::string& filters, const char* name = "AUSDT") {
  return fmt::format(
      R"({{"filters":[{}],"quoteAsset":"USDT","status":"TRADING","symbol":"{}","x":[{{}}]}})",
      filters, name);
}
std::string answer(const std::string& entries) {
  return fmt::format(R"({{"rateLimits":[{{"limit":1}}],"symbols":[{}]}})", entries);
}
std::string lot(const char* kind, const char* step) {
  return fmt::format(R"({{"stepSize":{},"maxQty":"0","minQty":"0.0","filterType":"{}"}})", step,
                     kind);
}

// The only instrument of an answer with these filters; nothing else of it is looked at.
ListedInstrument only(const std::string& filters) {
  const auto parsed = parse_instruments(answer(entry(filters)));
  if (!parsed || parsed.value().size() != 1) {
    ADD_FAILURE() << (parsed ? "no instrument" : parsed.error()) << ": " << filters;
    return {};
  }
  return parsed.value()[0];
}

TEST(Instruments, TakeTheCoarserOfTwoStepsWhereItIsAMultiple) {
  const struct {
    const char* lot;
    const char* market;
    const char* step;  // empty: a fault
  } rows[] = {
      {R"("0.001")", R"("0.001")", "0.001"},
      {R"("0.001")", R"("0.05")", "0.05"},
      {R"("0.05")", R"("0.001")", "0.05"},
      {R"("0.001")", R"("0.00000000")", "0.001"},
      {R"("0")", R"("0.010")", "0.01"},
      {R"("0")", R"("0")", "0"},
      {"0.001", "1", "1"},
      {"1e-3", "2.5E-1", "0.25"},
      {"1e-8", "1E+1", "10"},
      {R"("0.002")", R"("0.005")", ""},
      {R"("0.005")", R"("0.002")", ""},
      {R"("0.3")", R"("1")", ""},
  };
  for (const auto& row : rows) {
    const auto instrument =
        only(lot("LOT_SIZE", row.lot) + "," + lot("MARKET_LOT_SIZE", row.market));
    if (std::string_view(row.step).empty()) {
      EXPECT_THAT(instrument.fault, HasSubstr("no multiples of each other")) << row.lot;
    } else {
      EXPECT_EQ(instrument.fault, "") << row.lot << row.market;
      EXPECT_EQ(instrument.quantity_step.to_string(), row.step) << row.lot << row.market;
    }
  }
}

TEST(Instruments, TakeTheStricterOfTwoNotionalsAndAMaximumThatIsForMarketOrders) {
  const struct {
    const char* filters;
    const char* minimum;
    const char* maximum;
  } rows[] = {
      {R"({"filterType":"MIN_NOTIONAL","notional":"5"})", "5", "0"},
      {R"({"filterType":"MIN_NOTIONAL","minNotional":10.50})", "10.5", "0"},
      {R"({"filterType":"NOTIONAL","minNotional":"5","maxNotional":"9","applyMaxToMarket":true})",
       "5", "9"},
      {R"({"filterType":"NOTIONAL","minNotional":"5","maxNotional":"9","applyMaxToMarket":false})",
       "5", "0"},
      {R"({"filterType":"NOTIONAL","minNotional":"5","maxNotional":"9"})", "5", "9"},
      {R"({"filterType":"NOTIONAL","minNotional":"5"})", "5", "0"},
      {R"({"filterType":"NOTIONAL","minNotional":"5","maxNotional":"0.00000000"},)"
       R"({"filterType":"MIN_NOTIONAL","minNotional":"7"})",
       "7", "0"},
      {R"({"filterType":"SOMETHING_NEW","minNotional":["x"],"tickSize":{}})", "0", "0"},
      {"", "0", "0"},
  };
  for (const auto& row : rows) {
    const auto instrument = only(row.filters);
    EXPECT_EQ(instrument.fault, "") << row.filters;
    EXPECT_EQ(instrument.min_notional.to_string(), row.minimum) << row.filters;
    EXPECT_EQ(instrument.max_notional.to_string(), row.maximum) << row.filters;
  }
}

TEST(Instruments, WithANumberThatIsNoneAreFaultyAndSayWhich) {
  for (const char* step : {R"("x")", R"("")", R"("-1")", "-1", R"("0.1.2")", R"("1e")", R"("1e99")",
                           R"(" 1")", R"(".5")", R"("5.")", R"("0x1")", R"("NaN")", "true", "null",
                           R"("0.0000000000000000001")", R"("1234567890123456789.5")"}) {
    EXPECT_THAT(only(lot("LOT_SIZE", step)).fault, HasSubstr("LOT_SIZE has")) << step;
  }
  EXPECT_EQ(only(R"({"filterType":"PRICE_FILTER"})").fault, "PRICE_FILTER has no tickSize");
  EXPECT_EQ(only(R"({"filterType":"MIN_NOTIONAL"})").fault, "MIN_NOTIONAL has no notional");
}

TEST(Instruments, WithoutStatusOrQuoteAssetAreFaulty) {
  EXPECT_THAT(lines_of(R"({"symbols":[{"symbol":"A","quoteAsset":"USDT"}]})"),
              testing::ElementsAre(HasSubstr("! it has no status")));
  EXPECT_THAT(lines_of(R"({"symbols":[{"symbol":"A","status":"TRADING","quoteAsset":null}]})"),
              testing::ElementsAre(HasSubstr("! it has no quoteAsset")));
}

TEST(Instruments, AreTheFirstOfTheirSymbolAndTheirKey) {
  const auto parsed = parse_instruments(
      answer(entry(R"({"filterType":"PRICE_FILTER","tickSize":"1","tickSize":"2"})") + "," +
             entry("", "BUSDT") + "," + entry("", "ausdt") + "," + entry("", "CUSDT")));
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed.value().size(), 3U);
  EXPECT_EQ(parsed.value()[0].tick.to_string(), "1");
  EXPECT_EQ(parsed.value()[2].symbol.text(), "CUSDT");
}

TEST(Instruments, OfATextThatIsNoAnswerAreAnErrorInWords) {
  const struct {
    std::string text;
    const char* error;
  } rows[] = {
      {"", "is not JSON"},
      {"\xEF\xBB\xBF", "is not JSON"},
      {"<html>Too many requests</html>", "no JSON object"},
      {"{\"symbols\":[", "is not JSON"},
      {answer(entry("")) + "x", "is not JSON"},
      {answer(entry("")) + answer(entry("")), "is not JSON"},
      {answer(entry("{]")), "is not JSON"},
      {answer(entry("")).insert(1, "\"x\":\"\xFF\","), "is not JSON"},
      {"[]", "no JSON object"},
      {"42", "no JSON object"},
      {"{}", "it lists no symbols"},
      {R"({"code":-1121,"msg":"Invalid symbol."})", "it lists no symbols"},
      {R"({"symbols":[]})", "it lists no symbols"},
      {R"({"symbols":{"symbol":"A"}})", "it lists no symbols"},
      {R"({"symbols":["BTCUSDT"]})", "has no symbol"},
      {R"({"symbols":[{"status":"TRADING"}]})", "has no symbol"},
      {R"({"symbols":[{"symbol":""}]})", "has no symbol"},
      {R"({"symbols":[{"symbol":")" + std::string(64, 'A') + R"("}]})", "has no symbol"},
      {std::string(kMaxInstrumentsBytes + 1, ' '), "is larger than 10 MiB"},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_instruments(row.text);
    ASSERT_FALSE(parsed) << row.text.substr(0, 80);
    EXPECT_THAT(parsed.error(), HasSubstr(row.error)) << row.text.substr(0, 80);
  }
}

TEST(Instruments, AreReadUpToTheLimitOfSize) {
  std::string text = answer(entry(""));
  text.append(kMaxInstrumentsBytes - text.size(), ' ');
  EXPECT_EQ(lines_of(text).size(), 1U);
}

}  // namespace
}  // namespace rts::wire
