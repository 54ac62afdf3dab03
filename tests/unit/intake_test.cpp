// The seven rules of SPEC §2 between an event as sent and an event that is evaluated, each with
// values on both sides of its boundary; and their order: the first that fails decides.
// Everything goes through Engine::step, so the names below are what operators see.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>

#include "support/endings.hpp"
#include "support/frames.hpp"

namespace rts {
namespace {

using namespace rts::test;

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kMinute = 60'000;

// What an accepted event of each kind ends in under usual_parameters(), when it is the first.
constexpr std::string_view kBook = "orderbook_skew/signal_buy";
constexpr std::string_view kTrade = "trade_momentum/warming_up";
constexpr std::string_view kTicker = "ticker_velocity/warming_up";

// Of a frame that a new engine gets first of all.
std::string first(const std::string& frame, std::optional<UnixNs> received_at = std::nullopt) {
  Engine engine(usual_parameters());
  return ending(engine, frame, received_at);
}

struct FrameCase {
  std::string name;
  std::string frame;
  std::string_view expected;
};

void expect_first(const std::vector<FrameCase>& cases) {
  for (const auto& c : cases) EXPECT_EQ(first(c.frame), c.expected) << c.name << ": " << c.frame;
}

TEST(Intake, AcceptsOneOfEachKind) {
  std::vector<FrameCase> cases{
      {"futures book", book_frame(), kBook},
      {"trade", trade(), kTrade},
      {"aggregated trade", agg_trade(), kTrade},
      {"relay's trade", envelope({}, trade()), kTrade},
  };
  for (const auto name : kTickerEvents) {
    cases.push_back({std::string(name), ticker({.event = std::string(name)}), kTicker});
  }
  expect_first(cases);
}

// ---- 1. Only partial books are books

TEST(IntakeChannel, OfAPartialBookIsDepth5Or10Or20) {
  const auto in = [](std::string_view stream) { return combined(stream, futures_book()); };
  expect_first({
      {"depth5", in("btcusdt@depth5"), kBook},
      {"depth10", in("btcusdt@depth10@100ms"), kBook},
      {"depth20", in("btcusdt@depth20@500ms"), kBook},
      {"upper-case symbol", in("BTCUSDT@depth20"), kBook},
      {"relay", envelope({.stream = "btcusdt@depth20@100ms"}, futures_book()), kBook},
      {"diff", in("btcusdt@depth"), "ignored/diff_depth"},
      {"diff with speed", in("btcusdt@depth@100ms"), "ignored/diff_depth"},
      {"depth@0ms", in("btcusdt@depth@0ms"), "ignored/diff_depth"},
      {"depth1", in("btcusdt@depth1"), "ignored/diff_depth"},
      {"depth50", in("btcusdt@depth50"), "ignored/diff_depth"},
      {"depth200", in("btcusdt@depth200"), "ignored/diff_depth"},
      {"depth020", in("btcusdt@depth020"), "ignored/diff_depth"},
      {"depth20ms", in("btcusdt@depth20ms"), "ignored/diff_depth"},
      {"rpiDepth", in("btcusdt@rpiDepth@500ms"), "ignored/diff_depth"},
      {"upper-case channel", in("btcusdt@DEPTH20"), "ignored/diff_depth"},
      {"channel after the second @", in("btcusdt@x@depth20"), "ignored/diff_depth"},
      {"no channel", in("btcusdt"), "ignored/diff_depth"},
      {"empty stream", in(""), "ignored/diff_depth"},
      {"bare futures book", futures_book(), "ignored/diff_depth"},
      {"bare spot book, a REST snapshot", spot_book(), "ignored/diff_depth"},
      {"in a bare array", array({futures_book()}), "ignored/diff_depth"},
  });
}

TEST(IntakeChannel, IsOfNoInterestToTradesAndTickers) {
  expect_first({
      {"trade", combined("btcusdt@depth", trade()), kTrade},
      {"ticker", combined("btcusdt@whatever", ticker()), kTicker},
  });
}

// ---- 2. Symbol

TEST(IntakeSymbol, IsOwnOrTheStreamsPrefix) {
  const Object nameless = trade().without("s");
  expect_first({
      {"own", trade(), kTrade},
      {"own, lower case", trade({.symbol = "btcusdt"}), kTrade},
      {"own, mixed case", trade({.symbol = "BtcUsdt"}), kTrade},
      {"prefix", combined("btcusdt@trade", nameless), kTrade},
      {"prefix, upper case", combined("BTCUSDT@trade", nameless), kTrade},
      {"prefix without @", combined("btcusdt", nameless), kTrade},
      {"both alike", combined("btcusdt@trade", trade()), kTrade},
      {"both alike but for case", combined("btcUSDT@trade", trade({.symbol = "BTCusdt"})), kTrade},
      {"null", combined("btcusdt@trade", trade().set("s", "null")), kTrade},
      {"all-market stream", combined("!ticker@arr", ticker()), kTicker},
      {"no stream", nameless, "dropped/no_symbol"},
      {"null, no stream", trade().set("s", "null"), "dropped/no_symbol"},
      {"stream begins with !", combined("!btcusdt@trade", nameless), "dropped/no_symbol"},
      {"stream begins with @", combined("@trade", nameless), "dropped/no_symbol"},
      {"stream is empty", combined("", nameless), "dropped/no_symbol"},
      {"empty, no stream", trade({.symbol = ""}), "dropped/no_symbol"},
      {"different", combined("ethusdt@trade", trade()), "dropped/symbol_conflict"},
      {"prefix of the other", combined("btcusd@trade", trade()), "dropped/symbol_conflict"},
      {"neither is traded", combined("xrpusdt@trade", trade({.symbol = "ADAUSDT"})),
       "dropped/symbol_conflict"},
      {"number", trade().set("s", "5"), "dropped/malformed"},
      {"object", trade().set("s", "{}"), "dropped/malformed"},
  });
}

TEST(IntakeSymbol, IsIgnoredWhenItIsNotTraded) {
  expect_first({
      {"another", trade({.symbol = "XRPUSDT"}), "ignored/symbol_not_traded"},
      {"part of a traded one", trade({.symbol = "BTCUSD"}), "ignored/symbol_not_traded"},
      {"more than a traded one", trade({.symbol = "BTCUSDT_260925"}), "ignored/symbol_not_traded"},
      {"blank before", trade({.symbol = " BTCUSDT"}), "ignored/symbol_not_traded"},
      {"NUL inside", trade().set("s", R"("BTC\u0000USDT")"), "ignored/symbol_not_traded"},
      {"NUL after", trade().set("s", R"("BTCUSDT\u0000")"), "ignored/symbol_not_traded"},
      {"63 bytes", trade({.symbol = std::string(63, 'A')}), "ignored/symbol_not_traded"},
      {"64 bytes", trade({.symbol = std::string(64, 'A')}), "ignored/symbol_not_traded"},
      {"1 MB", trade({.symbol = std::string(1'000'000, 'A')}), "ignored/symbol_not_traded"},
      {"unicode", trade({.symbol = "\xE7\x89\x9BUSDT"}), "ignored/symbol_not_traded"},
      {"book of another", book_frame({.symbol = "XRPUSDT"}), "ignored/symbol_not_traded"},
      {"ticker of another", ticker({.symbol = "XRPUSDT"}), "ignored/symbol_not_traded"},
  });
}

TEST(IntakeSymbol, MayBeUnicodeAndIsUpperCasedInAsciiOnly) {
  EngineParameters parameters = usual_parameters();
  parameters.symbols = symbols({"\xE7\x89\x9B\xE6\x9D\xA5USDT",
                                "\xC3\xA9"
                                "A"});
  Engine engine(parameters);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xE7\x89\x9B\xE6\x9D\xA5USDT"})), kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xE7\x89\x9B\xE6\x9D\xA5usdt", .id = 2})), kTrade);
  EXPECT_EQ(ending(engine, trade().set("s", R"("\u725b\u6765USDT")").set("t", "3")), kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xC3\xA9"
                                            "a"})),
            kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xC3\x89"
                                            "A"})),
            "ignored/symbol_not_traded");
  EXPECT_EQ(ending(engine, combined("\xE7\x89\x9B\xE6\x9D\xA5usdt@trade",
                                    trade({.symbol = "\xE7\x89\x9B\xE6\x9D\xA5USDT", .id = 4}))),
            kTrade);
}

