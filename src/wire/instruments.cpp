#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include <rts/base/enum_names.hpp>
#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/wire/instruments.hpp>

#include "wire/json_cursor.hpp"
#include "wire/number_text.hpp"

namespace rts::wire {

// The members of a filter that we read, spelt as on the wire.
// NOLINTBEGIN(readability-identifier-naming)
BOOST_DEFINE_FIXED_ENUM_CLASS(Member, std::uint8_t, filterType, minQty, maxQty, stepSize,
                              minNotional, notional, maxNotional, tickSize, applyMaxToMarket)
// NOLINTEND(readability-identifier-naming)

namespace {

constexpr int kMaxExponent = 40;  // beyond it no number fits into a Decimal

// One filter; its views live as long as the text is open.
using Filter = std::array<Scalar, count_of<Member>>;

// Exact, from a string or a number: "1e-05" is 0.00001. None where it is no JSON number from 0, or
// beyond 18 digits.
std::optional<Decimal> decimal_of(const Scalar& scalar) {
  const std::string_view text = scalar.text;
  const bool has_type = scalar.type == JsonType::string || scalar.type == JsonType::number;
  if (!has_type || !is_json_number(text)) return {};
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  std::string_view power = text.substr(std::min(mark + 1, text.size()));
  if (power.starts_with('+')) power.remove_prefix(1);
  const auto exponent =
      power.empty() ? std::optional(0) : parse_as<int>(power, -kMaxExponent, kMaxExponent);
  if (!exponent) return {};

  std::string digits(text.substr(0, mark));
  const std::size_t point = std::min(digits.find('.'), digits.size());
  if (point < digits.size()) digits.erase(point, 1);
  // At least one digit stands before the point, and no zero ends the fraction.
  const auto moved = static_cast<std::int64_t>(point) + *exponent;
  if (moved < 1) digits.insert(0, static_cast<std::size_t>(1 - moved), '0');
  const auto whole = static_cast<std::size_t>(std::max<std::int64_t>(moved, 1));
  digits.resize(std::max(digits.find_last_not_of('0') + 1, whole), '0');
  if (digits.size() > whole) digits.insert(whole, 1, '.');
  return Decimal::parse(digits);
}

const Decimal& greater_of(const Decimal& a, const Decimal& b) noexcept {
  return a.is_less_than(b) ? b : a;
}

// 0 is no limit.
const Decimal& stricter_maximum(const Decimal& a, const Decimal& b) noexcept {
  if (a.is_zero() || b.is_zero()) return a.is_zero() ? b : a;
  return a.is_less_than(b) ? a : b;
}

// Takes in one entry of `symbols` after the other.
class Entry {
 public:
  bool read(JsonCursor& cursor) {
    return cursor.for_each_member([&](std::string_view key) {
      if (key == "filters" && cursor.type() == JsonType::array) {
        return cursor.for_each_element([&] { return read_filter(cursor); });
      }
      Scalar value;
      if (!cursor.read_value(value, kDepth)) return false;
      if (value.type != JsonType::string) return true;
      std::string* const out = text_named(key);
      if (out != nullptr && out->empty()) *out = value.text;  // the first of a key counts
      return true;
    });
  }

  // Empty when it names no symbol.
  std::optional<ListedInstrument> finish() && {
    const auto symbol = Symbol::from(name_);
    if (!symbol) return {};
    instrument_.symbol = *symbol;
    if (instrument_.status.empty()) fault("it has no status");
    if (instrument_.quote_asset.empty()) fault("it has no quoteAsset");
    return std::move(instrument_);
  }

 private:
  static constexpr std::size_t kDepth = 3;  // the answer, its symbols, this one

  // The first fault is said.
  void fault(std::string what) {
    if (instrument_.fault.empty()) instrument_.fault = std::move(what);
  }

  std::string* text_named(std::string_view key) noexcept {
    if (key == "symbol") return &name_;
    if (key == "status") return &instrument_.status;
    if (key == "quoteAsset") return &instrument_.quote_asset;
    return key == "marginAsset" ? &instrument_.margin_asset : nullptr;
  }

  bool read_filter(JsonCursor& cursor) {
    if (cursor.type() != JsonType::object) return cursor.skip(kDepth + 1);
    Filter filter;
    const bool ok = cursor.for_each_member([&](std::string_view key) {
      Scalar value;
      if (!cursor.read_value(value, kDepth + 2)) return false;
      const bool is_container = value.type == JsonType::object || value.type == JsonType::array;
      const auto member = is_container ? std::nullopt : from_string<Member>(key);
      if (!member) return true;
      Scalar& known = filter[index_of(*member)];
      if (known.type == JsonType::none) known = value;
      return true;
    });
    if (ok) apply(filter);
    return ok;
  }

