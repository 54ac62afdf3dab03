// An HTTP server on 127.0.0.1 that answers what a test says, and keeps what it was asked. One
// connection after the other. For tests only.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

namespace rts::test {

// A whole answer with this body.
[[nodiscard]] inline std::string http_answer(int status, const std::string& body) {
  return fmt::format("HTTP/1.0 {} Said\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

class HttpStub {
 public:
  // From the request's lines to what is sent; nothing is sent back of "", but for the end.
  using Answer = std::function<std::string(const std::string& request)>;

  explicit HttpStub(Answer answer) : answer_(std::move(answer)), thread_([this] { run(); }) {}
  ~HttpStub() {
    boost::asio::ip::tcp::iostream wake(endpoint_);
    wake.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both);
    thread_.join();
  }
  HttpStub(const HttpStub&) = delete;
  HttpStub& operator=(const HttpStub&) = delete;
  HttpStub(HttpStub&&) = delete;
  HttpStub& operator=(HttpStub&&) = delete;

  [[nodiscard]] std::uint16_t port() const { return endpoint_.port(); }
  [[nodiscard]] std::string host() const { return fmt::format("127.0.0.1:{}", port()); }
  [[nodiscard]] std::string url() const { return "http://" + host(); }
  // All requests, one behind the other.
  [[nodiscard]] std::string asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void run() {
    for (;;) {
      boost::asio::ip::tcp::iostream stream;
      acceptor_.accept(stream.socket());
      std::string line, request;
      while (std::getline(stream, line) && line != "\r") request += line + '\n';
      if (request.empty()) return;
      {
        const std::lock_guard lock(mutex_);
        asked_ += request;
      }
      stream << answer_(request) << std::flush;
    }
  }

  boost::asio::io_context loop_;
  boost::asio::ip::tcp::acceptor acceptor_{loop_, {boost::asio::ip::address_v4::loopback(), 0}};
  boost::asio::ip::tcp::endpoint endpoint_ = acceptor_.local_endpoint();
  Answer answer_;
  std::string asked_;
  mutable std::mutex mutex_;  // of asked_
  std::thread thread_;
};

}  // namespace rts::test