TEST(IntakeSymbol, AllAreTradedUpTo512) {
  EngineParameters parameters = usual_parameters();
  parameters.symbols.clear();
  Engine engine(parameters);
  for (int i = 0; i < 512; ++i) {
    ASSERT_EQ(ending(engine, trade({.symbol = "S" + std::to_string(i)})), kTrade) << i;
  }
  EXPECT_EQ(engine.symbols().size(), 512U);
  EXPECT_EQ(ending(engine, trade({.symbol = "S512"})), "ignored/symbol_not_traded");
  EXPECT_EQ(ending(engine, trade({.symbol = "S0", .id = 2})), kTrade) << "the known stay known";
  EXPECT_EQ(ending(engine, trade({.symbol = "S511", .id = 2})), kTrade);
}

TEST(IntakeSymbol, TakesAPlaceOnlyWithAnEventThatPasses) {
  EngineParameters parameters = usual_parameters();
  parameters.symbols.clear();
  Engine engine(parameters);
  for (int i = 0; i < 600; ++i) {
    const Object broken = trade({.symbol = "BAD" + std::to_string(i), .price = "0"});
    ASSERT_EQ(ending(engine, broken), "dropped/bad_number");
  }
  EXPECT_EQ(engine.symbols().size(), 0U);
  EXPECT_EQ(ending(engine, trade({.symbol = "GOOD"})), kTrade);
  EXPECT_EQ(engine.symbols().size(), 1U);
}

// ---- 3. Event time

TEST(IntakeTime, MustBeAnIntegerFrom1To2To63Minus1) {
  const auto at = [](std::string raw) { return trade().set("E", std::move(raw)).json(); };
  expect_first({
      {"1", at("1"), kTrade},
      {"2^63-1", at("9223372036854775807"), kTrade},
      {"0", at("0"), "dropped/bad_timestamp"},
      {"-0", at("-0"), "dropped/bad_timestamp"},
      {"-1", at("-1"), "dropped/bad_timestamp"},
      {"2^63", at("9223372036854775808"), "dropped/bad_timestamp"},
      {"2^64-1", at("18446744073709551615"), "dropped/bad_timestamp"},
      {"2^64+1", at("18446744073709551617"), "dropped/bad_timestamp"},
      {"float", at("1721390400000.0"), "dropped/bad_timestamp"},
      {"fraction", at("1721390400000.5"), "dropped/bad_timestamp"},
      {"exponent", at("1e12"), "dropped/bad_timestamp"},
      {"string", at("\"1721390400000\""), "dropped/bad_timestamp"},
      {"empty string", at("\"\""), "dropped/bad_timestamp"},
      {"boolean", at("true"), "dropped/bad_timestamp"},
      {"array", at("[1721390400000]"), "dropped/bad_timestamp"},
      {"object", at("{}"), "dropped/bad_timestamp"},
      {"bad E is not replaced by a good timestamp", envelope({}, trade().set("E", "0")),
       "dropped/bad_timestamp"},
  });
}

// The decision of the only event; where there is none the test has failed.
Decision decision_of(Engine& engine, const std::string& frame,
                     std::optional<UnixNs> received_at = std::nullopt) {
  const Step step = engine.step(frame, received_at);
  EXPECT_EQ(step.events.size(), 1U) << frame;
  const Decision* decision = step.events[0].decision();
  EXPECT_NE(decision, nullptr) << ending(step.events[0]) << " " << frame;
  return decision != nullptr ? *decision : Decision{};
}

std::int64_t event_ms(const std::string& frame, std::optional<UnixNs> received_at = std::nullopt) {
  Engine engine(usual_parameters());
  return decision_of(engine, frame, received_at).at.time_since_epoch().count();
}

