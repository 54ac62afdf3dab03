#include <algorithm>
#include <cassert>
#include <functional>

#include <rts/engine/intake.hpp>

namespace rts {
namespace {

using wire::FieldState;
using wire::WireEvent;

constexpr UnixMs kEarliest{std::chrono::milliseconds(1)};
constexpr std::chrono::seconds kSequenceResetAfter{60};
// An event without a time of its own is dated by the relay, whose queue may delay it by minutes:
// only a longer silence is a reset of the ids.
constexpr std::chrono::minutes kUndatedResetAfter{60};
constexpr std::chrono::seconds kSourceSilentAfter{60};
constexpr std::chrono::hours kUnusedAfter{24};  // the longest cooldown is over by then
constexpr double kNamelessBandPercent = 0.5;
constexpr std::size_t kLeastLevels = 5;  // of the thinnest partial book there is
constexpr std::uint64_t kCoinMargined = 2;
constexpr std::uint64_t kMicrosecondsFrom = 100'000'000'000'000;  // 10^14

// Only partial books are books: their channel says so.
bool is_partial_book_channel(std::string_view channel) noexcept {
  return channel == "depth5" || channel == "depth10" || channel == "depth20";
}

// Why a field that must hold a number does not.
Reason refusal_of(FieldState state) noexcept {
  return state == FieldState::invalid ? Reason::bad_number : Reason::malformed;
}

// The functions read_… fill in what the strategies see of the event, or say why they must not.
template <class Unit>
std::optional<Reason> read_number(const wire::NumberField& field, Unit& out) noexcept {
  if (!field.valid()) return refusal_of(field.state);
  const auto number = Unit::from(field.value);
  if (!number) return Reason::bad_number;
  out = *number;
  return std::nullopt;
}

bool is_sorted_best_first(const Book& book) noexcept {
  using std::ranges::adjacent_find;
  return adjacent_find(book.bids, std::less_equal{}, &Level::price) == book.bids.end() &&
         adjacent_find(book.asks, std::greater_equal{}, &Level::price) == book.asks.end();
}

// SPEC §2 rules 5 and 6, as far as they need no memory.
std::optional<Reason> read_book(const WireEvent& event, Book& book) noexcept {
  for (const auto* side : {event.bids, event.asks}) {
    if (side->state != FieldState::valid) return refusal_of(side->state);
  }
  for (const auto* side : {event.bids, event.asks}) {
    if (side->has_zero_quantity || side->level_count > wire::SideField::kMaxLevels) {
      return Reason::diff_depth;  // a diff that lost its stream name
    }
  }
  book = {event.bids->levels(), event.asks->levels()};
  if (book.bids.empty() || book.asks.empty()) return Reason::empty_side;
  if (std::min(book.bids.size(), book.asks.size()) < kLeastLevels) return Reason::diff_depth;
  if (!is_sorted_best_first(book)) return Reason::unsorted_book;
  if (book.bids.front().price >= book.asks.front().price) return Reason::crossed_book;
  return std::nullopt;
}

// X absent, MARKET or RPI is a print of the market; anything else (NA, INSURANCE_FUND, …) is not,
// nor is what is no text: its value is empty.
bool is_market_trade(const wire::TextField& execution_type) noexcept {
  return execution_type.state == FieldState::absent || execution_type.value == "MARKET" ||
         execution_type.value == "RPI";
}

std::optional<Reason> read_trade(const WireEvent& event, Trade& trade) noexcept {
  if (!is_market_trade(event.execution_type)) return Reason::non_market_trade;
  if (const auto reason = read_number(event.price, trade.price)) return reason;
  if (const auto reason = read_number(event.quantity, trade.quantity)) return reason;
  if (trade.quantity.value() == 0) return Reason::bad_number;
  if (!event.buyer_is_maker.valid()) return Reason::malformed;
  trade.buyer_is_maker = event.buyer_is_maker.value;
  return std::nullopt;
}

std::optional<Reason> read_data(const WireEvent& event, MarketData& data) noexcept {
  if (event.kind == EventKind::book) return read_book(event, data.emplace<Book>());
  if (event.kind == EventKind::trade) return read_trade(event, data.emplace<Trade>());
  return read_number(event.price, data.emplace<Ticker>().last_price);
}

// Milliseconds or, from 10^14 on, microseconds since 1970. Empty where it is no such number: its
// value is 0.
std::optional<UnixMs> as_time(const wire::IntegerField& field) noexcept {
  if (field.value == 0) return std::nullopt;
  const bool micros = field.value >= kMicrosecondsFrom;
  return UnixMs(std::chrono::milliseconds(micros ? field.value / 1000 : field.value));
}

// The event's number in its sequence: tickers number themselves by their event time.
std::optional<std::uint64_t> sequence_id(const WireEvent& event, UnixMs at) noexcept {
  if (event.kind == EventKind::ticker) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
  }
  return event.id.valid() ? std::optional(event.id.value) : std::nullopt;
}

std::optional<Price> last_price(const MarketData& data) noexcept {
  if (const auto* trade = std::get_if<Trade>(&data)) return trade->price;
  if (const auto* ticker = std::get_if<Ticker>(&data)) return ticker->last_price;
  return std::nullopt;
}

}  // namespace

