// Uuid: the ids of orders. Version 5 (RFC 4122, SHA-1), so that every replica gives the same
// decision the same id. Usable from any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include <boost/uuid/uuid.hpp>

namespace rts {

using Uuid = boost::uuids::uuid;
using UuidText = std::array<char, 36>;  // "3eade307-080f-5c00-98c4-764ac65bee94", no terminator

// UUIDv5(UUIDv5(DNS, "petrosa-realtime-strategies"), name).
[[nodiscard]] Uuid make_order_id(std::string_view name) noexcept;

[[nodiscard]] UuidText to_text(const Uuid& id) noexcept;
// Of such a text, with letters of either case. Empty when it is none.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text) noexcept;

}  // namespace rts
