// The nine rules of SPEC §2 between an event as sent and an event that is evaluated, each with
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

// Spot's diffs have no T, and its partial books no e: what calls itself an update without a T is a
// spot diff that somebody has relabelled.
TEST(IntakeChannel, OfAnUpdateWithoutATradeTimeDoesNotHelp) {
  const auto partial = [](const Object& book) { return combined("btcusdt@depth20", book); };
  const Object own_name = spot_book().set("s", quote("BTCUSDT")).set("E", "1721390400000");
  expect_first({
      {"with T", partial(futures_book()), kBook},
      {"without T", partial(futures_book().without("T")), "ignored/diff_depth"},
      {"T is null", partial(futures_book().set("T", "null")), "ignored/diff_depth"},
      {"T is there, whatever it is", partial(futures_book().set("T", quote("x"))), kBook},
      {"of spot, without e and T", partial(own_name), kBook},
      {"of spot, with an e", partial(Object(own_name).set("e", quote("depthUpdate"))),
       "ignored/diff_depth"},
      {"trade without T", trade().without("T"), kTrade},
      {"ticker without T", ticker(), kTicker},
  });
}

TEST(IntakeChannel, IsOfNoInterestToTradesAndTickers) {
  expect_first({
      {"trade", combined("btcusdt@depth", trade()), kTrade},
      {"ticker", combined("btcusdt@whatever", ticker()), kTicker},
  });
}

// ---- 2. Symbol

// With an exchangeInfo answer `*` is what it lists as TRADING.
TEST(IntakeSymbol, UnderAStarIsOneThatTheVenueListsWhereItSaysWhich) {
  EngineParameters parameters;
  parameters.defaults.traded = false;
  parameters.per_symbol = {{*Symbol::from("BTCUSDT"), {}}, {*Symbol::from("OLDUSDT"), {}}};
  parameters.per_symbol.back().parameters.traded = false;
  Engine engine(parameters);
  EXPECT_EQ(ending(engine, trade()), kTrade);
  EXPECT_EQ(ending(engine, trade({.id = 2})), kTrade) << "also once it has a number";
  EXPECT_EQ(ending(engine, trade({.symbol = "OLDUSDT"})), "ignored/symbol_not_traded");
  EXPECT_EQ(ending(engine, trade({.symbol = "NEWUSDT"})), "ignored/symbol_not_traded");
}

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

// st: 1 is USD-M, 2 is COIN-M, where a quantity is a number of contracts.
TEST(IntakeSymbol, IsNotTradedWhereTheEventIsCoinMargined) {
  expect_first({
      {"trade, USD-M", trade().set("st", "1"), kTrade},
      {"trade, COIN-M", trade().set("st", "2"), "ignored/symbol_not_traded"},
      {"another number", trade().set("st", "3"), kTrade},
      {"null", trade().set("st", "null"), kTrade},
      {"text", trade().set("st", quote("2")), kTrade},
      {"book, USD-M", combined("btcusdt@depth20", futures_book().set("st", "1")), kBook},
      {"book, COIN-M", combined("btcusdt@depth20", futures_book().set("st", "2")),
       "ignored/symbol_not_traded"},
      {"ticker, COIN-M", ticker().set("st", "2"), "ignored/symbol_not_traded"},
      {"conflict goes first", combined("ethusdt@trade", trade().set("st", "2")),
       "dropped/symbol_conflict"},
  });
}

TEST(IntakeSymbol, EndsWithAQuoteAssetAndHasSomethingBeforeIt) {
  EngineParameters parameters = usual_parameters();
  parameters.symbols.clear();
  parameters.quote_assets = {"USDT", "USDC"};
  for (const auto& [symbol, traded] : std::vector<std::pair<std::string, bool>>{
           {"BTCUSDT", true},
           {"BTCUSDC", true},
           {"btcusdt", true},
           {"1USDT", true},
           {"USDCUSDT", true},
           {"USDT", false},
           {"USDC", false},
           {"BTCUSD", false},
           {"BTCUSD_PERP", false},
           {"BTCUSDT_260925", false},
           {"ETHBTC", false},
           {"BTCFDUSD", false},
           {"USDTBTC", false},
       }) {
    Engine engine(parameters);
    EXPECT_EQ(ending(engine, trade({.symbol = symbol})),
              traded ? kTrade : "ignored/symbol_not_traded")
        << symbol;
  }
}

TEST(IntakeSymbol, IsNotTradedWhereItsParametersSaySo) {
  EngineParameters parameters = usual_parameters();
  parameters.per_symbol.push_back({*Symbol::from("ETHUSDT"), parameters.defaults});
  parameters.per_symbol.back().parameters.traded = false;
  Engine listed(parameters);
  EXPECT_EQ(ending(listed, trade()), kTrade);
  EXPECT_EQ(ending(listed, trade({.symbol = "ETHUSDT"})), "ignored/symbol_not_traded");
  EXPECT_EQ(ending(listed, trade({.symbol = "ethusdt"})), "ignored/symbol_not_traded");
  EXPECT_EQ(ending(listed, trade({.symbol = "BNBUSDT"})), kTrade);
  parameters.symbols.clear();
  Engine all(parameters);
  EXPECT_EQ(ending(all, trade({.symbol = "ETHUSDT"})), "ignored/symbol_not_traded");
  EXPECT_EQ(ending(all, trade({.symbol = "XRPUSDT"})), kTrade);
}

TEST(IntakeSymbol, MayBeUnicodeAndIsUpperCasedInAsciiOnly) {
  EngineParameters parameters = usual_parameters();
  parameters.symbols = symbols({"\xE7\x89\x9B\xE6\x9D\xA5USDT",
                                "\xC3\xA9"
                                "AUSDT"});
  Engine engine(parameters);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xE7\x89\x9B\xE6\x9D\xA5USDT"})), kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xE7\x89\x9B\xE6\x9D\xA5usdt", .id = 2})), kTrade);
  EXPECT_EQ(ending(engine, trade().set("s", R"("\u725b\u6765USDT")").set("t", "3")), kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xC3\xA9"
                                            "ausdt"})),
            kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "\xC3\x89"
                                            "AUSDT"})),
            "ignored/symbol_not_traded");
  EXPECT_EQ(ending(engine, combined("\xE7\x89\x9B\xE6\x9D\xA5usdt@trade",
                                    trade({.symbol = "\xE7\x89\x9B\xE6\x9D\xA5USDT", .id = 4}))),
            kTrade);
}

