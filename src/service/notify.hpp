// Tells systemd the state of the service, as sd_notify(3) describes: each message is one datagram
// to the socket NOTIFY_SOCKET. Where there is none, as in a container or on a terminal, nothing is
// sent. On the loop's thread only.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

namespace rts::service {

// What systemd has put into the environment of the process it has started.
struct NotifyOptions {
  std::string socket;                     // a path, or a name behind '@'; empty: there is none
  std::chrono::microseconds watchdog{0};  // it kills the process after such a silence; 0: never
};
[[nodiscard]] NotifyOptions notify_options_of_environment();

class Notifier {
 public:
  Notifier(boost::asio::io_context& loop, const NotifyOptions& options);

  // Started. From here on a timer on the loop repeats it twice per watchdog period, which proves
  // that the loop runs.
  void ready();
  // One line for `systemctl status`.
  void status(std::string_view text);
  // Shutting down. The watchdog is still served: draining takes its time.
  void stopping();

 private:
  void send(std::string_view message);
  void feed_watchdog();

  boost::asio::local::datagram_protocol::endpoint to_;
  boost::asio::local::datagram_protocol::socket socket_;
  std::chrono::microseconds watchdog_;
  boost::asio::steady_timer watchdog_timer_;
  bool stopping_ = false;
};

}  // namespace rts::service
