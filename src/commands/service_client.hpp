// What commands ask a running service: one GET a call. Blocking, at most 2 s.
#pragma once

#include <cstdint>
#include <string>

#include <rts/config/settings.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

struct ServiceAddress {
  std::string host;  // an IPv6 address without brackets
  std::uint16_t port = 0;
  bool is_by_option = false;  // --url, not the settings

  [[nodiscard]] std::string url() const;
};

// By --url, else where the settings say that the service listens. Throws CommandError(usage) of
// what is no http://HOST:PORT.
[[nodiscard]] ServiceAddress service_address(const Invocation& invocation,
                                             const config::Settings& settings);
inline constexpr Option kUrlOption{
    "--url", "URL", "the service, as http://HOST:PORT (default the one the settings are of)"};

struct ServiceAnswer {
  int status = 0;
  std::string body;
};

// `path` with its query, escaped. Throws CommandError(unavailable) when there is no answer in time,
// or not all of it.
[[nodiscard]] ServiceAnswer ask_service(const ServiceAddress& address, const std::string& path);

}  // namespace rts::commands
