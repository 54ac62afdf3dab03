#include <algorithm>
#include <cassert>

#include <rts/engine/intake.hpp>

namespace rts {
namespace {

using wire::FieldState;
using wire::WireEvent;

constexpr std::chrono::seconds kMaxAhead{10};  // live: how far E may be in the future
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
std::optional<Reason> check_number(FieldState state) noexcept {
  if (state == FieldState::valid) return std::nullopt;
  return state == FieldState::invalid ? Reason::bad_number : Reason::malformed;
}

template <class Unit>
Result<Unit, Reason> as_unit(const wire::NumberField& field) noexcept {
  if (const auto reason = check_number(field.state)) return Failure{*reason};
  const auto number = Unit::from(field.value);
  if (!number) return Failure{Reason::bad_number};
  return *number;
}

bool is_sorted_best_first(const Book& book) noexcept {
  const auto strictly = [](std::span<const Level> levels, auto better) {
    for (std::size_t i = 1; i < levels.size(); ++i) {
      if (!better(levels[i - 1].price, levels[i].price)) return false;
    }
    return true;
  };
  return strictly(book.bids.levels(), [](Price a, Price b) { return a > b; }) &&
         strictly(book.asks.levels(), [](Price a, Price b) { return a < b; });
}

// SPEC §2 rules 5 and 6, as far as they need no memory.
std::optional<Reason> check_book(const wire::SideField& bids,
                                 const wire::SideField& asks) noexcept {
  for (const auto* side : {&bids, &asks}) {
    if (const auto reason = check_number(side->state)) return reason;
  }
  for (const auto* side : {&bids, &asks}) {
    if (side->has_zero_quantity || side->level_count > BookSide::kMaxLevels) {
      return Reason::diff_depth;  // a diff that lost its stream name
    }
  }
  const Book book{bids.levels, asks.levels};
  if (book.bids.empty() || book.asks.empty()) return Reason::empty_side;
  if (std::min(bids.level_count, asks.level_count) < kLeastLevels) return Reason::diff_depth;
  if (!is_sorted_best_first(book)) return Reason::unsorted_book;
  if (book.bids.best().price >= book.asks.best().price) return Reason::crossed_book;
  return std::nullopt;
}

// Milliseconds or, from 10^14 on, microseconds since 1970. Empty where it is no such number.
std::optional<UnixMs> as_time(const wire::IntegerField& field) noexcept {
  if (!field.valid() || field.value == 0) return std::nullopt;
  const bool micros = field.value >= kMicrosecondsFrom;
  return UnixMs(std::chrono::milliseconds(micros ? field.value / 1000 : field.value));
}

// The event's number in its sequence: tickers number themselves by their event time.
Result<std::uint64_t, Reason> sequence_id(const WireEvent& event, UnixMs at) noexcept {
  if (event.kind == EventKind::ticker) {
    return static_cast<std::uint64_t>(at.time_since_epoch().count());
  }
  if (!event.id.valid()) return Failure{Reason::malformed};
  return event.id.value;
}

Result<Trade, Reason> make_trade(const WireEvent& event) noexcept {
  const auto price = as_unit<Price>(event.price);
  if (!price) return Failure{price.error()};
  const auto quantity = as_unit<Quantity>(event.quantity);
  if (!quantity) return Failure{quantity.error()};
  if (quantity.value().value() == 0) return Failure{Reason::bad_number};
  if (!event.buyer_is_maker.valid()) return Failure{Reason::malformed};
  return Trade{price.value(), quantity.value(), event.buyer_is_maker.value};
}

// X absent, MARKET or RPI is a print of the market; anything else (NA, INSURANCE_FUND, …) is not.
bool is_market_trade(const wire::TextField& execution_type) noexcept {
  if (execution_type.state == FieldState::absent) return true;
  return execution_type.valid() &&
         (execution_type.value == "MARKET" || execution_type.value == "RPI");
}

// Fills in what the strategies see of the event, or says why they must not.
std::optional<Reason> read_data(const WireEvent& event, MarketData& data) noexcept {
  if (event.kind == EventKind::book) {
    if (const auto reason = check_book(*event.bids, *event.asks)) return reason;
    data.emplace<Book>(Book{event.bids->levels, event.asks->levels});
  } else if (event.kind == EventKind::trade) {
    if (!is_market_trade(event.execution_type)) return Reason::non_market_trade;
    const auto trade = make_trade(event);
    if (!trade) return trade.error();
    data = trade.value();
  } else {
    const auto price = as_unit<Price>(event.price);
    if (!price) return price.error();
    data = Ticker{price.value()};
  }
  return std::nullopt;
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
  ++replacements_;
}

Intake::Intake(const EngineParameters& parameters)
    : clock_(parameters.clock),
      message_ttl_(parameters.message_ttl),
      price_band_percent_(parameters.gate.price_band_percent),
      quote_assets_(parameters.quote_assets),
      trades_unnamed_(parameters.defaults.traded),
      symbols_(parameters.symbols),
      states_(symbols_.capacity()) {
  for (const auto& [symbol, own] : parameters.per_symbol) {
    if (own.traded != trades_unnamed_) exceptions_.emplace_back(symbol.text());
  }
  std::sort(exceptions_.begin(), exceptions_.end());
}

// The numbers in the comments are SPEC §2's.
Result<const MarketEvent*, Reason> Intake::admit(const WireEvent& event,
                                                 const wire::Envelope& envelope,
                                                 Received received_at) {
  // 1. Only partial books are books, and those of spot do not call themselves updates.
  if (event.kind == EventKind::book &&
      (!is_partial_book_channel(envelope.channel()) ||
       (event.is_depth_update && event.trade_time.state == FieldState::absent))) {
    return Failure{Reason::diff_depth};
  }
  const auto identified = identify(event, envelope, received_at);  // 2
  if (!identified) return Failure{identified.error()};
  const Place place = identified.value();
  const auto time = times(event, envelope, received_at);  // 3
  if (!time) return Failure{time.error()};
  const UnixMs at = time.value().at;
  if (const auto reason = read_data(event, admitted_.data)) return Failure{*reason};  // 4, 5, 6
  const Book* const book = std::get_if<Book>(&admitted_.data);
  if (book != nullptr && event.symbol.value.empty() && !price_fits(place, at, *book)) {
    return Failure{Reason::unverified_symbol};
  }

  static const SymbolState kNew{};
  const SymbolState& before = place ? states_[*place] : kNew;
  // 7. A preferred source that is not silent is the only one.
  const auto slot = static_cast<std::size_t>(event.sequence);
  for (auto preferred = static_cast<std::size_t>(most_preferred(event.sequence)); preferred < slot;
       ++preferred) {
    const SequenceState& source = before.sequences[preferred];
    if (source.begun && at <= source.newest_at + kSourceSilentAfter) {
      return Failure{Reason::other_source};
    }
  }
  const auto id = sequence_id(event, at);  // 8
  if (!id) return Failure{id.error()};
  const SequenceState& last = before.sequences[slot];
  const bool dated = event.event_time.state != FieldState::absent;
  const std::chrono::seconds reset_after = dated ? kSequenceResetAfter : kUndatedResetAfter;
  if (last.begun && id.value() <= last.id && at <= last.at + reset_after) {
    return Failure{Reason::out_of_order};
  }

  admitted_.replaces_symbol = false;
  admitted_.symbol_index = place ? *place : give_number(at);
  SymbolState& state = states_[admitted_.symbol_index];
  state.sequences[slot] = {id.value(), at, std::max(at, state.sequences[slot].newest_at), true};
  state.last_frame = frame_;
  admitted_.reference = state.reference;
  if (const auto price = last_price(admitted_.data)) {
    if (refuse_outlier(state, *price, at)) return Failure{Reason::outlier};  // 9
    state.reference = {*price, at};
  }
  state.last_seen = std::max(state.last_seen, at);
  admitted_.at = at;
  admitted_.aged_at = time.value().aged_at;
  admitted_.id = {wire::id_letter(event.sequence), id.value()};
  return &admitted_;
}

Result<Intake::Place, Reason> Intake::identify(const WireEvent& event,
                                               const wire::Envelope& envelope,
                                               Received received_at) noexcept {
  if (event.symbol.state == FieldState::wrong_type) return Failure{Reason::malformed};
  const std::string_view own = event.symbol.value;
  const std::string_view prefix = envelope.symbol_prefix();
  if (own.empty() && prefix.empty()) return Failure{Reason::no_symbol};
  if (!own.empty() && !prefix.empty() && !same_but_for_case(own, prefix)) {
    return Failure{Reason::symbol_conflict};
  }
  const std::string_view name = own.empty() ? prefix : own;
  if (event.symbol_type.valid() && event.symbol_type.value == kCoinMargined) {
    return Failure{Reason::symbol_not_traded};
  }
  if (const auto known = symbols_.find(name)) {
    // Names in the list were checked with the settings; here it is asked what the venue trades.
    const bool all_are_traded = trades_unnamed_ && exceptions_.empty();
    if (!all_are_traded && !may_be_traded(symbols_.at(*known).text())) {
      return Failure{Reason::symbol_not_traded};
    }
    return known;
  }
  const auto new_symbol =
      symbols_.is_open() && Symbol::may_name(name) ? Symbol::from(name) : std::nullopt;
  if (!new_symbol || !may_be_traded(new_symbol->text())) return Failure{Reason::symbol_not_traded};
  if (!symbols_.can_add()) {
    const auto time = times(event, envelope, received_at);
    if (!time || !unused_place(time.value().at)) return Failure{Reason::symbol_not_traded};
  }
  new_symbol_ = *new_symbol;
  return Place{};
}

// Whether the name ends with one of the quote assets, and the venue trades it.
bool Intake::may_be_traded(std::string_view name) const noexcept {
  if (!is_quoted_in(quote_assets_, name)) return false;
  return std::binary_search(exceptions_.begin(), exceptions_.end(), name) != trades_unnamed_;
}

Result<Intake::Times, Reason> Intake::times(const WireEvent& event, const wire::Envelope& envelope,
                                            Received received_at) noexcept {
  std::optional<UnixMs> relayed;
  if (envelope.timestamp.state != FieldState::absent) {
    relayed = timestamps_.read(envelope.timestamp.value);
    if (!relayed || relayed->time_since_epoch().count() < 1) return Failure{Reason::bad_timestamp};
  }
  std::optional<UnixMs> at;
  if (event.event_time.state != FieldState::absent) {
    at = as_time(event.event_time);
  } else if (relayed) {
    at = relayed;
  } else if (received_at) {
    at = to_ms(*received_at);
  } else {
    return Failure{Reason::no_event_time};
  }
  if (!at || at->time_since_epoch().count() < 1) return Failure{Reason::bad_timestamp};
  const UnixMs aged_at = std::min(*at, as_time(event.trade_time).value_or(*at));
  if (clock_ == Clock::live && received_at) {
    const UnixMs now = to_ms(*received_at);
    if (message_ttl_.count() > 0 && now - aged_at > message_ttl_) return Failure{Reason::stale};
    if (*at - now > kMaxAhead) return Failure{Reason::future};
  }
  return Times{*at, aged_at};
}

// A book without a symbol of its own has the relay's, which gives all such books the same one. It
// is believed when the price is near this symbol's reference price and near no other's.
bool Intake::price_fits(Place place, UnixMs at, const Book& book) const noexcept {
  const auto mid =
      Price::from((book.bids.best().price.value() + book.asks.best().price.value()) / 2);
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
bool Intake::refuse_outlier(SymbolState& state, Price price, UnixMs at) const noexcept {
  const auto is_off = [&](const ReferencePrice& from) {
    return from.distance_percent(price) > price_band_percent_;
  };
  const auto& known = state.reference;
  const auto& suspect = state.suspect;
  const bool refused = price_band_percent_ > 0 && known && known->is_fresh(at) && is_off(*known) &&
                       !(suspect && suspect->is_fresh(at) && !is_off(*suspect));
  state.suspect = refused ? std::optional(ReferencePrice{price, at}) : std::nullopt;
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
  const std::size_t index = *unused_place(at);  // identify() has found one
  symbols_.replace(index, new_symbol_);
  states_[index] = {};
  admitted_.replaces_symbol = true;
  return index;
}

}  // namespace rts
