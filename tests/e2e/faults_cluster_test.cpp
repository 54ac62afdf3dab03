// The order log in three copies on three brokers, and what becomes of orders while it is without a
// leader, without a quorum, or moves: late 0, twice 0, and whatever is missing has ended so that a
// replica says it. Two replicas see every frame; every skewed book is an order.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "e2e/scene.hpp"
#include "support/nats_cluster.hpp"
#include "support/order_log.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = loosened(30s);

class ThreeBrokers : public testing::Test {
 protected:
  // The feed and the TradeEngine are at this one.
  static constexpr std::size_t kHome = 2;

  // Two replicas: one at home, or wherever it likes, and one wherever it likes.
  enum class First { stays_home, may_move };
  void begin(First first) {
    log_.make({.replicas = 3});
    ASSERT_TRUE(eventually([&] { return log_.is_whole(); }, kSoon));
    Environment environment = memoryless_settings();
    // Of one log: the leader of the other would have to be at home, too.
    environment.insert(
        {{"ORDER_DELIVERY", "jetstream"}, {"NATS_CONSUMER_GROUP", ""}, {"CONTROL_BUCKET", ""}});
    const bool stays = first == First::stays_home;
    for (const std::string& url :
         {stays ? cluster_.broker(kHome).url() : cluster_.urls(kHome), cluster_.urls()}) {
      environment["NATS_URL"] = url;
      replicas_.push_back(std::make_unique<Daemon>(environment));
      ASSERT_TRUE(replicas_.back()->wait_ready(kSoon)) << replicas_.back()->get("/ready").body;
    }
    feed_.start();
    ASSERT_TRUE(engine_.wait_for(100, kSoon));
  }

  [[nodiscard]] bool all_ready() const {
    return std::ranges::all_of(replicas_, [](const auto& replica) { return replica->ready(); });
  }
  // The number of the broker that leads the stream.
  [[nodiscard]] std::size_t leader() {
    std::string name;
    EXPECT_TRUE(eventually([&] { return !(name = log_.leader()).empty(); }, kSoon));
    return name.empty() ? 0 : std::stoul(name);
  }
  // Moves the leader until it is, or is not, at home, and stays there while the log is whole and
  // used: soon after it has resigned two may take themselves for it, and the one that answers loses.
  void lead_at_home(bool at_home) {
    const auto is_there = [&] { return (leader() == kHome) == at_home; };
    ASSERT_TRUE(eventually(
        [&] {
          if (!is_there()) {
            log_.step_down();
            return false;
          }
          return log_.is_whole() && engine_.wait_for(engine_.size() + 50, 2s) &&
                 throughout(1s, [&] { return is_there() && log_.is_whole(); });
        },
        kSoon));
  }
  // From now to the election that decides, if there has to be one, and from that to the moment when
  // all are ready and an order has come that is younger than now.
  struct Recovery {
    std::size_t elections = 0;
    std::chrono::milliseconds elected{0}, traded{0};
    bool trades = false;

    [[nodiscard]] bool in_time() const { return trades && traded <= loosened(3s); }
    [[nodiscard]] std::string text() const {
      const std::string after = trades ? text_of(traded) + " later" : "NOT AGAIN";
      return fmt::format("elections {}, the last after {}, trades {}", elections, text_of(elected),
                         after);
    }
  };
  [[nodiscard]] Recovery recover(std::size_t elections_before) const {
    const Stopwatch watch;
    const auto passed = [&] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(watch.passed());
    };
    const UnixMs now = to_ms(wall_clock());
    Recovery recovery;
    recovery.trades = eventually(
        [&] {
          const std::size_t elections = cluster_.elections() - elections_before;
          if (elections > recovery.elections) recovery.elected = passed();
          recovery.elections = elections;
          const auto orders = engine_.orders();
          return !orders.empty() && orders.back().timestamp >= now && all_ready();
        },
        kSoon);
    recovery.traded = passed() - recovery.elected;
    return recovery;
  }

  // Ends the feed, and says what became of all orders.
  struct Account {
    std::size_t expected = 0, arrived = 0, duplicates = 0, unknown = 0, missing = 0;
    std::size_t late = 0;
    std::chrono::milliseconds latest{0};
    // Of the missing ones, by result; `sent`: a replica has sent it; `unseen`: none had the frame.
    std::map<std::string, std::size_t> endings{};
    std::size_t unexplained = 0;

    [[nodiscard]] std::string text() const {
      std::string text = fmt::format("{} of {} arrived, late {}, duplicates {}, unknown {}",
                                     arrived, expected, late, duplicates, unknown);
      text += fmt::format("; missing {}", missing);
      for (const auto& [ending, count] : endings) text += fmt::format(", {} {}", ending, count);
      if (late > 0) text += fmt::format("; the latest by {}", text_of(latest));
      return text;
    }
    [[nodiscard]] bool held() const {
      return late == 0 && duplicates == 0 && unknown == 0 && unexplained == 0;
    }
  };
  // `cut`: connections of the feed and the TradeEngine were ended, with what was on them.
  Account account(bool cut = false) {
    EXPECT_TRUE(feed_.stop());
    std::vector<std::map<std::string, std::string>> results;
    for (const auto& replica : replicas_) {
      EXPECT_TRUE(replica->wait_settled(kSoon));
      replica->expect_accounts_balance();
      const auto orders = static_cast<std::size_t>(replica->metric("rts_orders_total"));
      (void)replica->log("order", orders);
      results.push_back(order_results(*replica));
    }
    EXPECT_TRUE(engine_.wait_subscribed(kSoon));
    const ExpectedOrders expected = feed_.expected();
    Account account{.expected = expected.size()};
    std::set<std::string> arrived;
    for (const ArrivedOrder& order : engine_.orders()) {
      account.duplicates += arrived.insert(order.id).second ? 0 : 1;
      account.unknown += expected.contains(order.id) && order.valid ? 0 : 1;
      if (!order.stale()) continue;
      ++account.late;
      account.latest = std::max(account.latest, order.arrived - order.valid_until);
    }
    account.arrived = arrived.size();
    for (const auto& [id, at] : expected) {
      if (arrived.contains(id)) continue;
      ++account.missing;
      const std::string ending = ending_of(id, results);
      ++account.endings[ending];
      const bool on_a_cut_path = cut && (ending == "sent" || ending == "unseen");
      account.unexplained += kEndings.contains(ending) || on_a_cut_path ? 0 : 1;
    }
    return account;
  }

  NatsCluster cluster_;
  OrderLogAdmin log_{cluster_.urls(kHome)};
  std::vector<std::unique_ptr<Daemon>> replicas_;
  Sink engine_{cluster_.urls(kHome), kOrderSubject, Answer::accepted};
  Feed feed_{cluster_.urls(kHome), memoryless_feed(200)};

 private:
  // Results of orders that were not sent.
  inline static const std::set<std::string> kEndings{"expired", "disconnected", "circuit_open",
                                                     "no_responders", "ambiguous"};

  static std::string ending_of(const std::string& id,
                               const std::vector<std::map<std::string, std::string>>& results) {
    std::string ending = "unseen";
    for (const auto& of_replica : results) {
      const auto found = of_replica.find(id);
      if (found == of_replica.end()) continue;
      if (found->second == "confirmed" || found->second == "unconfirmed") return "sent";
      if (!kEndings.contains(ending)) ending = found->second;
    }
    return ending;
  }
};