SymbolTable::SymbolTable(const std::vector<Symbol>& symbols)
    : capacity_(symbols.empty() ? EngineParameters::kMaxSymbols : symbols.size()),
      open_(symbols.empty()) {
  symbols_.reserve(capacity_);
  index_.reserve(capacity_);
  for (const Symbol& symbol : symbols) {
    if (!find(symbol.text())) add(symbol);
  }
}

std::optional<std::size_t> SymbolTable::find(std::string_view name) const noexcept {
  const auto found = index_.find(name);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t SymbolTable::add(const Symbol& symbol) {
  assert(symbols_.size() < capacity_ && !find(symbol.text()));
  symbols_.push_back(symbol);
  index_.emplace(symbols_.back().text(), symbols_.size() - 1);
  return symbols_.size() - 1;
}

void SymbolTable::replace(std::size_t index, const Symbol& symbol) {
  assert(index < symbols_.size() && !find(symbol.text()));
  auto entry = index_.extract(symbols_[index].text());
  symbols_[index] = symbol;
  entry.key() = symbols_[index].text();
  index_.insert(std::move(entry));
}

Intake::Intake(const EngineParameters& parameters, Schedule& schedule)
    : parameters_(parameters),
      schedule_(schedule),
      symbols_(parameters.symbols),
      states_(symbols_.capacity()) {
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    states_[i].is_traded = parameters_.of(symbols_.at(i)).traded;
  }
}

Quote quote_of(const MarketData& data) noexcept {
  if (const auto* book = std::get_if<Book>(&data)) {
    return {book->bids.front().price, book->asks.front().price};
  }
  const auto* trade = std::get_if<Trade>(&data);
  const Price price = trade == nullptr ? std::get<Ticker>(data).last_price : trade->price;
  return {price, price};
}

