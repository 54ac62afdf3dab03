// Arbitrary bytes as what a service says of itself and of its orders: reading ends, and what is too
// long is not read.
#include <cmath>

#include <rts/wire/service_status.hpp>

#include "fuzz.hpp"

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  const auto status = wire::parse_service_status(text);
  fuzz::require(!status || size <= wire::kMaxStatusBytes, "longer ones are not read");
  for (const wire::OrderStatus& order : wire::parse_order_statuses(text)) {
    fuzz::require(std::isfinite(order.price) && std::isfinite(order.quantity), "numbers only");
  }
  return 0;
}
