// Starts the service's parts, and after a stop signal drains them in the order that loses nothing;
// and tells systemd of it. Thread: the loop's.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include <rts/base/exit_code.hpp>
#include <rts/base/text.hpp>
#include <rts/engine/tally.hpp>

#include "http/server.hpp"
#include "nats/client.hpp"
#include "service/narrator.hpp"
#include "service/publisher.hpp"

namespace rts::service {

// Tells systemd the state of the service, as sd_notify(3) describes: each message is one datagram
// to the socket NOTIFY_SOCKET. Where there is none, as in a container or on a terminal, nothing is
// sent.
class Notifier {
 public:
  // Reads what systemd has put into the environment of the process it has started.
  explicit Notifier(boost::asio::io_context& loop) : socket_(loop), watchdog_timer_(loop) {
    std::string socket = variable("NOTIFY_SOCKET");  // a path, or a name behind '@'
    if (socket.size() < 2 || socket.size() >= sizeof(sockaddr_un::sun_path)) return;
    if (socket.front() == '@') socket.front() = '\0';
    to_ = socket;
    boost::system::error_code error;
    socket_.open({}, error);
    if (!error) socket_.non_blocking(true, error);
    if (error) socket_.close(error);
    // The variable is inherited; a watchdog that is meant for our parent is not ours.
    const std::string whose = variable("WATCHDOG_PID");
    if (!whose.empty() && whole_number(whose) != ::getpid()) return;
    watchdog_ = std::chrono::microseconds(whole_number(variable("WATCHDOG_USEC")));
  }

  // Started. From here on a timer on the loop repeats it twice per watchdog period, which proves
  // that the loop runs.
  void ready() {
    send("READY=1\nSTATUS=started; not connected to a broker yet");
    if (socket_.is_open() && watchdog_.count() > 0) feed_watchdog();
  }

  // One line for `systemctl status`.
  void status(std::string_view text) {
    send(fmt::format("STATUS={}", text.substr(0, text.find('\n'))));
  }

  // Shutting down. The watchdog is still served: draining takes its time.
  void stopping() {
    stopping_ = true;
    send("STOPPING=1\nSTATUS=draining");
  }

 private:
  using Protocol = boost::asio::local::datagram_protocol;

  static std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }
  // Above 0, else 0.
  static std::int64_t whole_number(std::string_view text) noexcept {
    return parse_as<std::int64_t>(text, 1).value_or(0);
  }

  // A message that the socket does not take at once is left out, so that the loop never waits. The
  // watchdog's next message says READY=1 again.
  void send(std::string_view message) {
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    socket_.send_to(boost::asio::buffer(message), to_, 0, ignored);
  }

  void feed_watchdog() {
    send(stopping_ ? "WATCHDOG=1" : "READY=1\nWATCHDOG=1");
    watchdog_timer_.expires_after(watchdog_ / 2);
    watchdog_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) feed_watchdog();
    });
  }

  Protocol::endpoint to_;
  Protocol::socket socket_;
  std::chrono::microseconds watchdog_{0};  // it kills us after such a silence; 0: never
  boost::asio::steady_timer watchdog_timer_;
  bool stopping_ = false;
};

class Lifecycle {
 public:
  // They outlive the lifecycle.
  struct Parts {
    boost::asio::io_context& loop;
    nats::Client& client;
    Publisher& publisher;
    http::Server& server;
    Notifier& notifier;
    Narrator& narrator;
    const Tally& tally;
  };

  Lifecycle(const Parts& parts, std::chrono::seconds shutdown_timeout)
      : parts_(parts),
        shutdown_timeout_(shutdown_timeout),
        stop_signals_(parts.loop, SIGINT, SIGTERM),
        shutdown_deadline_(parts.loop) {}

  // Returns after a stop signal and a drain, or at once when the HTTP port cannot be opened.
  [[nodiscard]] ExitCode run() {
    if (const auto error = parts_.server.start()) {
      parts_.narrator.not_listening(*error);
      return ExitCode::unavailable;
    }
    parts_.narrator.started(parts_.server.port());
    await_stop_signal();
    parts_.client.start();
    parts_.notifier.ready();
    parts_.loop.run();
    return exit_code_;
  }

  [[nodiscard]] bool draining() const noexcept { return draining_; }

 private:
  void await_stop_signal() {
    stop_signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      if (draining_) std::_Exit(128 + signal);  // the second one: at once
      await_stop_signal();
      drain(signal);
    });
  }

  // Not ready → drain the subscription → what is pending is evaluated → answers to orders are
  // awaited → flush → close.
  void drain(int signal) {
    draining_ = true;
    parts_.notifier.stopping();
    parts_.narrator.draining(signal);
    shutdown_deadline_.expires_after(shutdown_timeout_);
    shutdown_deadline_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      parts_.narrator.shutdown_timed_out();
      parts_.publisher.abandon();
      exit_code_ = ExitCode::unavailable;
      parts_.loop.stop();
    });
    parts_.client.drain([this] {
      parts_.publisher.finish([this] {
        parts_.client.close([this](bool flushed) {
          parts_.narrator.stopped(flushed, parts_.tally);
          parts_.loop.stop();
        });
      });
    });
  }

  const Parts parts_;
  const std::chrono::seconds shutdown_timeout_;
  boost::asio::signal_set stop_signals_;
  boost::asio::steady_timer shutdown_deadline_;
  bool draining_ = false;
  ExitCode exit_code_ = ExitCode::ok;
};

}  // namespace rts::service
