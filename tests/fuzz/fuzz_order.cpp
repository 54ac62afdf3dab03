// An order made of arbitrary bytes, as hostile as the types allow, in both formats: what is written
// is one line of JSON in which RapidJSON finds the same values, and what the limits count of it is
// read back from it.
#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <rts/base/utf8.hpp>
#include <rts/trading/order.hpp>
#include <rts/wire/answer.hpp>

#include "fuzz.hpp"
#include "json_tree.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one
using fuzz::Json;

constexpr std::int64_t kLastMs = 253'402'300'799'999;    // of the year 9999
constexpr std::uint64_t kMaxMs = 9'223'372'036'854'775;  // of an event: it may be 2^63−1 µs
constexpr std::size_t kTraceparentBytes = 55;

// Takes values off the input; behind its end are zeros.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T take() {
    T value{};
    const std::string_view taken = take_text(sizeof value);
    std::memcpy(&value, taken.data(), taken.size());
    return value;
  }
  template <class Checked>
  Checked take_checked() {
    return Checked::from(take<double>()).value_or(Checked{});
  }
  std::string_view take_text(std::size_t size) {
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(text.size());
    return text;
  }
  std::string_view rest() { return take_text(bytes_.size()); }

 private:
  std::string_view bytes_;
};

Decimal take_decimal(Input& input) {
  std::string digits = std::to_string(input.take<std::uint64_t>() % Decimal::kMaxUnits);
  const std::size_t places = input.take<std::uint8_t>() % (Decimal::kMaxPlaces + 1U);
  if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
  if (places > 0) digits.insert(digits.size() - places, 1, '.');
  return Decimal::parse(digits).value_or(Decimal{});
}

struct Made {
  Symbol symbol;
  OrderFormat format = OrderFormat::trade_order;
  Order order{};
};

Made make(Input& input) {
  Made made;
  Order& order = made.order;
  const auto flags = input.take<std::uint8_t>();
  const Side side = (flags & 1U) != 0 ? Side::sell : Side::buy;
  order.strategy = all_of<StrategyId>[input.take<std::uint8_t>() % count_of<StrategyId>];
  order.reduce_only = side == Side::sell && (flags & 2U) != 0;
  const bool is_signal = !order.reduce_only && (flags & 4U) != 0;
  made.format = is_signal ? OrderFormat::signal : OrderFormat::trade_order;
  std::ranges::generate(order.id, [&] { return input.take<std::uint8_t>(); });
  order.at = UnixMs(std::chrono::milliseconds(1 + input.take<std::uint64_t>() % kMaxMs));
  order.valid_until = order.at + std::chrono::seconds(input.take<std::uint8_t>());
  order.event_id = {"utaE"[(flags >> 3U) % 4], input.take<std::uint64_t>()};
  order.signal = {side, input.take_checked<Price>(), input.take_checked<Price>(),
                  input.take_checked<Confidence>()};
  for (Indicator& indicator : order.indicators) indicator = input.take_checked<Indicator>();
  order.quantity = take_decimal(input);
  order.leverage = 1 + input.take<std::uint8_t>() % 125;
  if (!order.reduce_only) {
    order.protection = Protection{input.take_checked<Price>(), input.take_checked<Price>()};
  }
  const std::size_t symbol_bytes = 1 + input.take<std::uint8_t>() % Symbol::kMaxBytes;
  made.symbol = Symbol::from(input.take_text(symbol_bytes)).value_or(*Symbol::from("BTCUSDT"));
  order.traceparent = input.take_text(kTraceparentBytes);
  order.correlation_id = input.rest();
  return made;
}

// A text as it can be in JSON, whose receivers get no bytes that are no UTF-8.
void check_text(const Json* found, std::string_view text) {
  fuzz::require(found != nullptr && found->type == Json::Type::string, "a text is written as one");
  fuzz::require(!fuzz::is_utf8(text) || found->text == text, "a text is written as it is");
}

void check_number(const Json* found, double number) {
  fuzz::require(found != nullptr && found->type == Json::Type::number, "a number is one");
  fuzz::require(std::strtod(found->text.c_str(), nullptr) == number, "a number is exact");
}

void check(const Json& json, const Made& made) {
  const Order& order = made.order;
  const bool is_signal = made.format == OrderFormat::signal;
  const UuidText id = to_text(order.id);
  check_text(json.find("signal_id"), {id.data(), id.size()});
  check_text(json.find("symbol"), made.symbol.text());
  check_number(json.find("price"), order.signal.price.value());
  check_number(json.find("current_price"), order.signal.current_price.value());
  check_number(json.find(is_signal ? "confidence" : "confidence_score"),
               order.signal.confidence.value());
  const Json* const quantity = json.find("quantity");
  fuzz::require(quantity != nullptr && quantity->text == order.quantity.to_string(),
                "a quantity has the digits it has");
  fuzz::require((json.find("stop_loss") != nullptr) == order.protection.has_value() &&
                    (json.find("take_profit") != nullptr) == order.protection.has_value(),
                "stops are where there are some");
  if (order.protection) {
    check_number(json.find("stop_loss"), order.protection->stop_loss.value());
    check_number(json.find("take_profit"), order.protection->take_profit.value());
  }
  const Json* const metadata = json.find("metadata");
  fuzz::require(metadata != nullptr, "an order has metadata");
  if (!order.correlation_id.empty()) {
    check_text(metadata->find("correlation_id"), order.correlation_id);
  }
  const Json* const indicators = metadata->find("indicators");
  const auto names = indicator_names(order.strategy);
  fuzz::require(indicators != nullptr && indicators->names.size() == names.size(),
                "a strategy has its indicators");
  for (std::size_t i = 0; i < names.size(); ++i) {
    check_number(indicators->find(names[i]), order.indicators[i].value());
  }
  fuzz::require((json.find("_otel_trace_context") != nullptr) ==
                    (is_signal && is_traceparent(order.traceparent)),
                "a trace context is passed on where it is one");
}

void check_names(const Json& json) {
  std::vector<std::string> names = json.names;
  std::ranges::sort(names);
  fuzz::require(std::ranges::adjacent_find(names) == names.end(), "no name stands twice");
  for (const Json& element : json.elements) check_names(element);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(fuzz::as_text(data, size));
  Made made = make(input);
  made.order.symbol = made.symbol.text();
  std::string text;
  append_json(text, made.order, made.format);
  fuzz::require(fuzz::is_utf8(text), "an order is UTF-8");
  fuzz::require(std::ranges::none_of(text, [](char c) { return c >= 0 && c < ' '; }),
                "an order is one line");
  const fuzz::JsonTree tree(text, 4);
  fuzz::require(tree.reading() == fuzz::Reading::json, "an order is JSON");
  check_names(tree.root());
  check(tree.root(), made);
  static simdjson::dom::parser parser;
  fuzz::require(parser.parse(text).error() == simdjson::SUCCESS, "an order is simdjson's JSON");

  const Order& order = made.order;
  const auto counted = wire::parse_counted_order(text);
  const bool is_plain = fuzz::is_utf8(order.symbol) && Symbol::may_name(order.symbol);
  const bool is_of_calendar = order.at.time_since_epoch().count() <= kLastMs;
  if (!is_plain) return 0;
  fuzz::require(counted.has_value() == is_of_calendar, "an order is counted");
  if (!counted) return 0;
  fuzz::require(counted->id == order.id && counted->strategy == order.strategy &&
                    counted->side == order.signal.side && counted->symbol == made.symbol &&
                    counted->at == order.at,
                "an order is read as it was written");
  return 0;
}
