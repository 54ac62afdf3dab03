#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/config/broker_url.hpp>

namespace rts::config {
namespace {

// "a%40b" → "a@b"; nothing for a broken escape.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    unsigned char byte = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2) return {};
    decoded.push_back(static_cast<char>(byte));
    i += 2;
  }
  return decoded;
}

std::optional<Secret> parse_credential(std::string_view text) {
  auto decoded = percent_decoded(text);
  if (!decoded || !is_handshake_text(*decoded)) return {};
  return Secret(std::move(*decoded));
}

bool parse_userinfo(std::string_view text, BrokerUrl& url) {
  const std::size_t colon = text.find(':');
  url.user = parse_credential(text.substr(0, colon));
  if (!url.user || url.user->empty()) return false;
  if (colon == std::string_view::npos) return true;
  url.password = parse_credential(text.substr(colon + 1));
  return url.password.has_value();
}

bool parse_port(std::string_view text, BrokerUrl& url) {
  const auto port = parse_as<std::uint16_t>(text, 1);
  url.port = port.value_or(0);
  return port.has_value();
}

bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '/' && c != '[' && c != ']';
  });
}

bool parse_host_and_port(std::string_view text, BrokerUrl& url) {
  std::size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    url.host = text.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    url.host = text.substr(0, host_end);
  }
  if (!is_host(url.host)) return false;
  if (host_end >= text.size()) return true;
  return text[host_end] == ':' && parse_port(text.substr(host_end + 1), url);
}

}  // namespace

std::string BrokerUrl::display() const {
  const bool bracketed = host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(bracketed ? "{}://[{}]:{}" : "{}://{}:{}"), tls ? "tls" : "nats",
                     host, port);
}

std::optional<BrokerUrl> parse_broker_url(std::string_view text) {
  BrokerUrl url;
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    url.tls = text.substr(0, scheme) == "tls";
    if (!url.tls && text.substr(0, scheme) != "nats") return {};
    text.remove_prefix(scheme + 3);
  }
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (!parse_userinfo(text.substr(0, at), url)) return {};
    text.remove_prefix(at + 1);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  if (!parse_host_and_port(text, url)) return {};
  return url;
}

bool is_handshake_text(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7F || c == '"' || c == '\\';
  });
}

}  // namespace rts::config