constexpr std::int64_t kDay = 86'400'000;

std::string numbered(int i) { return "S" + std::to_string(i) + "USDT"; }

EngineParameters all_symbols() {
  EngineParameters parameters = usual_parameters();
  parameters.symbols.clear();
  return parameters;
}

// 512 symbols come: the i-th at noon and i milliseconds.
void fill(Engine& engine) {
  for (int i = 0; i < 512; ++i) {
    EXPECT_EQ(ending(engine, trade({.symbol = numbered(i), .at_ms = kNoonMs + i})), kTrade) << i;
  }
}

TEST(IntakeSymbol, AllAreTradedUpTo512) {
  Engine engine(all_symbols());
  fill(engine);
  EXPECT_EQ(engine.symbols().size(), 512U);
  EXPECT_EQ(ending(engine, trade({.symbol = numbered(512)})), "ignored/symbol_not_traded");
  EXPECT_EQ(ending(engine, trade({.symbol = numbered(0), .id = 2})), kTrade)
      << "the known stay known";
  EXPECT_EQ(ending(engine, trade({.symbol = numbered(511), .id = 2})), kTrade);
}

TEST(IntakeSymbol, PlaceOfOneUnseenForADayIsGivenToAnother) {
  Engine engine(all_symbols());
  fill(engine);
  const auto at = [&](std::string symbol, std::int64_t ms) {
    return ending(engine, trade({.symbol = std::move(symbol), .at_ms = ms, .id = 2}));
  };
  EXPECT_EQ(at("NEWUSDT", kNoonMs + kDay - 1), "ignored/symbol_not_traded");
  EXPECT_EQ(at("NEWUSDT", kNoonMs + kDay), kTrade);
  EXPECT_EQ(engine.symbols().at(0).text(), "NEWUSDT");
  EXPECT_EQ(engine.symbols().find(numbered(0)), std::nullopt);
  EXPECT_EQ(engine.symbols().find("newusdt"), 0U);
  EXPECT_EQ(at(numbered(0), kNoonMs + kDay), "ignored/symbol_not_traded") << "the next is younger";
  EXPECT_EQ(at(numbered(0), kNoonMs + kDay + 1), kTrade) << "it may come back, in another's place";
  EXPECT_EQ(engine.symbols().at(1).text(), numbered(0));
  EXPECT_EQ(engine.symbols().size(), 512U);
}

TEST(IntakeSymbol, PlaceOfTheFirstIsGivenWhereAllAreUnseenForAsLong) {
  Engine engine(all_symbols());
  for (int i = 0; i < 512; ++i) engine.step(trade({.symbol = numbered(i)}).json(), std::nullopt);
  EXPECT_EQ(ending(engine, trade({.symbol = "NEWUSDT", .at_ms = kNoonMs + kDay})), kTrade);
  EXPECT_EQ(engine.symbols().at(0).text(), "NEWUSDT");
}

TEST(IntakeSymbol, PlaceIsNotGivenAwayOnceItsSymbolIsSeenAgain) {
  Engine engine(all_symbols());
  fill(engine);
  EXPECT_EQ(ending(engine, trade({.symbol = numbered(0), .at_ms = kNoonMs + kDay - 1, .id = 2})),
            kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "NEWUSDT", .at_ms = kNoonMs + kDay})),
            "ignored/symbol_not_traded");
  EXPECT_EQ(ending(engine, trade({.symbol = "NEWUSDT", .at_ms = kNoonMs + kDay + 1})), kTrade);
  EXPECT_EQ(engine.symbols().at(1).text(), "NEWUSDT");
  EXPECT_EQ(engine.symbols().at(0).text(), numbered(0));
}

TEST(IntakeSymbol, PlaceIsGivenOnlyToAnEventThatPasses) {
  Engine engine(all_symbols());
  fill(engine);
  const Object late = trade({.symbol = "NEWUSDT", .at_ms = kNoonMs + kDay});
  EXPECT_EQ(ending(engine, Object(late).set("p", quote("0"))), "dropped/bad_number");
  EXPECT_EQ(ending(engine, Object(late).without("t")), "dropped/malformed");
  EXPECT_EQ(ending(engine, Object(late).without("E")), "ignored/symbol_not_traded") << "no time";
  EXPECT_EQ(ending(engine, Object(late).set("E", "0")), "ignored/symbol_not_traded");
  EXPECT_EQ(engine.symbols().find("NEWUSDT"), std::nullopt);
  EXPECT_EQ(ending(engine, late), kTrade);
  EXPECT_EQ(engine.symbols().find("NEWUSDT"), 0U);
}

// What a frame has said of a symbol is said under its name until the next frame.
TEST(IntakeSymbol, PlaceIsNotGivenAwayInTheFrameThatHasUsedIt) {
  Engine engine(all_symbols());
  fill(engine);
  for (int i = 1; i < 512; ++i) {
    feed(engine, trade({.symbol = numbered(i), .at_ms = kNoonMs + 10 * kDay, .id = 2}));
  }
  const std::string newcomer = trade({.symbol = "NEWUSDT", .at_ms = kNoonMs + 3 * kDay});
  const std::string last_word = trade({.symbol = numbered(0), .at_ms = kNoonMs + kDay, .id = 2});
  EXPECT_EQ(endings(engine, array({last_word, newcomer})),
            (Endings{std::string(kTrade), "ignored/symbol_not_traded"}));
  EXPECT_EQ(ending(engine, newcomer), kTrade) << "the next frame may have it";
  EXPECT_EQ(engine.symbols().at(0).text(), "NEWUSDT");
}

// They would stand in orders and in lines of the log.
TEST(IntakeSymbol, OfWhichTheNameIsNoneIsNotTradedThoughAllAre) {
  for (const std::string name : {"A BUSDT", "A/BUSDT", "A'USDT", "A`USDT", R"(A\\USDT)",
                                 R"(A\"USDT)", R"(A\nUSDT)", R"(A\u0000USDT)", R"(A\u007fUSDT)"}) {
    Engine engine(all_symbols());
    EXPECT_EQ(ending(engine, trade().set("s", quote(name))), "ignored/symbol_not_traded") << name;
  }
}

