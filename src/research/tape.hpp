// Tape: recorded frames as the events that the engine's intake admits, in blocks that many settings
// are tried on. So each frame is decoded once, however many settings there are. A block is a value:
// filled by one thread, then read by any number of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <rts/base/symbol.hpp>
#include <rts/base/time.hpp>
#include <rts/engine/intake.hpp>
#include <rts/engine/parameters.hpp>
#include <rts/engine/reason.hpp>
#include <rts/engine/schedule.hpp>
#include <rts/market/events.hpp>
#include <rts/trading/order.hpp>
#include <rts/wire/frame.hpp>

namespace rts::research {

// The symbol that a number stands for, from one of its events on.
struct Listing {
  Symbol symbol;
  std::uint64_t serial = 0;  // of all listings of a tape, from 1
};

// What every admitted event has, whatever its kind.
struct TapeEvent {
  UnixMs at;
  std::size_t symbol_index;
  const Listing* listing;  // lives as long as the tape
  EventId id;
  std::optional<ReferencePrice> reference;  // before the event
  Quote quote;
};

// An event of a kind, as its strategy sees it.
template <class Data>
struct Sighting {
  std::uint32_t event;  // its place among the block's events
  UnixMs at;
  std::size_t symbol_index;
  const Listing* listing;
  Data data;
};

// The admitted events of some frames, in their order, and by kind.
class Block {
 public:
  static constexpr std::size_t kEvents = 1024;  // it is full with so many; a frame may add more

  Block();
  void clear() noexcept;
  // Copies the levels of a book.
  void add(const MarketEvent& event, const Listing& listing);
  [[nodiscard]] bool is_full() const noexcept { return events_.size() >= kEvents; }

  [[nodiscard]] const std::vector<TapeEvent>& events() const noexcept { return events_; }
  // The levels live as long as the block is not cleared.
  [[nodiscard]] const std::vector<Sighting<Book>>& books() const noexcept { return books_; }
  [[nodiscard]] const std::vector<Sighting<Trade>>& trades() const noexcept { return trades_; }
  [[nodiscard]] const std::vector<Sighting<Ticker>>& tickers() const noexcept { return tickers_; }

 private:
  [[nodiscard]] std::span<const Level> keep(std::span<const Level> levels);

  std::vector<TapeEvent> events_;
  std::vector<Sighting<Book>> books_;
  std::vector<Sighting<Trade>> trades_;
  std::vector<Sighting<Ticker>> tickers_;
  std::deque<std::vector<Level>> levels_;  // chunks, which never move
  std::size_t chunk_ = 0;                  // that is being filled
};

// What the intake has refused, and how much there was.
struct TapeCounts {
  std::uint64_t frames = 0;
  std::uint64_t events = 0;  // admitted and refused
  std::array<std::array<std::uint64_t, count_of<Reason>>, count_of<EventKind>> refused{};

  [[nodiscard]] std::uint64_t count(Reason reason) const noexcept;
  [[nodiscard]] std::uint64_t refused_events() const noexcept;
};

// Of settings that differ in what the intake reads (the price band) each has a lane of its own.
// Not thread-safe.
class Tape {
 public:
  // A lane for each.
  explicit Tape(const std::vector<EngineParameters>& lanes);

  // Decodes a frame and adds what is admitted to each lane's block. Precondition: as many blocks as
  // lanes.
  void read(const wire::RecordedFrame& recorded, std::vector<Block>& blocks);

  // Numbers of symbols are below it.
  [[nodiscard]] std::size_t symbol_capacity(std::size_t lane) const noexcept {
    return lanes_[lane].intake.symbols().capacity();
  }
  [[nodiscard]] const TapeCounts& counts(std::size_t lane) const noexcept {
    return lanes_[lane].counts;
  }

 private:
  struct Lane {
    explicit Lane(const EngineParameters& told)
        : parameters(told), schedule(parameters), intake(parameters, schedule) {}
    void refuse(EventKind kind, Reason reason) noexcept;
    void admit(const wire::WireEvent& event, const wire::Envelope& envelope,
               std::optional<UnixNs> received_at, Block& block);

    EngineParameters parameters;
    Schedule schedule;
    Intake intake;                        // refers to both
    std::deque<Listing> listings;         // all there have been
    std::vector<const Listing*> current;  // by symbol index
    TapeCounts counts;
  };

  wire::FrameReader reader_;
  std::deque<Lane> lanes_;  // never move
};

}  // namespace rts::research
