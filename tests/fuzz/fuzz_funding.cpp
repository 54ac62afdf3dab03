// Arbitrary bytes as a file of funding rates: reading ends in rates that an account can pay, or in
// a reason.
#include <rts/wire/funding.hpp>

#include "fuzz.hpp"

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& file_symbol : {std::optional<Symbol>(), Symbol::from("BTCUSDT")}) {
    const auto parsed = wire::parse_funding(fuzz::as_text(data, size), file_symbol);
    if (!parsed) {
      fuzz::require(!parsed.error().empty(), "a refusal says why");
      continue;
    }
    fuzz::require(!parsed.value().empty(), "what was read holds something");
    for (const wire::FundingEntry& entry : parsed.value()) {
      fuzz::require(entry.rate >= -1 && entry.rate <= 1, "a rate is a share");
      fuzz::require(entry.at >= UnixMs{}, "a time is one since 1970");
      fuzz::require(Symbol::may_name(entry.symbol.text()), "a symbol is a name");
    }
  }
  return 0;
}
