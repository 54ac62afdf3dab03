// Paper accounts: what an account would have that fills every order as a taker. Each opening order
// is a lot with its own stop loss and take profit; LONG and SHORT lots stand beside each other. One
// object serves many accounts; a price costs the same however many there are, an order O(log lots).
// Not thread-safe.
//
// Pessimistic where the recording does not say: a stop is hit when the mid reaches it, and is
// filled at the taker's price of that quote, or at the stop where that is worse, so a gap through
// a stop loss costs the gap and a gap through a take profit earns nothing beyond it. Stops rest at
// the venue: latency is of orders only. A reduce-only SELL closes LONG lots of its symbol, oldest
// first, whichever strategy opened them.
//
// Money is double, in the quote currency, symbols added up as if theirs were one: a relative error
// of some 1e-12 after a million fills, which research does not see. It must not settle anything.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <rts/base/enum_names.hpp>
#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/wire/funding.hpp>

#include "research/fills.hpp"
#include "research/quote_board.hpp"
#include "research/statistics.hpp"

namespace rts::research {

// At this time a LONG pays rate · notional to a SHORT, at the mid that was seen last.
struct FundingRate {
  UnixMs at;
  double rate = 0;  // 0.0001 = 0.01 %
};

// Of a strategy, or of all: what is closed. The sums are in the quote currency.
struct Profit {
  std::uint64_t orders = 0;       // filled
  std::uint64_t closed_lots = 0;  // to their end
  std::uint64_t wins = 0;         // closed lots with more than 0 after fees and funding
  double gross = 0;               // of what was closed, at the prices it was filled at
  double fees = 0;                // paid, of open lots as well
  double funding = 0;             // received; negative: paid
  double open = 0;                // of open lots at the mid, before the fee of closing them
  double turnover = 0;            // notional of all fills

  [[nodiscard]] double net() const noexcept { return gross - fees + funding; }
  [[nodiscard]] double equity() const noexcept { return net() + open; }
  Profit& operator+=(const Profit& other) noexcept;
};

struct EquityPoint {
  UnixMs at;
  double equity = 0;
};

struct AccountResult {
  Profit total;  // a closing order counts for its own strategy, profit for the one that opened
  std::array<Profit, count_of<StrategyId>> strategies{};
  std::uint64_t unfilled = 0;        // orders whose price was not known
  std::uint64_t closed_nothing = 0;  // reduce-only orders that found no LONG lot
  Interval lot_net_bp;               // net of a closed lot, bp of its notional when it was opened
  Interval win_rate;                 // of closed lots
  double open_long = 0, open_short = 0;  // notional at the mid
  double equity = 0;                     // by what was paid and received, which starts at 0
  double max_drawdown = 0;               // the most that equity was below its highest before, >= 0
  std::vector<EquityPoint> curve;        // where it was asked for
};

class PaperAccounts {
 public:
  static constexpr std::size_t kMaxCurvePoints = 2'000;

  struct Terms {
    double fee_bp = 4;  // of the notional, each side
  };

  // Accounts have the numbers below `accounts`.
  PaperAccounts(const Terms& terms, std::size_t accounts);

  // In any order of time; of two rates of one time the first counts. Precondition: −1 … 1.
  void set_funding(std::size_t symbol_index, std::vector<FundingRate> rates);
  // Those that are this symbol's.
  void set_funding(std::size_t symbol_index, const Symbol& symbol,
                   std::span<const wire::FundingEntry> entries);
  // Equity of this account is kept for each minute, every second, fourth … of them where there
  // would be more than kMaxCurvePoints.
  void keep_curve(std::size_t account);

  // A new price of a symbol: minutes that have begun since, funding, and stops that it reaches.
  void see(std::size_t symbol_index, const Spot& spot);
  // Of a symbol whose price was seen. Times of a symbol's fills and prices come in order.
  void fill(const Fill& fill);
  void count_unfilled(const AccountOrder& order);
  // The end of the recording.
  void finish(UnixMs end);

  // Of the account now: paid and received, and open lots at the mid.
  [[nodiscard]] double equity(std::size_t account) const noexcept {
    return equity(accounts_[account]);
  }
  // Open lots are marked at the mid.
  [[nodiscard]] AccountResult result(std::size_t account) const;

