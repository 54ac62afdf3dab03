// What others say to us as JSON. The streams' answers are what nats-server 2.9.10 sent, byte for
// byte; the rest is what anybody might send.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/trading/order.hpp>
#include <rts/wire/answer.hpp>

namespace rts::wire {
namespace {

// The answer in words, so that a test reads like a table.
std::string answer(std::string_view payload) {
  const auto parsed = parse_answer(payload);
  if (!parsed) return "unreadable";
  if (const auto* ack = std::get_if<PubAck>(&*parsed)) {
    return "stored " + ack->stream + " " + std::to_string(ack->sequence) +
           (ack->duplicate ? " duplicate" : "");
  }
  if (const auto* error = std::get_if<StreamError>(&*parsed)) {
    return "refused " + std::to_string(error->code) + " " + error->description;
  }
  const auto& status = std::get<EngineStatus>(*parsed);
  return "status " + status.status +
         (status.result_status.empty() ? "" : ", result " + status.result_status) +
         (status.reason.empty() ? "" : ": " + status.reason) + (status.refused ? " (refused)" : "");
}

std::string control(std::string_view payload) {
  const auto command = parse_control(payload);
  if (!command) return "nothing";
  return std::string(command->pause ? "pause " : "resume ") +
         (command->strategy ? std::string(to_string(*command->strategy)) : "all");
}

// An object of so many bytes that says `accepted`.
std::string padded_status(std::size_t bytes) {
  std::string text = R"({"status":"accepted","pad":"")";
  text.insert(text.size() - 1, bytes - text.size() - 1, 'x');
  return text + "}";
}

std::string nested(std::size_t levels) {
  return R"({"status":"accepted","deep":)" + std::string(levels, '[') + std::string(levels, ']') +
         "}";
}

// --- Answers as nats-server sends them -------------------------------------------------------

TEST(Answer, ReadsThatAStreamHasStored) {
  EXPECT_EQ(answer(R"({"stream":"ORDERS", "seq":1})"), "stored ORDERS 1");
}

TEST(Answer, ReadsThatAStreamHasItAlready) {
  EXPECT_EQ(answer(R"({"stream":"ORDERS", "seq":1,"duplicate": true})"),
            "stored ORDERS 1 duplicate");
}

// They carry the stream's name and a sequence too, and are no acknowledgement for that.
TEST(Answer, ReadsThatAStreamRefuses) {
  EXPECT_EQ(answer(R"({"error":{"code":503,"err_code":10077,"description":"maximum messages )"
                   R"(exceeded"},"stream":"ORDERS","seq":0})"),
            "refused 10077 maximum messages exceeded");
  EXPECT_EQ(answer(R"({"error":{"code":400,"err_code":10054,"description":"message size exceeds )"
                   R"(maximum allowed"},"stream":"ORDERS","seq":0})"),
            "refused 10054 message size exceeds maximum allowed");
  EXPECT_EQ(answer(R"({"error":{"code":400,"err_code":10060,"description":"expected stream does )"
                   R"(not match"},"stream":"ORDERS","seq":0})"),
            "refused 10060 expected stream does not match");
  EXPECT_EQ(answer(R"({"error":{"code":400,"err_code":10109,"description":"invalid operation on )"
                   R"(sealed stream"},"stream":"ORDERS","seq":0})"),
            "refused 10109 invalid operation on sealed stream");
}

TEST(Answer, OfTheSequencesTakesAllOfSixtyFourBitsButZero) {
  EXPECT_EQ(answer(R"({"stream":"S","seq":18446744073709551615})"),
            "stored S 18446744073709551615");
  EXPECT_EQ(answer(R"({"stream":"S","seq":0})"), "unreadable");
  EXPECT_EQ(answer(R"({"stream":"S"})"), "unreadable");
}

TEST(Answer, AnErrorWithoutItsOwnCodeHasTheGeneralOne) {
  EXPECT_EQ(answer(R"({"error":{"code":503,"description":"no quorum"}})"), "refused 503 no quorum");
  EXPECT_EQ(answer(R"({"error":{"code":503,"err_code":0}})"), "refused 503 ");
  EXPECT_EQ(answer(R"({"error":{}})"), "refused 0 ");
  EXPECT_EQ(answer(R"({"error":{"code":-1,"err_code":"10077","description":7}})"), "refused 0 ");
}

