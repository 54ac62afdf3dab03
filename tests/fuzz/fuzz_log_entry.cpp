// Arbitrary bytes as an entry of the order log: it is an order of ours or none, one that is is read
// again as a recording has it, and as a line for people it is short, UTF-8 and without control
// characters.
#include <string>

#include <rts/base/utf8.hpp>
#include <rts/wire/answer.hpp>
#include <rts/wire/json_compare.hpp>
#include <rts/wire/recording.hpp>

#include "fuzz.hpp"

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload = fuzz::as_text(data, size);
  const std::string line = wire::order_text(payload);
  fuzz::require(is_plain_text(line), "a line for people is one line");
  fuzz::require(line.size() < 2000, "and not a long one");
  static_cast<void>(wire::json_differences(payload, "{}"));

  const auto order = wire::parse_counted_order(payload);
  if (!order) return 0;
  fuzz::require(size <= wire::kMaxAnswerBytes, "longer ones are not read");
  fuzz::require(order->at > UnixMs{}, "an order is of our time");
  const std::string json = wire::to_json(*order);
  const auto again = wire::parse_counted_order(json);
  fuzz::require(again && again->id == order->id && again->strategy == order->strategy &&
                    again->side == order->side && again->symbol == order->symbol &&
                    again->at == order->at,
                "an order is read as it was written");
  fuzz::require(wire::json_differences(json, wire::to_json(*again)).empty(),
                "and written as it was read");
  return 0;
}
