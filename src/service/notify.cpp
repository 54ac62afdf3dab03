#include "service/notify.hpp"

#include <cstdlib>

#include <boost/asio/buffer.hpp>
#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include <rts/base/text.hpp>

namespace rts::service {
namespace {

using Protocol = boost::asio::local::datagram_protocol;

std::string environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A whole number > 0, else 0.
std::int64_t whole_number(std::string_view text) noexcept {
  return parse_as<std::int64_t>(text, 1).value_or(0);
}

// Empty when no socket can have this name.
Protocol::endpoint endpoint_of(std::string name) {
  if (name.size() < 2 || name.size() >= sizeof(sockaddr_un::sun_path)) return {};
  if (name.front() == '@') name.front() = '\0';
  return {name};
}

}  // namespace

NotifyOptions notify_options_of_environment() {
  NotifyOptions options{environment_value("NOTIFY_SOCKET"), std::chrono::microseconds(0)};
  // The variable is inherited; a watchdog that is meant for our parent is not ours.
  const std::string whose = environment_value("WATCHDOG_PID");
  if (whose.empty() || whole_number(whose) == ::getpid()) {
    options.watchdog = std::chrono::microseconds(whole_number(environment_value("WATCHDOG_USEC")));
  }
  return options;
}

Notifier::Notifier(boost::asio::io_context& loop, const NotifyOptions& options)
    : to_(endpoint_of(options.socket)),
      socket_(loop),
      watchdog_(options.watchdog),
      watchdog_timer_(loop) {
  if (to_.path().empty()) return;
  boost::system::error_code error;
  socket_.open(Protocol(), error);
  if (!error) socket_.non_blocking(true, error);
  if (error) socket_.close(error);
}

void Notifier::ready() {
  send("READY=1\nSTATUS=started; not connected to a broker yet");
  if (socket_.is_open() && watchdog_.count() > 0) feed_watchdog();
}

void Notifier::status(std::string_view text) {
  send(fmt::format("STATUS={}", text.substr(0, text.find('\n'))));
}

void Notifier::stopping() {
  stopping_ = true;
  send("STOPPING=1\nSTATUS=draining");
}

void Notifier::send(std::string_view message) {
  if (!socket_.is_open()) return;
  // A message that the socket does not take at once is left out, so that the loop never waits. The
  // watchdog's next message says READY=1 again.
  boost::system::error_code ignored;
  socket_.send_to(boost::asio::buffer(message), to_, 0, ignored);
}

void Notifier::feed_watchdog() {
  send(stopping_ ? "WATCHDOG=1" : "READY=1\nWATCHDOG=1");
  watchdog_timer_.expires_after(watchdog_ / 2);
  watchdog_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) feed_watchdog();
  });
}

}  // namespace rts::service
