// The status document: what the page and `top` are told, in each state that a person asks about.
#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>
#include <rts/wire/json_compare.hpp>

#include "service/status.hpp"
#include "support/endings.hpp"
#include "support/engine_run.hpp"
#include "support/frames.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using service::State;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using Texts = std::vector<std::string>;

// A service that is connected and ready, ten seconds old, and has just evaluated a book.
class Told {
 public:
  explicit Told(const std::vector<config::Given>& settings = {})
      : configuration_(configured(settings)),
        engine_(usual_parameters()),
        counts(engine_.symbols()) {
    hear(book_frame({}));
  }

  void hear(const std::string& frame) {
    counts.add(engine_.step(frame, std::nullopt), UnixNs(now), at);
  }
  [[nodiscard]] State state() {
    State state{.configuration = configuration_, .counts = counts, .at = at, .now = now};
    state.id = "me";
    state.settings_hash = "hash";
    state.nats.connected = state.nats.subscribed = state.nats.answering = true;
    state.nats.takes_headers = true;
    state.uptime = 10s;
    state.enabled.fill(true);
    return state;
  }
  [[nodiscard]] static Texts notices(const State& state) {
    Texts texts;
    for (const auto& [what, text] : state.notices()) {
      texts.push_back(fmt::format("{}: {}", to_string(what), text));
    }
    return texts;
  }
  [[nodiscard]] static std::string document(const State& state,
                                            std::string_view watched = "BTCUSDT") {
    std::string document = status_document(state, Symbol::from(watched));
    EXPECT_TRUE(wire::json_differences(document, document).empty()) << document;
    return document;
  }

 private:
  const config::Configuration configuration_;
  Engine engine_;

 public:
  service::Counts counts;
  UnixMs now{std::chrono::sys_days(std::chrono::year(2024) / 7 / 19)};
  service::SteadyTime at{1h};
};

constexpr std::string_view kTrading = R"("trading":true)";
constexpr std::string_view kNotTrading = R"("trading":false)";

// --- Is it trading? -----------------------------------------------------------------------------

TEST(StatusDocument, HasNothingToSayOfAServiceThatTrades) {
  Told told;
  EXPECT_THAT(Told::notices(told.state()), IsEmpty());
  EXPECT_THAT(Told::document(told.state()),
              AllOf(HasSubstr(kTrading), HasSubstr(R"("notices":[])")));
}

TEST(StatusDocument, NamesEachCheckThatFails) {
  Told told;
  State state = told.state();
  state.nats = {};
  state.nats.last_error = "refused";
  EXPECT_THAT(Told::notices(state),
              ElementsAre("not_ready: nats_connected: not connected: refused",
                          StartsWith("not_ready: subscribed: not subscribed"),
                          "not_ready: order_path: no connection to publish on"));
  EXPECT_THAT(Told::document(state), HasSubstr(kNotTrading));
}

// "No order leaves" may only be said where none would be tried.
TEST(StatusDocument, TellsWhatFailsFromWhatHoldsOrdersBack) {
  Told told;
  State state = told.state();
  state.delivery.path_problem = "nobody listens on tradeengine.orders";
  EXPECT_THAT(Told::notices(state),
              ElementsAre("impaired: order_path: nobody listens on tradeengine.orders"));
  EXPECT_THAT(Told::document(state), HasSubstr(kTrading)) << "the next order is tried";
  state.delivery.breaker = BreakerState::half_open;
  EXPECT_THAT(Told::notices(state),
              ElementsAre(StartsWith("impaired: "), StartsWith("impaired: ")));
  EXPECT_THAT(Told::document(state), HasSubstr(kTrading)) << "so is a probe";
  state.control_log = {.problem = "the settings are refused: …"};
  EXPECT_THAT(Told::document(state), HasSubstr(kTrading)) << "those before hold";
  state.delivery.held_by = "the control log has not been read";
  EXPECT_THAT(Told::notices(state), testing::Each(StartsWith("not_ready: ")));
  EXPECT_THAT(Told::document(state), HasSubstr(kNotTrading));
  State deaf = told.state();
  deaf.nats.takes_headers = false;
  EXPECT_THAT(Told::document(deaf), HasSubstr(kNotTrading)) << "no order can be told apart there";
  State full = told.state();
  full.nats.buffered_bytes = service::kMaxUnsentOrderBytes;
  EXPECT_THAT(Told::document(full), HasSubstr(kNotTrading));
}