  void apply(const Filter& filter) {
    ListedInstrument& i = instrument_;
    const std::string_view type = filter[index_of(Member::filterType)].text;
    const auto has = [&](Member member) { return filter[index_of(member)].type != JsonType::none; };
    if (type == "LOT_SIZE" || type == "MARKET_LOT_SIZE") {
      i.min_quantity = greater_of(i.min_quantity, value(filter, Member::minQty));
      i.max_quantity = stricter_maximum(i.max_quantity, value(filter, Member::maxQty));
      take_step(value(filter, Member::stepSize));
    } else if (type == "PRICE_FILTER") {
      i.tick = greater_of(i.tick, value(filter, Member::tickSize));
    } else if (type == "MIN_NOTIONAL") {
      const bool is_spot = has(Member::minNotional);
      take_minimum(value(filter, is_spot ? Member::minNotional : Member::notional));
    } else if (type == "NOTIONAL") {
      take_minimum(value(filter, Member::minNotional));
      // Without a word the maximum is for every order.
      const Scalar& applies = filter[index_of(Member::applyMaxToMarket)];
      if (has(Member::maxNotional) && (applies.type != JsonType::boolean || applies.truth)) {
        i.max_notional = stricter_maximum(i.max_notional, value(filter, Member::maxNotional));
      }
    }
  }

  Decimal value(const Filter& filter, Member member) {
    const Scalar& scalar = filter[index_of(member)];
    const std::string_view type = filter[index_of(Member::filterType)].text;
    if (const auto decimal = decimal_of(scalar)) return *decimal;
    fault(scalar.type == JsonType::none
              ? fmt::format("{} has no {}", type, to_string(member))
              : fmt::format("{} has a {} that is no number from 0 with up to 18 digits", type,
                            to_string(member)));
    return {};
  }

  void take_minimum(const Decimal& minimum) {
    instrument_.min_notional = greater_of(instrument_.min_notional, minimum);
  }

  // Quantities in the coarser step are in the finer as well, where it is a multiple.
  void take_step(const Decimal& step) {
    Decimal& known = instrument_.quantity_step;
    if (step.is_zero()) return;
    if (known.is_zero() || step.is_multiple_of(known)) {
      known = step;
    } else if (!known.is_multiple_of(step)) {
      fault(fmt::format(
          "its steps {} and {} of LOT_SIZE and MARKET_LOT_SIZE are no multiples of each other",
          known.to_string(), step.to_string()));
    }
  }

  std::string name_;
  ListedInstrument instrument_;
};

}  // namespace

Result<std::vector<ListedInstrument>, std::string> parse_instruments(std::string_view text) {
  const auto is = [](const char* what) { return Failure{std::string(what)}; };
  if (text.size() > kMaxInstrumentsBytes) return is("is larger than 10 MiB");
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  JsonText json(std::max<std::size_t>(text.size(), 1));
  if (!json.open(text)) return is("is not JSON");
  JsonCursor cursor = json.begin();
  if (cursor.type() != JsonType::object) return is("is no exchangeInfo answer: no JSON object");

  std::vector<ListedInstrument> instruments;
  std::unordered_set<std::string> names;  // of those: the first entry of a symbol counts
  bool all_are_named = true;
  const bool ok = cursor.for_each_member([&](std::string_view key) {
    if (key != "symbols" || cursor.type() != JsonType::array) return cursor.skip(1);
    return cursor.for_each_element([&] {
      if (cursor.type() != JsonType::object) {
        all_are_named = false;
        return cursor.skip(2);
      }
      Entry entry;
      if (!entry.read(cursor)) return false;
      auto instrument = std::move(entry).finish();
      all_are_named = all_are_named && instrument;
      if (instrument && names.emplace(instrument->symbol.text()).second) {
        instruments.push_back(std::move(*instrument));
      }
      return true;
    });
  });
  if (!ok || !cursor.at_end()) return is("is not JSON");
  if (!all_are_named) return is("is no exchangeInfo answer: an entry of its symbols has no symbol");
  if (instruments.empty()) return is("is no exchangeInfo answer: it lists no symbols");
  return instruments;
}

}  // namespace rts::wire
