// Tells systemd how the service does, as sd_notify(3) describes: each message is one datagram to
// the socket NOTIFY_SOCKET. Where there is none, as in a container or on a terminal, nothing is
// said. On the loop's thread only.
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
  std::string socket;                     // a path, or a name behind '@'; empty: nobody listens
  std::chrono::microseconds watchdog{0};  // it kills the process after such a silence; 0: never
};
[[nodiscard]] NotifyOptions notify_options_of_environment();

class Notifier {
 public:
  Notifier(boost::asio::io_context& loop, const NotifyOptions& options);

  // Started; from here on a timer on the loop says so again, and that the loop turns, twice per
  // watchdog period.
  void ready();
  // One line for `systemctl status`.
  void status(std::string_view text);
  // Shutting down. The watchdog is still served: draining takes its time.
  void stopping();
  // No more timer, so that the loop can end.
  void stop() { watchdog_timer_.cancel(); }

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