TEST(IntakeTime, FromTenToTheFourteenOnIsMicroseconds) {
  const auto at = [](std::string raw) { return trade().set("E", std::move(raw)).json(); };
  EXPECT_EQ(event_ms(at("1721390400123")), 1721390400123);
  EXPECT_EQ(event_ms(at("99999999999999")), 99999999999999) << "10^14 - 1 is milliseconds";
  EXPECT_EQ(event_ms(at("100000000000000")), 100000000000) << "10^14 is microseconds";
  EXPECT_EQ(event_ms(at("1721390400123456")), 1721390400123);
  EXPECT_EQ(event_ms(at("1721390400123999")), 1721390400123) << "cut off, not rounded";
  EXPECT_EQ(event_ms(at("9223372036854775807")), 9223372036854775);
}

TEST(IntakeTime, IsEElseTheEnvelopesTimestampElseTheReceiveTime) {
  const Object untimed = trade().without("E");
  const UnixNs received = ms_as_ns(kNoonMs + 999) + std::chrono::nanoseconds(999'999);
  const auto relay = [&](const std::string& timestamp) {
    return envelope({.timestamp = timestamp}, untimed).json();
  };
  EXPECT_EQ(event_ms(envelope({}, trade({.at_ms = kNoonMs + 7})), received), kNoonMs + 7);
  EXPECT_EQ(event_ms(relay("2024-07-19T12:00:00.250000Z"), received), kNoonMs + 250);
  EXPECT_EQ(event_ms(relay("2024-07-19T12:00:01Z")), kNoonMs + 1000) << "no fraction";
  EXPECT_EQ(event_ms(relay("2024-07-19T12:00:00.2509")), kNoonMs + 250) << "no offset is UTC";
  EXPECT_EQ(event_ms(relay("2024-07-19T14:00:00+02:00")), kNoonMs);
  EXPECT_EQ(event_ms(relay("2024-07-19T06:30:00.001-0530")), kNoonMs + 1);
  EXPECT_EQ(event_ms(envelope({}, trade().set("E", "null"))), kNoonMs + 250) << "null is absent";
  EXPECT_EQ(event_ms(envelope({}, untimed).set("timestamp", "null"), received), kNoonMs + 999);
  EXPECT_EQ(event_ms(combined("btcusdt@trade", untimed), received), kNoonMs + 999);
  EXPECT_EQ(event_ms(untimed, received), kNoonMs + 999);
}

TEST(IntakeTime, OfTheEnvelopeMustBeATimeToo) {
  const auto relay = [](std::string raw) {
    return envelope({}, trade().without("E")).set("timestamp", std::move(raw)).json();
  };
  expect_first({
      {"good", relay("\"1970-01-01T00:00:00.001Z\""), kTrade},
      {"the epoch is 0", relay("\"1970-01-01T00:00:00.000Z\""), "dropped/bad_timestamp"},
      {"before 1970", relay("\"1969-12-31T23:59:59.999Z\""), "dropped/bad_timestamp"},
      {"empty", relay("\"\""), "dropped/bad_timestamp"},
      {"no time", relay("\"yesterday\""), "dropped/bad_timestamp"},
      {"no such day", relay("\"2023-02-29T00:00:00Z\""), "dropped/bad_timestamp"},
      {"date alone", relay("\"2024-07-19\""), "dropped/bad_timestamp"},
      {"digits", relay("\"1721390400000\""), "dropped/bad_timestamp"},
      {"number", relay("1721390400000"), "dropped/bad_timestamp"},
      {"unused when there is an E", envelope({}, trade()).set("timestamp", "\"x\""), kTrade},
  });
}

TEST(IntakeTime, IsMissingOnlyInARecordingWithoutReceiveTimes) {
  expect_first({
      {"trade", trade().without("E"), "dropped/no_event_time"},
      {"combined", combined("btcusdt@trade", trade().without("E")), "dropped/no_event_time"},
      {"spot book", combined("btcusdt@depth20", spot_book()), "dropped/no_event_time"},
      {"ticker", ticker().without("E"), "dropped/no_event_time"},
  });
  EXPECT_EQ(first(trade().without("E"), ms_as_ns(0)), "dropped/bad_timestamp");
  EXPECT_EQ(first(trade().without("E"), ms_as_ns(-1)), "dropped/bad_timestamp");
  EXPECT_EQ(first(trade().without("E"), ms_as_ns(1)), kTrade);
}

struct AgeCase {
  std::int64_t age_ms;  // of the event at receipt; negative: it comes from the future
  std::string_view expected;
};

TEST(IntakeAge, OfLiveEventsIsAtMostTheTtlAndTenSecondsAhead) {
  for (const auto& [age_ms, expected] : std::vector<AgeCase>{
           {0, kTrade},
           {60 * kSecond, kTrade},
           {60 * kSecond + 1, "dropped/stale"},
           {3600 * kSecond, "dropped/stale"},
           {-10 * kSecond, kTrade},
           {-10 * kSecond - 1, "dropped/future"},
       }) {
    EngineParameters parameters = usual_parameters();
    parameters.clock = Clock::live;
    Engine live(parameters);
    EXPECT_EQ(ending(live, trade(), ms_as_ns(kNoonMs + age_ms)), expected) << age_ms;
    Engine replay(usual_parameters());
    EXPECT_EQ(ending(replay, trade(), ms_as_ns(kNoonMs + age_ms)), kTrade) << "replay " << age_ms;
  }
}

TEST(IntakeAge, LimitIsASettingAndZeroIsOff) {
  EngineParameters parameters = usual_parameters();
  parameters.clock = Clock::live;
  parameters.message_ttl = std::chrono::seconds(5);
  Engine five(parameters);
  EXPECT_EQ(ending(five, trade(), ms_as_ns(kNoonMs + 5001)), "dropped/stale");
  EXPECT_EQ(ending(five, trade(), ms_as_ns(kNoonMs + 5000)), kTrade);
  parameters.message_ttl = std::chrono::seconds(0);
  Engine off(parameters);
  EXPECT_EQ(ending(off, trade(), ms_as_ns(kNoonMs + 365LL * 86'400'000)), kTrade);
  EXPECT_EQ(ending(off, trade({.id = 2}), ms_as_ns(kNoonMs - 10'001)), "dropped/future");
}

TEST(IntakeAge, CountsForTheEnvelopesTimestampToo) {
  EngineParameters parameters = usual_parameters();
  parameters.clock = Clock::live;
  Engine live(parameters);
  const std::string frame = envelope({.timestamp = "2024-07-19T12:00:00Z"}, trade().without("E"));
  EXPECT_EQ(ending(live, frame, ms_as_ns(kNoonMs + 60'001)), "dropped/stale");
  EXPECT_EQ(ending(live, frame, ms_as_ns(kNoonMs - 10'001)), "dropped/future");
  EXPECT_EQ(ending(live, trade({.at_ms = 1}), ms_as_ns(kNoonMs)), "dropped/stale");
  EXPECT_EQ(ending(live, trade().set("E", "9223372036854775807"), ms_as_ns(kNoonMs)),
            "dropped/future");
}

// ---- 4. Trades of the market

TEST(IntakeTrade, IsIgnoredWhenXIsNeitherMarketNorRpi) {
  const auto of = [](std::string raw) { return trade().set("X", std::move(raw)).json(); };
  expect_first({
      {"MARKET", of("\"MARKET\""), kTrade},
      {"RPI", of("\"RPI\""), kTrade},
      {"absent", trade().without("X"), kTrade},
      {"null", of("null"), kTrade},
      {"NA with price 0", trade({.price = "0", .quantity = "0", .execution_type = "NA"}),
       "ignored/non_market_trade"},
      {"NA with garbage", trade({.execution_type = "NA"}).set("p", "{}").set("t", "-1"),
       "ignored/non_market_trade"},
      {"INSURANCE_FUND", of("\"INSURANCE_FUND\""), "ignored/non_market_trade"},
      {"ADL", of("\"ADL\""), "ignored/non_market_trade"},
      {"LIQUIDATION", of("\"LIQUIDATION\""), "ignored/non_market_trade"},
      {"other case", of("\"market\""), "ignored/non_market_trade"},
      {"empty", of("\"\""), "ignored/non_market_trade"},
      {"longer", of("\"MARKETS\""), "ignored/non_market_trade"},
      {"number", of("5"), "ignored/non_market_trade"},
      {"object", of("{}"), "ignored/non_market_trade"},
      {"aggregated trade has it too", agg_trade().set("X", "\"NA\""), "ignored/non_market_trade"},
      {"a ticker has none", ticker().set("X", "\"NA\""), kTicker},
  });
}

TEST(IntakeTrade, IgnoredMovesNeitherSequenceNorReference) {
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, trade({.id = 9, .price = "500", .execution_type = "ADL"})),
            "ignored/non_market_trade");
  EXPECT_EQ(ending(engine, trade({.id = 5})), kTrade);
  const std::string book = combined("btcusdt@depth20", spot_book());
  EXPECT_EQ(ending(engine, book, ms_as_ns(kNoonMs)), kBook) << "its mid is near 100, not 500";
}

// ---- 5. Numbers

struct NumberCase {
  std::string raw;
  std::string_view price;       // what a trade with this price ends in
  std::string_view quantity;    // what a trade with this quantity ends in
  std::string_view book_price;  // a book with this as its only bid's price, asks at 1e300
  std::string_view book_quantity;
};

TEST(IntakeNumbers, MustFollowJsonsGrammarAndBePositive) {
  constexpr std::string_view kBad = "dropped/bad_number";
  constexpr std::string_view kMal = "dropped/malformed";
  constexpr std::string_view kDiff = "ignored/diff_depth";
  constexpr std::string_view kBelow = "trade_momentum/below_min_quantity";
  constexpr std::string_view kNeutral = "orderbook_skew/neutral";
  const std::vector<NumberCase> cases{
      {"\"61837.63000000\"", kTrade, kTrade, kNeutral, kNeutral},
      {"61740.5", kTrade, kTrade, kNeutral, kNeutral},
      {"\"1e2\"", kTrade, kTrade, kNeutral, kNeutral},
      {"\"5e-324\"", kTrade, kBelow, kNeutral, kNeutral},
      {"\"0\"", kBad, kBad, kBad, kDiff},
      {"0", kBad, kBad, kBad, kDiff},
      {"\"0.00000000\"", kBad, kBad, kBad, kDiff},
      {"-0", kBad, kBad, kBad, kDiff},
      {"\"-0.0\"", kBad, kBad, kBad, kDiff},
      {"1e-400", kBad, kBad, kBad, kDiff},
      {"\"1e-400\"", kBad, kBad, kBad, kDiff},
      {"\"-1\"", kBad, kBad, kBad, kBad},
      {"-0.001", kBad, kBad, kBad, kBad},
      {"\"-1e-400\"", kBad, kBad, kBad, kDiff},
      {"1e400", kBad, kBad, kBad, kBad},
      {"\"1e400\"", kBad, kBad, kBad, kBad},
      {"\"\"", kBad, kBad, kBad, kBad},
      {"\" 1\"", kBad, kBad, kBad, kBad},
      {"\"1 \"", kBad, kBad, kBad, kBad},
      {"\"+1\"", kBad, kBad, kBad, kBad},
      {"\"01\"", kBad, kBad, kBad, kBad},
      {"\"1.\"", kBad, kBad, kBad, kBad},
      {"\"0x1\"", kBad, kBad, kBad, kBad},
      {"\"1,5\"", kBad, kBad, kBad, kBad},
      {"\"NaN\"", kBad, kBad, kBad, kBad},
      {"\"Infinity\"", kBad, kBad, kBad, kBad},
      {"true", kMal, kMal, kMal, kMal},
      {"null", kMal, kMal, kMal, kMal},
      {"{}", kMal, kMal, kMal, kMal},
      {"[]", kMal, kMal, kMal, kMal},
      {"[1]", kMal, kMal, kMal, kMal},
  };
  const auto book = [](const std::string& price, const std::string& quantity) {
    const std::string bids = "[[" + price + "," + quantity + "]]";
    return combined("btcusdt@depth20",
                    futures_book().set("b", bids).set("a", R"([["1e300","1e5"]])"));
  };
  for (const auto& c : cases) {
    EXPECT_EQ(first(trade().set("p", c.raw)), c.price) << "p " << c.raw;
    EXPECT_EQ(first(trade().set("q", c.raw)), c.quantity) << "q " << c.raw;
    EXPECT_EQ(first(agg_trade().set("p", c.raw)), c.price) << "aggTrade p " << c.raw;
    const bool good = c.price == kTrade;
    EXPECT_EQ(first(ticker().set("c", c.raw)), good ? kTicker : c.price) << "c " << c.raw;
    const auto ended = [](const std::string& frame) {
      const std::string end = first(frame);
      return end.starts_with("orderbook_skew/") ? "orderbook_skew/neutral" : end;
    };
    EXPECT_EQ(ended(book(c.raw, "1e5")), c.book_price) << "bid price " << c.raw;
    EXPECT_EQ(ended(book("\"1\"", c.raw)), c.book_quantity) << "bid quantity " << c.raw;
  }
}

TEST(IntakeNumbers, ThatAreMissingMakeTheEventMalformed) {
  expect_first({
      {"no price", trade().without("p"), "dropped/malformed"},
      {"no quantity", trade().without("q"), "dropped/malformed"},
      {"no maker", trade().without("m"), "dropped/malformed"},
      {"maker is text", trade().set("m", "\"true\""), "dropped/malformed"},
      {"maker is 1", trade().set("m", "1"), "dropped/malformed"},
      {"no last price", ticker().without("c"), "dropped/malformed"},
      {"a side is missing", combined("btcusdt@depth20", futures_book().without("a")),
       "dropped/malformed"},
      {"a side is null", combined("btcusdt@depth20", futures_book().set("b", "null")),
       "dropped/malformed"},
      {"a side is text", combined("btcusdt@depth20", futures_book().set("b", "\"x\"")),
       "dropped/malformed"},
      {"a side is an object", combined("btcusdt@depth20", futures_book().set("b", "{}")),
       "dropped/malformed"},
      {"a level of one", combined("btcusdt@depth20", futures_book().set("b", R"([["7403.89"]])")),
       "dropped/malformed"},
      {"a level that is none", combined("btcusdt@depth20", futures_book().set("b", "[1]")),
       "dropped/malformed"},
      {"a level of three is fine",
       combined("btcusdt@depth20", futures_book().set("b", R"([["100","3",[]]])")), kBook},
      {"levels as numbers", combined("btcusdt@depth20", futures_book().set("b", "[[100,3]]")),
       kBook},
  });
}

// ---- 6. Books

TEST(IntakeBook, WithAZeroOrMoreThanTwentyLevelsIsADiff) {
  const auto zero_at = [](std::size_t i) {
    Levels bids = ladder(100, -1, 20);
    bids[i].quantity = "0.000";
    return bids;
  };
  expect_first({
      {"20 levels", book_frame({.bids = ladder(100, -1, 20), .asks = ladder(101, 1, 20)}),
       "orderbook_skew/neutral"},
      {"21 bids", book_frame({.bids = ladder(100, -1, 21)}), "ignored/diff_depth"},
      {"21 asks", book_frame({.asks = ladder(101, 1, 21)}), "ignored/diff_depth"},
      {"1000 asks", book_frame({.asks = ladder(101, 1, 1000)}), "ignored/diff_depth"},
      {"zero first", book_frame({.bids = zero_at(0)}), "ignored/diff_depth"},
      {"zero last", book_frame({.bids = zero_at(19)}), "ignored/diff_depth"},
      {"zero in the asks", book_frame({.asks = {{"101", "0"}}}), "ignored/diff_depth"},
  });
}

TEST(IntakeBook, HasTwoSortedSidesThatDoNotMeet) {
  expect_first({
      {"no bids", book_frame({.bids = {}}), "dropped/empty_side"},
      {"no asks", book_frame({.asks = {}}), "dropped/empty_side"},
      {"nothing", book_frame({.bids = {}, .asks = {}}), "dropped/empty_side"},
      {"sorted", book_frame({.bids = {{"100", "3"}, {"99.9", "1"}}}), kBook},
      {"bids ascending", book_frame({.bids = {{"99", "1"}, {"100", "1"}}}),
       "dropped/unsorted_book"},
      {"bids equal", book_frame({.bids = {{"100", "1"}, {"100.0", "1"}}}), "dropped/unsorted_book"},
      {"asks descending", book_frame({.asks = {{"102", "1"}, {"101", "1"}}}),
       "dropped/unsorted_book"},
      {"asks equal", book_frame({.asks = {{"101", "1"}, {"101", "2"}}}), "dropped/unsorted_book"},
      {"last pair unsorted", book_frame({.bids = {{"100", "1"}, {"99", "1"}, {"99.5", "1"}}}),
       "dropped/unsorted_book"},
      {"bid below ask", book_frame({.bids = {{"100", "9"}}, .asks = {{"100.0001", "1"}}}), kBook},
      {"locked", book_frame({.bids = {{"100", "1"}}, .asks = {{"100", "1"}}}),
       "dropped/crossed_book"},
      {"crossed", book_frame({.bids = {{"101", "1"}}, .asks = {{"100", "1"}}}),
       "dropped/crossed_book"},
  });
}

// The relay's spot book without a symbol, received at kNoon + `later_ms`: whether it got past
// rule 6.
constexpr std::string_view kVerified = "verified";
constexpr std::string_view kUnverified = "dropped/unverified_symbol";

std::string nameless_book(Engine& engine, int id, std::string bid, std::string ask,
                          std::int64_t later_ms = 0) {
  const BookParts parts{.id = static_cast<std::uint64_t>(id),
                        .bids = {{std::move(bid), "3"}},
                        .asks = {{std::move(ask), "2"}}};
  const std::string end = ending(engine, combined("btcusdt@depth20@100ms", spot_book(parts)),
                                 ms_as_ns(kNoonMs + later_ms));
  return end.starts_with("orderbook_skew/") ? std::string(kVerified) : end;
}

EngineParameters without_cooldown() {
  EngineParameters parameters = usual_parameters();
  parameters.defaults.terms.cooldown = std::chrono::seconds(0);
  return parameters;
}

TEST(IntakeNamelessBook, NeedsAReferencePriceNear) {
  Engine engine(without_cooldown());
  EXPECT_EQ(nameless_book(engine, 1, "99", "101"), kUnverified) << "nothing to hold it against";
  EXPECT_EQ(ending(engine, trade()), kTrade);  // 100
  EXPECT_EQ(nameless_book(engine, 2, "99", "101"), kVerified);
  EXPECT_EQ(nameless_book(engine, 3, "104.5", "105.5"), kVerified) << "5 % off is within 5 %";
  EXPECT_EQ(nameless_book(engine, 4, "104.5", "105.51"), kUnverified);
  EXPECT_EQ(nameless_book(engine, 5, "94.5", "95.5"), kVerified);
  EXPECT_EQ(nameless_book(engine, 6, "94.49", "95.5"), kUnverified);
  EXPECT_EQ(nameless_book(engine, 7, "3424.9", "3425.1"), kUnverified) << "another symbol's book";
}

TEST(IntakeNamelessBook, TakesItsBandFromTheSettingAndFiveWhenThatIsOff) {
  EngineParameters parameters = without_cooldown();
  parameters.gate.price_band_percent = 1;
  Engine narrow(parameters);
  feed(narrow, trade());
  EXPECT_EQ(nameless_book(narrow, 1, "100.5", "101.5"), kVerified);
  EXPECT_EQ(nameless_book(narrow, 2, "100.5", "101.6"), kUnverified);
  parameters.gate.price_band_percent = 0;
  Engine off(parameters);
  feed(off, trade());
  EXPECT_EQ(nameless_book(off, 1, "104.5", "105.5"), kVerified);
  EXPECT_EQ(nameless_book(off, 2, "104.5", "105.51"), kUnverified);
}

TEST(IntakeNamelessBook, NeedsAReferenceNotOlderThanAMinute) {
  Engine engine(without_cooldown());
  feed(engine, trade());
  EXPECT_EQ(nameless_book(engine, 1, "99", "101", kMinute), kVerified);
  EXPECT_EQ(nameless_book(engine, 2, "99", "101", kMinute + 1), kUnverified);
  feed(engine, ticker({.at_ms = kNoonMs + 10}));
  EXPECT_EQ(nameless_book(engine, 3, "99", "101", kMinute + 1), kVerified)
      << "tickers count as well";
}

TEST(IntakeNamelessBook, LooksAtTheLastAcceptedPriceOfItsSymbol) {
  Engine engine(without_cooldown());
  feed(engine, trade({.symbol = "ETHUSDT", .price = "100"}));
  EXPECT_EQ(nameless_book(engine, 1, "99", "101"), kUnverified) << "ETH vouches for no BTC book";
  feed(engine, trade({.price = "100"}));
  feed(engine, ticker({.price = "200"}));
  EXPECT_EQ(nameless_book(engine, 2, "99", "101"), kUnverified) << "the ticker came last";
  feed(engine, trade({.id = 2, .price = "100"}));
  EXPECT_EQ(nameless_book(engine, 3, "99", "101"), kVerified);
  EXPECT_EQ(ending(engine, trade({.id = 2, .price = "200"})), "dropped/out_of_order");
  EXPECT_EQ(nameless_book(engine, 4, "99", "101"), kVerified) << "a dropped trade is no reference";
  EXPECT_EQ(ending(engine, book_frame({.id = 5, .bids = {{"199", "1"}}, .asks = {{"201", "9"}}})),
            "orderbook_skew/price_band");
  EXPECT_EQ(nameless_book(engine, 6, "99", "101"), kVerified) << "a book is no reference";
}

TEST(IntakeNamelessBook, IsNotAskedOfABookWithAName) {
  EngineParameters parameters = without_cooldown();
  parameters.gate.price_band_percent = 0;
  Engine engine(parameters);
  feed(engine, trade({.price = "1"}));
  EXPECT_EQ(ending(engine, book_frame()), kBook);
  const std::string named =
      combined("btcusdt@depth20", spot_book({.id = 2}).set("s", "\"BTCUSDT\""));
  EXPECT_EQ(ending(engine, named, ms_as_ns(kNoonMs)), kBook);
  const std::string empty = combined("btcusdt@depth20", futures_book({.symbol = "", .id = 3}));
  EXPECT_EQ(ending(engine, empty), kUnverified) << "an empty name is none";
  const std::string unnamed = combined("btcusdt@depth20", futures_book({.id = 3}).without("s"));
  EXPECT_EQ(ending(engine, unnamed), kUnverified);
}

// ---- 7. Sequence

struct SequenceCase {
  std::uint64_t id;
  std::int64_t later_ms;
  std::string_view expected;
};

TEST(IntakeSequence, RisesAndStartsOverMoreThanAMinuteLater) {
  const std::vector<SequenceCase> cases{
      {100, 0, kTrade},
      {101, 0, kTrade},
      {101, 0, "dropped/out_of_order"},
      {100, 0, "dropped/out_of_order"},
      {500, 1000, kTrade},  // gaps are no matter
      {499, 1000 + kMinute, "dropped/out_of_order"},
      {500, 1000 + kMinute, "dropped/out_of_order"},
      {3, 1000 + kMinute + 1, kTrade},  // the exchange has started over
      {2, 1000 + kMinute + 1, "dropped/out_of_order"},
      {4, 1000 + kMinute + 1, kTrade},
      {5, 500, kTrade},  // a higher id may be older
      {5, 500 + kMinute, "dropped/out_of_order"},
      {5, 500 + kMinute + 1, kTrade},  // the same id, counted from the last one's time
  };
  Engine engine(usual_parameters());
  for (const auto& c : cases) {
    EXPECT_EQ(ending(engine, trade({.at_ms = kNoonMs + c.later_ms, .id = c.id})), c.expected)
        << c.id << " at " << c.later_ms;
  }
}

TEST(IntakeSequence, MayBeginAtZeroAndEndAt2To63Minus1) {
  const auto with_id = [](std::string raw) { return trade().set("t", std::move(raw)).json(); };
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, with_id("0")), kTrade);
  EXPECT_EQ(ending(engine, with_id("0")), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, with_id("9223372036854775807")), kTrade);
  EXPECT_EQ(ending(engine, with_id("9223372036854775807")), "dropped/out_of_order");
}

TEST(IntakeSequence, IdMustBeThereAndAnInteger) {
  std::vector<FrameCase> cases{
      {"trade without t", trade().without("t"), "dropped/malformed"},
      {"trade with an a", trade().without("t").set("a", "1"), "dropped/malformed"},
      {"aggTrade without a", agg_trade().without("a"), "dropped/malformed"},
      {"aggTrade with a t", agg_trade().without("a").set("t", "1"), "dropped/malformed"},
      {"book without u", combined("btcusdt@depth20", futures_book().without("u")),
       "dropped/malformed"},
      {"book with lastUpdateId instead",
       combined("btcusdt@depth20", futures_book().without("u").set("lastUpdateId", "1")), kBook},
  };
  for (const std::string raw : {"-1", "1.0", "1.5", "1e3", "\"1\"", "9223372036854775808",
                                "18446744073709551615", "null", "true", "[]", "{}"}) {
    cases.push_back({"t " + raw, trade().set("t", raw), "dropped/malformed"});
    cases.push_back({"a " + raw, agg_trade().set("a", raw), "dropped/malformed"});
    cases.push_back({"u " + raw, combined("btcusdt@depth20", futures_book().set("u", raw)),
                     "dropped/malformed"});
  }
  expect_first(cases);
  for (const std::string raw : {"-1", "\"1\"", "1.5", "true"}) {
    Engine engine(usual_parameters());
    feed(engine, trade());
    const std::string book =
        combined("btcusdt@depth20@100ms", spot_book().set("lastUpdateId", raw));
    EXPECT_EQ(ending(engine, book, ms_as_ns(kNoonMs)), "dropped/malformed") << raw;
  }
}

TEST(IntakeSequence, OfATickerIsItsEventTime) {
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, ticker({.at_ms = kNoonMs})), kTicker);
  EXPECT_EQ(ending(engine, ticker({.at_ms = kNoonMs})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, ticker({.at_ms = kNoonMs - 1})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, ticker({.at_ms = kNoonMs + 1})), kTicker);
  const std::string untimed = envelope({.stream = "btcusdt@ticker"}, ticker().without("E"));
  EXPECT_EQ(ending(engine, untimed, ms_as_ns(kNoonMs + 5)), "dropped/malformed");
}

TEST(IntakeSequence, IsKeptPerSymbolAndPerEventName) {
  Engine engine(without_cooldown());
  const auto at = [](std::string_view event) {
    return ticker({.event = std::string(event), .at_ms = kNoonMs}).json();
  };
  EXPECT_EQ(ending(engine, trade({.id = 50})), kTrade);
  EXPECT_EQ(ending(engine, agg_trade({.id = 1})), kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "ETHUSDT", .id = 1})), kTrade);
  EXPECT_EQ(ending(engine, book_frame({.id = 1})), kBook);
  for (const auto event : kTickerEvents) {
    EXPECT_EQ(ending(engine, at(event)), kTicker) << event;
    EXPECT_EQ(ending(engine, at(event)), "dropped/out_of_order") << event;
  }
  EXPECT_EQ(ending(engine, trade({.id = 50})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, agg_trade({.id = 1})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, trade({.symbol = "ETHUSDT", .id = 1})), "dropped/out_of_order");
}

