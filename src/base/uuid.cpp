#include <charconv>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <rts/base/uuid.hpp>

namespace rts {

Uuid make_order_id(std::string_view name) noexcept {
  static const Uuid kNamespace =
      boost::uuids::name_generator_sha1(boost::uuids::ns::dns())("petrosa-realtime-strategies");
  return boost::uuids::name_generator_sha1(kNamespace)(name.data(), name.size());
}

UuidText to_text(const Uuid& id) noexcept {
  UuidText text{};
  boost::uuids::to_chars(id, text.begin(), text.end());
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
  Uuid id{};
  const char* at = text.data();
  if (text.size() != UuidText().size()) return std::nullopt;
  for (std::size_t i = 0; i < sizeof id.data; ++i) {
    const bool is_after_dash = i == 4 || i == 6 || i == 8 || i == 10;
    if (is_after_dash && *at++ != '-') return std::nullopt;
    const auto byte = std::from_chars(at, at + 2, id.data[i], 16);
    if (byte.ptr != at + 2) return std::nullopt;
    at += 2;
  }
  return id;
}

}  // namespace rts
