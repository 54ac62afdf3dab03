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

}  // namespace rts
