// Looks up the stream that stores the orders, so that /ready says when it is missing or configured
// wrongly: after each connect, after an order without responders, and at an interval. Two small
// requests a look, without blocking. Only in JetStream mode. Thread: the loop's.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <rts/trading/stream_plan.hpp>

#include "nats/client.hpp"

namespace rts::service {

class StreamWatch {
 public:
  static constexpr std::chrono::seconds kIntervalWhenFine{15};
  static constexpr std::chrono::seconds kIntervalWhenNot{2};
  static constexpr std::chrono::seconds kTimeout{2};
  // A refusal costs the connection: the client makes a new one to ask again.
  static constexpr std::chrono::seconds kIntervalWhenDenied{60};

  // `client` must outlive the watch. `on_looked` runs after each look, and is told whether
  // problem() has changed.
  StreamWatch(boost::asio::io_context& io, nats::Client& client, StreamNeeds needs,
              std::function<void(bool changed)> on_looked);

  // To be called when the client's status has changed: a new connection is looked through.
  void on_connection_change();
  // The stream may be gone: looks soon.
  void look_again();

  // Why orders cannot be stored as promised; empty when they can.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }

 private:
  using Reader = std::function<void(std::string_view payload)>;

  void look();
  void ask(const std::string& subject, std::string_view payload, Reader read);
  void take_name(std::string_view payload);
  void take_info(std::string_view payload);
  void conclude(std::string problem);
  void conclude_denied();
  void look_after(std::chrono::steady_clock::duration delay);

  nats::Client& client_;
  const StreamNeeds needs_;
  const std::function<void(bool changed)> on_looked_;
  boost::asio::steady_timer timer_;
  bool looking_ = false;          // a request is under way
  bool again_ = false;            // its answer may be older than an order's result: look once more
  bool denied_ = false;           // and not asked again yet
  std::uint64_t connection_ = 0;  // the client's number of the connection, from 1; 0: none yet
  std::string stream_;
  std::string problem_ = "the stream for the orders has not been looked up yet";
};

}  // namespace rts::service
