#include "commands/health.hpp"

#include <chrono>
#include <istream>
#include <iterator>

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include "commands/output.hpp"

namespace rts::commands {

ExitCode health(const Invocation& invocation, const config::Configuration& configuration) {
  const config::ServerParameters& server = configuration.settings.server;
  // The service may listen on all addresses; the probe asks the one next to it.
  const std::string host = server.host == "0.0.0.0" ? "127.0.0.1"
                           : server.host == "::"    ? "::1"
                                                    : server.host;
  const std::string path = invocation.has("ready") ? "/ready" : "/healthz";

  boost::asio::ip::tcp::iostream stream;
  // Less than the 3 s after which the image's HEALTHCHECK is killed, and can no longer say why.
  stream.expires_after(std::chrono::seconds(2));
  stream.connect(host, std::to_string(server.port));
  stream << "GET " << path << " HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
         << std::flush;
  std::string version;
  int status = 0;
  std::string line;
  stream >> version >> status;
  while (std::getline(stream, line) && line != "\r") {
  }
  const std::string body(std::istreambuf_iterator<char>(stream), {});
  if (status == 0) {
    print_error("health: nobody answers at http://{}:{}{}\n", host, server.port, path);
    return ExitCode::unavailable;
  }
  if (invocation.has("json")) {
    print_out("{}\n", body);
  } else {
    print_out("{} {}\n", path, status == 200 ? "is well" : fmt::format("answers {}", status));
  }
  return status == 200 ? ExitCode::ok : ExitCode::different;
}

}  // namespace rts::commands