 private:
  struct Lot {
    std::size_t account = 0;
    StrategyId strategy = StrategyId::orderbook_skew;
    Side side = Side::buy;
    UnixMs opened_at;
    double entry = 0;                         // price
    double quantity = 0;                      // that is open still
    double notional = 0;                      // when it was opened
    double gross = 0, fees = 0, funding = 0;  // so far
    std::optional<Protection> protection;
    std::uint64_t number = 0;  // of the account's lots
  };
  [[nodiscard]] static bool is_earlier(const Lot& a, const Lot& b) noexcept {
    return a.account != b.account ? a.account < b.account : a.number < b.number;
  }
  using Lots = std::list<Lot>;  // in the order they were opened; their places never move
  // The lots of one side, and what they hold together: equity is looked at too often to add up lots
  // each time. Without lots it is 0 again, whatever the error of its sums.
  struct Holding {
    Lots lots;
    double quantity = 0;
  };
  struct Position {
    Holding longs, shorts;
    [[nodiscard]] Holding& of(Side side) noexcept { return side == Side::buy ? longs : shorts; }
    [[nodiscard]] double quantity() const noexcept { return longs.quantity - shorts.quantity; }
  };
  struct Stop {
    double price = 0;
    Lots::iterator lot;
  };
  // Those that a fall reaches first, first; those that a rise reaches first, first. At one price
  // each account's in the order of its lots, whatever other accounts there are.
  struct HighestFirst {
    bool operator()(const Stop& a, const Stop& b) const noexcept {
      return a.price != b.price ? a.price > b.price : is_earlier(*a.lot, *b.lot);
    }
  };
  struct LowestFirst {
    bool operator()(const Stop& a, const Stop& b) const noexcept {
      return a.price != b.price ? a.price < b.price : is_earlier(*a.lot, *b.lot);
    }
  };
  struct Stops {
    Stop below, above;
  };
  struct Market {
    Spot spot;
    std::set<Stop, HighestFirst> below;  // stop losses of LONGs, take profits of SHORTs
    std::set<Stop, LowestFirst> above;   // take profits of LONGs, stop losses of SHORTs
    std::vector<FundingRate> funding;
    std::size_t funding_paid = 0;  // of them
  };
  struct Account {
    std::map<std::size_t, Position> positions;  // that are open, by symbol index
    std::array<Profit, count_of<StrategyId>> strategies{};
    double cash = 0;  // paid and received
    std::uint64_t unfilled = 0, closed_nothing = 0, lots_opened = 0;
    BlockSums lots{std::chrono::minutes{1}};
    double highest = 0, max_drawdown = 0;
    bool keeps_curve = false;
    std::int64_t minutes_a_point = 1;
    std::vector<EquityPoint> curve;
  };

  // What is closed of a lot, and at which price.
  struct Closing {
    std::size_t symbol_index = 0;
    double quantity = 0;
    double price = 0;
    UnixMs at;
  };

  [[nodiscard]] Market& market_of(std::size_t symbol_index);
  void open(const Fill& fill);
  void reduce(const Fill& fill);
  // Ends the lot where nothing of it is left.
  void close(Lots::iterator lot, const Closing& closing);
  void end_lot(Lots::iterator lot, const Closing& closing);
  void charge(Lot& lot, double notional);
  [[nodiscard]] static Stops stops_of(Lots::iterator lot) noexcept;
  void hit(std::size_t symbol_index, Stop stop);
  void pay_funding(std::size_t symbol_index, UnixMs until);
  void pay_funding(std::size_t symbol_index, double rate);
  // Equity is looked at once for each minute in which there were events.
  void look_at_equity(UnixMs at);
  void look_at_equity(Account& account, UnixMs at) const;
  static void add_point(Account& account, const EquityPoint& point);
  [[nodiscard]] double equity(const Account& account) const noexcept;

  Terms terms_;
  std::vector<Market> markets_;  // by symbol index
  std::vector<Account> accounts_;
  std::optional<std::int64_t> minute_;  // of the last event, since 1970
};

}  // namespace rts::research
