#include "research/data_quality.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "research/symbol_numbers.hpp"

namespace rts::research {
namespace {

// Minutes near each other move alike, so some of them count as one sample. Blocks grow with the
// length of the recording.
constexpr std::chrono::minutes kShortestBlock{5};
constexpr double kMinutesADay = 1'440;

// Of a mean of squares in basis points².
double percent_a_day(double mean_square) noexcept {
  return std::sqrt(std::max(0.0, mean_square) * kMinutesADay) / 100;
}

}  // namespace

void DataQuality::see(std::size_t number, const Symbol& symbol, UnixMs at, const Quote& quote) {
  first_ = std::min(first_, at);
  last_ = std::max(last_, at);
  if (number >= kMaxSymbols) {
    ++events_of_others_;
    return;
  }
  while (number >= rows_.size()) {
    rows_.push_back(
        {{.symbol = symbol, .first = at, .last = at}, {}, {}, BlockSums(kShortestBlock)});
  }
  Row& row = rows_[number];
  SymbolQuality& quality = row.quality;
  ++quality.events;
  if (at - quality.last > kMaxSilence) {
    ++quality.gaps;
    if (at - quality.last > quality.longest_gap) {
      quality.longest_gap = at - quality.last;
      quality.longest_gap_from = quality.last;
    }
  }
  quality.first = std::min(quality.first, at);
  quality.last = std::max(quality.last, at);
  see_price(row, board_.see(number, at, quote));
}

void DataQuality::see_price(Row& row, const Spot& spot) {
  const std::int64_t minute = utc_minute(spot.at);
  if (row.present && row.present->number != minute) end_minute(row);
  row.present = {minute, spot.mid};
}

void DataQuality::end_minute(Row& row) {
  const Minute& ended = *row.present;
  if (row.before && row.before->number + 1 == ended.number) {
    const double change = (ended.mid - row.before->mid) / row.before->mid * 10'000;
    row.squares.add(UnixMs{std::chrono::minutes{ended.number}}, {.gross = change * change});
  }
  row.before = ended;
}

std::vector<SymbolQuality> DataQuality::symbols() const {
  std::vector<SymbolQuality> all;
  for (Row row : rows_) {
    if (row.present) end_minute(row);
    const Interval& squares = row.squares.estimate().gross;
    row.quality.volatility = {percent_a_day(squares.mean), percent_a_day(squares.low),
                              percent_a_day(squares.high), squares.samples, squares.blocks};
    all.push_back(row.quality);
  }
  return all;
}

std::unique_ptr<Observer> watched(std::unique_ptr<Observer> inner, DataQuality& quality) {
  class Watcher : public Observer {
   public:
    Watcher(std::unique_ptr<Observer> inner, DataQuality& quality)
        : inner_(std::move(inner)), quality_(quality) {}
    void on_event(const TapeEvent& event, std::span<const TrialOrder> orders) override {
      const Symbol& symbol = event.listing->symbol;
      quality_.see(numbers_.of(event.symbol_index, symbol), symbol, event.at, event.quote);
      inner_->on_event(event, orders);
    }

   private:
    std::unique_ptr<Observer> inner_;
    DataQuality& quality_;
    SymbolNumbers numbers_;
  };
  return std::make_unique<Watcher>(std::move(inner), quality);
}

}  // namespace rts::research
