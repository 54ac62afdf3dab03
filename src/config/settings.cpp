// What the names, flags and values of the settings are to others.
#include <algorithm>

#include <rts/base/text.hpp>
#include <rts/config/settings.hpp>

namespace rts::config {

std::string_view to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::fallback:
      return "default";
    case Origin::environment:
      return "environment";
    case Origin::flag:
      return "flag";
  }
  return "";
}

std::string flag_name(const Setting& setting) {
  std::string flag = "--";
  for (const char c : setting.name) flag += c == '_' ? '-' : to_lower(c);
  return flag;
}

std::string name_for(const Setting& setting, const Symbol& symbol) {
  return std::string(setting.name).append(kSymbolMark).append(symbol.text());
}

std::optional<FlagTarget> find_flag(std::string_view flag) {
  constexpr std::size_t kDashes = 2;  // in front of every flag
  const std::size_t mark = std::min(flag.find(kFlagSymbolMark, kDashes), flag.size());
  for (const Setting& setting : table()) {
    if (flag_name(setting) != flag.substr(0, mark)) continue;
    std::string name(setting.name);
    if (mark < flag.size()) {
      name.append(kSymbolMark).append(flag.substr(mark + kFlagSymbolMark.size()));
    }
    return FlagTarget{&setting, std::move(name)};
  }
  return std::nullopt;
}

std::string without_userinfo(std::string_view url) {
  // Whatever the text is, nothing before its last '@' is shown, item by item.
  std::string shown;
  while (true) {
    const std::size_t comma = url.find(',');
    const std::string_view item = url.substr(0, comma);
    const std::size_t scheme = item.find("://");
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t at = item.rfind('@');
    shown += item.substr(0, begin);
    if (at != std::string_view::npos && at >= begin) {
      shown.append("***").append(item.substr(at));
    } else {
      shown += item.substr(begin);
    }
    if (comma == std::string_view::npos) return shown;
    shown += ',';
    url.remove_prefix(comma + 1);
  }
}

OrderFormat order_format(const Settings& settings) noexcept {
  return settings.order_format == "signal" ? OrderFormat::signal : OrderFormat::trade_order;
}

DeliveryMode delivery_mode(const Settings& settings) noexcept {
  return settings.order_delivery == "jetstream" ? DeliveryMode::jetstream : DeliveryMode::core;
}

bool is_production(const Settings& settings) noexcept {
  return same_but_for_case(settings.environment, "production");
}

std::chrono::seconds order_life(const Settings& settings) noexcept {
  return std::chrono::seconds(
      std::max(settings.order_ttl_seconds, settings.order_ttl_reduce_only_seconds));
}

}  // namespace rts::config
