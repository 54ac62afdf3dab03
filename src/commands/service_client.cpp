#include "commands/service_client.hpp"

#include <chrono>
#include <istream>
#include <iterator>

#include <boost/asio/ip/tcp.hpp>

#include "commands/command_line.hpp"

namespace rts::commands {

ServiceAnswer ask_service(const config::Settings& settings, const std::string& path) {
  // The service may listen on all addresses; the one next to us is asked.
  const std::string host = settings.server.host == "0.0.0.0" ? "127.0.0.1"
                           : settings.server.host == "::"    ? "::1"
                                                             : settings.server.host;
  boost::asio::ip::tcp::iostream stream;
  // Less than the 3 s after which the image's HEALTHCHECK is killed, and can no longer say why.
  stream.expires_after(std::chrono::seconds(2));
  stream.connect(host, std::to_string(settings.server.port));
  stream << "GET " << path << " HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n"
         << std::flush;
  std::string word;
  ServiceAnswer answer;
  stream >> word >> answer.status;
  while (std::getline(stream, word) && word != "\r") {
  }
  answer.body.assign(std::istreambuf_iterator<char>(stream), {});
  if (answer.status != 0) return answer;
  throw CommandError(ExitCode::unavailable,
                     "nobody answers at http://{}:{}{}; is the service running there? "
                     "HEALTH_CHECK_HOST and HEALTH_CHECK_PORT say where it is asked",
                     host, settings.server.port, path);
}

}  // namespace rts::commands
