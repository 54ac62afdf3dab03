#include "research/scoreboard.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace rts::research {

double evenness(const std::array<std::uint32_t, 24>& orders_of_hour) noexcept {
  const double sum = std::accumulate(orders_of_hour.begin(), orders_of_hour.end(), 0.0);
  double entropy = 0;
  for (const std::uint32_t orders : orders_of_hour) {
    const double share = orders / sum;
    if (orders > 0) entropy -= share * std::log(share);
  }
  return entropy / std::log(static_cast<double>(orders_of_hour.size()));
}

double Score::value(Objective objective) const noexcept {
  switch (objective) {
    case Objective::pnl: return paper.equity;
    case Objective::markout: return markout.net.mean;
    case Objective::orders: return static_cast<double>(orders);
    case Objective::evenness: return even;
  }
  return 0;
}

// --- Table: trials of one bench ------------------------------------------------------------------

class Scoreboard::Table {
 public:
  Table(const Terms& terms, std::vector<std::size_t> trials)
      : period_(terms.period),
        trials_(std::move(trials)),
        rows_(trials_.size()),
        evaluator_(terms.orders, trials_.size()) {
    evaluator_.set_funding(terms.funding);
    assert(std::ranges::is_sorted(trials_));
  }

  void on_event(const TapeEvent& event, std::span<const TrialOrder> orders) {
    if (period_.count() > 0) begin_period(event.at.time_since_epoch() / period_);
    first_ = std::min(first_, event.at);
    last_ = std::max(last_, event.at);
    const std::size_t number = evaluator_.number_of(event.symbol_index, event.listing->symbol);
    evaluator_.see(number, event.at, event.quote);
    for (const TrialOrder& order : orders) take(order, number, event.at);
  }

  void finish() {
    evaluator_.finish();
    if (current_period_) end_period();
  }

  [[nodiscard]] const OrderEvaluator& evaluator() const noexcept { return evaluator_; }
  [[nodiscard]] std::span<const PeriodEnd> periods(std::size_t account) const noexcept {
    return rows_[account].periods;
  }
  [[nodiscard]] UnixMs first() const noexcept { return first_; }
  [[nodiscard]] UnixMs last() const noexcept { return last_; }

  void count(std::size_t account, Score& score) const {
    const Row& row = rows_[account];
    score.orders_of_hour = row.orders_of_hour;
    score.days = row.days;
    score.even = evenness(row.orders_of_hour);
    score.orders_of = row.orders_of;
    score.orders = row.orders;
  }

 private:
  struct Row {
    std::uint64_t orders = 0;
    std::array<std::uint64_t, count_of<StrategyId>> orders_of{};
    std::array<std::uint32_t, 24> orders_of_hour{};
    std::vector<DayOrders> days{};
    std::vector<PeriodEnd> periods{};
  };

  void take(const TrialOrder& order, std::size_t symbol_number, UnixMs at) {
    const auto account =
        static_cast<std::size_t>(std::ranges::lower_bound(trials_, order.trial) - trials_.begin());
    evaluator_.take({.account = account,
                     .symbol_index = symbol_number,
                     .strategy = order.strategy,
                     .side = order.side,
                     .reduce_only = order.reduce_only,
                     .quantity = order.quantity,
                     .protection = order.protection});
    Row& row = rows_[account];
    ++row.orders;
    ++row.orders_of[index_of(order.strategy)];
    ++row.orders_of_hour[utc_hour_of_day(at)];
    const std::int64_t day = utc_day(at);
    if (row.days.empty() || row.days.back().day < day) row.days.push_back({day, 0});
    ++row.days.back().orders;
  }

  // Periods never run backwards: a late event counts to the present one.
  void begin_period(std::int64_t period) {
    if (current_period_ && period <= *current_period_) return;
    if (current_period_) end_period();
    current_period_ = period;
  }
  void end_period() {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      PeriodEnd& end = rows_[i].periods.emplace_back();
      end.period = *current_period_;
      end.orders = rows_[i].orders;
      if (const PaperAccounts* paper = evaluator_.paper()) end.equity = paper->equity(i);
      for (std::size_t horizon = 0; horizon < kHorizons.size(); ++horizon) {
        end.markouts[horizon] = evaluator_.markouts().totals(i, horizon);
      }
    }
  }

  std::chrono::milliseconds period_;
  std::vector<std::size_t> trials_;  // sorted; an account is a place in it
  std::vector<Row> rows_;            // by account
  OrderEvaluator evaluator_;
  std::optional<std::int64_t> current_period_;
  UnixMs first_ = UnixMs::max(), last_ = UnixMs::min();
};

// --- Scoreboard ----------------------------------------------------------------------------------

Scoreboard::Scoreboard(std::size_t trials, const Terms& terms) : terms_(terms), places_(trials) {}
Scoreboard::~Scoreboard() = default;

std::unique_ptr<Observer> Scoreboard::make_observer(const std::vector<std::size_t>& trials) {
  class Writer : public Observer {
   public:
    explicit Writer(Table& table) : table_(table) {}
    void on_event(const TapeEvent& event, std::span<const TrialOrder> orders) override {
      table_.on_event(event, orders);
    }

   private:
    Table& table_;
  };
  Table& table = *tables_.emplace_back(std::make_unique<Table>(terms_, trials));
  for (std::size_t i = 0; i < trials.size(); ++i) places_[trials[i]] = {&table, i};
  return std::make_unique<Writer>(table);
}

void Scoreboard::finish() {
  for (const auto& table : tables_) table->finish();
}

Score Scoreboard::score(std::size_t trial, std::size_t horizon) const {
  const auto [table, account] = places_[trial];
  Score score{.trial = trial};
  table->count(account, score);
  const Markouts& markouts = table->evaluator().markouts();
  score.markout = markouts.together(account, horizon).estimate(places_.size());
  score.unknown = score.orders - score.markout.gross.samples;
  if (const PaperAccounts* paper = table->evaluator().paper()) score.paper = paper->result(account);
  score.edge = edge_of(score.markout.strict_net);
  return score;
}

std::span<const PeriodEnd> Scoreboard::periods(std::size_t trial) const noexcept {
  return places_[trial].table->periods(places_[trial].account);
}

std::optional<std::pair<UnixMs, UnixMs>> Scoreboard::span() const noexcept {
  std::pair span{UnixMs::max(), UnixMs::min()};
  for (const auto& table : tables_) {
    span.first = std::min(span.first, table->first());
    span.second = std::max(span.second, table->last());
  }
  return span.first <= span.second ? std::optional(span) : std::nullopt;
}

}  // namespace rts::research
