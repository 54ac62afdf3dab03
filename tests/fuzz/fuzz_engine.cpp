// Arbitrary bytes as frames, one a line, through an engine of one of several settings, which the
// first byte chooses: nothing crashes, every frame ends in at least one event, every event in one
// reason or outcome, and an order exactly where the outcome says so; and what is remembered can be
// said.
#include <array>
#include <string>
#include <vector>

#include <rts/config/explanation.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/history.hpp>
#include <rts/engine/tally.hpp>

#include "fuzz.hpp"
#include "kept_blocks.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

struct Setup {
  EngineParameters parameters;
  OrderFormat format;
};

Setup setup(const std::vector<config::Given>& environment) {
  const auto configuration = config::load(environment, {});
  fuzz::require(configuration.ok(), "settings are accepted");
  const config::Settings& settings = configuration.value().settings;
  return {config::engine_parameters(settings, Clock::replay), settings.delivery.format};
}

const std::vector<Setup>& setups() {
  static const std::vector<Setup> kSetups{setup({}),
                                          setup({{"TRADING_SYMBOLS", "BTCUSDT,ETHUSDT,牛来USDT"},
                                                 {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                                                 {"SIGNAL_COOLDOWN_SECONDS", "0"},
                                                 {"TRADE_MOMENTUM_WINDOW", "2"},
                                                 {"TICKER_VELOCITY_TIME_WINDOW", "1"},
                                                 {"TICKER_VELOCITY_MIN_PRICE_CHANGE", "0"},
                                                 {"RISK_MAX_DAILY_SIGNALS", "0"},
                                                 {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
                                                 {"RISK_PRICE_BAND_PERCENT", "0"},
                                                 {"TRADING_MAX_POSITION_SIZE", "1e300"}}),
                                          setup({{"ORDER_FORMAT", "signal"},
                                                 {"TRADING_ENABLE_SHORTS", "false"},
                                                 {"STRATEGY_ENABLED_TICKER_VELOCITY", "false"},
                                                 {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                                                 {"SIGNAL_COOLDOWN_SECONDS", "1"}}),
                                          setup({{"TRADING_SYMBOLS", "*"},
                                                 {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
                                                 {"TRADE_MOMENTUM_WINDOW", "2"},
                                                 {"RISK_PRICE_BAND_PERCENT", "0"}})};
  return kSetups;
}

void check_accounts(const Tally& tally) {
  std::uint64_t accounted = 0;
  for (const Reason reason : all_of<Reason>) accounted += tally.count(reason);
  for (const StrategyId strategy : all_of<StrategyId>) accounted += tally.events(strategy);
  fuzz::require(accounted == tally.events(), "events = refusals + decisions");
}

void check_step(const Step& step, OrderFormat format, std::string& json) {
  fuzz::require(!step.events.empty(), "a frame ends in at least one event");
  for (const EventRecord& record : step.events) {
    const Decision* decision = record.decision();
    if (decision == nullptr) {
      fuzz::require(can_end_in(record.kind, *record.reason()), "the kind can end for this reason");
      continue;
    }
    fuzz::require(can_end_in(decision->strategy, decision->outcome), "the strategy can end so");
    fuzz::require(decision->order.has_value() == is_signal(decision->outcome),
                  "an order exactly where the outcome is a signal");
    if (!decision->order) continue;
    fuzz::require(decision->order->reduce_only != decision->order->protection.has_value(),
                  "opening orders are protected, closing ones are not");
    json.clear();
    append_json(json, *decision->order, format);
  }
}

void check_sentences(const History& history) {
  static const config::Configuration kConfiguration;
  for (const History::Found& found : history.find({.last = 1000})) {
    const std::string line = config::line_of(found, {kConfiguration});
    fuzz::require(line.find("nan") == std::string::npos, "a sentence has numbers only");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Setup& setup = setups()[*data % setups().size()];
  // One engine for all inputs would make a finding depend on what came before it.
  Engine engine(setup.parameters);
  Tally tally;
  History history(engine.symbols());
  std::string json;
  std::string_view rest = fuzz::as_text(data + 1, size - 1);
  std::uint64_t frames = 0;
  for (bool more = true; more; ++frames) {
    const std::size_t end = rest.find('\n');
    const Step step = engine.step(rest.substr(0, end), std::nullopt);
    check_step(step, setup.format, json);
    tally.add(step);
    history.add(step, UnixMs(), {});
    more = end != std::string_view::npos;
    if (more) rest.remove_prefix(end + 1);
  }
  fuzz::require(tally.frames() == frames, "every frame is counted");
  check_accounts(tally);
  check_sentences(history);
  return 0;
}