// --- Answers of a TradeEngine ----------------------------------------------------------------

TEST(Answer, ReadsTheStatusOfAnEngine) {
  EXPECT_EQ(answer(R"({"status":"accepted"})"), "status accepted");
  EXPECT_EQ(answer(R"({"status":""})"), "status ");
  EXPECT_EQ(answer("\r\n\t {\"status\" : \"accepted\" } \n"), "status accepted");
}

TEST(Answer, SkipsKeysItDoesNotKnow) {
  EXPECT_EQ(answer(R"({"order_id":"x","fills":[{"p":1.5}],"status":"accepted","at":null})"),
            "status accepted");
  EXPECT_EQ(answer(R"({"domain":"hub","stream":"S","seq":7,"val":"1"})"), "stored S 7");
}

// Its dispatcher wraps what it decided; what cannot be read it answers flatly.
TEST(Answer, ReadsWhatTheTradeEngineRefuses) {
  EXPECT_EQ(answer(R"({"status":"processed","signal_id":"orderbook_skew",)"
                   R"("result":{"status":"rejected","reason":"confidence below 0.6"}})"),
            "status processed, result rejected: confidence below 0.6 (refused)");
  EXPECT_EQ(answer(R"({"status": "error", "error": "1 validation error for Signal"})"),
            "status error: 1 validation error for Signal (refused)");
  EXPECT_EQ(answer(R"({"status":"processed","result":{"status":"executed"}})"),
            "status processed, result executed");
}

TEST(Answer, RefusesAtEitherPlaceInThreeWordsOfAnyCase) {
  for (const std::string word : {"rejected", "error", "failed", "REJECTED", "Error", "fAILED"}) {
    EXPECT_EQ(answer(R"({"status":")" + word + "\"}"), "status " + word + " (refused)");
    EXPECT_EQ(answer(R"({"status":"processed","result":{"status":")" + word + "\"}}"),
              "status processed, result " + word + " (refused)");
  }
  EXPECT_EQ(answer(R"({"status":"rejected","result":{"status":"executed"}})"),
            "status rejected, result executed (refused)");
}

TEST(Answer, AnyOtherWordConfirms) {
  for (const std::string word :
       {"", "processed", "accepted", "reject", "rejected ", " rejected", "rejectedx", "errors",
        "not failed", "fail", "ok", "r\xC3\xABjected"}) {
    EXPECT_EQ(answer(R"({"status":")" + word + "\"}"), "status " + word) << word;
  }
}

// What is shown is cut; what is compared is not.
TEST(Answer, AWordThatOnlyBeginsLikeARefusalConfirms) {
  const std::string word = "rejected" + std::string(300, 'x');
  EXPECT_EQ(answer(R"({"status":")" + word + "\"}"), "status " + word.substr(0, 200));
}

TEST(Answer, AStatusMayBeEscaped) {
  EXPECT_EQ(answer(R"({"st\u0061tus":"\u0072ejected"})"), "status rejected (refused)");
  EXPECT_EQ(answer(R"({"status":"ok","result":{"st\u0061tus":"f\u0061iled"}})"),
            "status ok, result failed (refused)");
}

TEST(Answer, AResultThatSaysNothingIsPassedOver) {
  for (const char* result : {"null", "7", "true", R"("rejected")", R"(["rejected"])", "{}",
                             R"({"status":null})", R"({"status":7})", R"({"status":["rejected"]})",
                             R"({"result":{"status":"rejected"}})", R"({"Status":"rejected"})"}) {
    EXPECT_EQ(answer(R"({"status":"processed","result":)" + std::string(result) + "}"),
              "status processed")
        << result;
  }
}

// A status that is no text says nothing; what its neighbour says still counts.
TEST(Answer, AResultAloneIsTheTradeEnginesWord) {
  for (const char* status : {"", R"("status":null,)", R"("status":7,)", R"("status":{},)"}) {
    const std::string begin = "{" + std::string(status);
    EXPECT_EQ(answer(begin + R"("result":{"status":"rejected"}})"),
              "status , result rejected (refused)");
    EXPECT_EQ(answer(begin + R"("result":{"status":"executed"}})"), "status , result executed");
    EXPECT_EQ(answer(begin + R"("result":{"reason":"x"}})"), "unreadable");
  }
}

