#include <cmath>

#include <rts/base/fnv.hpp>
#include <rts/engine/intake.hpp>

namespace rts {
namespace {

using wire::FieldState;
using wire::WireEvent;

constexpr std::chrono::seconds kMaxAhead{10};  // live: how far E may be in the future
constexpr std::chrono::seconds kSequenceResetAfter{60};
constexpr double kDefaultVerificationBandPercent = 5;  // when RISK_PRICE_BAND_PERCENT is off
constexpr std::uint64_t kMicrosecondsFrom = 100'000'000'000'000;  // 10^14

// Only partial books are books: their channel says so.
bool is_partial_book_channel(std::string_view channel) noexcept {
  return channel == "depth5" || channel == "depth10" || channel == "depth20";
}

// Why a field that must hold a number does not.
std::optional<Reason> check_number(FieldState state) noexcept {
  switch (state) {
    case FieldState::valid:
      return std::nullopt;
    case FieldState::invalid:
      return Reason::bad_number;
    case FieldState::absent:
    case FieldState::wrong_type:
      return Reason::malformed;
  }
  return Reason::malformed;
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
  if (!is_sorted_best_first(book)) return Reason::unsorted_book;
  if (book.bids.best().price >= book.asks.best().price) return Reason::crossed_book;
  return std::nullopt;
}

Result<Trade, Reason> make_trade(const WireEvent& event) noexcept {
  if (const auto reason = check_number(event.price.state)) return Failure{*reason};
  const auto price = Price::from(event.price.value);
  if (!price) return Failure{Reason::bad_number};
  if (const auto reason = check_number(event.quantity.state)) return Failure{*reason};
  const auto quantity = Quantity::from(event.quantity.value);
  if (!quantity || quantity->value() == 0) return Failure{Reason::bad_number};
  if (!event.buyer_is_maker.valid()) return Failure{Reason::malformed};
  return Trade{*price, *quantity, event.buyer_is_maker.value};
}

Result<Ticker, Reason> make_ticker(const WireEvent& event) noexcept {
  if (const auto reason = check_number(event.price.state)) return Failure{*reason};
  const auto price = Price::from(event.price.value);
  if (!price) return Failure{Reason::bad_number};
  return Ticker{*price};
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
    const auto ticker = make_ticker(event);
    if (!ticker) return ticker.error();
    data = ticker.value();
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

// Without the bit that tells a letter's case. (Of other characters it tells something: the
// comparison finds out.)
std::size_t SymbolTable::Hash::operator()(std::string_view name) const noexcept {
  return fnv1a(name, 'a' ^ 'A');
}

std::optional<std::size_t> SymbolTable::find(std::string_view name) const noexcept {
  const auto found = index_.find(name);
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

bool SymbolTable::can_add() const noexcept {
  return open_ && symbols_.size() < capacity_;
}

std::size_t SymbolTable::add(const Symbol& symbol) {
  symbols_.push_back(symbol);
  index_.emplace(symbols_.back().text(), symbols_.size() - 1);
  return symbols_.size() - 1;
}

Intake::Intake(const EngineParameters& parameters)
    : clock_(parameters.clock),
      message_ttl_(parameters.message_ttl),
      verification_band_percent_(parameters.gate.price_band_percent > 0
                                     ? parameters.gate.price_band_percent
                                     : kDefaultVerificationBandPercent),
      symbols_(parameters.symbols),
      states_(symbols_.capacity()) {}

Result<const MarketEvent*, Reason> Intake::admit(const WireEvent& event,
                                                 const wire::Envelope& envelope,
                                                 std::optional<UnixNs> received_at) {
  if (event.kind == EventKind::book && !is_partial_book_channel(envelope.channel())) {
    return Failure{Reason::diff_depth};
  }
  const auto name = identify(event, envelope);
  if (!name) return Failure{name.error()};
  const auto known = symbols_.find(name.value());
  std::optional<Symbol> newcomer;
  if (!known) {
    if (symbols_.can_add()) newcomer = Symbol::from(name.value());
    if (!newcomer) return Failure{Reason::symbol_not_traded};
  }

  const auto at = event_time(event, envelope, received_at);
  if (!at) return Failure{at.error()};
  if (const auto reason = read_data(event, admitted_.data)) return Failure{*reason};

  static const SymbolState kNew{};
  const SymbolState& before = known ? states_[*known] : kNew;
  if (const auto* book = std::get_if<Book>(&admitted_.data)) {
    if (const auto reason = check_named(event, at.value(), before, *book)) return Failure{*reason};
  }
  // Tickers number themselves by their event time as sent; orders quote it in milliseconds.
  const bool is_ticker = event.kind == EventKind::ticker;
  const wire::FieldState id_state = is_ticker ? event.event_time.state : event.id.state;
  if (id_state != FieldState::valid) return Failure{Reason::malformed};
  const std::uint64_t id = is_ticker ? event.event_time.value : event.id.value;
  const auto slot = static_cast<std::size_t>(event.sequence);
  const SequenceState& last = before.sequences[slot];
  if (last.begun && id <= last.id && at.value() <= last.at + kSequenceResetAfter) {
    return Failure{Reason::out_of_order};
  }

  admitted_.symbol_index = known ? *known : symbols_.add(*newcomer);
  SymbolState& state = states_[admitted_.symbol_index];
  state.sequences[slot] = {id, at.value(), true};
  if (const auto price = last_price(admitted_.data)) state.reference = {*price, at.value()};
  admitted_.at = at.value();
  admitted_.id = {
      wire::id_letter(event.sequence),
      is_ticker ? static_cast<std::uint64_t>(at.value().time_since_epoch().count()) : id};
  admitted_.reference = state.reference;
  return &admitted_;
}

Result<std::string_view, Reason> Intake::identify(const WireEvent& event,
                                                  const wire::Envelope& envelope) const noexcept {
  if (event.symbol.state == FieldState::wrong_type) return Failure{Reason::malformed};
  const std::string_view own = event.symbol.value;
  const std::string_view prefix = envelope.symbol_prefix();
  if (own.empty() && prefix.empty()) return Failure{Reason::no_symbol};
  if (!own.empty() && !prefix.empty() && !Symbol::same(own, prefix)) {
    return Failure{Reason::symbol_conflict};
  }
  return own.empty() ? prefix : own;
}

Result<UnixMs, Reason> Intake::event_time(const WireEvent& event, const wire::Envelope& envelope,
                                          std::optional<UnixNs> received_at) const noexcept {
  UnixMs at;
  if (event.event_time.state != FieldState::absent) {
    if (!event.event_time.valid()) return Failure{Reason::bad_timestamp};
    const bool micros = event.event_time.value >= kMicrosecondsFrom;
    const std::uint64_t ms = micros ? event.event_time.value / 1000 : event.event_time.value;
    at = UnixMs(std::chrono::milliseconds(ms));
  } else if (envelope.timestamp.state != FieldState::absent) {
    const auto parsed = parse_iso8601(envelope.timestamp.value);
    if (!parsed) return Failure{Reason::bad_timestamp};
    at = *parsed;
  } else if (received_at) {
    at = to_ms(*received_at);
  } else {
    return Failure{Reason::no_event_time};
  }
  if (at.time_since_epoch().count() < 1) return Failure{Reason::bad_timestamp};
  if (clock_ == Clock::live && received_at) {
    const UnixMs now = to_ms(*received_at);
    if (message_ttl_.count() > 0 && now - at > message_ttl_) return Failure{Reason::stale};
    if (at - now > kMaxAhead) return Failure{Reason::future};
  }
  return at;
}

// A book without a name of its own was labelled by the relay, which labels every such book with one
// symbol: its price has to vouch for the label.
std::optional<Reason> Intake::check_named(const WireEvent& event, UnixMs at,
                                          const SymbolState& state,
                                          const Book& book) const noexcept {
  if (!event.symbol.value.empty()) return std::nullopt;
  const auto mid =
      Price::from((book.bids.best().price.value() + book.asks.best().price.value()) / 2);
  if (mid && state.reference && state.reference->is_fresh(at) &&
      state.reference->distance_percent(*mid) <= verification_band_percent_) {
    return std::nullopt;
  }
  return Reason::unverified_symbol;
}

}  // namespace rts