TEST(StatusDocument, SaysThatItDrains) {
  Told told;
  State state = told.state();
  state.draining = true;
  EXPECT_THAT(Told::notices(state), ElementsAre("draining: it is shutting down"));
  EXPECT_THAT(Told::document(state), HasSubstr(kNotTrading));
}

TEST(StatusDocument, SaysWhoPausesAllAndWhoOne) {
  Told told;
  State state = told.state();
  using enum History::Switch;
  state.paused[index_of(StrategyId::trade_momentum)] = true;
  told.counts.history.add_pause(process, StrategyId::trade_momentum, true, "SIGUSR1");
  EXPECT_THAT(Told::notices(state),
              ElementsAre("strategy_paused: trade_momentum is paused by SIGUSR1"));
  EXPECT_THAT(Told::document(state),
              AllOf(HasSubstr(kTrading), HasSubstr(R"("paused":true,"paused_by":"SIGUSR1")")));
  state.paused.fill(true);
  told.counts.history.add_pause(control_log, std::nullopt, true, "me: maintenance");
  EXPECT_THAT(Told::notices(state),
              ElementsAre("paused: paused by SIGUSR1; me: maintenance, me: maintenance"));
  EXPECT_THAT(Told::document(state), HasSubstr(kNotTrading));
  // Of those that are switched off it does not matter.
  state.paused[index_of(StrategyId::ticker_velocity)] = false;
  state.enabled[index_of(StrategyId::ticker_velocity)] = false;
  EXPECT_THAT(Told::notices(state), ElementsAre(StartsWith("paused: ")));
  state.enabled.fill(false);
  EXPECT_THAT(Told::notices(state), ElementsAre("disabled: every strategy is switched off"));
  EXPECT_THAT(Told::document(state), HasSubstr(kNotTrading));
}

TEST(StatusDocument, SaysThatItOnlyRehearses) {
  Told told(std::vector<config::Given>{{"DRY_RUN_MODE", "true"}});
  EXPECT_THAT(Told::notices(told.state()), ElementsAre(StartsWith("dry_run: ")));
  EXPECT_THAT(Told::document(told.state()), HasSubstr(kNotTrading));
}

TEST(StatusDocument, SaysThatTheMarketIsMadeUpForAsLongAsItIs) {
  Told told;
  told.hear(R"({"stream":"x","source":"simulation","data":{"e":"depthUpdate"}})");
  EXPECT_THAT(Told::notices(told.state()), IsEmpty()) << "nothing is decided by it";
  told.hear(R"({"stream":"btcusdt@trade","source":"simulation","data":)" + trade({}).json() + "}");
  EXPECT_THAT(Told::notices(told.state()), ElementsAre(StartsWith("simulated_feed: ")));
  EXPECT_THAT(Told::document(told.state()), HasSubstr(kTrading)) << "orders leave all the same";
  told.at += 60s;
  EXPECT_THAT(Told::notices(told.state()),
              ElementsAre(StartsWith("simulated_feed: "), StartsWith("no_feed: ")));
  told.at += 1s;
  EXPECT_THAT(Told::notices(told.state()), ElementsAre(StartsWith("no_feed: ")));
}

TEST(StatusDocument, SaysThatNothingComes) {
  Told told;
  told.at += 10s;
  EXPECT_THAT(Told::notices(told.state()), IsEmpty());
  told.at += 1s;
  EXPECT_THAT(Told::notices(told.state()),
              ElementsAre("no_feed: nothing to decide on has come for 11 s"));
  const Told fresh;
  const service::Counts none(fresh.counts.symbols);
  State state = told.state();
  State silent{.configuration = state.configuration, .counts = none};
  silent.enabled.fill(true);
  EXPECT_THAT(Told::notices(silent),
              testing::Contains("no_feed: nothing to decide on has come since the start"));
}