TEST(IntakeSequence, OfAllBooksIsOne) {
  Engine engine(without_cooldown());
  feed(engine, trade());
  EXPECT_EQ(ending(engine, book_frame({.id = 10})), kBook);
  EXPECT_EQ(nameless_book(engine, 10, "99", "101"), "dropped/out_of_order");
  EXPECT_EQ(nameless_book(engine, 11, "99", "101"), kVerified);
  EXPECT_EQ(ending(engine, book_frame({.id = 11})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, combined("btcusdt@depth5", futures_book({.id = 11}))),
            "dropped/out_of_order");
  EXPECT_EQ(ending(engine, combined("btcusdt@depth5", futures_book({.id = 12}))), kBook);
}

TEST(IntakeSequence, IsMovedOnlyByEventsThatPass) {
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, trade({.id = 1})), kTrade);
  EXPECT_EQ(ending(engine, trade({.id = 1000, .price = "0"})), "dropped/bad_number");
  EXPECT_EQ(ending(engine, trade({.id = 1000}).set("E", "0")), "dropped/bad_timestamp");
  EXPECT_EQ(ending(engine, trade({.id = 1})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, trade({.id = 2})), kTrade);
  EXPECT_EQ(ending(engine, book_frame({.id = 1000, .asks = {{"1", "1"}}})), "dropped/crossed_book");
  EXPECT_EQ(ending(engine, book_frame({.id = 1})), kBook);
}

