// The JSON Schemas of the two order formats (docs/schemas), run over an order's text: every order
// in every test validates against the one of its format.
#pragma once

#include <string>
#include <string_view>

#include <rts/trading/order.hpp>

namespace rts::test {

// What the schema has against the order ("/price: breaks 'minimum' of #/definitions/positive"), or
// empty when it is valid. A text that is no JSON is not valid either.
[[nodiscard]] std::string schema_error(std::string_view order_json, OrderFormat format);

}  // namespace rts::test
