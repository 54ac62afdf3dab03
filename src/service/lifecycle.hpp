// Starts the service's parts, and after a stop signal drains them in the order that loses nothing.
// Thread: the loop's.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <rts/base/exit_code.hpp>
#include <rts/engine/tally.hpp>

#include "http/server.hpp"
#include "nats/client.hpp"
#include "service/narrator.hpp"
#include "service/notify.hpp"
#include "service/publisher.hpp"

namespace rts::service {

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