// ---- The order of the rules: each frame breaks two neighbours, the earlier one decides

TEST(IntakeOrder, FirstRuleThatFailsDecides) {
  const Object bad_time = trade().set("E", "0");
  const Object na = trade({.execution_type = "NA"});
  const auto partial = [](const Object& book) { return combined("btcusdt@depth20", book); };
  const std::string twenty_one = levels_json(ladder(100, -1, 21));
  expect_first({
      {"1 before 2: channel, symbol conflict", combined("ethusdt@depth", futures_book()),
       "ignored/diff_depth"},
      {"1 before 2: channel, no symbol", futures_book().without("s"), "ignored/diff_depth"},
      {"1 before 2: channel, not traded", futures_book({.symbol = "XRPUSDT"}),
       "ignored/diff_depth"},
      {"2: conflict before not traded", combined("btcusdt@x", trade({.symbol = "XRPUSDT"})),
       "dropped/symbol_conflict"},
      {"2 before 3: conflict, E", combined("ethusdt@trade", bad_time), "dropped/symbol_conflict"},
      {"2 before 3: no symbol, E", trade().without("s").set("E", "0"), "dropped/no_symbol"},
      {"2 before 3: not traded, E", trade({.symbol = "XRPUSDT"}).set("E", "0"),
       "ignored/symbol_not_traded"},
      {"2 before 3: not traded, no time", trade({.symbol = "XRPUSDT"}).without("E"),
       "ignored/symbol_not_traded"},
      {"3 before 4: E, NA", Object(na).set("E", "0"), "dropped/bad_timestamp"},
      {"3 before 4: no time, NA", Object(na).without("E"), "dropped/no_event_time"},
      {"3 before 5: E, price", Object(bad_time).set("p", "\"x\""), "dropped/bad_timestamp"},
      {"4 before 5: NA, price", Object(na).set("p", "\"0\""), "ignored/non_market_trade"},
      {"4 before 5: NA, type of price", Object(na).set("p", "{}"), "ignored/non_market_trade"},
      {"4 before 7: NA, id", Object(na).without("t"), "ignored/non_market_trade"},
      {"5 before 6: number, 21 levels",
       partial(futures_book().set("b", twenty_one).set("a", R"([["x","1"]])")),
       "dropped/bad_number"},
      {"5 before 6: number, zero quantity",
       partial(futures_book().set("b", R"([["100","0"]])").set("a", R"([["101","-1"]])")),
       "dropped/bad_number"},
      {"5 before 6: number, empty side",
       partial(futures_book().set("b", "[]").set("a", R"([["x","1"]])")), "dropped/bad_number"},
      {"5 before 7: number, id", trade().set("p", "\"x\"").without("t"), "dropped/bad_number"},
      {"6: diff before empty side", partial(futures_book().set("b", twenty_one).set("a", "[]")),
       "ignored/diff_depth"},
      {"6: diff before unsorted", partial(futures_book().set("b", R"([["99","1"],["100","0"]])")),
       "ignored/diff_depth"},
      {"6: empty side before unsorted",
       partial(futures_book().set("b", "[]").set("a", R"([["102","1"],["101","1"]])")),
       "dropped/empty_side"},
      {"6: unsorted before crossed",
       partial(futures_book().set("b", R"([["101","1"],["102","1"]])")), "dropped/unsorted_book"},
      {"6: crossed before unverified",
       partial(futures_book().set("a", R"([["99","1"]])").without("s")), "dropped/crossed_book"},
      {"6 before 7: crossed, id", partial(futures_book().set("a", R"([["99","1"]])").without("u")),
       "dropped/crossed_book"},
      {"6 before 7: unverified, id", partial(futures_book().without("s").without("u")),
       kUnverified},
  });
}