TEST(IntakeSymbol, PlaceIsNeverGivenAwayFromAList) {
  Engine engine(usual_parameters());
  feed(engine, trade());
  EXPECT_EQ(ending(engine, trade({.symbol = "XRPUSDT", .at_ms = kNoonMs + 30 * kDay})),
            "ignored/symbol_not_traded");
}

// The newcomer's number was another's: nothing of that one's sequence, price or suspect is left.
TEST(IntakeSymbol, PlaceIsGivenAwayEmpty) {
  EngineParameters parameters = all_symbols();
  parameters.gate.price_band_percent = 5;
  Engine engine(parameters);
  fill(engine);
  EXPECT_EQ(ending(engine, trade({.symbol = "NEWUSDT", .at_ms = kNoonMs + kDay, .price = "900"})),
            kTrade)
      << "id 1 is not out of order, and 900 no outlier from 100";
  const std::string book = book_frame({.symbol = "NEWUSDT",
                                       .at_ms = kNoonMs + kDay,
                                       .bids = {{"899", "3"}},
                                       .asks = {{"900", "2"}}});
  EXPECT_EQ(ending(engine, book), kBook);
}

TEST(IntakeSymbol, TakesAPlaceOnlyWithAnEventThatPasses) {
  EngineParameters parameters = usual_parameters();
  parameters.symbols.clear();
  Engine engine(parameters);
  for (int i = 0; i < 600; ++i) {
    const Object broken = trade({.symbol = numbered(i), .price = "0"});
    ASSERT_EQ(ending(engine, broken), "dropped/bad_number");
  }
  EXPECT_EQ(engine.symbols().size(), 0U);
  EXPECT_EQ(ending(engine, trade({.symbol = "GOODUSDT"})), kTrade);
  EXPECT_EQ(engine.symbols().size(), 1U);
}

TEST(IntakeSymbol, WithoutAPlaceIsToldWhatIsWrongWithItsTimeWhileThereIsRoom) {
  EngineParameters parameters = usual_parameters();
  parameters.symbols.clear();
  Engine engine(parameters);
  EXPECT_EQ(ending(engine, trade({.symbol = "GOODUSDT"}).without("E")), "dropped/no_event_time");
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
  });
}

