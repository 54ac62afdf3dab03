// The venue's archives row by row: what a file is, what a row says, and the line of a recording
// that it becomes. The rows are in the form of data.binance.vision, made up.
#include "research/archive.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/engine_run.hpp"

namespace rts::research {
namespace {

using namespace std::chrono_literals;

// --- Names --------------------------------------------------------------------------------------

struct Named {
  const char* path;
  const char* symbol;  // "": none
  const char* kind;
  std::chrono::milliseconds interval;  // 0: none
};

TEST(ArchiveName, SaysTheSymbolTheKindAndTheInterval) {
  const std::vector<Named> rows{
      {"BTCUSDT-trades-2024-07-19.zip", "BTCUSDT", "trades", 0s},
      {"/data/spot/BTCUSDT-aggTrades-2024-07.csv.gz", "BTCUSDT", "aggtrades", 0s},
      {"BTCUSDT-1m-2023-01.csv", "BTCUSDT", "klines", 1min},
      {"BTCUSDT_um_1m_2023.csv.gz", "BTCUSDT", "klines", 1min},
      {"BTCUSDT_240927-trades-2024-07-19.zip", "BTCUSDT_240927", "trades", 0s},
      {"1000SHIBUSDT-4h-2023-01.csv", "1000SHIBUSDT", "klines", 4h},
      {"牛来USDT-1s-2026-09.zip", "牛来USDT", "klines", 1s},
      {"BTCUSDT-1d", "BTCUSDT", "klines", 24h},
      {"BTCUSDT.csv", "", "", 0s},
      {"BTCUSDT-2023-01.csv", "", "", 0s},
      {"btcusdt-1m-2023-01.csv", "", "klines", 1min},
      {"my data-trades.csv", "", "trades", 0s},
      {"BTC\"USDT-trades.csv", "", "trades", 0s},
      {"\xFF-trades.csv", "", "trades", 0s},
      {"-", "", "", 0s},
      {"", "", "", 0s}};
  for (const auto& [path, symbol, kind, interval] : rows) {
    const ArchiveName said = read_archive_name(path);
    EXPECT_EQ(said.symbol ? said.symbol->text() : "", symbol) << path;
    EXPECT_EQ(said.kind ? to_string(*said.kind) : "", kind) << path;
    EXPECT_EQ(said.interval.value_or(0s), interval) << path;
  }
}

TEST(ArchiveInterval, IsACountAndAUnit) {
  const std::vector<std::pair<const char*, std::chrono::milliseconds>> rows{
      {"1s", 1s},   {"1m", 60s}, {"15m", 900s}, {"12h", 12h}, {"3d", 72h},
      {"1w", 168h}, {"", 0s},    {"m", 0s},     {"0m", 0s},   {"-1m", 0s},
      {"1.5m", 0s}, {"1mo", 0s}, {"1 m", 0s},   {"1M", 0s},   {"9999m", 0s}};
  for (const auto& [text, interval] : rows) {
    EXPECT_EQ(parse_interval(text).value_or(0s), interval) << text;
  }
}

// --- Columns ------------------------------------------------------------------------------------

TEST(ArchiveHeader, SaysWhatTheRowsAre) {
  const std::vector<std::pair<const char*, const char*>> rows{
      {"id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch", "trades"},
      {"id,price,qty,quote_qty,time,is_buyer_maker", "trades"},
      {"trade_id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch", "trades"},
      {"agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
       "aggtrades"},
      {"a,p,q,f,l,T,m,M", "aggtrades"},
      {"open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
       "taker_buy_quote_volume,ignore",
       "klines"},
      {"Open time,Open,High,Low,Close,Volume,Close time", "klines"},
      {"date,open,high,low,close,volume", "klines"},
      {"id,price,qty,base_qty,time,is_buyer_maker", "coin_margined"},
      {"id,price,qty", "unknown"},
      {"a,p,q,f,l,T,M", "unknown"},
      {"time;price;size", "unknown"},
      {"a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "unknown"}};
  for (const auto& [line, is] : rows) {
    const Fields header = split_row(line);
    EXPECT_TRUE(is_header(header)) << line;
    const auto columns = columns_of_header(header);
    EXPECT_EQ(columns ? to_string(columns.value().kind) : to_string(columns.error()), is) << line;
  }
}

struct Headless {
  const char* kind;  // "": not known
  std::size_t count;
  const char* is;
};

TEST(ArchiveColumns, WithoutAHeaderAreThoseOfTheirKindOrNone) {
  const std::vector<Headless> rows{{"", 12, "klines"},
                                   {"", 8, "aggtrades"},
                                   {"", 6, "trades"},
                                   {"", 7, "ambiguous"},
                                   {"", 5, "unknown"},
                                   {"", 9, "unknown"},
                                   {"", 13, "unknown"},
                                   {"", 1, "unknown"},
                                   {"trades", 6, "trades"},
                                   {"trades", 7, "trades"},
                                   {"trades", 8, "unknown"},
                                   {"aggtrades", 7, "aggtrades"},
                                   {"aggtrades", 8, "aggtrades"},
                                   {"aggtrades", 6, "unknown"},
                                   {"klines", 12, "klines"},
                                   {"klines", 6, "klines"},
                                   {"klines", 7, "unknown"},
                                   {"klines", 11, "unknown"}};
  for (const auto& [kind, count, is] : rows) {
    const auto columns = columns_without_header(from_string<ArchiveKind>(kind), count);
    EXPECT_EQ(columns ? to_string(columns.value().kind) : to_string(columns.error()), is)
        << kind << " " << count;
  }
}

TEST(ArchiveColumns, OfARowAreAllCounted) {
  EXPECT_EQ(split_row("a,,c").count, 3U);
  EXPECT_EQ(split_row("a,,c").values[1], "");
  EXPECT_EQ(split_row("").count, 1U);
  EXPECT_EQ(split_row(",").count, 2U);
  EXPECT_EQ(split_row(std::string(40, ',')).count, 41U);
  EXPECT_FALSE(is_header(split_row("")));
  EXPECT_FALSE(is_header(split_row("2023-07-19T00:00Z,1")));
}

// --- Rows ---------------------------------------------------------------------------------------

constexpr const char* kSpotTrades = "id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch";
constexpr const char* kUsdmTrades = "id,price,qty,quote_qty,time,is_buyer_maker";
constexpr const char* kSpotAggTrades = "a,p,q,f,l,T,m,M";
constexpr const char* kUsdmAggTrades =
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker";
constexpr const char* kKlines =
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore";
constexpr const char* kShortKlines = "date,open,high,low,close,volume";

Result<ArchiveRow, RowFault> read(const char* header, std::string_view line) {
  return read_row(columns_of_header(split_row(header)).value(), 1min, split_row(line));
}

struct Made {
  const char* header;
  const char* row;
  const char* line;
};

const std::vector<Made>& made() {
  static const std::vector<Made> kRows{
      {kSpotTrades, "3710280111,64000.10000000,0.01400000,896.00,1721347200009,True,True",
       R"(1721347200009000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1721347200009,)"
       R"("s":"BTCUSDT","t":3710280111,"p":"64000.10000000","q":"0.01400000","T":1721347200009,)"
       R"("m":true}})"},
      {kSpotTrades, "4359000001,94000.10,0.014,1316.00,1735689600000123,False,True",  // µs
       R"(1735689600000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1735689600000,)"
       R"("s":"BTCUSDT","t":4359000001,"p":"94000.10","q":"0.014","T":1735689600000,"m":false}})"},
      {kUsdmTrades, "5182007621,64000.1,0.014,896.0014,1721347200008,false",
       R"(1721347200008000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1721347200008,)"
       R"("s":"BTCUSDT","t":5182007621,"p":"64000.1","q":"0.014","T":1721347200008,"m":false}})"},
      {kSpotAggTrades, "3110280001,64000.1,0.4,1501,1502,1721347200009,true,true",
       R"(1721347200009000000 {"stream":"btcusdt@aggTrade","data":{"e":"aggTrade",)"
       R"("E":1721347200009,"s":"BTCUSDT","a":3110280001,"p":"64000.1","q":"0.4",)"
       R"("T":1721347200009,"m":true}})"},
      {kUsdmAggTrades, "2196511345,64000.10,0.014,5182007621,5182007622,1721347200008,true",
       R"(1721347200008000000 {"stream":"btcusdt@aggTrade","data":{"e":"aggTrade",)"
       R"("E":1721347200008,"s":"BTCUSDT","a":2196511345,"p":"64000.10","q":"0.014",)"
       R"("T":1721347200008,"m":true}})"},
      {kKlines, "1721347200000,63990,64010,63980,64000.10,12.5,1721347259999,8e5,901,6.1,39e4,0",
       R"(1721347259999000000 {"stream":"btcusdt@miniTicker","data":{"e":"24hrMiniTicker",)"
       R"("E":1721347259999,"s":"BTCUSDT","c":"64000.10"}})"},
      {kKlines, "1735689600000000,1,2,1,94000.1,12.5,1735689659999999,8e5,901,6.1,39e4,0",  // µs
       R"(1735689659999000000 {"stream":"btcusdt@miniTicker","data":{"e":"24hrMiniTicker",)"
       R"("E":1735689659999,"s":"BTCUSDT","c":"94000.1"}})"},
      {kShortKlines, "2023-07-19T00:00Z,29845.7,29850.3,29844.1,29845.8,140.095",
       R"(1689724859999000000 {"stream":"btcusdt@miniTicker","data":{"e":"24hrMiniTicker",)"
       R"("E":1689724859999,"s":"BTCUSDT","c":"29845.8"}})"}};
  return kRows;
}

std::string line_of(const Made& made_of) {
  const auto row = read(made_of.header, made_of.row);
  if (!row) return std::string(text_of(row.error()));
  std::string line;
  append_recorded_line(line, *Symbol::from("BTCUSDT"),
                       columns_of_header(split_row(made_of.header)).value().kind, row.value());
  return line;
}

TEST(ArchiveRow, BecomesAFrameBehindItsTime) {
  for (const Made& row : made()) EXPECT_EQ(line_of(row), std::string(row.line) + "\n");
}

TEST(ArchiveRow, IsTakenByTheEngineForWhatItIs) {
  for (const Made& row : made()) {
    test::EngineRun run(test::configured({}));
    run.line(line_of(row));
    EXPECT_EQ(run.last(), "warming_up") << row.row;
    EXPECT_EQ(run.tally().events(), 1U);
  }
}

TEST(ArchiveRow, OfAnotherScriptKeepsItsSymbol) {
  const auto row = read(kUsdmTrades, "1,2,3,6,1721347200008,false");
  std::string line;
  append_recorded_line(line, *Symbol::from("牛来USDT"), ArchiveKind::trades, row.value());
  EXPECT_THAT(line, testing::HasSubstr(R"("stream":"牛来usdt@trade")"));
  EXPECT_THAT(line, testing::HasSubstr(R"("s":"牛来USDT")"));
}

struct Bad {
  const char* header;
  const char* row;
  RowFault fault;
};

TEST(ArchiveRow, ThatIsBadSaysWhatOfIt) {
  const std::vector<Bad> rows{
      {kUsdmTrades, "1,2,3,6,1721347200008", RowFault::columns},
      {kUsdmTrades, "1,2,3,6,1721347200008,false,true", RowFault::columns},
      {kUsdmTrades, "", RowFault::columns},
      {kUsdmTrades, "x,2,3,6,1721347200008,false", RowFault::id},
      {kUsdmTrades, "1.5,2,3,6,1721347200008,false", RowFault::id},
      {kUsdmTrades, "-1,2,3,6,1721347200008,false", RowFault::id},
      {kUsdmTrades, "9223372036854775808,2,3,6,1721347200008,false", RowFault::id},
      {kUsdmTrades, "1,0,3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1,-2,3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1,,3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1, 2,3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1,NaN,3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1,1e15,3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1,.5,3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1,\"2\",3,6,1721347200008,false", RowFault::price},
      {kUsdmTrades, "1,2,0,6,1721347200008,false", RowFault::quantity},
      {kUsdmTrades, "1,2,1e15,6,1721347200008,false", RowFault::quantity},
      {kUsdmTrades, "1,2,3,6,1721347200,false", RowFault::time},           // seconds
      {kUsdmTrades, "1,2,3,6,1721347200008000000,false", RowFault::time},  // ns
      {kUsdmTrades, "1,2,3,6,1262303999999,false", RowFault::time},        // 2009
      {kUsdmTrades, "1,2,3,6,4102444800000,false", RowFault::time},        // 2100
      {kUsdmTrades, "1,2,3,6,1.72e12,false", RowFault::time},
      {kUsdmTrades, "1,2,3,6,,false", RowFault::time},
      {kUsdmTrades, "1,2,3,6,1721347200008,1", RowFault::is_buyer_maker},
      {kUsdmTrades, "1,2,3,6,1721347200008,", RowFault::is_buyer_maker},
      {kKlines, "x,1,2,1,1,12.5,1721347259999,8e5,901,6.1,39e4,0", RowFault::time},
      {kKlines, "1721347200000,1,2,1,0,12.5,1721347259999,8e5,901,6.1,39e4,0", RowFault::price},
      {kKlines, "1721347200000,1,2,1,1,12.5,x,8e5,901,6.1,39e4,0", RowFault::close_time},
      {kKlines, "1721347200000,1,2,1,1,12.5,1721347199999,8e5,901,6.1,39e4,0",
       RowFault::close_time},
      {kShortKlines, "2023-07-19,1,2,1,1,12.5", RowFault::time},
      {kShortKlines, "1999-07-19T00:00Z,1,2,1,1,12.5", RowFault::time}};
  for (const auto& [header, line, fault] : rows) {
    const auto row = read(header, line);
    ASSERT_FALSE(row) << line;
    EXPECT_EQ(to_string(row.error()), to_string(fault)) << line;
  }
}

TEST(ArchiveRow, OnTheEdgeIsGood) {
  for (const char* line :
       {"0,2,3,6,1262304000000,false", "9223372036854775807,2,3,6,4102444799999,TRUE",
        "1,1e-300,999999999999999,6,1721347200008,False"}) {
    EXPECT_TRUE(read(kUsdmTrades, line)) << line;
  }
}

TEST(ArchiveRow, FaultsAreSaidInWordsOfTheirOwn) {
  std::vector<std::string_view> said;
  said.reserve(count_of<RowFault>);
  for (const RowFault fault : all_of<RowFault>) said.push_back(text_of(fault));
  std::ranges::sort(said);
  EXPECT_NE(said.front(), "");
  EXPECT_EQ(std::ranges::adjacent_find(said), said.end());
}

// --- What follows what --------------------------------------------------------------------------

ArchiveRow trade_at(std::uint64_t id, std::chrono::milliseconds at) {
  const UnixMs when{1'721'347'200'000ms + at};
  return {.at = when, .opened_at = when, .id = id, .price = "1", .quantity = "1"};
}
ArchiveRow kline_at(int minute) {
  const UnixMs opened{1'721'347'200'000ms + minute * 1min};
  const UnixMs at = opened + 1min - 1ms;
  return {.at = at,
          .opened_at = opened,
          .id = static_cast<std::uint64_t>(at.time_since_epoch().count()),
          .price = "1",
          .quantity = {}};
}

TEST(ArchiveSequence, RefusesWhatTheEngineWouldDrop) {
  ArchiveSequence trades;
  EXPECT_FALSE(trades.repeats(trade_at(0, 0ms)));
  trades.take(ArchiveKind::trades, trade_at(7, 0ms));
  EXPECT_TRUE(trades.repeats(trade_at(7, 0ms)));
  EXPECT_TRUE(trades.repeats(trade_at(6, 60s)));
  EXPECT_FALSE(trades.repeats(trade_at(6, 60'001ms))) << "a reset of the exchange";
  EXPECT_FALSE(trades.repeats(trade_at(8, 0ms)));
}

TEST(ArchiveSequence, FindsMissingKlines) {
  ArchiveSequence klines;
  EXPECT_FALSE(klines.take(ArchiveKind::klines, kline_at(0)));
  EXPECT_FALSE(klines.take(ArchiveKind::klines, kline_at(1)));
  const auto gap = klines.take(ArchiveKind::klines, kline_at(5));
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->missing, 3U);
  EXPECT_EQ(gap->from, kline_at(1).at);
  EXPECT_EQ(gap->to, kline_at(5).at);
}

TEST(ArchiveSequence, FindsMissingTradesOfALongerTime) {
  ArchiveSequence trades;
  trades.take(ArchiveKind::trades, trade_at(7, 0ms));
  EXPECT_FALSE(trades.take(ArchiveKind::trades, trade_at(9, 60s))) << "not long";
  EXPECT_FALSE(trades.take(ArchiveKind::trades, trade_at(10, 600s))) << "nobody traded";
  const auto gap = trades.take(ArchiveKind::trades, trade_at(14, 661s));
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->missing, 3U);
}

}  // namespace
}  // namespace rts::research
