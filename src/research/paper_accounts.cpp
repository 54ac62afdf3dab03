#include "research/paper_accounts.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace rts::research {
namespace {

// What is left of a quantity by the error of subtractions is nothing.
constexpr double kSubtractionError = 1e-9;

constexpr double sign(Side side) noexcept { return side == Side::buy ? 1 : -1; }
constexpr Side opposite(Side side) noexcept { return side == Side::buy ? Side::sell : Side::buy; }

double in_basis_points(double amount, double notional) noexcept {
  return notional > 0 ? amount / notional * 10'000 : 0;
}

UnixMs start_of_minute(UnixMs at) noexcept { return std::chrono::floor<std::chrono::minutes>(at); }

}  // namespace

Profit& Profit::operator+=(const Profit& other) noexcept {
  orders += other.orders;
  closed_lots += other.closed_lots;
  wins += other.wins;
  gross += other.gross;
  fees += other.fees;
  funding += other.funding;
  open += other.open;
  turnover += other.turnover;
  return *this;
}

PaperAccounts::PaperAccounts(const Terms& terms, std::size_t accounts)
    : terms_(terms), accounts_(accounts) {}

PaperAccounts::Market& PaperAccounts::market_of(std::size_t symbol_index) {
  if (symbol_index >= markets_.size()) markets_.resize(symbol_index + 1);
  return markets_[symbol_index];
}

void PaperAccounts::set_funding(std::size_t symbol_index, const Symbol& symbol,
                                std::span<const wire::FundingEntry> entries) {
  std::vector<FundingRate> rates;
  for (const wire::FundingEntry& entry : entries) {
    if (entry.symbol == symbol) rates.push_back({entry.at, entry.rate});
  }
  if (!rates.empty()) set_funding(symbol_index, std::move(rates));
}

void PaperAccounts::set_funding(std::size_t symbol_index, std::vector<FundingRate> rates) {
  assert(std::ranges::all_of(rates, [](const auto& r) { return r.rate >= -1 && r.rate <= 1; }));
  std::ranges::stable_sort(rates, {}, &FundingRate::at);
  const auto is_again = [](const auto& a, const auto& b) { return a.at == b.at; };
  rates.erase(std::unique(rates.begin(), rates.end(), is_again), rates.end());
  Market& market = market_of(symbol_index);
  market.funding = std::move(rates);
  market.funding_paid = 0;
}

void PaperAccounts::keep_curve(std::size_t account) { accounts_[account].keeps_curve = true; }

void PaperAccounts::see(std::size_t symbol_index, const Spot& spot) {
  look_at_equity(spot.at);
  pay_funding(symbol_index, spot.at);
  Market& market = market_of(symbol_index);
  market.spot = spot;
  while (!market.below.empty() && spot.mid <= market.below.begin()->price) {
    hit(symbol_index, *market.below.begin());
  }
  while (!market.above.empty() && spot.mid >= market.above.begin()->price) {
    hit(symbol_index, *market.above.begin());
  }
}

void PaperAccounts::hit(std::size_t symbol_index, Stop stop) {
  const Spot& spot = markets_[symbol_index].spot;
  const Lot& lot = *stop.lot;
  const double taken = taker_price(opposite(lot.side), spot.mid, spot.half_spread);
  const double worse =
      lot.side == Side::buy ? std::min(taken, stop.price) : std::max(taken, stop.price);
  close(stop.lot, {symbol_index, lot.quantity, worse, spot.at});
}

void PaperAccounts::count_unfilled(const AccountOrder& order) {
  ++accounts_[order.account].unfilled;
}

void PaperAccounts::fill(const Fill& fill) {
  assert(fill.order.account < accounts_.size());
  pay_funding(fill.order.symbol_index, fill.at);
  ++accounts_[fill.order.account].strategies[index_of(fill.order.strategy)].orders;
  if (fill.order.reduce_only) {
    reduce(fill);
  } else {
    open(fill);
  }
}