TEST(StatusDocument, SaysThatAKindIsMissingWhileOthersCome) {
  Told told;
  State state = told.state();
  state.uptime = 31s;
  EXPECT_THAT(Told::notices(state),
              ElementsAre("strategy_silent: no trade has come since the start: trade_momentum "
                          "decides nothing",
                          "strategy_silent: no ticker has come since the start: ticker_velocity "
                          "decides nothing"));
  EXPECT_THAT(Told::document(state), HasSubstr(kTrading));
  told.at += 31s;
  told.hear(trade({}).json());
  State later = told.state();
  EXPECT_THAT(Told::notices(later), ElementsAre("strategy_silent: no book has come for 31 s: "
                                                "orderbook_skew decides nothing"));
  // What no strategy needs is not missed, nor does it count.
  later.enabled = {true, false, false};
  EXPECT_THAT(Told::notices(later), ElementsAre("no_feed: nothing to decide on has come for 31 s"));
}

// --- Is the feed alive? -------------------------------------------------------------------------

TEST(StatusDocument, HasTheRatesOfWholePartsSinceTheStart) {
  Told told;
  told.at += 5s;
  EXPECT_THAT(Told::document(told.state()),
              HasSubstr(R"("rates":{"seconds":5,"book":[0,0.2],"trade":[0,0],"ticker":[0,0]})"));
  State state = told.state();
  state.uptime = 4s;
  EXPECT_THAT(Told::document(state), HasSubstr(R"("book":[],"trade":[],"ticker":[])"));
  told.at += 3s;
  state.at = told.at;
  state.uptime = 7s;
  EXPECT_THAT(Told::document(state), HasSubstr(R"("book":[],)")) << "4 s of 5 are none";
  state.uptime = 8s;
  EXPECT_THAT(Told::document(state), HasSubstr(R"("book":[0.2],)"));
  state.uptime = 24h;
  const std::string document = Told::document(state);
  const std::size_t from = document.find("\"book\":["), to = document.find(']', from);
  const std::string rates = document.substr(from, to - from);
  EXPECT_EQ(std::ranges::count(rates, ','), 179) << "a quarter of an hour";
}

TEST(StatusDocument, HasTheAgeOfEachSymbolAndKind) {
  Told told;
  told.at += 1500ms;
  told.hear(trade({.symbol = "ETHUSDT"}).json());
  told.at += 250ms;
  EXPECT_THAT(Told::document(told.state()),
              AllOf(HasSubstr(R"({"symbol":"BTCUSDT","book":1.75,"trade":null,"ticker":null})"),
                    HasSubstr(R"({"symbol":"ETHUSDT","book":null,"trade":0.25,"ticker":null})")));
}

TEST(StatusDocument, CountsWhatWasNotEvaluated) {
  Told told;
  told.hear("no frame");
  told.hear(R"({"result":null,"id":1})");
  EXPECT_THAT(Told::document(told.state()),
              HasSubstr(R"("reasons":{"ignored/control":1,"dropped/malformed":1})"));
}

// --- What did it do, and why not? ---------------------------------------------------------------

