#include "nats/endpoint.hpp"

#include <charconv>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include "nats/handles.hpp"

namespace rts::nats {
namespace {

bool has_colon(std::string_view host) {
  return host.find(':') != std::string_view::npos;
}

// "a%40b" → "a@b"; empty result for a broken escape.
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

bool parse_userinfo(std::string_view text, Url& url) {
  const std::size_t colon = text.find(':');
  auto user = percent_decoded(text.substr(0, colon));
  if (!user || user->empty()) return false;
  url.user = std::move(*user);
  if (colon == std::string_view::npos) return true;
  url.password = percent_decoded(text.substr(colon + 1));
  return url.password.has_value();
}

bool parse_port(std::string_view text, Url& url) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), url.port);
  return error == std::errc{} && end == text.data() + text.size() && url.port != 0;
}

bool parse_host_and_port(std::string_view text, Url& url) {
  std::size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    url.host = text.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    url.host = text.substr(0, host_end);
  }
  if (url.host.empty()) return false;
  if (host_end >= text.size()) return true;
  return text[host_end] == ':' && parse_port(text.substr(host_end + 1), url);
}

}  // namespace

std::string Url::display() const {
  return fmt::format(fmt::runtime(has_colon(host) ? "{}://[{}]:{}" : "{}://{}:{}"),
                     tls ? "tls" : "nats", host, port);
}

std::optional<Url> parse_url(std::string_view text) {
  Url url;
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

std::vector<Endpoint> resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found) != 0) {
    return {};
  }
  const std::unique_ptr<addrinfo, Destroyer<::freeaddrinfo>> owner(found);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char number[NI_MAXHOST] = {};
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, number, sizeof number, nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    Endpoint endpoint{.url = url, .numeric_host = number};
    if (has_colon(number)) endpoint.numeric_host = fmt::format("[{}]", number);
    std::memcpy(&endpoint.address, entry->ai_addr, entry->ai_addrlen);
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

bool same_address(const sockaddr_storage& a, const sockaddr_storage& b) {
  if (a.ss_family != b.ss_family) return false;
  if (a.ss_family == AF_INET) {
    sockaddr_in left{};
    sockaddr_in right{};
    std::memcpy(&left, &a, sizeof left);
    std::memcpy(&right, &b, sizeof right);
    return left.sin_port == right.sin_port && left.sin_addr.s_addr == right.sin_addr.s_addr;
  }
  if (a.ss_family != AF_INET6) return false;
  sockaddr_in6 left{};
  sockaddr_in6 right{};
  std::memcpy(&left, &a, sizeof left);
  std::memcpy(&right, &b, sizeof right);
  return left.sin6_port == right.sin6_port &&
         std::memcmp(&left.sin6_addr, &right.sin6_addr, sizeof left.sin6_addr) == 0;
}

}  // namespace rts::nats