// What an envelope says of its time is an error of the relay's where it cannot be read, whoever
// needs it.
TEST(IntakeTime, OfTheEnvelopeMustBeReadableAlsoWhereTheEventHasItsOwn) {
  const auto relay = [](std::string raw) {
    return envelope({}, trade()).set("timestamp", std::move(raw)).json();
  };
  expect_first({
      {"good", envelope({}, trade()), kTrade},
      {"absent", envelope({}, trade()).without("timestamp"), kTrade},
      {"null", relay("null"), kTrade},
      {"the first", relay(quote("1970-01-01T00:00:00.001Z")), kTrade},
      {"the epoch is 0", relay(quote("1970-01-01T00:00:00.000Z")), "dropped/bad_timestamp"},
      {"no time", relay(quote("x")), "dropped/bad_timestamp"},
      {"empty", relay(quote("")), "dropped/bad_timestamp"},
      {"date alone", relay(quote("2024-07-19")), "dropped/bad_timestamp"},
      {"number", relay("1721390400000"), "dropped/bad_timestamp"},
      {"object", relay("{}"), "dropped/bad_timestamp"},
      {"of a combined stream",
       Object().add("stream", quote("btcusdt@trade")).add("data", trade()).add("timestamp", "5"),
       "dropped/bad_timestamp"},
      {"of a bare event: a key that nobody reads", trade().set("timestamp", quote("x")), kTrade},
      {"symbol goes first", envelope({.stream = "ethusdt@trade"}, trade()).set("timestamp", "5"),
       "dropped/symbol_conflict"},
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

struct AgeTimeCase {
  std::string name;
  std::string trade_time;  // raw; the event time is noon
  std::string_view expected;
};

// Received at noon, with a limit of 60 s: stale is what happened before 11:59.
TEST(IntakeAge, IsOfTheEarlierOfEventTimeAndTradeTime) {
  for (const auto& [name, trade_time, expected] : std::vector<AgeTimeCase>{
           {"as old as allowed", std::to_string(kNoonMs - kMinute), kTrade},
           {"a ms older", std::to_string(kNoonMs - kMinute - 1), "dropped/stale"},
           {"as old as allowed, in µs", std::to_string((kNoonMs - kMinute) * 1000), kTrade},
           {"a µs older is cut to the ms", std::to_string((kNoonMs - kMinute) * 1000 - 1),
            "dropped/stale"},
           {"1", "1", "dropped/stale"},
           {"later than the event: the event's counts", std::to_string(kNoonMs + kMinute), kTrade},
           {"2^63-1", "9223372036854775807", kTrade},
           {"2^63: out of range", "9223372036854775808", kTrade},
           {"0: out of range", "0", kTrade},
           {"negative", "-1", kTrade},
           {"fraction", "1.5", kTrade},
           {"text", "\"1\"", kTrade},
           {"null", "null", kTrade},
           {"object", "{}", kTrade},
       }) {
    EngineParameters parameters = usual_parameters();
    parameters.clock = Clock::live;
    Engine live(parameters);
    const std::string frame = trade().set("T", trade_time);
    EXPECT_EQ(ending(live, frame, ms_as_ns(kNoonMs)), expected) << name;
    Engine replay(usual_parameters());
    EXPECT_EQ(ending(replay, frame, ms_as_ns(kNoonMs)), kTrade) << "replay: " << name;
  }
}

// The relay's clock does not make an old event young.
TEST(IntakeAge, OfAnEventWithATradeTimeOnlyIsThat) {
  EngineParameters parameters = usual_parameters();
  parameters.clock = Clock::live;
  const auto received = [&](std::int64_t trade_ms) {
    Engine live(parameters);
    const Object undated = trade().without("E").set("T", std::to_string(trade_ms));
    return ending(live, envelope({.timestamp = "2024-07-19T12:00:00Z"}, undated),
                  ms_as_ns(kNoonMs));
  };
  EXPECT_EQ(received(kNoonMs - kMinute), kTrade);
  EXPECT_EQ(received(kNoonMs - kMinute - 1), "dropped/stale");
  EXPECT_EQ(received(kNoonMs + kMinute), kTrade);
}

TEST(IntakeAge, IsNotKnownWithoutATimeOfReceipt) {
  EngineParameters parameters = usual_parameters();
  parameters.clock = Clock::live;
  Engine live(parameters);
  EXPECT_EQ(ending(live, trade()), kTrade);
}

// The future is judged by the event time alone.
TEST(IntakeAge, DoesNotHideAnEventOfTheFuture) {
  EngineParameters parameters = usual_parameters();
  parameters.clock = Clock::live;
  Engine live(parameters);
  const std::string event_ahead = trade().set("T", std::to_string(kNoonMs - 10'001));
  EXPECT_EQ(ending(live, event_ahead, ms_as_ns(kNoonMs - 10'001)), "dropped/future");
  const std::string trade_ahead = trade().set("T", std::to_string(kNoonMs + 10'001));
  EXPECT_EQ(ending(live, trade_ahead, ms_as_ns(kNoonMs)), kTrade);
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
  std::string_view book_price;  // a book with this as its lowest bid's price
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
      {"\"0e9223372036854775807\"", kBad, kBad, kBad, kDiff},
      {"\"1e-9223372036854775807\"", kBad, kBad, kBad, kDiff},
      {"1e-9223372036854775808", kBad, kBad, kBad, kDiff},
      {"\"1e9223372036854775807\"", kBad, kBad, kBad, kBad},
      {"1e9223372036854775807", kBad, kBad, kBad, kBad},
      {"\"1e9223372036854775808\"", kBad, kBad, kBad, kBad},
      {"\"1e99999999999999999999999\"", kBad, kBad, kBad, kBad},
      {"\"0.1e9223372036854775807\"", kBad, kBad, kBad, kBad},
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
    const std::string bids = R"([["99999","9"],["99998","9"],["99997","9"],["99996","9"],[)" +
                             price + "," + quantity + "]]";
    const std::string asks = levels_json(ladder(100'000, 1, 5));
    return combined("btcusdt@depth20", futures_book().set("b", bids).set("a", asks));
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

// No market has such numbers; 999999999999999.875 is the largest double below 10^15.
TEST(IntakeNumbers, MustBeBelowTenToTheFifteenth) {
  for (const auto& [raw, good] : std::vector<std::pair<std::string, bool>>{
           {"999999999999999.875", true},
           {"999999999999999.9", true},
           {"9.99999999999999875e14", true},
           {"999999999999999.95", false},  // nearer to 10^15
           {"1000000000000000", false},
           {"1e15", false},
           {"1E+15", false},
           {"1e300", false},
       }) {
    for (const std::string& number : {raw, quote(raw)}) {
      const std::string_view bad = "dropped/bad_number";
      EXPECT_EQ(first(trade().set("p", number)), good ? kTrade : bad) << number;
      EXPECT_EQ(first(trade().set("q", number)), good ? kTrade : bad) << number;
      EXPECT_EQ(first(agg_trade().set("p", number)), good ? kTrade : bad) << number;
      EXPECT_EQ(first(ticker().set("c", number)), good ? kTicker : bad) << number;
      const auto book = [&](const std::string& price, const std::string& quantity) {
        const std::string asks =
            R"([["100.2","2"],["101","1e-9"],["102","1e-9"],["103","1e-9"],[)" + price + "," +
            quantity + "]]";
        return first(combined("btcusdt@depth20", futures_book().set("a", asks)));
      };
      EXPECT_EQ(book(number, "1e-9"), good ? kBook : bad) << number;
      EXPECT_EQ(book("104", number), good ? "orderbook_skew/signal_sell" : bad) << number;
    }
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
       combined(
           "btcusdt@depth20",
           futures_book().set("b", R"([["100","3",[]],["4","1"],["3","1"],["2","1"],["1","1"]])")),
       kBook},
      {"levels as numbers",
       combined("btcusdt@depth20", futures_book().set("b", "[[100,3],[4,1],[3,1],[2,1],[1,1]]")),
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

// The thinnest partial book there is has five levels a side.
TEST(IntakeBook, WithFewerThanFiveLevelsOnASideIsADiff) {
  const auto of = [](int bids, int asks) {
    const std::string b = levels_json(ladder(100, -1, bids));
    const std::string a = levels_json(ladder(101, 1, asks));
    return combined("btcusdt@depth5", futures_book().set("b", b).set("a", a));
  };
  expect_first({
      {"5 and 5", of(5, 5), "orderbook_skew/neutral"},
      {"20 and 5", of(20, 5), "orderbook_skew/neutral"},
      {"4 bids", of(4, 5), "ignored/diff_depth"},
      {"4 asks", of(5, 4), "ignored/diff_depth"},
      {"1 and 1", of(1, 1), "ignored/diff_depth"},
      {"1 and 20", of(1, 20), "ignored/diff_depth"},
      {"none and 4", of(0, 4), "dropped/empty_side"},
      {"4 and none", of(4, 0), "dropped/empty_side"},
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

TEST(IntakeNamelessBook, NeedsAReferencePriceWithinHalfAPercent) {
  Engine engine(without_cooldown());
  EXPECT_EQ(nameless_book(engine, 1, "99", "101"), kUnverified) << "nothing to hold it against";
  EXPECT_EQ(ending(engine, trade()), kTrade);  // 100
  EXPECT_EQ(nameless_book(engine, 2, "99", "101"), kVerified);
  EXPECT_EQ(nameless_book(engine, 3, "100.25", "100.75"), kVerified) << "0.5 % off is within it";
  EXPECT_EQ(nameless_book(engine, 4, "100.25", "100.76"), kUnverified);
  EXPECT_EQ(nameless_book(engine, 5, "99.25", "99.75"), kVerified);
  EXPECT_EQ(nameless_book(engine, 6, "99.24", "99.75"), kUnverified);
  EXPECT_EQ(nameless_book(engine, 7, "3424.9", "3425.1"), kUnverified) << "another symbol's book";
}

TEST(IntakeNamelessBook, TakesItsBandFromNoSetting) {
  for (const double band : {0.0, 0.1, 5.0}) {
    EngineParameters parameters = without_cooldown();
    parameters.gate.price_band_percent = band;
    Engine engine(parameters);
    feed(engine, trade());
    EXPECT_EQ(nameless_book(engine, 1, "100.25", "100.75"), kVerified) << band;
    EXPECT_EQ(nameless_book(engine, 2, "100.25", "100.76"), kUnverified) << band;
  }
}

// The relay labels every nameless book with one symbol: where two symbols have that price, nobody
// knows whose it is.
TEST(IntakeNamelessBook, MustNotFitAnotherSymbolAsWell) {
  const auto with_ether_at = [](std::string price, std::int64_t ether_ms = kNoonMs) {
    Engine engine(without_cooldown());
    feed(engine, trade());  // bitcoin at 100
    feed(engine, ticker({.symbol = "ETHUSDT", .at_ms = ether_ms, .price = std::move(price)}));
    return nameless_book(engine, 1, "99", "101");
  };
  EXPECT_EQ(with_ether_at("100"), kUnverified);
  EXPECT_EQ(with_ether_at("100.5"), kUnverified) << "100 is less than 0.5 % below 100.5";
  EXPECT_EQ(with_ether_at("100.6"), kVerified);
  EXPECT_EQ(with_ether_at("99.6"), kUnverified);
  EXPECT_EQ(with_ether_at("99.5"), kVerified) << "100 is more than 0.5 % above 99.5";
  EXPECT_EQ(with_ether_at("3400"), kVerified);
  EXPECT_EQ(with_ether_at("100", kNoonMs - kMinute), kUnverified);
  EXPECT_EQ(with_ether_at("100", kNoonMs - kMinute - 1), kVerified) << "that price is not fresh";
}

TEST(IntakeNamelessBook, CannotBeTheFirstOfItsSymbol) {
  EngineParameters parameters = without_cooldown();
  parameters.symbols.clear();
  Engine engine(parameters);
  feed(engine, trade({.symbol = "ETHUSDT", .price = "100"}));
  EXPECT_EQ(nameless_book(engine, 1, "99", "101"), kUnverified);
  EXPECT_EQ(engine.symbols().size(), 1U) << "and it takes no place";
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
  feed(engine, trade({.symbol = "ETHUSDT", .id = 2, .price = "3400"}));
  feed(engine, trade({.price = "100"}));
  feed(engine, ticker({.price = "200"}));
  EXPECT_EQ(nameless_book(engine, 2, "99", "101"), kUnverified) << "the ticker came last";
  feed(engine, trade({.id = 2, .price = "100"}));
  EXPECT_EQ(nameless_book(engine, 3, "99", "101"), kVerified);
  EXPECT_EQ(ending(engine, trade({.id = 2, .price = "200"})), "dropped/out_of_order");
  EXPECT_EQ(nameless_book(engine, 4, "99", "101"), kVerified) << "a dropped trade is no reference";
  EXPECT_EQ(ending(engine, book_frame({.id = 5, .bids = {{"199", "1"}}, .asks = {{"201", "9"}}})),
            "orderbook_skew/signal_sell");
  EXPECT_EQ(nameless_book(engine, 6, "99", "101"), kVerified) << "a book is no reference";
}

TEST(IntakeNamelessBook, IsNotAskedOfABookWithAName) {
  Engine engine(without_cooldown());
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

// ---- 7. One source of a kind

// At kNoon + `later_ms`, and with ids that rise with it.
std::string print_of(bool aggregated, std::int64_t later_ms) {
  const TradeParts parts{.at_ms = kNoonMs + later_ms,
                         .id = static_cast<std::uint64_t>(later_ms + 1)};
  return aggregated ? agg_trade(parts) : trade(parts);
}
std::string ticker_of(std::string_view event, std::int64_t later_ms) {
  return ticker({.event = std::string(event), .at_ms = kNoonMs + later_ms});
}

TEST(IntakeSource, OfPrintsIsTradeWhileThatIsNotSilentForAMinute) {
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, print_of(true, 0)), kTrade) << "the only one so far";
  EXPECT_EQ(ending(engine, print_of(false, 1)), kTrade);
  EXPECT_EQ(ending(engine, print_of(true, 1)), "ignored/other_source");
  EXPECT_EQ(ending(engine, print_of(true, 1 + kMinute)), "ignored/other_source");
  EXPECT_EQ(ending(engine, print_of(true, 1 + kMinute + 1)), kTrade) << "trade is silent";
  EXPECT_EQ(ending(engine, print_of(false, 2 + kMinute)), kTrade) << "trade is back";
  EXPECT_EQ(ending(engine, print_of(true, 3 + kMinute)), "ignored/other_source");
}

TEST(IntakeSource, OfPricesIsTheMostPreferredThatIsNotSilentForAMinute) {
  for (std::size_t preferred = 0; preferred < std::size(kTickerEvents); ++preferred) {
    for (std::size_t other = 0; other < std::size(kTickerEvents); ++other) {
      const auto is_ignored = [&](std::int64_t later_ms) {
        Engine engine(usual_parameters());
        feed(engine, ticker_of(kTickerEvents[preferred], 0));
        const std::string end = ending(engine, ticker_of(kTickerEvents[other], later_ms));
        EXPECT_TRUE(end == "ignored/other_source" || end.starts_with("ticker_velocity/")) << end;
        return end == "ignored/other_source";
      };
      EXPECT_EQ(is_ignored(kMinute), preferred < other)
          << kTickerEvents[preferred] << ", then " << kTickerEvents[other];
      EXPECT_FALSE(is_ignored(kMinute + 1))
          << kTickerEvents[preferred] << ", then " << kTickerEvents[other];
    }
  }
}

TEST(IntakeSource, IsAnotherQuestionForEachKindAndSymbol) {
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, print_of(false, 0)), kTrade);
  EXPECT_EQ(ending(engine, ticker_of("1dTicker", 0)), kTicker) << "prints are no prices";
  EXPECT_EQ(ending(engine, ticker_of("24hrTicker", 0)), kTicker);
  EXPECT_EQ(ending(engine, agg_trade({.symbol = "ETHUSDT"})), kTrade);
  EXPECT_EQ(ending(engine, ticker({.event = "4hTicker", .symbol = "ETHUSDT"})), kTicker);
  EXPECT_EQ(ending(engine, book_frame()), kBook) << "all books are one source";
}

// "has passed rule 8": what is refused before it, or by it, is no sign of life; an outlier is one.
TEST(IntakeSource, LivesByTheEventsThatPassTheSequence) {
  EngineParameters parameters = usual_parameters();
  parameters.gate.price_band_percent = 5;
  Engine engine(parameters);
  EXPECT_EQ(ending(engine, trade({.price = "0"})), "dropped/bad_number");
  EXPECT_EQ(ending(engine, trade().without("t")), "dropped/malformed");
  EXPECT_EQ(ending(engine, trade({.execution_type = "NA"})), "ignored/non_market_trade");
  EXPECT_EQ(ending(engine, agg_trade({.id = 1})), kTrade);
  EXPECT_EQ(ending(engine, trade({.id = 5})), kTrade);
  EXPECT_EQ(ending(engine, trade({.at_ms = kNoonMs + kMinute, .id = 5})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, agg_trade({.at_ms = kNoonMs + kMinute + 1, .id = 2})), kTrade);
  const std::int64_t later = kNoonMs + kMinute + 2;
  EXPECT_EQ(ending(engine, trade({.at_ms = later, .id = 6, .price = "900"})), "dropped/outlier");
  EXPECT_EQ(ending(engine, agg_trade({.at_ms = later, .id = 3})), "ignored/other_source");
}

// An id may be higher and its event older: a source lives by the newest that has passed.
TEST(IntakeSource, LivesByItsNewestEvent) {
  Engine engine(usual_parameters());
  EXPECT_EQ(ending(engine, trade({.at_ms = kNoonMs + kMinute, .id = 1})), kTrade);
  EXPECT_EQ(ending(engine, trade({.at_ms = kNoonMs, .id = 2})), kTrade);
  EXPECT_EQ(ending(engine, agg_trade({.at_ms = kNoonMs + 2 * kMinute})), "ignored/other_source");
  EXPECT_EQ(ending(engine, agg_trade({.at_ms = kNoonMs + 2 * kMinute + 1})), kTrade);
}

TEST(IntakeSource, ThatIsIgnoredMovesNothing) {
  Engine engine(usual_parameters());
  feed(engine, trade());
  EXPECT_EQ(ending(engine, agg_trade({.id = 100, .price = "500"})), "ignored/other_source");
  EXPECT_EQ(nameless_book(engine, 1, "99", "101"), kVerified) << "500 is no reference";
  EXPECT_EQ(ending(engine, agg_trade({.at_ms = kNoonMs + kMinute + 1, .id = 7})), kTrade)
      << "nor is 100 an id that has been seen";
}

// ---- 8. Sequence

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
  const std::string undated = envelope(
      {.stream = "btcusdt@ticker", .timestamp = "2024-07-19T12:00:00.002Z"}, ticker().without("E"));
  EXPECT_EQ(ending(engine, undated), kTicker) << "the envelope's timestamp is its event time";
  EXPECT_EQ(ending(engine, undated), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, ticker({.at_ms = kNoonMs + 2})), "dropped/out_of_order");
}

// A relay that changes from milliseconds to microseconds, or back, has not jumped.
TEST(IntakeSequence, OfTickersIsInMillisecondsWhateverTheyAreTimedIn) {
  Engine engine(usual_parameters());
  const auto at = [&](std::int64_t number) {
    return ending(engine, ticker().set("E", std::to_string(number)));
  };
  EXPECT_EQ(at(kNoonMs), kTicker);
  EXPECT_EQ(at((kNoonMs + 1) * 1000), kTicker);
  EXPECT_EQ(at((kNoonMs + 1) * 1000 + 999), "dropped/out_of_order") << "the same millisecond";
  EXPECT_EQ(at(kNoonMs + 1), "dropped/out_of_order");
  EXPECT_EQ(at(kNoonMs + 2), kTicker);
  EXPECT_EQ(at((kNoonMs + 3) * 1000), kTicker);
}

// Without a time of its own an event is timed by whoever passes it on: what a queue held back is
// late, not new. Counted from the last one's time, whether that had its own or not.
TEST(IntakeSequence, OfUndatedEventsStartsOverMoreThanAnHourLater) {
  constexpr std::int64_t kHour = 60 * kMinute;
  struct UndatedCase {
    std::uint64_t id;
    std::int64_t later_ms;
    std::string_view expected;
  };
  const std::vector<UndatedCase> cases{
      {100, 0, kTrade},
      {99, kMinute + 1, "dropped/out_of_order"},
      {99, kHour, "dropped/out_of_order"},
      {100, kHour, "dropped/out_of_order"},
      {99, kHour + 1, kTrade},
      {98, kHour + 1, "dropped/out_of_order"},
      {100, kHour + 1, kTrade},
  };
  Engine undated(usual_parameters());
  for (const auto& [id, later_ms, expected] : cases) {
    EXPECT_EQ(ending(undated, trade({.id = id}).without("E"), ms_as_ns(kNoonMs + later_ms)),
              expected)
        << id << " at " << later_ms;
  }
  Engine by_null(usual_parameters());
  feed(by_null, trade({.id = 100}));
  EXPECT_EQ(ending(by_null, trade({.id = 1}).set("E", "null"), ms_as_ns(kNoonMs + kHour)),
            "dropped/out_of_order");
  EXPECT_EQ(ending(by_null, trade({.at_ms = kNoonMs + kMinute + 1, .id = 1})), kTrade)
      << "an event with its own time starts over after a minute";
}

// The less preferred source of a kind first: the other way round it would be ignored.
TEST(IntakeSequence, IsKeptPerSymbolAndPerEventName) {
  Engine engine(without_cooldown());
  EXPECT_EQ(ending(engine, agg_trade({.id = 50})), kTrade);
  EXPECT_EQ(ending(engine, agg_trade({.id = 50})), "dropped/out_of_order");
  EXPECT_EQ(ending(engine, trade({.id = 1})), kTrade);
  EXPECT_EQ(ending(engine, trade({.symbol = "ETHUSDT", .id = 1})), kTrade);
  EXPECT_EQ(ending(engine, book_frame({.id = 1})), kBook);
  for (std::size_t i = std::size(kTickerEvents); i-- > 0;) {
    const std::string frame = ticker({.event = std::string(kTickerEvents[i])});
    EXPECT_EQ(ending(engine, frame), kTicker) << kTickerEvents[i];
    EXPECT_EQ(ending(engine, frame), "dropped/out_of_order") << kTickerEvents[i];
  }
  EXPECT_EQ(ending(engine, trade({.id = 1})), "dropped/out_of_order");
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

// ---- 9. Outliers

EngineParameters with_band(double percent) {
  EngineParameters parameters = without_cooldown();
  parameters.gate.price_band_percent = percent;
  return parameters;
}

constexpr std::string_view kOutlier = "dropped/outlier";

// Trades at rising ids, one after another.
class Prints {
 public:
  explicit Prints(double band = 5) : engine_(with_band(band)) {}

  std::string print(std::string price, std::int64_t later_ms = 0) {
    return ending(engine_,
                  trade({.at_ms = kNoonMs + later_ms, .id = ++id_, .price = std::move(price)}));
  }
  Engine& engine() { return engine_; }

 private:
  Engine engine_;
  std::uint64_t id_ = 0;
};

TEST(IntakeOutlier, IsFurtherFromTheReferenceThanTheBand) {
  for (const auto& [price, expected] : std::vector<std::pair<std::string, std::string_view>>{
           {"105", kTrade},
           {"105.01", kOutlier},
           {"95", kTrade},
           {"94.99", kOutlier},
           {"1e14", kOutlier},
           {"1e-9", kOutlier},
       }) {
    Prints prints;
    EXPECT_EQ(prints.print("100"), kTrade) << "the first has nothing to be held against";
    EXPECT_EQ(prints.print(price), expected) << price;
    Engine tickers(with_band(5));
    feed(tickers, ticker());
    EXPECT_EQ(ending(tickers, ticker({.at_ms = kNoonMs + 1, .price = price})),
              expected == kTrade ? kTicker : kOutlier)
        << price;
  }
}

TEST(IntakeOutlier, IsASettingAndZeroIsOff) {
  Prints narrow(1);
  feed(narrow.engine(), ticker());
  EXPECT_EQ(narrow.print("101"), kTrade);
  Prints narrower(1);
  feed(narrower.engine(), ticker());
  EXPECT_EQ(narrower.print("101.01"), kOutlier);
  Prints off(0);
  EXPECT_EQ(off.print("100"), kTrade);
  EXPECT_EQ(off.print("1e14"), kTrade);
}

TEST(IntakeOutlier, IsHeldOnlyAgainstAFreshReference) {
  Prints fresh;
  fresh.print("100");
  EXPECT_EQ(fresh.print("200", kMinute), kOutlier);
  Prints stale;
  stale.print("100");
  EXPECT_EQ(stale.print("200", kMinute + 1), kTrade);
}

TEST(IntakeOutlier, IsBelievedWhenASecondPriceAgreesWithTheFirst) {
  Prints agrees;
  agrees.print("100");
  EXPECT_EQ(agrees.print("200"), kOutlier);
  EXPECT_EQ(agrees.print("210"), kTrade) << "within 5 % of the suspect, and on it";
  EXPECT_EQ(agrees.print("200"), kTrade) << "now the reference is 210";
  EXPECT_EQ(agrees.print("100"), kOutlier) << "and the old price is an outlier";
  Prints same;
  same.print("100");
  EXPECT_EQ(same.print("200"), kOutlier);
  EXPECT_EQ(same.print("200"), kTrade);
  Prints disagrees;
  disagrees.print("100");
  EXPECT_EQ(disagrees.print("200"), kOutlier);
  EXPECT_EQ(disagrees.print("210.01"), kOutlier) << "it is the suspect now";
  EXPECT_EQ(disagrees.print("200"), kTrade) << "within 5 % of 210.01";
  Prints wild;
  wild.print("100");
  for (const std::string price : {"200", "300", "50", "400", "1"}) {
    EXPECT_EQ(wild.print(price), kOutlier) << price;
  }
  EXPECT_EQ(wild.print("100"), kTrade) << "the market has not moved";
}

// The reference may be newer than what is held against it: so it is fresh, and the suspect is not.
TEST(IntakeOutlier, IsSuspectForAMinute) {
  for (const auto& [later_ms, expected] :
       {std::pair(kMinute, kTrade), std::pair(kMinute + 1, kOutlier)}) {
    Prints prints;
    prints.print("100", kMinute);
    EXPECT_EQ(prints.print("200", 0), kOutlier);
    EXPECT_EQ(prints.print("200", later_ms), expected) << later_ms;
  }
}

TEST(IntakeOutlier, IsForgottenWithTheNextPriceThatIsAccepted) {
  Prints prints;
  prints.print("100");
  EXPECT_EQ(prints.print("200"), kOutlier);
  EXPECT_EQ(prints.print("101"), kTrade);
  EXPECT_EQ(prints.print("200"), kOutlier) << "the first of a new suspicion";
  EXPECT_EQ(prints.print("200"), kTrade);
}

TEST(IntakeOutlier, IsConfirmedByTradesAndTickersAlike) {
  Engine ticker_confirms(with_band(5));
  feed(ticker_confirms, trade());
  EXPECT_EQ(ending(ticker_confirms, trade({.id = 2, .price = "200"})), kOutlier);
  EXPECT_EQ(ending(ticker_confirms, ticker({.price = "201"})), kTicker);
  EXPECT_EQ(ending(ticker_confirms, trade({.id = 3, .price = "200"})), kTrade);
  Engine trade_confirms(with_band(5));
  feed(trade_confirms, ticker());
  EXPECT_EQ(ending(trade_confirms, ticker({.at_ms = kNoonMs + 1, .price = "200"})), kOutlier);
  EXPECT_EQ(ending(trade_confirms, trade({.price = "201"})), kTrade);
  Engine another_symbol(with_band(5));
  feed(another_symbol, trade());
  feed(another_symbol, trade({.symbol = "ETHUSDT"}));
  EXPECT_EQ(ending(another_symbol, trade({.id = 2, .price = "200"})), kOutlier);
  EXPECT_EQ(ending(another_symbol, trade({.symbol = "ETHUSDT", .id = 2, .price = "200"})), kOutlier)
      << "each symbol has its own suspect";
}

TEST(IntakeOutlier, MovesTheSequenceAndNothingElse) {
  Engine engine(with_band(5));
  feed(engine, trade({.id = 1}));
  EXPECT_EQ(ending(engine, trade({.id = 1000, .price = "200"})), kOutlier);
  EXPECT_EQ(ending(engine, trade({.id = 999})), "dropped/out_of_order");
  EXPECT_EQ(nameless_book(engine, 1, "99", "101"), kVerified) << "the reference is still 100";
  EXPECT_EQ(nameless_book(engine, 2, "199", "201"), kUnverified);
  EXPECT_EQ(ending(engine, trade({.id = 1000, .price = "200"})), "dropped/out_of_order")
      << "a copy does not confirm it";
}

// ---- The order of the rules: each frame breaks two neighbours, the earlier one decides

TEST(IntakeOrder, FirstRuleThatFailsDecides) {
  const Object bad_time = trade().set("E", "0");
  const Object na = trade({.execution_type = "NA"});
  const auto partial = [](const Object& book) { return combined("btcusdt@depth20", book); };
  const std::string twenty_one = levels_json(ladder(100, -1, 21));
  const std::string ascending = levels_json(filled_bids({{"101", "1"}, {"102", "1"}}));
  const std::string crossing = levels_json(filled_asks({{"99", "1"}}));
  const std::string thin = levels_json(ladder(101, 1, 4));
  expect_first({
      {"1 before 2: channel, symbol conflict", combined("ethusdt@depth", futures_book()),
       "ignored/diff_depth"},
      {"1 before 2: channel, no symbol", futures_book().without("s"), "ignored/diff_depth"},
      {"1 before 2: channel, not traded", futures_book({.symbol = "XRPUSDT"}),
       "ignored/diff_depth"},
      {"1 before 2: no T, symbol conflict",
       combined("ethusdt@depth20", futures_book().without("T")), "ignored/diff_depth"},
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
      {"4 before 8: NA, id", Object(na).without("t"), "ignored/non_market_trade"},
      {"5 before 6: number, 21 levels",
       partial(futures_book().set("b", twenty_one).set("a", R"([["x","1"]])")),
       "dropped/bad_number"},
      {"5 before 6: number, zero quantity",
       partial(futures_book().set("b", R"([["100","0"]])").set("a", R"([["101","-1"]])")),
       "dropped/bad_number"},
      {"5 before 6: number, empty side",
       partial(futures_book().set("b", "[]").set("a", R"([["x","1"]])")), "dropped/bad_number"},
      {"5 before 8: number, id", trade().set("p", "\"x\"").without("t"), "dropped/bad_number"},
      {"6: diff before empty side", partial(futures_book().set("b", twenty_one).set("a", "[]")),
       "ignored/diff_depth"},
      {"6: diff before unsorted", partial(futures_book().set("b", R"([["99","1"],["100","0"]])")),
       "ignored/diff_depth"},
      {"6: empty side before unsorted",
       partial(futures_book().set("b", "[]").set("a", R"([["102","1"],["101","1"]])")),
       "dropped/empty_side"},
      {"6: unsorted before crossed", partial(futures_book().set("b", ascending)),
       "dropped/unsorted_book"},
      {"6: empty side before thin", partial(futures_book().set("b", "[]").set("a", thin)),
       "dropped/empty_side"},
      {"6: thin before unsorted", partial(futures_book().set("b", ascending).set("a", thin)),
       "ignored/diff_depth"},
      {"6: thin before crossed", partial(futures_book().set("b", R"([["200","1"]])")),
       "ignored/diff_depth"},
      {"6: crossed before unverified", partial(futures_book().set("a", crossing).without("s")),
       "dropped/crossed_book"},
      {"6 before 8: crossed, id", partial(futures_book().set("a", crossing).without("u")),
       "dropped/crossed_book"},
      {"6 before 8: unverified, id", partial(futures_book().without("s").without("u")),
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

TEST(IntakeOrder, SourceThenSequenceThenOutlierAreTheLastQuestions) {
  EngineParameters parameters = usual_parameters();
  parameters.gate.price_band_percent = 5;
  Engine engine(parameters);
  EXPECT_EQ(ending(engine, agg_trade({.id = 5})), kTrade);
  EXPECT_EQ(ending(engine, trade({.id = 5})), kTrade);
  EXPECT_EQ(ending(engine, agg_trade({.id = 6, .price = "0"})), "dropped/bad_number") << "5, 7";
  EXPECT_EQ(ending(engine, agg_trade({.id = 5})), "ignored/other_source") << "7, 8";
  EXPECT_EQ(ending(engine, agg_trade().without("a")), "ignored/other_source") << "7, 8";
  EXPECT_EQ(ending(engine, agg_trade({.id = 6, .price = "900"})), "ignored/other_source") << "7, 9";
  EXPECT_EQ(ending(engine, trade({.id = 5, .price = "900"})), "dropped/out_of_order") << "8, 9";
  EXPECT_EQ(ending(engine, trade({.id = 6, .price = "900"})), kOutlier);
}

TEST(IntakeOrder, OutOfOrderIsAskedAfterWhatTheEventSaysOfItself) {
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
  EXPECT_EQ(table.capacity(), 3U);
  EXPECT_EQ(table.size(), 2U) << "named twice, known once";
  EXPECT_FALSE(table.can_add());
  EXPECT_EQ(table.find("BTCUSDT"), 0U);
  EXPECT_EQ(table.find("ethUSDT"), 1U);
  EXPECT_EQ(table.find("BNBUSDT"), std::nullopt);
  EXPECT_EQ(table.find("BTCUSD"), std::nullopt);
  EXPECT_EQ(table.find(""), std::nullopt);
}

TEST(SymbolTable, GivesANumberToAnotherSymbol) {
  SymbolTable table({});
  EXPECT_TRUE(table.is_open());
  table.add(*Symbol::from("BTCUSDT"));
  table.add(*Symbol::from("ETHUSDT"));
  table.replace(0, *Symbol::from("XRPUSDT"));
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.at(0).text(), "XRPUSDT");
  EXPECT_EQ(table.find("xrpusdt"), 0U);
  EXPECT_EQ(table.find("BTCUSDT"), std::nullopt);
  EXPECT_EQ(table.find("ETHUSDT"), 1U);
  table.replace(1, *Symbol::from("BTCUSDT"));
  EXPECT_EQ(table.find("BTCUSDT"), 1U);
  EXPECT_FALSE(SymbolTable(symbols({"BTCUSDT"})).is_open());
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