TEST(StatusDocument, HasOfTheWatchedSymbolTheFunnelAndTheLastDecision) {
  Told told;
  const std::string document = Told::document(told.state());
  EXPECT_THAT(document, HasSubstr(R"("symbol":"BTCUSDT","strategies":{"orderbook_skew":{)"));
  EXPECT_THAT(document, HasSubstr(R"("last":{"number":1,)"));
  EXPECT_THAT(document, HasSubstr(R"("minute":{"since":"2024-07-18T23:59:50.000Z","outcomes":{")"))
      << "not before the start";
  EXPECT_THAT(document,
              HasSubstr(R"(":1},"events":1},"hour":{"since":"2024-07-18T23:59:50.000Z")"));
  EXPECT_THAT(document, HasSubstr(R"("last":null,"minute":null,"hour":null})"))
      << "of strategies that have seen nothing";
  EXPECT_THAT(Told::document(told.state(), "ETHUSDT"), Not(HasSubstr(R"("last":{)")));
}

TEST(StatusDocument, CountsAnOrderWhenItIsMadeAndWhenItsEndIsKnown) {
  Told told;
  told.hear(book_frame({.id = 2, .bids = {{"100", "30"}}, .asks = {{"100.2", "1"}}}));
  EXPECT_THAT(Told::document(told.state()),
              HasSubstr(R"("orders":{"total":1,"changes":1,"by_result":{}})"));
  told.counts.orders[0][index_of(OrderResult::confirmed)] = 1;
  EXPECT_THAT(Told::document(told.state()),
              HasSubstr(R"("orders":{"total":1,"changes":2,"by_result":{"confirmed":1}})"));
}

TEST(StatusDocument, WatchesTheFirstSymbolWhenNoneIsAskedFor) {
  const SymbolTable symbols({*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT")});
  EXPECT_EQ(service::watched_symbol(symbols, "").value(), Symbol::from("BTCUSDT"));
  EXPECT_EQ(service::watched_symbol(symbols, "symbol=ethusdt").value(), Symbol::from("ETHUSDT"));
  EXPECT_EQ(service::watched_symbol(symbols, "symbol=XRPUSDT").error(),
            "symbol: 'XRPUSDT' is not accepted; accepted: BTCUSDT, ETHUSDT");
  EXPECT_EQ(service::watched_symbol(symbols, "last=1").error(),
            "unknown parameter 'last'; accepted: symbol");
  EXPECT_THAT(service::watched_symbol(symbols, "symbol=%").error(), HasSubstr("escape"));
  const Engine open(EngineParameters{});
  EXPECT_EQ(service::watched_symbol(open.symbols(), "").value(), std::nullopt);
}

// --- Latency, settings, replicas ----------------------------------------------------------------

TEST(StatusDocument, HasABucketMoreThanBounds) {
  Told told;
  told.counts.order_answer.observe(11s);
  const std::string document = Told::document(told.state());
  EXPECT_THAT(document, HasSubstr(R"(5,10],"count":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]})"));
}

TEST(StatusDocument, NamesTheRevisionInForceAndHowManyWillBe) {
  Told told;
  State state = told.state();
  EXPECT_THAT(Told::document(state),
              HasSubstr(R"("settings":{"hash":"hash","sequence":null,"pending":0})"));
  service::TakenSettings now{7, {}}, later{9, {}};
  now.value.effective_from = state.now;
  later.value.effective_from = state.now + 1s;
  const std::vector taken{now, later};
  state.revisions = taken;
  EXPECT_THAT(Told::document(state), HasSubstr(R"("sequence":7,"pending":1})"));
  state.revisions = std::span(taken).subspan(1);
  EXPECT_THAT(Told::document(state), HasSubstr(R"("sequence":null,"pending":1})"));
}

TEST(StatusDocument, NamesItselfFirstAndOnceAmongTheReplicas) {
  Told told;
  State state = told.state();
  const std::vector<service::Replica> seen{{{"other", "2.0", "else", true}, told.at - 2s},
                                           {{"me", "1.0", "hash", true}, told.at}};
  state.replicas = seen;
  state.discovery = service::Discovery::known;
  const std::string document = Told::document(state);
  EXPECT_THAT(document, HasSubstr(R"("discovery":"known","replicas":[{"id":"me","self":true,)"));
  EXPECT_THAT(document, HasSubstr(R"({"id":"other","self":false,"version":"2.0","settings":"else",)"
                                  R"("ready":true,"age":2}])"));
}

// --- The page -----------------------------------------------------------------------------------

TEST(StatusPage, MayRunTheOneScriptAndWearTheOneStyleThatItHas) {
  const http::Response page = service::page_response();
  EXPECT_THAT(page.policy,
              testing::ContainsRegex("style-src 'sha256-[^']+='; script-src 'sha256-"));
  EXPECT_EQ(page.policy.find("unsafe"), std::string::npos);
  EXPECT_THAT(page.body, Not(testing::ContainsRegex("<[^>]+ (style|on[a-z]+)=")))
      << "no policy lets attributes run";
}

}  // namespace
}  // namespace rts::test