TEST(Answer, TheReasonIsTheResultsOwnAndTheFirstOfThree) {
  EXPECT_EQ(answer(R"({"status":"a","error":"e","message":"m","reason":"r"})"), "status a: r");
  EXPECT_EQ(answer(R"({"status":"a","error":"e","message":"m"})"), "status a: m");
  EXPECT_EQ(answer(R"({"status":"a","error":"e"})"), "status a: e");
  EXPECT_EQ(answer(R"({"reason":"r","status":"a","result":{"status":"b","error":"e"}})"),
            "status a, result b: e");
  EXPECT_EQ(answer(R"({"reason":"r","status":"a","result":{"status":"b","error":7}})"),
            "status a, result b: r");
  EXPECT_EQ(answer(R"({"status":"a","reason":"","message":null,"error":{"message":"m"}})"),
            "status a");
}

// A text log goes to a terminal, which takes some of them for commands.
TEST(Answer, ShowsNoControlCharacters) {
  EXPECT_EQ(answer(R"({"status":"a\u0000b\nc","reason":"\u001b[2J\u007f\u009bm\u00a0ü"})"),
            "status a b c:  [2J   m\xC2\xA0ü");
  EXPECT_EQ(answer(R"({"stream":"S\u0007","seq":7})"), "stored S  7");
}

TEST(Answer, AnErrorThatIsNoObjectHidesNothing) {
  EXPECT_EQ(answer(R"({"error":null,"status":"accepted"})"), "status accepted");
  EXPECT_EQ(answer(R"({"error":"none","stream":"S","seq":7})"), "stored S 7");
  EXPECT_EQ(answer(R"({"error":"failed"})"), "unreadable");
}

// --- Anything else ---------------------------------------------------------------------------

TEST(Answer, WrongTypesAreUnreadable) {
  for (const char* payload : {R"({"stream":7,"seq":7})",
                              R"({"stream":null,"seq":7})",
                              R"({"stream":["S"],"seq":7})",
                              R"({"stream":"S","seq":"7"})",
                              R"({"stream":"S","seq":-7})",
                              R"({"stream":"S","seq":7.0})",
                              R"({"stream":"S","seq":null})",
                              R"({"stream":"S","seq":[7]})",
                              R"({"status":7})",
                              R"({"status":null})",
                              R"({"status":{"status":"accepted"}})",
                              R"({"Status":"accepted"})",
                              R"({"data":{"status":"accepted"}})",
                              R"([{"status":"accepted"}])",
                              R"("accepted")",
                              "7",
                              "null",
                              "true",
                              "{}",
                              "[]"}) {
    EXPECT_EQ(answer(payload), "unreadable") << payload;
  }
}

TEST(Answer, OnlyTrueIsADuplicate) {
  for (const char* duplicate : {"false", "null", "1", "\"true\"", "[true]"}) {
    const std::string payload =
        R"({"stream":"S","seq":7,"duplicate":)" + std::string(duplicate) + "}";
    EXPECT_EQ(answer(payload), "stored S 7") << payload;
  }
}

TEST(Answer, WhatIsNotOneWholeDocumentIsUnreadable) {
  for (const char* payload :
       {"", " ", "\n", "+OK", "accepted", "{", R"({"status":"accepted")", R"({"status":"accepted)",
        R"({"status":"accepted"}})", R"({"status":"accepted"}{"status":"accepted"})",
        R"({"status":"accepted"} x)", R"({'status':'accepted'})", R"({"status":"accepted",})",
        R"({"status" "accepted"})", "{\"status\":\"a\nb\"}", "\xEF\xBB\xBF{\"status\":\"a\"}"}) {
    EXPECT_EQ(answer(payload), "unreadable") << payload;
    EXPECT_EQ(control(payload), "nothing") << payload;
  }
  EXPECT_EQ(answer({"{\"status\":\"a\"}\0", 15}), "unreadable");
  EXPECT_EQ(answer({"\0", 1}), "unreadable");
}

// Found by this test under UBSan: simdjson copies from a null pointer.
TEST(Answer, APayloadWithoutAnAddressIsUnreadable) {
  EXPECT_EQ(answer(std::string_view{}), "unreadable");
  EXPECT_EQ(control(std::string_view{}), "nothing");
}

