// Arbitrary bytes as an exchangeInfo answer: reading ends in instruments or in a reason, and what
// was understood keeps its own rules.
#include <string>

#include <rts/wire/instruments.hpp>

#include "fuzz.hpp"

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = wire::parse_instruments(fuzz::as_text(data, size));
  if (!parsed) {
    fuzz::require(!parsed.error().empty(), "a refusal says why");
    return 0;
  }
  fuzz::require(!parsed.value().empty(), "an answer lists something");
  for (const wire::ListedInstrument& instrument : parsed.value()) {
    if (!instrument.fault.empty()) continue;
    fuzz::require(!instrument.symbol.text().empty() && !instrument.status.empty() &&
                      !instrument.quote_asset.empty(),
                  "what has no fault is whole");
    for (const Decimal& number :
         {instrument.quantity_step, instrument.min_quantity, instrument.max_quantity,
          instrument.min_notional, instrument.max_notional, instrument.tick}) {
      const auto again = Decimal::parse(number.to_string());
      fuzz::require(again && again->to_string() == number.to_string(), "numbers are exact");
    }
  }
  return 0;
}