void PaperAccounts::open(const Fill& fill) {
  const AccountOrder& order = fill.order;
  Account& account = accounts_[order.account];
  Holding& holding = account.positions[order.symbol_index].of(order.side);
  Lot& lot = holding.lots.emplace_back();
  lot.account = order.account;
  lot.strategy = order.strategy;
  lot.side = order.side;
  lot.opened_at = fill.at;
  lot.entry = taker_price(order.side, fill.mid, fill.half_spread);
  lot.quantity = order.quantity;
  holding.quantity += order.quantity;
  lot.notional = order.quantity * lot.entry;
  lot.protection = order.protection;
  lot.number = ++account.lots_opened;
  account.cash -= sign(lot.side) * lot.notional;
  charge(lot, lot.notional);
  if (!lot.protection) return;
  const auto [below, above] = stops_of(std::prev(holding.lots.end()));
  Market& market = market_of(order.symbol_index);
  market.below.insert(below);
  market.above.insert(above);
}

void PaperAccounts::reduce(const Fill& fill) {
  const AccountOrder& order = fill.order;
  Account& account = accounts_[order.account];
  Lots& longs = account.positions[order.symbol_index].longs.lots;
  if (longs.empty()) ++account.closed_nothing;
  const double price = taker_price(Side::sell, fill.mid, fill.half_spread);
  double left = order.quantity;
  while (!longs.empty() && left > order.quantity * kSubtractionError) {
    const double whole = longs.front().quantity;
    const double part = left >= whole * (1 - kSubtractionError) ? whole : left;
    left -= part;
    close(longs.begin(), {order.symbol_index, part, price, fill.at});
  }
}

// The fee of a fill of the lot.
void PaperAccounts::charge(Lot& lot, double notional) {
  Account& account = accounts_[lot.account];
  Profit& profit = account.strategies[index_of(lot.strategy)];
  const double fee = notional * terms_.fee_bp / 10'000;
  lot.fees += fee;
  profit.fees += fee;
  profit.turnover += notional;
  account.cash -= fee;
}

void PaperAccounts::close(Lots::iterator lot, const Closing& closing) {
  Account& account = accounts_[lot->account];
  const double notional = closing.quantity * closing.price;
  const double gross = sign(lot->side) * closing.quantity * (closing.price - lot->entry);
  account.cash += sign(lot->side) * notional;
  account.strategies[index_of(lot->strategy)].gross += gross;
  lot->gross += gross;
  charge(*lot, notional);
  lot->quantity -= closing.quantity;
  account.positions[closing.symbol_index].of(lot->side).quantity -= closing.quantity;
  if (lot->quantity <= 0) end_lot(lot, closing);
}

void PaperAccounts::end_lot(Lots::iterator lot, const Closing& closing) {
  Account& account = accounts_[lot->account];
  const double cost = lot->fees - lot->funding;
  const bool is_win = lot->gross > cost;
  Profit& profit = account.strategies[index_of(lot->strategy)];
  ++profit.closed_lots;
  if (is_win) ++profit.wins;
  // Lots that are open at the same time are of the same prices.
  account.lots.widen(closing.at - lot->opened_at);
  account.lots.add(lot->opened_at, {in_basis_points(lot->gross, lot->notional),
                                    in_basis_points(cost, lot->notional), is_win});
  if (lot->protection) {
    const auto [below, above] = stops_of(lot);
    markets_[closing.symbol_index].below.erase(below);
    markets_[closing.symbol_index].above.erase(above);
  }
  Holding& holding = account.positions[closing.symbol_index].of(lot->side);
  holding.lots.erase(lot);
  if (holding.lots.empty()) holding.quantity = 0;
}

// Precondition: the lot has stops.
PaperAccounts::Stops PaperAccounts::stops_of(Lots::iterator lot) noexcept {
  const auto& [stop_loss, take_profit] = *lot->protection;
  const bool is_long = lot->side == Side::buy;
  const Price below = is_long ? stop_loss : take_profit;
  const Price above = is_long ? take_profit : stop_loss;
  return {{below.value(), lot}, {above.value(), lot}};
}