// The bytes behind the payload are not its own: here a sanitizer sees whoever looks at them.
TEST(Answer, ReadsNotAByteBeyondThePayload) {
  constexpr std::string_view kText = R"({"status":"accepted"})";
  for (std::size_t size = 0; size <= kText.size(); ++size) {
    const std::vector<char> exact(kText.begin(), kText.begin() + static_cast<long>(size));
    EXPECT_EQ(answer({exact.data(), exact.size()}),
              size == kText.size() ? "status accepted" : "unreadable");
  }
}

TEST(Answer, OfSixtyFourKibibytesIsReadAndOneByteMoreIsNot) {
  EXPECT_EQ(padded_status(kMaxAnswerBytes).size(), kMaxAnswerBytes);
  EXPECT_EQ(answer(padded_status(65'536)), "status accepted");
  EXPECT_EQ(answer(padded_status(65'537)), "unreadable");
  const std::string blanks(65'536, ' ');
  EXPECT_EQ(control(R"({"command":"pause"})" + blanks.substr(19)), "pause all");
  EXPECT_EQ(control(R"({"command":"pause"})" + blanks.substr(18)), "nothing");
  EXPECT_TRUE(parse_pause(R"({"paused":true})" + blanks.substr(15)));
  EXPECT_FALSE(parse_pause(R"({"paused":true})" + blanks.substr(14)));
  EXPECT_NE(order_text(R"({"symbol":"X"})" + blanks.substr(14)).substr(0, 8), "no order");
  EXPECT_EQ(order_text(R"({"symbol":"X"})" + blanks.substr(13)).substr(0, 8), "no order");
}

TEST(Answer, DeepNestingIsRefusedAndNeverOverflows) {
  EXPECT_EQ(answer(nested(100)), "status accepted");
  EXPECT_EQ(answer(nested(2000)), "unreadable");
  EXPECT_EQ(answer(nested(32'000)), "unreadable");
  EXPECT_EQ(answer(std::string(65'536, '[')), "unreadable");
  EXPECT_EQ(control(std::string(65'536, '{')), "nothing");
}

TEST(Answer, TextThatIsNotUtf8IsUnreadable) {
  for (const char* text : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_EQ(answer("{\"status\":\"" + std::string(text) + "\"}"), "unreadable");
    EXPECT_EQ(answer("{\"status\":\"accepted\",\"" + std::string(text) + "\":1}"), "unreadable");
    EXPECT_EQ(control("{\"command\":\"pause\",\"x\":\"" + std::string(text) + "\"}"), "nothing");
  }
  for (const char* text : {R"(\ud800)", R"(\udc00)", R"(\ud800\u0041)", R"(\u12)", R"(\x)"}) {
    EXPECT_EQ(answer("{\"status\":\"" + std::string(text) + "\"}"), "unreadable") << text;
  }
  EXPECT_EQ(answer(R"({"status":"\ud83d\ude00\u0000\n"})"), "status \xF0\x9F\x98\x80  ");
}

TEST(Answer, NumbersBeyondTheirTypesAreUnreadable) {
  for (const char* number : {"18446744073709551616", "-9223372036854775809", "1e400", "01", "+1",
                             "1.", ".5", "NaN", "Infinity", "0x10"}) {
    EXPECT_EQ(answer(R"({"stream":"S","seq":)" + std::string(number) + "}"), "unreadable")
        << number;
  }
  EXPECT_EQ(answer(R"({"stream":"S","seq":7,"cost":1e300,"tiny":1e-400})"), "stored S 7");
}

TEST(Answer, OfDuplicateKeysTheFirstCounts) {
  EXPECT_EQ(answer(R"({"status":"accepted","status":"rejected"})"), "status accepted");
  EXPECT_EQ(answer(R"({"status":"rejected","status":"accepted"})"), "status rejected (refused)");
  EXPECT_EQ(answer(R"({"status":"a","result":{"status":"b","status":"failed"},"result":null})"),
            "status a, result b");
  EXPECT_EQ(answer(R"({"stream":"S","seq":7,"seq":8,"duplicate":false,"duplicate":true})"),
            "stored S 7");
  EXPECT_EQ(answer(R"({"error":{"code":1,"code":2},"error":{"code":3}})"), "refused 1 ");
}

// --- Long texts ------------------------------------------------------------------------------

TEST(Answer, CutsEveryTextThatIsShown) {
  const std::string whole(kMaxAnswerTextBytes, 'a');
  EXPECT_EQ(whole.size(), 200U);
  for (const char* rest : {"", "a", "aa"}) {
    const std::string text = whole + rest;
    EXPECT_EQ(answer(R"({"status":")" + text + "\"}"), "status " + whole);
    EXPECT_EQ(answer(R"({"stream":")" + text + R"(","seq":7})"), "stored " + whole + " 7");
    EXPECT_EQ(answer(R"({"error":{"description":")" + text + "\"}}"), "refused 0 " + whole);
  }
}

// Each character begins so many bytes before the limit as the row says.
TEST(Answer, CutsWhereACharacterEnds) {
  struct Row {
    std::string_view character;
    std::size_t before;
    bool kept;
  };
  for (const Row& row : {Row{"ü", 1, false}, Row{"ü", 2, true}, Row{"€", 1, false},
                         Row{"€", 2, false}, Row{"€", 3, true}, Row{"😀", 1, false},
                         Row{"😀", 2, false}, Row{"😀", 3, false}, Row{"😀", 4, true}}) {
    std::string expected(kMaxAnswerTextBytes - row.before, 'a');
    const std::string text = expected + std::string(row.character) + "bb";
    if (row.kept) expected += row.character;
    ASSERT_GT(text.size(), kMaxAnswerTextBytes);
    EXPECT_EQ(answer(R"({"status":")" + text + "\"}"), "status " + expected)
        << row.character << " " << row.before;
  }
}

// --- Control ---------------------------------------------------------------------------------

TEST(Control, PausesAndResumesAll) {
  EXPECT_EQ(control(R"({"command":"pause"})"), "pause all");
  EXPECT_EQ(control(R"({"command":"resume"})"), "resume all");
  EXPECT_EQ(control(R"({"command":"pause","strategy":null})"), "pause all");
  EXPECT_EQ(control(R"({"command":"resume","strategy":null})"), "resume all");
  EXPECT_EQ(control(R"({"command":"pause","strategy":"all"})"), "pause all");
  EXPECT_EQ(control(R"({"command":"resume","strategy":"all"})"), "resume all");
}

TEST(Control, PausesAndResumesEachStrategy) {
  for (const char* name : {"orderbook_skew", "trade_momentum", "ticker_velocity"}) {
    const std::string strategy(name);
    EXPECT_EQ(control(R"({"command":"pause","strategy":")" + strategy + "\"}"),
              "pause " + strategy);
    EXPECT_EQ(control(R"({"strategy":")" + strategy + R"(","by":"me","command":"resume"})"),
              "resume " + strategy);
  }
}

// Least of all a command for all.
TEST(Control, ForAStrategyThatWeDoNotHaveIsNoCommand) {
  for (const char* strategy :
       {R"("")", R"("All")", R"("*")", R"("orderbook")", R"("orderbook_skew ")",
        R"("ORDERBOOK_SKEW")", R"("orderbook_skew\u0000")", "0", "1.5", "true", "false", "[]",
        R"(["orderbook_skew"])", "{}", R"({"name":"orderbook_skew"})"}) {
    for (const char* command : {"pause", "resume"}) {
      const std::string payload =
          R"({"command":")" + std::string(command) + R"(","strategy":)" + strategy + "}";
      EXPECT_EQ(control(payload), "nothing") << payload;
    }
  }
}

TEST(Control, WhatIsNoCommandIsNothing) {
  for (const char* payload :
       {"{}", R"({"command":""})", R"({"command":"stop"})", R"({"command":"PAUSE"})",
        R"({"command":"pause "})", R"({"command":"paused"})", R"({"command":"pause\u0000"})",
        R"({"command":null})", R"({"command":true})", R"({"command":1})",
        R"({"command":["pause"]})", R"({"command":{"command":"pause"}})", R"({"Command":"pause"})",
        R"({"pause":true})", R"({"strategy":"orderbook_skew"})", R"(["pause"])", R"("pause")",
        "pause", "null"}) {
    EXPECT_EQ(control(payload), "nothing") << payload;
  }
}

TEST(Control, OfDuplicateKeysTheFirstCounts) {
  EXPECT_EQ(control(R"({"command":"pause","command":"resume"})"), "pause all");
  EXPECT_EQ(control(R"({"command":"stop","command":"resume"})"), "nothing");
  EXPECT_EQ(control(R"({"command":"resume","strategy":"trade_momentum","strategy":null})"),
            "resume trade_momentum");
}

TEST(Control, KeysMayBeEscaped) {
  EXPECT_EQ(control(R"({"comm\u0061nd":"p\u0061use"})"), "pause all");
}

TEST(Pause, IsForAllOrForOneStrategy) {
  struct PauseCase {
    std::string_view json;
    bool pause;
    std::optional<StrategyId> strategy;
  };
  for (const PauseCase& c : std::vector<PauseCase>{
           {R"({"paused":true,"reason":"x","by":"me","at":"2026-11-28T07:00:00Z"})", true, {}},
           {R"({"paused":false,"strategy":null})", false, {}},
           {R"({"strategy":"trade_momentum","paused":true})", true, StrategyId::trade_momentum},
       }) {
    const auto read = parse_pause(c.json);
    ASSERT_TRUE(read) << c.json;
    EXPECT_EQ(read->pause, c.pause) << c.json;
    EXPECT_EQ(read->strategy, c.strategy) << c.json;
  }
  for (const std::string_view odd : {"", "{}", "[]", R"({"paused":1})", R"({"paused":"true"})",
                                     R"({"paused":null})", R"({"paused":true,"strategy":"grid"})",
                                     R"({"paused":true,"strategy":7})", R"({"command":"pause"})"}) {
    EXPECT_FALSE(parse_pause(odd)) << odd;
  }
}

Order an_order() {
  Order order;
  order.id = make_order_id("trade_momentum|ETHUSDT|SELL|1721346300000");
  order.symbol = "ETHUSDT";
  order.strategy = StrategyId::trade_momentum;
  order.signal.side = Side::sell;
  order.protection = Protection{};
  order.at = UnixMs(std::chrono::milliseconds(1'721'346'300'123));
  order.valid_until = order.at + std::chrono::seconds(5);
  return order;
}

TEST(CountedOrder, ReadsAnOrderOfEitherFormatAsItWasWritten) {
  for (const OrderFormat format : all_of<OrderFormat>) {
    const Order order = an_order();
    std::string json;
    append_json(json, order, format);
    const auto read = parse_counted_order(json);
    ASSERT_TRUE(read) << json;
    EXPECT_EQ(read->id, order.id);
    EXPECT_EQ(read->strategy, order.strategy);
    EXPECT_EQ(read->side, order.signal.side);
    EXPECT_EQ(read->symbol.text(), order.symbol);
    EXPECT_EQ(read->at, order.at);
  }
}

TEST(CountedOrder, WhatIsNoOrderOfOursIsNone) {
  constexpr std::string_view kOurs =
      R"({"order_id":"3eade307-080f-5c00-98c4-764ac65bee94","symbol":"ETHUSDT","side":"BUY",)"
      R"("strategy_name":"trade_momentum","timestamp":"2024-07-19T00:03:11.109+00:00"})";
  ASSERT_TRUE(parse_counted_order(kOurs));
  const std::string padded = std::string(kOurs) + std::string(kMaxAnswerBytes - kOurs.size(), ' ');
  EXPECT_TRUE(parse_counted_order(padded));
  EXPECT_FALSE(parse_counted_order(padded + " "));
  const auto with = [&](std::string_view old, std::string_view other) {
    std::string text(kOurs);
    return text.replace(text.find(old), old.size(), other);
  };
  for (const std::string& text : std::vector<std::string>{
           "", "{}", "[]", "null", "hello", "\xFF\xFE", with("3eade307", "3eade30"),
           with("\"order_id\"", "\"uuid\""), with("ETHUSDT", ""),
           with("ETHUSDT", std::string(64, 'A')), with("ETHUSDT", "ETH USDT"),
           with("\"BUY\"", "\"HOLD\""), with("\"BUY\"", "1"), with("trade_momentum", "grid"),
           with("2024-07-19T", "19/07/2024 "),
           with("2024-07-19T00:03:11.109", "1970-01-01T00:00:00.000"),
           with("\"2024-07-19T00:03:11.109+00:00\"", "null"), std::string(kOurs) + "x",
           std::string(70'000, ' ') + std::string(kOurs)}) {
    EXPECT_FALSE(parse_counted_order(text)) << text.substr(0, 200);
  }
  EXPECT_TRUE(parse_counted_order(with("2024-07-19T00:03:11.109", "1970-01-01T00:00:00.001")));
}

}  // namespace
}  // namespace rts::wire
