#include "commands/service_client.hpp"

#include <algorithm>
#include <chrono>
#include <istream>
#include <iterator>

#include <boost/asio/ip/tcp.hpp>

#include <rts/base/text.hpp>

namespace rts::commands {
namespace {

constexpr std::string_view kScheme = "http://";

}  // namespace

std::string ServiceAddress::url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

ServiceAddress service_address(const Invocation& invocation, const config::Settings& settings) {
  const auto url = invocation.option("url");
  if (!url) {
    // The service may listen on all addresses; the one next to us is asked.
    const std::string& host = settings.server.host;
    return {host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host, settings.server.port};
  }
  std::string_view rest = *url;
  const bool is_http = rest.starts_with(kScheme);
  rest.remove_prefix(is_http ? kScheme.size() : 0);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t colon = std::min(rest.rfind(':'), rest.size());
  std::string_view host = rest.substr(0, colon);
  const auto port = parse_as<std::uint16_t>(rest.substr(std::min(colon + 1, rest.size())), 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  require(is_http && port && !host.empty() && host.find_first_of("/@ ") == std::string_view::npos,
          "--url takes http://HOST:PORT, not '{}'", *url);
  return {std::string(host), *port, true};
}

ServiceAnswer ask_service(const ServiceAddress& address, const std::string& path) {
  boost::asio::ip::tcp::iostream stream;
  // Less than the 3 s after which the image's HEALTHCHECK is killed, and can no longer say why.
  stream.expires_after(std::chrono::seconds(2));
  stream.connect(address.host, std::to_string(address.port));
  stream << "GET " << path << " HTTP/1.0\r\nHost: " << address.url().substr(kScheme.size())
         << "\r\nConnection: close\r\n\r\n"
         << std::flush;
  std::string word;
  ServiceAnswer answer;
  stream >> word >> answer.status;
  std::size_t length = 0;
  bool has_head = false;
  std::getline(stream, word);
  while (!has_head && std::getline(stream, word)) {
    const std::string_view field = trimmed(word);
    const std::size_t colon = std::min(field.find(':'), field.size());
    has_head = field.empty();
    if (!same_but_for_case(field.substr(0, colon), "content-length")) continue;
    length = parse_as<std::size_t>(trimmed(field.substr(colon + 1))).value_or(0);
  }
  answer.body.assign(std::istreambuf_iterator<char>(stream), {});
  if (answer.status != 0 && has_head && answer.body.size() >= length) return answer;
  const std::string where = address.url() + path.substr(0, path.find('?'));
  if (answer.status != 0) {
    throw CommandError(ExitCode::unavailable,
                       "the answer of {} ended before it was whole; ask again", where);
  }
  throw CommandError(
      ExitCode::unavailable,
      "nobody answers at {}; is the service running there? {} where it is asked", where,
      address.is_by_option ? "--url says" : "HEALTH_CHECK_HOST and HEALTH_CHECK_PORT say");
}

}  // namespace rts::commands
