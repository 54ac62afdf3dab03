#include "research/tape.hpp"

#include <cassert>
#include <numeric>
#include <span>
#include <type_traits>
#include <variant>

#include <rts/engine/engine.hpp>

namespace rts::research {
namespace {

// Levels of a chunk: a block of books with 20 levels a side takes some of them.
constexpr std::size_t kChunkLevels = 8192;

}  // namespace

// --- Block ---------------------------------------------------------------------------------------

Block::Block() {
  events_.reserve(kEvents + wire::kMaxEventsPerFrame);
  levels_.emplace_back().reserve(kChunkLevels);
}

void Block::clear() noexcept {
  events_.clear();
  books_.clear();
  trades_.clear();
  tickers_.clear();
  for (auto& chunk : levels_) chunk.clear();
  chunk_ = 0;
}

void Block::add(const MarketEvent& event, const Listing& listing) {
  const auto sighting = [&](const auto& data) {
    return Sighting<std::decay_t<decltype(data)>>{static_cast<std::uint32_t>(events_.size()),
                                                  event.at, event.symbol_index, &listing, data};
  };
  if (const auto* book = std::get_if<Book>(&event.data)) {
    books_.push_back(sighting(Book{keep(book->bids), keep(book->asks)}));
  } else if (const auto* trade = std::get_if<Trade>(&event.data)) {
    trades_.push_back(sighting(*trade));
  } else {
    tickers_.push_back(sighting(std::get<Ticker>(event.data)));
  }
  events_.push_back(
      {event.at, event.symbol_index, &listing, event.id, event.reference, quote_of(event.data)});
}

std::span<const Level> Block::keep(std::span<const Level> levels) {
  assert(levels.size() <= kChunkLevels);
  if (levels_[chunk_].size() + levels.size() > kChunkLevels && ++chunk_ == levels_.size()) {
    levels_.emplace_back().reserve(kChunkLevels);
  }
  std::vector<Level>& chunk = levels_[chunk_];
  const std::size_t first = chunk.size();
  chunk.insert(chunk.end(), levels.begin(), levels.end());
  return std::span(chunk).subspan(first);
}

// --- Tape ----------------------------------------------------------------------------------------

std::uint64_t TapeCounts::count(Reason reason) const noexcept {
  return std::accumulate(
      refused.begin(), refused.end(), std::uint64_t{0},
      [&](std::uint64_t sum, const auto& of_kind) { return sum + of_kind[index_of(reason)]; });
}

std::uint64_t TapeCounts::refused_events() const noexcept {
  std::uint64_t sum = 0;
  for (const Reason reason : all_of<Reason>) sum += count(reason);
  return sum;
}

Tape::Tape(const std::vector<EngineParameters>& lanes) {
  for (const EngineParameters& parameters : lanes) lanes_.emplace_back(parameters);
}

void Tape::read(const wire::RecordedFrame& recorded, std::vector<Block>& blocks) {
  assert(blocks.size() == lanes_.size());
  const auto error = reader_.open(recorded.frame);
  for (Lane& lane : lanes_) {
    ++lane.counts.frames;
    lane.intake.begin_frame();
    if (error) lane.refuse(EventKind::unknown, reason_of(*error));
  }
  if (error) return;
  while (const wire::WireEvent* event = reader_.next()) {
    const auto refused = refusal_of(event->kind);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (refused) {
        lanes_[i].refuse(event->kind, *refused);
      } else {
        lanes_[i].admit(*event, reader_.envelope(), recorded.received_at, blocks[i]);
      }
    }
  }
}

void Tape::Lane::refuse(EventKind kind, Reason reason) noexcept {
  ++counts.events;
  ++counts.refused[index_of(kind)][index_of(reason)];
}

void Tape::Lane::admit(const wire::WireEvent& event, const wire::Envelope& envelope,
                       std::optional<UnixNs> received_at, Block& block) {
  const auto admitted = intake.admit(event, envelope, received_at);
  if (!admitted) return refuse(event.kind, admitted.error());
  ++counts.events;
  const MarketEvent& market_event = *admitted.value();
  const std::size_t index = market_event.symbol_index;
  if (index >= current.size()) current.resize(index + 1);
  if (market_event.is_first) {
    listings.push_back({intake.symbols().at(index), listings.size() + 1});
    current[index] = &listings.back();
  }
  block.add(market_event, *current[index]);
}

}  // namespace rts::research
