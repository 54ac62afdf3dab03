// One connection: requests are read and answered one after the other until one side has enough. A
// template on its stream, so that the tests run it in memory; the server runs it over
// beast::tcp_stream. Only server.cpp and the session's own test include this file (Beast is heavy).
//
// Every wait has a deadline and every buffer a size. A request whose end could be disputed is
// refused and ends the connection: Beast takes `Transfer-Encoding: gzip` for "no body" and would
// run what follows as the next request.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include "http/response.hpp"
#include "http/server.hpp"

namespace rts::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// What a refused client may still send before the connection is cut, in bytes.
inline constexpr std::size_t kLingerBytes = 262'144;

/// A response up to this size is given whatever Limits::unsent_bytes says: a probe's is, in bytes.
inline constexpr std::size_t kSmallResponseBytes = 4096;

/// What the sessions of one server share. It outlives every open session.
struct Shared {
  Routes routes;
  ServerOptions options;
  Stats stats;
  std::size_t unsent_bytes = 0;  // bodies that wait for their readers
};

template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
 public:
  using Clock = std::chrono::steady_clock;

  Session(Stream stream, Shared& shared)
      : stream_(std::move(stream)), shared_(shared), next_timer_(stream_.get_executor()) {
    ++shared_.stats.open;
  }

  /// Begins to serve; the handlers keep the session alive until it is closed.
  void start() { await_request(); }

  /// Cuts the connection; afterwards neither the routes nor `shared` are touched.
  void close() noexcept {
    if (!open_) return;
    open_ = false;
    --shared_.stats.open;
    shared_.unsent_bytes -= response_.body.size();
    if (goes_on()) --shared_.stats.streams;
    next_timer_.cancel();
    stream_.close();
  }

  bool is_open() const noexcept { return open_; }

  /// When it last got a request or a response through. Single bytes in or out do not count, so
  /// a client that is slow on purpose is the first to be evicted.
  Clock::time_point last_progress() const noexcept { return last_progress_; }

 private:
  using Error = beast::error_code;
  using Parser = beast::http::request_parser<beast::http::empty_body>;

  void await_request() {
    last_progress_ = Clock::now();
    header_bytes_ = 0;
    parser_.emplace();
    parser_->header_limit(kHeaderBytes);
    parser_->body_limit(0);
    if (buffer_.size() > 0) {  // pipelined
      set_deadline(shared_.options.limits.header);
      return parse();
    }
    set_deadline(shared_.options.limits.idle);
    read();
  }

  /// Never more than a header may still have: Beast's own limit holds for each piece it is given,
  /// and endless small fields pass it.
  void read() {
    stream_.async_read_some(
        buffer_.prepare(kHeaderBytes - header_bytes_ - buffer_.size()),
        [self = this->shared_from_this()](Error error, std::size_t n) { self->on_read(error, n); });
  }

  void on_read(Error error, std::size_t n) {
    if (!open_) return;
    if (error) return end(error);  // half a request gets no response
    const bool first = header_bytes_ + buffer_.size() == 0;
    buffer_.commit(n);
    if (first)
      set_deadline(shared_.options.limits.header);  // for all of it, however many reads it takes
    parse();
  }

  void parse() {
    using Http = beast::http::error;
    Error error;
    const std::size_t parsed = parser_->put(buffer_.data(), error);
    buffer_.consume(parsed);
    header_bytes_ += parsed;
    const bool full = header_bytes_ + buffer_.size() >= kHeaderBytes;
    if (error == Http::need_more && !full) return read();
    last_progress_ = Clock::now();
    if (!error) return respond();
    const Request request{.method = parser_->get().method_string(), .target = {}};
    if (error == Http::need_more || error == Http::header_limit) {
      return send(refuse(request, 431, "the request header is too large"));
    }
    const bool has_body = error == Http::body_limit;
    send(refuse(request, 400, has_body ? "request bodies are not accepted" : "malformed request"));
  }

  void respond() {
    const auto& message = parser_->get();
    const Request request{.method = message.method_string(),
                          .target = message.target(),
                          .accept = message[beast::http::field::accept],
                          .is_http_1_0 = message.version() == 10,
                          .host_fields = message.count(beast::http::field::host),
                          .announces_body = announces_body(message),
                          .keep_alive = parser_->keep_alive()};
    RenderedResponse made = response_to(request, shared_.routes, shared_.options.on_problem);
    if (!open_) return;  // the route stopped the server
    // Clients that ask and do not read must not fill our memory with responses.
    const bool overloaded = shared_.unsent_bytes > shared_.options.limits.unsent_bytes;
    if (overloaded && made.body.size() > kSmallResponseBytes) {
      ++shared_.stats.shed;
      made = refuse(request, 503, "too many answers wait to be read");
    }
    const Limits& limits = shared_.options.limits;
    if (made.next && shared_.stats.streams >= limits.streams) {
      made = refuse(request, 503, fmt::format("{} clients are listening already", limits.streams));
    }
    send(std::move(made));
  }

  template <class Message>
  static bool announces_body(const Message& message) {
    using beast::http::field;
    if (message.count(field::transfer_encoding) > 0) return true;
    const std::size_t lengths = message.count(field::content_length);
    return lengths > 1 || (lengths == 1 && message[field::content_length] != "0");
  }

  void send(RenderedResponse made) {
    response_ = std::move(made);
    if (goes_on()) ++shared_.stats.streams;
    parser_.reset();
    ++shared_.stats.responses[response_.status / 100];
    write();
  }

  bool goes_on() const noexcept { return response_.next != nullptr; }

  void write() {
    shared_.unsent_bytes += response_.body.size();
    set_deadline(shared_.options.limits.write);
    const std::array<asio::const_buffer, 2> bytes{asio::buffer(response_.head),
                                                  asio::buffer(response_.body)};
    asio::async_write(stream_, bytes, [self = this->shared_from_this()](Error error, std::size_t) {
      self->on_sent(error);
    });
  }

  void on_sent(Error error) {
    if (!open_) return;
    if (error) return end(error);
    shared_.unsent_bytes -= response_.body.size();
    if (goes_on()) return await_next();
    const bool last = response_.close;
    response_ = {};
    if (!last) return await_request();
    linger();
  }

  /// Begun when the client has taken what came before: it is given less when it is slow, and not
  /// more when it comes back.
  void await_next() {
    last_progress_ = Clock::now();
    response_.head.clear();
    response_.body.clear();
    next_timer_.expires_after(shared_.options.limits.next);
    next_timer_.async_wait([self = this->shared_from_this()](Error error) {
      if (!error && self->open_) self->send_next();
    });
  }

  void send_next() {
    auto part = next_part(response_, shared_.options.on_problem);
    if (!part) return close();
    response_.body = *std::move(part);
    write();
  }

  /// Closing with unread bytes resets the connection, and a reset overtakes the response. So:
  /// finish our side, then read and forget until the client closes or a limit is reached.
  void linger() {
    if constexpr (requires { stream_.socket(); }) {
      Error ignored;
      stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      set_deadline(shared_.options.limits.linger);
      discard(kLingerBytes);
    } else {
      close();
    }
  }

  void discard(std::size_t bytes_left) {
    buffer_.clear();
    stream_.async_read_some(
        buffer_.prepare(kHeaderBytes),
        [self = this->shared_from_this(), bytes_left](Error error, std::size_t n) {
          if (!self->open_) return;
          if (error || n >= bytes_left) return self->end(error);
          self->discard(bytes_left - n);
        });
  }

  void end(Error error) {
    if (error == beast::error::timeout) ++shared_.stats.timed_out;
    close();
  }

  /// For the operations from here to the next call.
  void set_deadline(std::chrono::milliseconds from_now) {
    if constexpr (requires { stream_.expires_after(from_now); }) stream_.expires_after(from_now);
  }

  Stream stream_;
  Shared& shared_;  // the server's; touched only while open
  beast::flat_buffer buffer_{kHeaderBytes};
  std::optional<Parser> parser_;  // one a request
  std::size_t header_bytes_ = 0;  // that the parser has taken out of the buffer
  RenderedResponse response_;     // what is being written
  asio::steady_timer next_timer_;
  Clock::time_point last_progress_;
  bool open_ = true;
};

}  // namespace rts::http
