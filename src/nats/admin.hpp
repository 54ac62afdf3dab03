// Blocking requests to a broker, for commands that ask something and end: one connection with a
// loop of its own, which runs while something is awaited. Never on the event loop: that has the
// Client. The broker's user needs no permission but that to ask and to receive the answers.
//
// Thread: any one at a time. Everything here ends: a dial after connect_watchdog an address, a
// request after kRequestLimit.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>

#include <rts/base/result.hpp>

#include "nats/types.hpp"

namespace rts::nats {

class AsioAdapter;

class Admin {
 public:
  static constexpr std::chrono::milliseconds kRequestLimit{5000};

  // Dials the addresses of options.urls until one accepts; of the options, only those of the
  // connection itself matter. Answers will come to `inbox`.<something>, which the broker's user
  // has to be allowed to subscribe to. The error is for people and has no secrets.
  [[nodiscard]] static Result<Admin, std::string> connect(const ClientOptions& options,
                                                          std::string_view inbox);

  // The answer's payload. Errors: no client listens there, it is not permitted, the connection is
  // lost, no answer in time.
  [[nodiscard]] Result<std::string, std::string> request(const std::string& subject,
                                                         std::string_view payload,
                                                         std::span<const Header> headers = {});

  // Who acknowledges what is published on `subject`: what he answers to a message without payload
  // that has these headers; empty when nobody listens, or whoever does stays silent.
  [[nodiscard]] Result<std::optional<std::string>, std::string> probe(
      const std::string& subject, std::span<const Header> headers);

  // Scheme, host and port.
  [[nodiscard]] const std::string& server() const noexcept;

 private:
  struct Answer {
    ReplyKind kind;
    std::string text;  // the payload, or what went wrong
  };

  Admin(std::unique_ptr<boost::asio::io_context> loop, std::shared_ptr<AsioAdapter> adapter,
        std::string_view inbox)
      : loop_(std::move(loop)), adapter_(std::move(adapter)), inbox_(inbox) {}

  Answer exchange(const Outgoing& message);

  std::unique_ptr<boost::asio::io_context> loop_;
  std::shared_ptr<AsioAdapter> adapter_;
  std::string inbox_;
};

}  // namespace rts::nats