void PaperAccounts::pay_funding(std::size_t symbol_index, UnixMs until) {
  Market& market = market_of(symbol_index);
  while (market.funding_paid < market.funding.size() &&
         market.funding[market.funding_paid].at <= until) {
    pay_funding(symbol_index, market.funding[market.funding_paid++].rate);
  }
}

void PaperAccounts::pay_funding(std::size_t symbol_index, double rate) {
  const double mid = markets_[symbol_index].spot.mid;
  for (Account& account : accounts_) {
    const auto found = account.positions.find(symbol_index);
    if (found == account.positions.end()) continue;
    for (Holding* holding : {&found->second.longs, &found->second.shorts}) {
      for (Lot& lot : holding->lots) {
        const double received = -sign(lot.side) * rate * lot.quantity * mid;
        lot.funding += received;
        account.strategies[index_of(lot.strategy)].funding += received;
        account.cash += received;
      }
    }
  }
}

double PaperAccounts::equity(const Account& account) const noexcept {
  double equity = account.cash;
  for (const auto& [symbol_index, position] : account.positions) {
    equity += position.quantity() * markets_[symbol_index].spot.mid;
  }
  return equity;
}

void PaperAccounts::look_at_equity(UnixMs at) {
  const std::int64_t minute = utc_minute(at);
  if (minute_ && minute <= *minute_) return;
  minute_ = minute;
  for (Account& account : accounts_) look_at_equity(account, start_of_minute(at));
}

void PaperAccounts::look_at_equity(Account& account, UnixMs at) const {
  const double now = equity(account);
  account.highest = std::max(account.highest, now);
  account.max_drawdown = std::max(account.max_drawdown, account.highest - now);
  const bool is_wanted = utc_minute(at) % account.minutes_a_point == 0;
  if (account.keeps_curve && is_wanted) add_point(account, {at, now});
}

void PaperAccounts::add_point(Account& account, const EquityPoint& point) {
  std::vector<EquityPoint>& curve = account.curve;
  if (!curve.empty() && curve.back().at == point.at) curve.pop_back();
  while (curve.size() >= kMaxCurvePoints) {
    account.minutes_a_point *= 2;
    std::erase_if(curve, [&](const EquityPoint& known) {
      return utc_minute(known.at) % account.minutes_a_point != 0;
    });
  }
  curve.push_back(point);
}

void PaperAccounts::finish(UnixMs end) {
  for (std::size_t symbol_index = 0; symbol_index < markets_.size(); ++symbol_index) {
    pay_funding(symbol_index, end);
  }
  for (Account& account : accounts_) {
    look_at_equity(account, end);
    if (account.keeps_curve) add_point(account, {end, equity(account)});
  }
}

AccountResult PaperAccounts::result(std::size_t number) const {
  assert(number < accounts_.size());
  const Account& account = accounts_[number];
  AccountResult result;
  result.strategies = account.strategies;
  for (const auto& [symbol_index, position] : account.positions) {
    const double mid = markets_[symbol_index].spot.mid;
    for (const Holding* holding : {&position.longs, &position.shorts}) {
      for (const Lot& lot : holding->lots) {
        (lot.side == Side::buy ? result.open_long : result.open_short) += lot.quantity * mid;
        result.strategies[index_of(lot.strategy)].open +=
            sign(lot.side) * lot.quantity * (mid - lot.entry);
      }
    }
  }
  for (const Profit& profit : result.strategies) result.total += profit;
  const Estimate lots = account.lots.estimate();
  result.lot_net_bp = lots.net;
  result.win_rate = lots.hit_rate;
  result.unfilled = account.unfilled;
  result.closed_nothing = account.closed_nothing;
  result.equity = equity(account);
  result.max_drawdown = account.max_drawdown;
  result.curve = account.curve;
  return result;
}

}  // namespace rts::research
