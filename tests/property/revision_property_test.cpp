// Revisions of the settings, for random feeds and values: when one is heard does not matter as long
// as that is before its time, and a replica that starts later decides as the others do as soon as
// its strategies are warm.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <rts/engine/engine.hpp>
#include <rts/trading/order.hpp>

#include "property/property.hpp"
#include "support/seeded_market.hpp"

namespace rts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kFrames = 6'000;  // 200 ms each, on average
constexpr UnixMs kBegin{milliseconds(test::kMidnightMs)};
constexpr milliseconds kSpan{kFrames * 200};

// How each event ended, with its order.
using Ends = std::vector<std::string>;

class RevisionProperty : public test::Property {
 protected:
  EngineParameters random_parameters() {
    EngineParameters p;
    p.symbols = {};
    p.gate = {.price_band_percent = 0, .max_daily_signals = 0, .max_orders_per_minute = 0};
    SymbolParameters& own = p.defaults;
    own.terms.cooldown = seconds(0);
    own.terms.stop_loss_percent = uniform(1, 3);
    own.orderbook_skew.min_spread_percent = 0;
    own.orderbook_skew.buy_threshold = uniform(1, 3);
    own.trade_momentum.window = static_cast<int>(between(2, 200));
    own.trade_momentum.min_quantity = uniform(0, 1);
    own.trade_momentum.max_gap = seconds(pick(2) == 0 ? 0 : between(2, 60));
    own.ticker_velocity.time_window = seconds(between(1, 120));
    own.ticker_velocity.min_price_change = uniform(0, 0.02);
    for (bool& enabled : own.enabled) enabled = pick(6) != 0;
    if (pick(2) == 0) {
      p.per_symbol.push_back({*Symbol::from("ETHUSDT"), own});
      p.per_symbol[0].parameters.trade_momentum.window = static_cast<int>(between(2, 200));
    }
    return p;
  }

  // In the log's order, which need not be that of their times.
  std::vector<SettingsRevision> random_revisions() {
    std::vector<SettingsRevision> revisions;
    for (std::uint64_t i = 0, n = 1 + pick(8); i < n; ++i) {
      revisions.push_back({kBegin + milliseconds(between(0, kSpan.count())), random_parameters()});
    }
    return revisions;
  }

  // Some are late: those of another kind than the ones before them are not dropped for that. None
  // is between those before `border` and the others: who begins there does not know that it is.
  std::vector<std::string> random_frames(std::size_t border = kFrames) {
    auto frames = test::SeededMarket(random()()).frames(kFrames);
    for (std::size_t i = 0; i + 10 < frames.size(); ++i) {
      const std::size_t other = i + 1 + pick(5);
      const bool crosses = i < border && other >= border;
      if (pick(20) == 0 && !crosses) std::swap(frames[i], frames[other]);
    }
    return frames;
  }
};

UnixMs time_of(const std::string& frame) {
  const std::size_t at = frame.find("\"E\":") + 4;
  return UnixMs(milliseconds(std::stoll(frame.substr(at, 13))));
}

class Replica {
 public:
  explicit Replica(const EngineParameters& parameters) : engine_(parameters) {}

  void hear(const SettingsRevision& revision) { engine_.hear(revision); }
  [[nodiscard]] std::string step(const std::string& frame) {
    std::string end;
    for (const EventRecord& record : engine_.step(frame, std::nullopt).events) {
      const Decision* const decision = record.decision();
      if (decision == nullptr) {
        end += to_string(*record.reason());
        continue;
      }
      end += to_string(decision->outcome);
      if (decision->order) append_json(end, *decision->order, OrderFormat::trade_order);
    }
    return end;
  }

 private:
  Engine engine_;
};

TEST_F(RevisionProperty, WhenOneIsHeardBeforeItsTimeDoesNotMatter) {
  for (int round = 0; round < 10; ++round) {
    const EngineParameters start = random_parameters();
    const auto revisions = random_revisions();
    const auto frames = random_frames();
    Replica early(start);
    Replica late(start);
    for (const SettingsRevision& revision : revisions) early.hear(revision);
    std::size_t heard = 0;
    std::size_t orders = 0;
    for (const std::string& frame : frames) {
      // All up to the last that this frame is not before.
      for (std::size_t i = heard; i < revisions.size(); ++i) {
        if (revisions[i].effective_from > time_of(frame)) continue;
        while (heard <= i) late.hear(revisions[heard++]);
      }
      const std::string end = early.step(frame);
      ASSERT_EQ(late.step(frame), end) << frame;
      if (end.starts_with("signal")) ++orders;
    }
    EXPECT_GT(orders, 0U);
  }
}

TEST_F(RevisionProperty, WhoStartsLaterDecidesAlikeOnceWarm) {
  std::size_t compared = 0;
  std::size_t warming = 0;
  for (int round = 0; round < 10; ++round) {
    const EngineParameters start = random_parameters();
    const auto revisions = random_revisions();
    const std::size_t begin = pick(kFrames / 2);
    const auto frames = random_frames(begin);
    Replica old(start);
    Replica young(start);
    for (const SettingsRevision& revision : revisions) {
      old.hear(revision);
      young.hear(revision);
    }
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const std::string end = old.step(frames[i]);
      if (i < begin) continue;
      const std::string other = young.step(frames[i]);
      const bool is_warm = end != "warming_up" && other != "warming_up";
      if (is_warm) {
        ASSERT_EQ(other, end) << i << " " << frames[i];
      }
      ++(is_warm ? compared : warming);
    }
  }
  EXPECT_GT(compared, warming);
}

}  // namespace
}  // namespace rts
