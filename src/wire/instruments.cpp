#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include <rts/base/utf8.hpp>
#include <rts/wire/instruments.hpp>

#include "wire/json_cursor.hpp"
#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

constexpr int kMaxExponent = 40;  // beyond it no number fits into a Decimal

// The members of one filter that anyone reads; the views live as long as the text is open.
struct Filter {
  Scalar type, min_quantity, max_quantity, step, min_notional, notional, max_notional, tick;
  Scalar applies_max_to_market;
};

Scalar* member_of(Filter& filter, std::string_view key) noexcept {
  if (key == "filterType") return &filter.type;
  if (key == "minQty") return &filter.min_quantity;
  if (key == "maxQty") return &filter.max_quantity;
  if (key == "stepSize") return &filter.step;
  if (key == "minNotional") return &filter.min_notional;
  if (key == "notional") return &filter.notional;
  if (key == "maxNotional") return &filter.max_notional;
  if (key == "tickSize") return &filter.tick;
  if (key == "applyMaxToMarket") return &filter.applies_max_to_market;
  return nullptr;
}

// "1e-05" → "0.00001", "10.500" → "10.5"; empty when it is no JSON number that is at least 0.
std::string plain_decimal(std::string_view text) {
  if (!is_json_number(text)) return {};
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  std::string_view mantissa = text.substr(0, mark);
  std::string_view exponent_text = text.substr(std::min(mark + 1, text.size()));
  int exponent = 0;
  if (mark < text.size()) {
    if (exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
    const char* const end = exponent_text.data() + exponent_text.size();
    const auto read = std::from_chars(exponent_text.data(), end, exponent);
    if (read.ec != std::errc{} || read.ptr != end) return {};
    if (exponent > kMaxExponent || exponent < -kMaxExponent) return {};
  }
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, point));
  const std::string_view fraction = mantissa.substr(std::min(point + 1, mantissa.size()));
  if (digits.empty() || (point < mantissa.size() && fraction.empty())) return {};
  digits += fraction;
  auto whole = static_cast<std::int64_t>(point) + exponent;  // digits before the point
  if (whole <= 0) {
    digits.insert(0, static_cast<std::size_t>(1 - whole), '0');
    whole = 1;
  }
  const auto before = static_cast<std::size_t>(whole);
  if (digits.size() < before) digits.append(before - digits.size(), '0');
  const std::size_t first = std::min(digits.find_first_not_of('0'), before - 1);
  const std::size_t last = std::max(digits.find_last_not_of('0') + 1, before);
  std::string plain = digits.substr(first, before - first);
  if (last > before) plain.append(".").append(digits, before, last - before);
  return plain;
}

