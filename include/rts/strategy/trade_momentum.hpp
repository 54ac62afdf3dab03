// trade_momentum: scores each trade against the recent means of price and quantity and the side of
// its aggressor. The functor is stateless; the context belongs to the engine, one a symbol. SPEC
// §3.2.
#pragma once

#include <cstdint>

#include <rts/market/events.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

struct TradeMomentumParameters {
  double price_weight = 0.4;  // 0 … 1; the three weights sum to 1
  double quantity_weight = 0.3;
  double maker_weight = 0.3;
  double buy_threshold = 0.7;         // exclusive
  double sell_threshold = -0.7;       // exclusive
  double min_quantity = 0.001;        // base asset, inclusive
  int window = 100;                   // trades
  double price_scale_percent = 0.05;  // the move that scores 1
  double quantity_multiple = 5;       // of the mean, the size that scores 1
};

// Exponential means, α = 2/(window+1), started at the first trade.
struct MomentumContext {
  double mean_price = 0;
  double mean_quantity = 0;
  std::uint64_t count = 0;
};

class TradeMomentum {
 public:
  explicit constexpr TradeMomentum(const TradeMomentumParameters& parameters) noexcept
      : parameters_(parameters) {}

  // side = −1 if the buyer is the maker, else +1
  // price_score = clamp((p − mean_p)/mean_p × 100 / price_scale_percent, −1, 1)
  // quantity_score = side · min(1, q/(quantity_multiple · mean_q))        maker_score = side
  // momentum = w_price·price_score + w_quantity·quantity_score + w_maker·maker_score
  // Example: means 100 and 1, buy of 5 at 100.05 → scores 1, 1, 1 → momentum 1 → BUY with
  // confidence min(0.95, 0.65 + 0.2·1) = 0.85.
  [[nodiscard]] Verdict operator()(const Trade& trade,
                                   const MomentumContext& context) const noexcept;

  // The means after this trade; trades below the minimum quantity leave them untouched.
  [[nodiscard]] MomentumContext updated(const MomentumContext& context,
                                        const Trade& trade) const noexcept;

 private:
  TradeMomentumParameters parameters_;
};

}  // namespace rts
