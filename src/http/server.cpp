#include "http/server.hpp"

#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <fmt/format.h>

#include "http/session.hpp"

namespace rts::http {

using asio::ip::tcp;
using Error = boost::system::error_code;

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(asio::io_context& loop, ServerOptions options, Routes routes)
      : shared_{std::move(routes), std::move(options), {}, 0}, acceptor_(loop), retry_(loop) {}

  std::optional<std::string> start() {
    assert(!acceptor_.is_open());
    const ServerOptions& wanted = shared_.options;
    try {
      const tcp::endpoint endpoint(asio::ip::make_address(wanted.host), wanted.port);
      acceptor_ = tcp::acceptor(acceptor_.get_executor(), endpoint);
      acceptor_.non_blocking(true);
      port_ = acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      return fmt::format("cannot serve HTTP on {} port {}: {}", wanted.host, wanted.port,
                         error.code().message());
    }
    await_connection();
    return std::nullopt;
  }

  std::uint16_t port() const noexcept { return port_; }
  const Stats& stats() const noexcept { return shared_.stats; }

  void stop() noexcept {
    Error ignored;
    acceptor_.close(ignored);
    retry_.cancel();
    for (const auto& session : sessions_) session->close();
    sessions_.clear();
  }

 private:
  using TcpSession = Session<beast::tcp_stream>;

  /// Waits before it accepts: accept() needs a free descriptor even when no client waits, and
  /// without a client no connection may be evicted.
  void await_connection() {
    acceptor_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](Error error) {
      if (!self->acceptor_.is_open()) return;
      if (error) return self->pause(error);
      self->accept();
    });
  }

  /// One connection at a time, so that the loop gets to its other work in between.
  void accept() {
    if (shared_.stats.open >= shared_.options.limits.connections) evict();
    Error error;
    tcp::socket socket(acceptor_.get_executor());
    acceptor_.accept(socket, error);
    if (!error) {
      serve(std::move(socket));
    } else if (error != asio::error::would_block && error != asio::error::connection_aborted) {
      ++shared_.stats.accept_failures;
      // The descriptor of an evicted connection serves the one that waits.
      if (!is_out_of_descriptors(error) || !evict()) return pause(error);
    }
    await_connection();
  }

  void serve(tcp::socket socket) {
    Error ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    ++shared_.stats.accepted;
    forget_closed();
    const auto session =
        std::make_shared<TcpSession>(beast::tcp_stream(std::move(socket)), shared_);
    sessions_.push_back(session);
    session->start();
  }

  /// The connection that has gone longest without getting a request or a response through. False if
  /// there is none.
  bool evict() {
    forget_closed();
    const auto oldest = std::ranges::min_element(
        sessions_, {}, [](const auto& session) { return session->last_progress(); });
    if (oldest == sessions_.end()) return false;
    (*oldest)->close();
    ++shared_.stats.evicted;
    return true;
  }

  void forget_closed() {
    std::erase_if(sessions_, [](const auto& session) { return !session->is_open(); });
  }

  static bool is_out_of_descriptors(const Error& error) {
    return error == boost::system::errc::too_many_files_open ||
           error == boost::system::errc::too_many_files_open_in_system;
  }

  /// An accept that fails now fails again at once: without the pause that is a busy loop.
  void pause(const Error& error) {
    if (shared_.options.on_problem) {
      shared_.options.on_problem(
          fmt::format("cannot accept HTTP connections: {}", error.message()));
    }
    retry_.expires_after(shared_.options.limits.accept_retry);
    retry_.async_wait([self = shared_from_this()](Error cancelled) {
      if (!cancelled && self->acceptor_.is_open()) self->await_connection();
    });
  }

  std::uint16_t port_ = 0;
  Shared shared_;
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  std::vector<std::shared_ptr<TcpSession>> sessions_;  // the open ones, at most limits.connections
};

Server::Server(asio::io_context& loop, ServerOptions options, Routes routes)
    : impl_(std::make_shared<Impl>(loop, std::move(options), std::move(routes))) {}

Server::~Server() { stop(); }

std::optional<std::string> Server::start() { return impl_->start(); }
std::uint16_t Server::port() const noexcept { return impl_->port(); }
Stats Server::stats() const noexcept { return impl_->stats(); }
void Server::stop() noexcept { impl_->stop(); }

}  // namespace rts::http