TEST_F(ThreeBrokers, LeaderKilled) {
  ASSERT_NO_FATAL_FAILURE(begin(First::stays_home));
  ASSERT_NO_FATAL_FAILURE(lead_at_home(false));
  const std::size_t victim = leader();
  const std::size_t elections = cluster_.elections();
  cluster_.broker(victim).kill();
  const Recovery recovery = recover(elections);
  cluster_.broker(victim).restart();
  EXPECT_TRUE(eventually([&] { return log_.is_whole(); }, kSoon));
  ASSERT_TRUE(engine_.wait_for(engine_.size() + 50, kSoon));
  const Account orders = account();
  report_fault({.fault = "the leader of the order log killed",
                .promise = "asked again within an order's life; never late",
                .figure = "late 0, duplicates 0; ready <= 3 s after the election",
                .measured = recovery.text() + "; " + orders.text(),
                .held = orders.held() && recovery.in_time()});
}

TEST_F(ThreeBrokers, OneFollowerFrozenThenBoth) {
  ASSERT_NO_FATAL_FAILURE(begin(First::stays_home));
  ASSERT_NO_FATAL_FAILURE(lead_at_home(true));
  cluster_.broker(0).suspend();
  const std::size_t before = engine_.size();
  const bool goes_on = throughout(8s, [&] { return replicas_[0]->ready(); });
  const std::size_t with_two = engine_.size() - before;
  cluster_.broker(1).suspend();
  const std::size_t at_loss = engine_.size();
  (void)throughout(20s, [] { return true; });
  const std::size_t without_quorum = engine_.size() - at_loss;
  const std::size_t elections = cluster_.elections();
  for (const std::size_t number : {0U, 1U}) cluster_.broker(number).resume();
  const Recovery recovery = recover(elections);
  ASSERT_TRUE(engine_.wait_for(engine_.size() + 50, kSoon));
  const Account orders = account();
  report_fault({.fault = "a follower of the order log frozen for 8 s, then both for 20 s",
                .promise = "one does no harm; what is stored late is not sent late",
                .figure = "late 0, duplicates 0; ready <= 3 s after the election",
                .measured = fmt::format("{} orders with two of three, {} without quorum; {}; {}",
                                        with_two, without_quorum, recovery.text(), orders.text()),
                .held = goes_on && with_two > 50 && orders.held() && recovery.in_time()});
}

TEST_F(ThreeBrokers, RollingLameDuck) {
  ASSERT_NO_FATAL_FAILURE(begin(First::may_move));
  Recovery slowest{.trades = true};
  for (std::size_t number = 0; number < NatsCluster::kSize; ++number) {
    cluster_.retire(number);
    (void)leader();
    const Recovery recovery = recover(cluster_.elections());
    if (!recovery.in_time() || recovery.traded > slowest.traded) slowest = recovery;
    cluster_.broker(number).restart();
    ASSERT_TRUE(eventually([&] { return log_.is_whole(); }, kSoon));
  }
  ASSERT_TRUE(engine_.wait_for(engine_.size() + 50, kSoon));
  const Account orders = account(true);
  report_fault({.fault = "three brokers retired (lame duck) and restarted one after the other",
                .promise = "never late, never twice",
                .figure = "late 0, duplicates 0; ready <= 3 s after each is gone",
                .measured = fmt::format("trades {} after it at most; {}", text_of(slowest.traded),
                                        orders.text()),
                .held = slowest.in_time() && orders.held()});
}

}  // namespace
}  // namespace rts::test
