#include <algorithm>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/config/broker_url.hpp>

namespace rts::config {
namespace {

// "a%40b" → "a@b"; nothing for a broken escape, and for what the handshake cannot hold.
std::optional<Secret> parse_credential(std::string_view text) {
  auto decoded = percent_decoded(text);
  if (!decoded || !is_handshake_text(*decoded)) return {};
  return Secret(*std::move(decoded));
}

bool parse_userinfo(std::string_view text, BrokerUrl& url) {
  const std::size_t colon = text.find(':');
  url.user = parse_credential(text.substr(0, colon));
  if (!url.user || url.user->empty()) return false;
  if (colon == std::string_view::npos) return true;
  url.password = parse_credential(text.substr(colon + 1));
  return url.password.has_value();
}

bool parse_host_and_port(std::string_view text, BrokerUrl& url) {
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = text.find(bracketed ? ']' : ':');
  url.host = text.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  const bool is_host =
      !url.host.empty() && std::all_of(url.host.begin(), url.host.end(), [](char c) {
        return c > ' ' && c <= '~' && c != '/' && c != '[' && c != ']';
      });
  if (!is_host || (bracketed && host_end == std::string_view::npos)) return false;
  text.remove_prefix(std::min(host_end, text.size()) + (bracketed ? 1 : 0));
  if (text.empty()) return true;
  const auto port = parse_as<std::uint16_t>(text.substr(1), 1);
  url.port = port.value_or(0);
  return text.front() == ':' && port;
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
  return std::none_of(text.begin(), text.end(), [](unsigned char c) {
    return c < ' ' || c == 0x7F || c == '"' || c == '\\';
  });
}

std::string without_userinfo(std::string_view urls) {
  std::string shown;
  for (const std::string_view url : split(urls, ',')) {
    const std::size_t scheme = url.find("://");
    const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::size_t at = url.rfind('@');
    const bool has_userinfo = at != std::string_view::npos && at >= begin;
    shown.append(url.substr(0, begin)).append(has_userinfo ? "***" : "");
    shown.append(url.substr(has_userinfo ? at : begin)).append(",");
  }
  shown.pop_back();
  return shown;
}

}  // namespace rts::config
