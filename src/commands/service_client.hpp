// What commands ask a running service: one GET a call, at most 2 s.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <rts/config/settings.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

struct ServiceAddress {
  std::string host;  // an IPv6 address without brackets
  std::uint16_t port = 0;
  bool is_by_option = false;  // --url, not the settings

  // "127.0.0.1:8080", "[::1]:8080"
  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string url() const { return "http://" + name(); }
};

// By --url, else where the settings say that the service listens. Throws CommandError(usage) of
// what is no http://HOST:PORT. Where --url may be repeated: each of them.
[[nodiscard]] ServiceAddress service_address(const Invocation& invocation,
                                             const config::Settings& settings);
[[nodiscard]] std::vector<ServiceAddress> service_addresses(const Invocation& invocation,
                                                            const config::Settings& settings);
inline constexpr Option kUrlOption{
    "--url", "URL", "the service, as http://HOST:PORT (default the one the settings are of)"};
// "HOST:PORT", "[::1]:8080"; empty when it is none.
[[nodiscard]] std::optional<ServiceAddress> parse_host_and_port(std::string_view text);

// For a query: letters and digits are themselves, all else is escaped.
[[nodiscard]] std::string url_escaped(std::string_view text);

inline constexpr int kNoAnswer = 0;       // or none in time
inline constexpr int kPartOfAnswer = -1;  // the connection ended before the answer did

struct ServiceAnswer {
  int status = kNoAnswer;
  std::string body{};
};

// What is asked for: a path with its query, escaped, and the content type that is wanted.
struct ServiceQuestion {
  std::string path;
  std::string accept = "*/*";
};

// Asks on the caller's loop, and waits for nothing: `then` is called once, from the loop.
void ask_service(boost::asio::io_context& loop, const ServiceAddress& address,
                 const ServiceQuestion& question, std::function<void(ServiceAnswer)> then);

// Blocking. Throws CommandError(unavailable) when there is no answer in time, or not all of it.
[[nodiscard]] ServiceAnswer ask_service(const ServiceAddress& address, const std::string& path);

}  // namespace rts::commands