TEST(IntakeOrder, OfTheLiveRulesIsTimeThenAgeThenTheTrade) {
  EngineParameters parameters = usual_parameters();
  parameters.clock = Clock::live;
  Engine engine(parameters);
  const UnixNs late = ms_as_ns(kNoonMs + 60'001);
  const Object na = trade({.execution_type = "NA"});
  EXPECT_EQ(ending(engine, trade({.symbol = "XRPUSDT"}), late), "ignored/symbol_not_traded");
  EXPECT_EQ(ending(engine, Object(na).set("E", "0"), late), "dropped/bad_timestamp");
  EXPECT_EQ(ending(engine, na, late), "dropped/stale");
  EXPECT_EQ(ending(engine, trade({.price = "0"}), ms_as_ns(kNoonMs - 10'001)), "dropped/future");
}

TEST(IntakeOrder, OutOfOrderIsTheLastQuestion) {
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, trade({.id = 5})), kTrade);
  EXPECT_EQ(ending(engine, trade({.id = 5, .price = "0"})), "dropped/bad_number");
  EXPECT_EQ(ending(engine, trade({.id = 5, .execution_type = "NA"})), "ignored/non_market_trade");
  EXPECT_EQ(ending(engine, book_frame({.id = 5})), kBook);
  EXPECT_EQ(ending(engine, book_frame({.id = 5, .bids = {}})), "dropped/empty_side");
  EXPECT_EQ(ending(engine, book_frame({.id = 5, .bids = {{"200", "1"}}})), "dropped/crossed_book");
  EXPECT_EQ(nameless_book(engine, 5, "499", "501"), kUnverified);
}

// ---- The symbol table

TEST(SymbolTable, OfAListIsClosed) {
  const SymbolTable table(symbols({"BTCUSDT", "ethusdt", "BTCUSDT"}));
  EXPECT_EQ(table.size(), 2U) << "named twice, known once";
  EXPECT_FALSE(table.can_add());
  EXPECT_EQ(table.find("BTCUSDT"), 0U);
  EXPECT_EQ(table.find("ethUSDT"), 1U);
  EXPECT_EQ(table.find("BNBUSDT"), std::nullopt);
  EXPECT_EQ(table.find("BTCUSD"), std::nullopt);
  EXPECT_EQ(table.find(""), std::nullopt);
}

TEST(SymbolTable, WithoutAListTakes512) {
  SymbolTable table({});
  EXPECT_EQ(table.capacity(), EngineParameters::kMaxSymbols);
  for (std::size_t i = 0; i < 512; ++i) {
    ASSERT_TRUE(table.can_add()) << i;
    EXPECT_EQ(table.add(*Symbol::from("S" + std::to_string(i))), i);
  }
  EXPECT_FALSE(table.can_add());
  EXPECT_EQ(table.find("s0"), 0U);
  EXPECT_EQ(table.at(511).text(), "S511");
}

}  // namespace
}  // namespace rts