// The numbers in the comments are SPEC §2's.
Result<const MarketEvent*, Reason> Intake::admit(const WireEvent& event,
                                                 const wire::Envelope& envelope,
                                                 std::optional<UnixNs> received_at) {
  subject_ = {};
  // 1. Only partial books are books, and those of spot do not call themselves updates.
  if (event.kind == EventKind::book &&
      (!is_partial_book_channel(envelope.channel()) ||
       (event.is_depth_update && event.trade_time.state == FieldState::absent))) {
    return Failure{Reason::diff_depth};
  }
  const auto identified = identify(event, envelope);  // 2
  if (!identified) return Failure{identified.error()};
  const Place place = identified.value();
  subject_.symbol_index = place;
  const auto time = times(event, envelope, received_at);  // 3, but for a symbol without a place: 2
  if (!place && !may_get_number(time)) return Failure{Reason::symbol_not_traded};
  if (!time) return Failure{time.error()};
  const auto [at, aged_at] = time.value();
  if (const auto reason = read_data(event, admitted_.data)) return Failure{*reason};  // 4, 5, 6
  const Book* const book = std::get_if<Book>(&admitted_.data);
  if (book != nullptr && event.symbol.value.empty() && !price_fits(place, at, *book)) {
    return Failure{Reason::unverified_symbol};
  }

  static const SymbolState kNew{};
  const SymbolState& before = place ? states_[*place] : kNew;
  // 7. A preferred source that is not silent is the only one.
  const auto slot = index_of(event.sequence);
  for (auto preferred = index_of(most_preferred(event.sequence)); preferred < slot; ++preferred) {
    const auto& source = before.sequences[preferred];
    if (source && at <= source->newest_at + kSourceSilentAfter) {
      return Failure{Reason::other_source};
    }
  }
  const auto id = sequence_id(event, at);  // 8
  if (!id) return Failure{Reason::malformed};
  const auto& last = before.sequences[slot];
  const bool dated = event.event_time.state != FieldState::absent;
  const std::chrono::seconds reset_after = dated ? kSequenceResetAfter : kUndatedResetAfter;
  if (last && *id <= last->id && at <= last->at + reset_after) {
    return Failure{Reason::out_of_order};
  }

  const std::size_t symbol_index = place ? *place : give_number(at);
  SymbolState& state = states_[symbol_index];
  auto& sequence = state.sequences[slot];
  sequence = {*id, at, sequence ? std::max(at, sequence->newest_at) : at};
  admitted_.is_first = state.last_frame == 0;
  state.last_frame = frame_;
  admitted_.reference = state.reference;
  admitted_.in_force = &schedule_.at(at);
  if (const auto price = last_price(admitted_.data)) {
    const double band = admitted_.in_force->parameters.gate.price_band_percent;
    if (refuse_outlier(state, *price, at, band)) {  // 9
      subject_.measure = {state.reference->distance_percent(*price), band};
      return Failure{Reason::outlier};
    }
    state.reference = {*price, at};
  }
  state.last_seen = std::max(state.last_seen, at);
  admitted_.symbol_index = symbol_index;
  admitted_.at = at;
  admitted_.aged_at = aged_at;
  admitted_.id = {wire::id_letter(event.sequence), *id};
  return &admitted_;
}

Result<Intake::Place, Reason> Intake::identify(const WireEvent& event,
                                               const wire::Envelope& envelope) noexcept {
  if (event.symbol.state == FieldState::wrong_type) return Failure{Reason::malformed};
  const std::string_view own = event.symbol.value;
  const std::string_view prefix = envelope.symbol_prefix();
  if (own.empty() && prefix.empty()) return Failure{Reason::no_symbol};
  if (!own.empty() && !prefix.empty() && !same_but_for_case(own, prefix)) {
    return Failure{Reason::symbol_conflict};
  }
  const std::string_view name = own.empty() ? prefix : own;
  if (event.symbol_type.value == kCoinMargined) return Failure{Reason::symbol_not_traded};
  if (const auto known = symbols_.find(name)) {
    if (!states_[*known].is_traded) return Failure{Reason::symbol_not_traded};
    return known;
  }
  const auto symbol =
      symbols_.is_open() && Symbol::may_name(name) ? Symbol::from(name) : std::nullopt;
  if (!symbol || !is_quoted_in(parameters_.quote_assets, symbol->text())) {
    return Failure{Reason::symbol_not_traded};
  }
  new_symbol_ = *symbol;
  return Place{};
}

// Whether there is a number for new_symbol_, and the venue trades it.
bool Intake::may_get_number(const Result<Times, Reason>& times) noexcept {
  const bool is_room = symbols_.can_add() || (times && unused_place(times.value().at));
  return is_room && parameters_.of(new_symbol_).traded;
}

