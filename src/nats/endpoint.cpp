#include "nats/endpoint.hpp"

#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include "nats/handles.hpp"

namespace rts::nats {
std::vector<Endpoint> resolve(const config::BrokerUrl& url) {
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
    if (entry->ai_family == AF_INET6) endpoint.numeric_host = fmt::format("[{}]", number);
    std::memcpy(&endpoint.address, entry->ai_addr, entry->ai_addrlen);
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

std::vector<Endpoint> resolve_all(const std::vector<Secret>& urls, std::string& error) {
  std::vector<Endpoint> all;
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const auto url = config::parse_broker_url(urls[i].reveal());
    if (!url) {
      error = fmt::format("server url number {} is not a valid nats url", i + 1);
      continue;
    }
    std::vector<Endpoint> found = resolve(*url);
    if (found.empty()) error = fmt::format("{}: name does not resolve", url->display());
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  return all;
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
