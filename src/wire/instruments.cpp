#include <algorithm>
#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/wire/instruments.hpp>

#include "wire/json_dom.hpp"
#include "wire/number_text.hpp"

namespace rts::wire {
namespace {

constexpr int kMaxExponent = 40;  // beyond it no number fits into a Decimal

// Exact, from a string or a number: "1e-05" is 0.00001. None where it is no JSON number from 0, or
// beyond 18 digits.
std::optional<Decimal> decimal_of(const dom::element& value) {
  const auto number = as<double>(value);
  const std::string written = !number ? std::string(as<std::string_view>(value).value_or(""))
                              : value.is_double() ? fmt::format("{}", *number)
                                                  : simdjson::minify(value);
  const std::string_view text = written;
  if (!is_json_number(text)) return {};
  const std::size_t mark = std::min(text.find_first_of("eE"), text.size());
  std::string_view power = text.substr(std::min(mark + 1, text.size()));
  if (power.starts_with('+')) power.remove_prefix(1);
  const auto exponent =
      power.empty() ? std::optional(0) : parse_as<int>(power, -kMaxExponent, kMaxExponent);
  std::string_view digits = text.substr(0, mark);
  if (digits.find('.') != std::string_view::npos) {  // "92233720368.00000000" has 11 digits
    digits = digits.substr(0, digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.remove_suffix(1);
  }
  const auto mantissa = Decimal::parse(digits);
  return exponent && mantissa ? mantissa->times_power_of_ten(*exponent) : std::nullopt;
}

const Decimal& greater_of(const Decimal& a, const Decimal& b) noexcept {
  return a.is_less_than(b) ? b : a;
}

// 0 is no limit.
const Decimal& stricter_maximum(const Decimal& a, const Decimal& b) noexcept {
  if (a.is_zero() || b.is_zero()) return a.is_zero() ? b : a;
  return a.is_less_than(b) ? a : b;
}

// What one entry of `symbols` says, filter by filter.
class Entry {
 public:
  explicit Entry(ListedInstrument& instrument) noexcept : instrument_(instrument) {}

  void read(const dom::object& entry) {
    instrument_.status = text_at(entry, "status");
    instrument_.quote_asset = text_at(entry, "quoteAsset");
    instrument_.margin_asset = text_at(entry, "marginAsset");
    for (const dom::element filter : elements_at(entry, "filters")) {
      if (filter.get(filter_) == simdjson::SUCCESS) apply();
    }
    if (instrument_.status.empty()) fault("it has no status");
    if (instrument_.quote_asset.empty()) fault("it has no quoteAsset");
  }

 private:
  // The first fault is said.
  void fault(std::string what) {
    if (instrument_.fault.empty()) instrument_.fault = std::move(what);
  }

  // Empty without such a member, and when it is null or a container.
  std::optional<dom::element> member(std::string_view name) const {
    const auto value = value_at<dom::element>(filter_, name);
    const bool counts = value && !value->is_null() && !value->is_object() && !value->is_array();
    return counts ? value : std::nullopt;
  }

  void apply() {
    ListedInstrument& i = instrument_;
    const std::string_view type = text_at(filter_, "filterType");
    if (type == "LOT_SIZE" || type == "MARKET_LOT_SIZE") {
      i.min_quantity = greater_of(i.min_quantity, value("minQty"));
      i.max_quantity = stricter_maximum(i.max_quantity, value("maxQty"));
      take_step(value("stepSize"));
    } else if (type == "PRICE_FILTER") {
      i.tick = greater_of(i.tick, value("tickSize"));
    } else if (type == "MIN_NOTIONAL") {
      const bool is_spot = member("minNotional").has_value();
      i.min_notional = greater_of(i.min_notional, value(is_spot ? "minNotional" : "notional"));
    } else if (type == "NOTIONAL") {
      i.min_notional = greater_of(i.min_notional, value("minNotional"));
      // Without a word the maximum is for every order.
      const bool applies = value_at<bool>(filter_, "applyMaxToMarket").value_or(true);
      if (applies && member("maxNotional")) {
        i.max_notional = stricter_maximum(i.max_notional, value("maxNotional"));
      }
    }
  }

  // The filter's number of this name.
  Decimal value(std::string_view name) {
    const auto found = member(name);
    const auto decimal = found ? decimal_of(*found) : std::nullopt;
    if (decimal) return *decimal;
    const std::string_view type = text_at(filter_, "filterType");
    fault(found
              ? fmt::format("{} has a {} that is no number from 0 with up to 18 digits", type, name)
              : fmt::format("{} has no {}", type, name));
    return {};
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

  ListedInstrument& instrument_;
  dom::object filter_;
};

}  // namespace

Result<std::vector<ListedInstrument>, std::string> parse_instruments(std::string_view text) {
  const auto is = [](const char* what) { return Failure{std::string(what)}; };
  if (text.size() > kMaxInstrumentsBytes) return is("is larger than 10 MiB");
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (const auto json = trimmed(text); !json.empty() && !json.starts_with('{')) {
    return is("is no exchangeInfo answer: no JSON object");
  }
  dom::parser parser;
  const auto answer = parse_as_json<dom::object>(parser, text, kMaxInstrumentsBytes);
  if (!answer) return is("is not JSON");
  std::vector<ListedInstrument> instruments;
  std::unordered_set<std::string> names;  // of those: the first entry of a symbol counts
  for (const dom::element entry : elements_at(*answer, "symbols")) {
    const auto fields = as<dom::object>(entry);
    const auto symbol = fields ? Symbol::from(text_at(*fields, "symbol")) : std::nullopt;
    if (!symbol) return is("is no exchangeInfo answer: an entry of its symbols has no symbol");
    if (!names.emplace(symbol->text()).second) continue;
    ListedInstrument& instrument = instruments.emplace_back();
    instrument.symbol = *symbol;
    Entry(instrument).read(*fields);
  }
  if (instruments.empty()) return is("is no exchangeInfo answer: it lists no symbols");
  return instruments;
}

}  // namespace rts::wire