Result<Intake::Times, Reason> Intake::times(const WireEvent& event, const wire::Envelope& envelope,
                                            std::optional<UnixNs> received_at) noexcept {
  std::optional<UnixMs> at;
  if (received_at) at = to_ms(*received_at);
  if (envelope.timestamp.state != FieldState::absent) {
    at = timestamps_.read(envelope.timestamp.value);
    if (!at || *at < kEarliest) return Failure{Reason::bad_timestamp};
  }
  if (event.event_time.state != FieldState::absent) {
    at = as_time(event.event_time);
  } else if (!at) {
    return Failure{Reason::no_event_time};
  }
  if (!at || *at < kEarliest) return Failure{Reason::bad_timestamp};
  subject_.at = *at;
  const UnixMs aged_at = std::min(*at, as_time(event.trade_time).value_or(*at));
  if (parameters_.clock == Clock::live && received_at) {
    const UnixMs now = to_ms(*received_at);
    const std::chrono::milliseconds ttl = parameters_.message_ttl;
    if (ttl.count() > 0 && now - aged_at > ttl) {
      subject_.measure = {in_seconds(now - aged_at), in_seconds(ttl)};
      return Failure{Reason::stale};
    }
    if (*at - now > kMaxAheadOfClock) {
      subject_.measure = {in_seconds(*at - now), in_seconds(kMaxAheadOfClock)};
      return Failure{Reason::future};
    }
  }
  return Times{*at, aged_at};
}

// A book without a symbol of its own has the relay's, which gives all such books the same one. It
// is believed when the price is near this symbol's reference price and near no other's.
bool Intake::price_fits(Place place, UnixMs at, const Book& book) const noexcept {
  const auto mid =
      Price::from((book.bids.front().price.value() + book.asks.front().price.value()) / 2);
  if (!mid || !place) return false;
  for (std::size_t i = 0; i < symbols_.size(); ++i) {
    const auto& reference = states_[i].reference;
    const bool fits = reference && reference->is_fresh(at) &&
                      reference->distance_percent(*mid) <= kNamelessBandPercent;
    if (fits != (i == *place)) return false;
  }
  return true;
}

// One price far off is a bad print, and is remembered; when a second one agrees with it, the market
// has moved there.
bool Intake::refuse_outlier(SymbolState& state, Price price, UnixMs at,
                            double band_percent) noexcept {
  const auto is_off = [&](const ReferencePrice& from) {
    return from.distance_percent(price) > band_percent;
  };
  const auto& known = state.reference;
  const auto& suspect = state.suspect;
  const bool refused = band_percent > 0 && known && known->is_fresh(at) && is_off(*known) &&
                       !(suspect && suspect->is_fresh(at) && !is_off(*suspect));
  state.suspect = {price, at};  // one that is accepted is the reference, too: it confirms nothing
  return refused;
}

// A place in a full table whose symbol has not been seen for a day.
std::optional<std::size_t> Intake::unused_place(UnixMs now) noexcept {
  if (now < none_unused_before_) return std::nullopt;
  const auto longest_unseen =
      std::min_element(states_.begin(), states_.end(),
                       [](const auto& a, const auto& b) { return a.last_seen < b.last_seen; });
  none_unused_before_ = longest_unseen->last_seen + kUnusedAfter;
  if (now < none_unused_before_ || longest_unseen->last_frame == frame_) return std::nullopt;
  return static_cast<std::size_t>(longest_unseen - states_.begin());
}

// The number that new_symbol_ gets.
std::size_t Intake::give_number(UnixMs at) {
  if (symbols_.can_add()) return symbols_.add(new_symbol_);
  const std::size_t index = *unused_place(at);  // may_get_number() has found one
  symbols_.replace(index, new_symbol_);
  states_[index] = {};
  return index;
}

}  // namespace rts
