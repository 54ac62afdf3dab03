// After warm-up the engine allocates nothing: 10,000 steps over every kind of frame, the orders
// written into a reserved string, and operator new is not called once (SPEC §8, HOUSE §3.6).
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <rts/engine/engine.hpp>
#include <rts/engine/history.hpp>
#include <rts/engine/tally.hpp>
#include <rts/strategy/ticker_velocity.hpp>
#include <rts/trading/order_memory.hpp>

#include "support/counted_new.hpp"
#include "support/endings.hpp"
#include "support/frames.hpp"
#include "telemetry/log.hpp"

namespace rts {
namespace {

using namespace rts::test;

// The n-th frames of a market that never stands still; ids and times rise with n, a second apart.
std::vector<std::string> frames_of_second(std::uint64_t n) {
  const std::int64_t at = kNoonMs + static_cast<std::int64_t>(n) * 1000;
  const std::string price = std::to_string(100 + n % 3);
  const bool even = n % 2 == 0;
  const BookParts book{.at_ms = at,
                       .id = 2 * n + 1,
                       .bids = {{price, even ? "3" : "1"}, {"90", "1"}},
                       .asks = {{price + ".6", even ? "1" : "3"}}};  // a mid 0.3 % off
  BookParts nameless = book;
  nameless.id += 1;
  const TradeParts print{.at_ms = at,
                         .id = n + 1,
                         .price = price,
                         .quantity = even ? "9" : "1",
                         .buyer_is_maker = n % 4 < 2};
  TradeParts ether = print;
  ether.symbol = "ETHUSDT";
  ether.price += "00";  // far away, or a book without a name could be its as well
  const TickerParts last{.at_ms = at, .price = n % 120 < 60 ? "100" : "102"};
  TickerParts ether_last = last;
  ether_last.symbol = "ETHUSDT";
  ether_last.price += "00";
  const TickerParts wild{.at_ms = at - 1, .price = "900"};
  const std::string relay_book = envelope({.stream = "btcusdt@depth20@100ms"}, spot_book(nameless))
                                     .set("timestamp", quote("2024-07-19T12:00:00Z"))
                                     .set("message_id", R"("m\u002d1")");
  return {
      trade(print),
      book_frame(book),
      relay_book,
      envelope({.stream = "ethusdt@trade"}, trade(ether).set("s", R"("\u0045THUSDT")")),
      agg_trade(print),
      ticker(wild),
      ticker(last),
      combined("!ticker@arr", array({ticker(ether_last), "5", ticker({.symbol = "XRPUSDT"})})),
      array({trade(ether), R"({"result":null,"id":1})", R"({"e":"kline"})"}),
      R"({"result":null,"id":1})",
      combined("btcusdt@depth", futures_book({.bids = ladder(2000, -1, 300)})),
      book_frame({.bids = ladder(100, 1, 5)}),
      trade(print).set("p", "\"1e400\""),
      trade(print).set("unread", R"([{"a\u0062":"\n\ud83d\ude00"},[1.5e-7,null,true]])"),
      trade({.execution_type = "NA"}),
      trade(print).json().substr(0, 60),
      std::string("\xFF\x00\xFE", 3),
  };
}

EngineParameters eager_parameters() {
  EngineParameters parameters = usual_parameters();
  parameters.defaults.trade_momentum.window = 10;
  parameters.defaults.terms.cooldown = std::chrono::seconds(0);
  parameters.gate.price_band_percent = 5;
  parameters.gate.max_daily_signals = 0;
  parameters.gate.max_orders_per_minute = 0;
  return parameters;
}

// What main does with a step, as far as it is rts_core's: count it, remember it, write its orders.
class Listener {
 public:
  explicit Listener(const Engine& engine) : history_(engine.symbols()) { text_.reserve(8192); }

  void hear(const Step& step) {
    tally_.add(step);
    history_.add(step, kNoon, {});
    for (const EventRecord& record : step.events) {
      const Decision* decision = record.decision();
      if (decision == nullptr || !decision->order) continue;
      for (const OrderFormat format : {OrderFormat::trade_order, OrderFormat::signal}) {
        text_.clear();
        append_json(text_, *decision->order, format);
      }
      history_.add(*decision->order, OrderResult::confirmed);
    }
  }
  [[nodiscard]] const History& history() const noexcept { return history_; }
  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }

 private:
  std::string text_;
  Tally tally_;
  History history_;
};

TEST(Allocation, IsCounted) {
  const std::uint64_t before = allocations();
  ::operator delete(::operator new(1000));
  if (allocations() == before) GTEST_SKIP() << "operator new is not ours in this build";
  EXPECT_EQ(allocations(), before + 1);
}

TEST(Allocation, DoesNotHappenInTenThousandStepsAfterWarmUp) {
  constexpr std::uint64_t kWarmUpSeconds = 120;
  std::vector<std::string> warm_up;
  std::vector<std::string> frames;
  for (std::uint64_t n = 0; frames.size() < 10'000; ++n) {
    auto& target = n < kWarmUpSeconds ? warm_up : frames;
    for (auto& frame : frames_of_second(n)) target.push_back(std::move(frame));
  }
  const std::vector<std::string> large{
      array(std::vector<std::string>(wire::kMaxEventsPerFrame, R"({"e":"x"})")),
      array(std::vector<std::string>(wire::kMaxEventsPerFrame + 1, R"({"e":"x"})")),
      trade().set("x", quote(std::string(1'000'000, 'x'))),
      envelope({.message_id = std::string(500'000, 'x')}, array({trade()})),
      std::string(wire::kMaxFrameBytes + 1, ' '),
  };
  frames.insert(frames.end(), large.begin(), large.end());

  Engine engine(eager_parameters());
  Listener listener(engine);
  const std::optional<UnixNs> received_at = ms_as_ns(kNoonMs);
  for (const auto& frame : warm_up) listener.hear(engine.step(frame, received_at));
  // Revisions that came and went meanwhile, and one that is still to come.
  for (const std::int64_t second : {0, 1, 119, 1'000'000}) {
    engine.hear(SettingsRevision{kNoon + std::chrono::seconds(second), eager_parameters()});
  }

  const std::uint64_t before = allocations();
  for (const auto& frame : frames) listener.hear(engine.step(frame, received_at));
  const std::uint64_t after = allocations();

  EXPECT_EQ(after - before, 0U);
  EXPECT_GT(listener.history().newest(), 5'000U);
  const Tally& tally = listener.tally();
  for (const StrategyId strategy : all_of<StrategyId>) {
    EXPECT_GT(tally.count(strategy, Outcome::signal_buy), 100U) << to_string(strategy);
    EXPECT_GT(tally.count(strategy, Outcome::signal_sell), 100U) << to_string(strategy);
  }
  for (const Reason reason :
       {Reason::control, Reason::unsupported_kind, Reason::diff_depth, Reason::symbol_not_traded,
        Reason::non_market_trade, Reason::malformed, Reason::bad_number, Reason::unsorted_book,
        Reason::out_of_order, Reason::other_source, Reason::outlier}) {
    EXPECT_GT(tally.count(reason), 600U) << to_string(reason);
  }
  EXPECT_EQ(tally.count(Reason::unverified_symbol), 0U) << "the nameless books are read, too";
}

TEST(Allocation, DoesNotHappenForOrdersThatTheLogDoesNotHave) {
  OrderMemory memory(1);
  const CountedOrder order{make_order_id("a"), StrategyId::orderbook_skew, Side::buy,
                           *Symbol::from("BTCUSDT"), kNoon};
  const std::uint64_t before = allocations();
  for (std::size_t i = 0; i <= OrderMemory::kMaxOwn; ++i) memory.accept(order, 0);
  EXPECT_EQ(allocations() - before, 0U);
}

TEST(Allocation, DoesNotHappenForTheFirstFrameOfAsManyEventsAsThereMayBe) {
  const std::string frame = array(std::vector<std::string>(wire::kMaxEventsPerFrame, "5"));
  Engine engine(usual_parameters());
  const std::uint64_t before = allocations();
  EXPECT_EQ(engine.step(frame, std::nullopt).events.size(), wire::kMaxEventsPerFrame);
  EXPECT_EQ(allocations() - before, 0U);
}

TEST(Allocation, OfAWindowOfTickersIsOfRoomFor128First) {
  TickerWindow window;
  const auto append = [&](std::int64_t ms) {
    const UnixMs at = kNoon + std::chrono::milliseconds(ms);
    window.append({at, *Price::from(100)}, std::chrono::seconds(60));
  };
  append(0);
  const std::uint64_t before = allocations();
  for (std::int64_t ms = 1; ms < 128; ++ms) append(ms);
  EXPECT_EQ(allocations() - before, 0U);
}

// A crash report is written where the heap's lock may be held (telemetry/crash_report.hpp).
TEST(Allocation, ALineOfTheLogFormatsInTheRoomItIsGiven) {
  using telemetry::Field;
  using telemetry::Log;
  const std::string value(Log::kMaxValueBytes, 'x');
  const std::array fields{Field{"version", std::string_view(value)}, Field{"signal", "SIGSEGV"}};
  std::string line;
  line.reserve(Log::kMaxLineBytes);
  for (const auto format : {telemetry::LogFormat::json, telemetry::LogFormat::text}) {
    const std::uint64_t before = allocations();
    Log::format_line(line, format, telemetry::Level::error, "crashed", "message", fields);
    EXPECT_EQ(allocations() - before, 0U);
    EXPECT_NE(line.find(value), std::string::npos);
  }
}

}  // namespace
}  // namespace rts
