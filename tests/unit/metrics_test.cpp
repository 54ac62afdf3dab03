// The metrics table: documentation that is not stale, names that follow Prometheus' rules.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>

#include "service/status.hpp"
#include "support/endings.hpp"
#include "support/engine_run.hpp"
#include "support/frames.hpp"
#include "support/paths.hpp"

namespace rts::test {
namespace {

using service::Counts;
using service::State;

const config::Configuration kConfiguration = configured({});

// What a scrape shows: `counts`, and else nothing.
std::string scrape(const Counts& counts) {
  return to_text(telemetry::Collector<State>(service::metrics_table(), [&] {
    return State{.configuration = kConfiguration, .counts = counts};
  }));
}

// "`a`, `b`": those of the values that are wanted.
template <class List, class Wanted>
std::string quoted_names(const List& values, Wanted wanted) {
  std::string names;
  for (const auto value : values) {
    if (!wanted(value)) continue;
    names += fmt::format("{}`{}`", names.empty() ? "" : ", ", to_string(value));
  }
  return names;
}

// docs/METRICS.md.
std::string metrics_page() {
  std::string out =
      "# Metrics\n\n"
      "Generated from the table in the code; a test compares. `/metrics` serves them in "
      "Prometheus' "
      "text format 0.0.4. Every series is there from the first scrape.\n\n"
      "At any moment `rts_events_received_total` = Σ `rts_events_ignored_total` + Σ "
      "`rts_events_dropped_total` + Σ `rts_decisions_total`, and the signals among the decisions = "
      "Σ `rts_orders_total`.\n\n"
      "| name | type | labels | meaning |\n|---|---|---|---|\n";
  for (const auto& row : service::metrics_table()) {
    out += fmt::format("| `{}` | {} | {}{}{} | {} |\n", row.name, to_string(row.type),
                       row.labels[0], row.labels[1].empty() ? "" : ", ", row.labels[1], row.help);
  }
  out += "\n## kind and reason\n\n| kind | ignored | dropped |\n|---|---|---|\n";
  for (const EventKind kind : all_of<EventKind>) {
    const auto reasons = [kind](bool ignored) {
      return quoted_names(all_of<Reason>, [=](Reason reason) {
        return can_end_in(kind, reason) && is_ignored(reason) == ignored;
      });
    };
    out += fmt::format("| `{}` | {} | {} |\n", to_string(kind), reasons(true), reasons(false));
  }
  out += "\n## strategy and outcome\n\n| strategy | outcomes |\n|---|---|\n";
  for (const StrategyId id : all_of<StrategyId>) {
    out += fmt::format(
        "| `{}` | {} |\n", to_string(id),
        quoted_names(all_of<Outcome>, [id](Outcome outcome) { return can_end_in(id, outcome); }));
  }
  const auto all = [](OrderResult) { return true; };
  return out + "\n## result\n\n" + quoted_names(all_of<OrderResult>, all) + "\n";
}

TEST(Docs, MetricsPageIsWhatTheTableSays) {
  const std::string path = source_root() + "/docs/METRICS.md";
  const std::string expected = metrics_page();
  if (std::getenv("RTS_UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  std::ifstream file(path);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(page, expected) << "run `make docs`";
}

TEST(Metrics, EveryDocumentedFamilyIsScrapedAndTheOtherWayRound) {
  const SymbolTable symbols({*Symbol::from("BTCUSDT")});
  const std::string text = scrape(Counts(symbols));
  const std::string page = metrics_page();
  std::size_t families = 0;
  for (std::size_t at = 0; (at = text.find("# TYPE ", at)) != std::string::npos; ++families) {
    at += 7;
    const std::string name = text.substr(at, text.find(' ', at) - at);
    EXPECT_NE(page.find("| `" + name + "` |"), std::string::npos) << name;
  }
  std::size_t documented = 0;
  for (std::size_t at = 0; (at = page.find("| `rts_", at)) != std::string::npos; ++at) ++documented;
  for (std::size_t at = 0; (at = page.find("| `process_", at)) != std::string::npos; ++at) {
    ++documented;
  }
  EXPECT_EQ(families, documented);
}

TEST(Metrics, SymbolsThatComeLaterGetTheirSeriesAndNoMoreThanTheBound) {
  EngineParameters parameters;  // all symbols
  Engine engine(parameters);
  Counts counts(engine.symbols());
  for (int i = 0; i < 600; ++i) {
    const std::string frame = trade({.symbol = "S" + std::to_string(i) + "USDT"});
    const UnixNs received_at = ms_as_ns(kNoonMs + 250);
    counts.add(engine.step(frame, received_at), received_at, {});
  }
  const std::string text = scrape(counts);
  EXPECT_NE(text.find(R"(symbol="S511USDT")"), std::string::npos);
  EXPECT_EQ(text.find(R"(symbol="S512USDT")"), std::string::npos);
  EXPECT_NE(text.find(R"(rts_events_ignored_total{kind="trade",reason="symbol_not_traded"} 88)"),
            std::string::npos);
}

// A symbol that has not been seen for a day may lose its number to another: its series goes, and
// nothing of its times is said of the newcomer.
TEST(Metrics, SeriesOfASymbolGoWithItsNumber) {
  Engine engine(EngineParameters{});  // all symbols
  Counts counts(engine.symbols());
  const auto observe = [&](const std::string& frame, std::int64_t at_ms) {
    counts.add(engine.step(frame, ms_as_ns(at_ms)), ms_as_ns(at_ms), {});
  };
  for (int i = 0; i < 512; ++i) {
    const std::string symbol = "S" + std::to_string(i) + "USDT";
    observe(trade({.symbol = symbol, .at_ms = kNoonMs + i}), kNoonMs + i);
    observe(ticker({.symbol = symbol, .at_ms = kNoonMs + i}), kNoonMs + i);
  }
  EXPECT_THAT(scrape(counts),
              testing::HasSubstr(
                  R"(rts_last_event_timestamp_seconds{kind="ticker",symbol="S0USDT"} 1721390400)"));
  const std::int64_t next_day = kNoonMs + 86'400'000;
  observe(trade({.symbol = "NEWUSDT", .at_ms = next_day}), next_day);
  const std::string text = scrape(counts);
  EXPECT_THAT(text, testing::Not(testing::HasSubstr(R"(symbol="S0USDT")")));
  for (const std::string_view line :
       {R"(rts_last_event_timestamp_seconds{kind="trade",symbol="NEWUSDT"} 1721476800)",
        R"(rts_last_event_timestamp_seconds{kind="ticker",symbol="NEWUSDT"} 0)",
        R"(rts_last_event_timestamp_seconds{kind="book",symbol="NEWUSDT"} 0)",
        R"(rts_last_event_timestamp_seconds{kind="trade",symbol="S1USDT"} 1721390400.001)"}) {
    EXPECT_THAT(text, testing::HasSubstr(std::string(line) + "\n"));
  }
}

// In one frame a symbol may lose its number and get another's.
TEST(Metrics, SeriesOfASymbolThatChangesItsNumberStays) {
  Engine engine(EngineParameters{});  // all symbols
  Counts counts(engine.symbols());
  const auto observe = [&](const std::string& frame) {
    counts.add(engine.step(frame, std::nullopt), ms_as_ns(kNoonMs), {});
  };
  for (int i = 0; i < 512; ++i) {
    const std::int64_t at_ms = i == 1 ? kNoonMs - 1 : kNoonMs + i;
    observe(trade({.symbol = "S" + std::to_string(i) + "USDT", .at_ms = at_ms}));
  }
  const std::int64_t next_day = kNoonMs + 86'400'000;
  observe(array({trade({.symbol = "NEWUSDT", .at_ms = next_day}),
                 trade({.symbol = "S1USDT", .at_ms = next_day})}));
  EXPECT_EQ(engine.symbols().at(0).text(), "S1USDT");
  EXPECT_EQ(engine.symbols().at(1).text(), "NEWUSDT");
  const std::string text = scrape(counts);
  EXPECT_THAT(text, testing::Not(testing::HasSubstr(R"(symbol="S0USDT")")));
  for (const char* symbol : {"S1USDT", "NEWUSDT"}) {
    const std::string series =
        fmt::format("rts_last_event_timestamp_seconds{{kind=\"trade\",symbol=\"{}\"}}", symbol);
    EXPECT_THAT(text, testing::HasSubstr(series + " 1721476800\n"));
    EXPECT_EQ(text.find(series), text.rfind(series)) << "once";
  }
}

TEST(Metrics, HistogramsHoldWhatCameBeforeAndBetweenScrapes) {
  const SymbolTable symbols({*Symbol::from("BTCUSDT")});
  Counts counts(symbols);
  const auto scraped = [&](const std::string& line) {
    EXPECT_THAT(scrape(counts), testing::HasSubstr(line + "\n"));
  };
  counts.step_duration.observe(std::chrono::microseconds(1));  // a bound is in its bucket
  counts.step_duration.observe(std::chrono::microseconds(30));
  scraped(R"(rts_step_duration_seconds_bucket{le="1e-06"} 1)");
  scraped(R"(rts_step_duration_seconds_bucket{le="2e-05"} 1)");
  scraped(R"(rts_step_duration_seconds_bucket{le="5e-05"} 2)");
  counts.step_duration.observe(std::chrono::seconds(1));
  scraped(R"(rts_step_duration_seconds_bucket{le="0.01"} 2)");
  scraped("rts_step_duration_seconds_count 3");
  scraped("rts_step_duration_seconds_sum 1.000031");
}

TEST(Metrics, AnOrderCountsOnceForTheMetricsAndTheStatusDocument) {
  const SymbolTable symbols({*Symbol::from("BTCUSDT")});
  Counts counts(symbols);
  const auto strategy = index_of(StrategyId::trade_momentum);
  counts.orders[strategy][static_cast<std::size_t>(OrderResult::confirmed)] = 2;
  EXPECT_THAT(
      scrape(counts),
      testing::HasSubstr(R"(rts_orders_total{result="confirmed",strategy="trade_momentum"} 2)"));
  EXPECT_THAT(
      service::status_document({.configuration = kConfiguration, .counts = counts}, std::nullopt),
      testing::HasSubstr(R"("by_result":{"confirmed":2})"));
}

// A family without series is left out: TRADING_SYMBOLS=* before the first symbol.
TEST(Metrics, SymbolsHaveNoSeriesBeforeTheFirstOne) {
  const Engine engine(EngineParameters{});
  EXPECT_THAT(scrape(Counts(engine.symbols())),
              testing::Not(testing::HasSubstr("rts_last_event_timestamp_seconds")));
}

TEST(Metrics, CountersOfOthersNeverRunBackwards) {
  const SymbolTable symbols({*Symbol::from("BTCUSDT")});
  const Counts counts(symbols);
  State state{.configuration = kConfiguration, .counts = counts};
  const telemetry::Collector<State> collector(service::metrics_table(), [&] { return state; });
  for (const std::uint64_t reconnects : {3U, 2U}) {
    state.nats.reconnects = reconnects;
    EXPECT_THAT(to_text(collector), testing::HasSubstr("rts_nats_reconnects_total 3\n"));
  }
}

}  // namespace
}  // namespace rts::test
