#include "simulation/market.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include <rts/base/text.hpp>

namespace rts::simulation {

constexpr std::int64_t kLevels = 20;

Market::Market(const std::vector<Symbol>& symbols, std::uint64_t seed, std::uint64_t first_id)
    : random_(seed) {
  constexpr std::array kListings{
      Listing{"BTCUSDT", 0.1, 2, 639'400}, Listing{"ETHUSDT", 0.01, 2, 342'500},
      Listing{"BNBUSDT", 0.01, 3, 57'100}, Listing{"", 0.001, 4, 10'000}};  // any other
  assert(!symbols.empty());
  for (const Symbol& symbol : symbols) {
    const Listing& listing =
        *std::ranges::find(kListings.begin(), kListings.end() - 1, symbol.text(), &Listing::symbol);
    Instrument& instrument = instruments_.emplace_back(
        Instrument{listing, std::string(symbol.text()), to_lower(symbol.text())});
    instrument.trade_id += first_id;
    instrument.update_id += first_id;
  }
  // So that the first order comes soon.
  instruments_.front().mood = Mood::bid_heavy;
}

std::string_view Market::next_frame(UnixMs now) {
  now_ = now;
  Instrument& instrument = instruments_[draw(instruments_.size())];
  move(instrument);
  const std::uint64_t kind = draw(1000);
  if (kind < 550) {
    write_book(instrument);
  } else if (kind < 930) {
    write_trade(instrument, "MARKET");
  } else if (kind < 970) {
    write_ticker(instrument);
  } else if (kind < 990) {
    write_book_ticker(instrument);
  } else {
    write_broken(instrument);
  }
  return frame_;
}

// A mood lasts 3 to 15 seconds; the price walks with it, a few ticks at most a frame.
void Market::move(Instrument& instrument) {
  Mood& mood = instrument.mood;
  if (instrument.mood_until == UnixMs{}) instrument.mood_until = now_ + std::chrono::seconds(3);
  if (now_ >= instrument.mood_until) {
    constexpr std::array kMoods{Mood::calm,  Mood::calm,      Mood::up,       Mood::down,
                                Mood::burst, Mood::bid_heavy, Mood::ask_heavy};
    mood = kMoods[draw(kMoods.size())];
    instrument.mood_until = now_ + std::chrono::milliseconds(3000 + draw(12'000));
  }
  const auto step = static_cast<std::int64_t>(draw(5)) - 2;
  const std::int64_t drift = instrument.open_ticks / 100'000 + 1;  // 0.001 % of the price
  const std::int64_t trend = mood == Mood::up ? drift : mood == Mood::down ? -drift : 0;
  instrument.mid_ticks += mood == Mood::burst ? step * drift * 2 : trend + step;
  // What wanders off by a tenth turns back, so that no price runs away in a long run.
  const std::int64_t most = instrument.open_ticks / 10;
  if (instrument.mid_ticks > instrument.open_ticks + most) mood = Mood::down;
  if (instrument.mid_ticks < instrument.open_ticks - most) mood = Mood::up;
}

std::string Market::Instrument::price(std::int64_t ticks) const {
  return fmt::format("{:.{}f}", static_cast<double>(ticks) * tick, decimals);
}

void Market::end_envelope() {
  frame_ += R"(},"timestamp":")";
  append_iso8601(frame_, now_);
  fmt::format_to(std::back_inserter(frame_),
                 R"(Z","message_id":"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",)"
                 R"("source":"simulation","version":"1.0"}})",
                 draw(1ULL << 32U), draw(1ULL << 16U), draw(1ULL << 12U), draw(1ULL << 12U),
                 draw(1ULL << 48U));
}

// One-sided books also have a wide spread: that is when orderbook_skew looks at them by default.
void Market::write_book(Instrument& instrument) {
  const Mood mood = instrument.mood;
  const bool one_sided = mood == Mood::bid_heavy || mood == Mood::ask_heavy;
  const std::int64_t half = one_sided ? instrument.open_ticks / 1200 : 1;
  instrument.update_id += 1 + draw(2000);
  const auto levels = [&](std::int64_t direction, bool is_heavy) {
    std::string out;
    for (std::int64_t level = 0; level < kLevels; ++level) {
      out += fmt::format(R"({}["{}","{:.3f}"])", level == 0 ? "" : ",",
                         instrument.price(instrument.mid_ticks + direction * (half + level)),
                         static_cast<double>(1 + draw(is_heavy ? 40'000 : 9'000)) / 1000);
    }
    return out;
  };
  const std::string bids = levels(-1, mood == Mood::bid_heavy);
  const std::string asks = levels(1, mood == Mood::ask_heavy);
  write(instrument, "depth20@100ms",
        R"("e":"depthUpdate","E":{},"T":{},"s":"{}","U":{},"u":{},"pu":{},"b":[{}],"a":[{}])",
        now_ms(), now_ms() - 1, instrument.name, instrument.update_id - 1, instrument.update_id,
        instrument.update_id - 2, bids, asks);
}

void Market::write_trade(Instrument& instrument, std::string_view execution_type) {
  const bool print = execution_type == "MARKET";
  const bool burst = instrument.mood == Mood::burst;
  const bool seller = instrument.mood == Mood::down ? draw(10) < 8
                      : instrument.mood == Mood::up ? draw(10) < 2
                                                    : draw(2) == 0;
  const std::uint64_t milli = 1 + draw(400) + (burst && draw(8) == 0 ? 8'000 : 0);
  write(instrument, "trade",
        R"("e":"trade","E":{},"T":{},"s":"{}","t":{},"p":"{}","q":"{}","X":"{}","m":{})", now_ms(),
        now_ms() - 1, instrument.name, ++instrument.trade_id,
        print ? instrument.price(instrument.mid_ticks + (seller ? -1 : 1)) : "0",
        print ? fmt::format("{:.3f}", static_cast<double>(milli) / 1000) : "0", execution_type,
        seller);
}

void Market::write_ticker(const Instrument& instrument) {
  const std::int64_t change = instrument.mid_ticks - instrument.open_ticks;
  write(instrument, "ticker",
        R"("e":"24hrTicker","E":{},"s":"{}","p":"{}","P":"{:.3f}","c":"{}","Q":"0.010",)"
        R"("o":"{}","v":"101234.512","q":"6120334512.10","O":{},"C":{},"n":1649000)",
        now_ms(), instrument.name, instrument.price(change),
        static_cast<double>(change) / static_cast<double>(instrument.open_ticks) * 100,
        instrument.price(instrument.mid_ticks), instrument.price(instrument.open_ticks),
        now_ms() - 86'400'000, now_ms());
}

void Market::write_book_ticker(const Instrument& instrument) {
  write(instrument, "bookTicker",
        R"("e":"bookTicker","u":{},"s":"{}","b":"{}","B":"3.1","a":"{}","A":"2.2","E":{})",
        instrument.update_id, instrument.name, instrument.price(instrument.mid_ticks - 1),
        instrument.price(instrument.mid_ticks + 1), now_ms());
}

// What really comes along: prints that are none, half frames, books that lost a side, acks.
void Market::write_broken(Instrument& instrument) {
  const std::uint64_t kind = draw(4);
  if (kind == 0) {
    write_trade(instrument, "NA");
  } else if (kind == 1) {
    write_trade(instrument, "MARKET");
    frame_.resize(frame_.size() / 2);
  } else if (kind == 2) {
    write(instrument, "depth20@100ms",
          R"("e":"depthUpdate","E":{},"s":"{}","u":{},"b":[],"a":[["{}","1.000"]])", now_ms(),
          instrument.name, ++instrument.update_id, instrument.price(instrument.mid_ticks));
  } else {
    frame_ = R"({"result":null,"id":1})";
  }
}

}  // namespace rts::simulation