// Exact, from a string or a number; none where the member is absent or no such number.
std::optional<Decimal> decimal_of(const Scalar& scalar) {
  if (scalar.type != Scalar::Type::string && scalar.type != Scalar::Type::number) return {};
  return Decimal::parse(plain_decimal(scalar.text));
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
      if (key == "symbol") return read_text(cursor, name_);
      if (key == "status") return read_text(cursor, instrument_.status);
      if (key == "quoteAsset") return read_text(cursor, instrument_.quote_asset);
      if (key == "marginAsset") return read_text(cursor, instrument_.margin_asset);
      if (key == "filters" && cursor.type() == JsonType::array) {
        return cursor.for_each_element([&] { return read_filter(cursor); });
      }
      return cursor.skip(kDepth);
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

  // The first of a key counts; what is no text says nothing.
  static bool read_text(JsonCursor& cursor, std::string& out) {
    const JsonType type = cursor.type();
    if (type == JsonType::object || type == JsonType::array) return cursor.skip(kDepth);
    Scalar scalar;
    if (!cursor.read_scalar(scalar)) return false;
    if (out.empty() && scalar.type == Scalar::Type::string) out = scalar.text;
    return true;
  }

  bool read_filter(JsonCursor& cursor) {
    if (cursor.type() != JsonType::object) return cursor.skip(kDepth + 1);
    Filter filter;
    const bool ok = cursor.for_each_member([&](std::string_view key) {
      Scalar* const member = member_of(filter, key);
      const JsonType type = cursor.type();
      const bool is_container = type == JsonType::object || type == JsonType::array;
      if (member == nullptr || member->type != Scalar::Type::absent || is_container) {
        return cursor.skip(kDepth + 2);
      }
      return cursor.read_scalar(*member);
    });
    if (ok) apply(filter);
    return ok;
  }

  void apply(const Filter& filter) {
    const std::string_view type = filter.type.text;
    if (type == "LOT_SIZE" || type == "MARKET_LOT_SIZE") {
      ListedInstrument& i = instrument_;
      i.min_quantity = greater_of(i.min_quantity, value(filter, "minQty", filter.min_quantity));
      i.max_quantity =
          stricter_maximum(i.max_quantity, value(filter, "maxQty", filter.max_quantity));
      take_step(value(filter, "stepSize", filter.step));
    } else if (type == "PRICE_FILTER") {
      instrument_.tick = greater_of(instrument_.tick, value(filter, "tickSize", filter.tick));
    } else if (type == "MIN_NOTIONAL") {
      const bool is_spot = filter.min_notional.type != Scalar::Type::absent;
      take_minimum(is_spot ? value(filter, "minNotional", filter.min_notional)
                           : value(filter, "notional", filter.notional));
    } else if (type == "NOTIONAL") {
      take_minimum(value(filter, "minNotional", filter.min_notional));
      // Without a word the maximum is for every order.
      const Scalar& applies = filter.applies_max_to_market;
      if (applies.type != Scalar::Type::boolean || applies.truth) {
        instrument_.max_notional = stricter_maximum(
            instrument_.max_notional, optional_value(filter, "maxNotional", filter.max_notional));
      }
    }
  }

  Decimal value(const Filter& filter, std::string_view key, const Scalar& scalar) {
    const auto decimal = decimal_of(scalar);
    if (decimal) return *decimal;
    fault(scalar.type == Scalar::Type::absent
              ? fmt::format("{} has no {}", filter.type.text, key)
              : fmt::format("{} has a {} that is no number from 0 with up to 18 digits",
                            filter.type.text, key));
    return {};
  }

  Decimal optional_value(const Filter& filter, std::string_view key, const Scalar& scalar) {
    return scalar.type == Scalar::Type::absent ? Decimal() : value(filter, key, scalar);
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
      fault(
          fmt::format("its steps {} of LOT_SIZE and MARKET_LOT_SIZE are no multiples of each "
                      "other",
                      known.to_string() + " and " + step.to_string()));
    }
  }

  std::string name_;
  ListedInstrument instrument_;
};

// Keeps the first entry of each symbol. Sorted places, for there may be thousands.
void keep_first_of_each(std::vector<ListedInstrument>& instruments) {
  std::vector<std::size_t> places(instruments.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  const auto name = [&](std::size_t i) { return instruments[i].symbol.text(); };
  std::stable_sort(places.begin(), places.end(),
                   [&](std::size_t a, std::size_t b) { return name(a) < name(b); });
  std::vector<bool> repeated(instruments.size());
  for (std::size_t i = 1; i < places.size(); ++i) {
    repeated[places[i]] = name(places[i]) == name(places[i - 1]);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < instruments.size(); ++i) {
    if (repeated[i]) continue;
    if (kept != i) instruments[kept] = std::move(instruments[i]);
    ++kept;
  }
  instruments.resize(kept);
}

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
      if (instrument) instruments.push_back(std::move(*instrument));
      all_are_named = all_are_named && instrument;
      return true;
    });
  });
  if (!ok || !cursor.at_end()) return is("is not JSON");
  if (!all_are_named) return is("is no exchangeInfo answer: an entry of its symbols has no symbol");
  if (instruments.empty()) return is("is no exchangeInfo answer: it lists no symbols");
  keep_first_of_each(instruments);
  return instruments;
}

}  // namespace rts::wire
