// Looks up the stream that stores the orders, so that /ready says when it is missing or configured
// wrongly: after each connect, after an order without responders, and at an interval. Two small
// requests a look, without blocking. Only in JetStream mode. Thread: the loop's.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/trading/order_subject.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/stream_info.hpp>

#include "nats/client.hpp"

namespace rts::service {

class StreamWatch {
 public:
  // `client` must outlive the watch. `on_looked` runs after each look, and is told whether
  // problem() has changed.
  StreamWatch(boost::asio::io_context& io, nats::Client& client, StreamNeeds needs,
              std::function<void(bool changed)> on_looked)
      : client_(client), needs_(std::move(needs)), on_looked_(std::move(on_looked)), timer_(io) {}

  // To be called when the client's status has changed: on a new connection the stream is looked up.
  void on_connection_change() {
    const nats::Status now = client_.status();
    const std::uint64_t number = now.reconnects + 1;
    if (!now.subscribed || std::exchange(connection_, number) == number || denied_) return;
    look_after(std::chrono::seconds(0));
  }

  // The stream may be gone: looks soon.
  void look_again() {
    again_ = looking_;
    if (!denied_ && timer_.expiry() > std::chrono::steady_clock::now() + kSoon) look_after(kSoon);
  }

  // Why orders cannot be stored as promised; empty when they can.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }

 private:
  static constexpr std::chrono::seconds kIntervalWhenFine{15};
  static constexpr std::chrono::seconds kIntervalWhenNot{2};
  // A refusal costs the connection: the client makes a new one to ask again.
  static constexpr std::chrono::seconds kIntervalWhenDenied{60};
  static constexpr std::chrono::seconds kTimeout{2};
  // Not at once: not inside an order's handler, and once for many orders that end together.
  static constexpr std::chrono::milliseconds kSoon{50};

  using Reader = void (StreamWatch::*)(std::string_view payload);

  void look_after(std::chrono::milliseconds delay) {
    timer_.expires_after(delay);
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error) look();
    });
  }

  void look() {
    if (looking_) return;
    denied_ = false;
    ask("$JS.API.STREAM.NAMES", wire::stream_names_request(needs_.subject),
        &StreamWatch::take_name);
  }

  void ask(const std::string& subject, std::string_view payload, Reader read) {
    const auto result =
        client_.request({subject, payload}, kTimeout, [this, read](const nats::Reply& reply) {
          looking_ = false;
          using enum nats::ReplyKind;
          switch (reply.kind) {
            case answered: (this->*read)(reply.payload); break;
            case no_responders: conclude("the broker has no JetStream"); break;
            case denied: conclude_denied(); break;
            case timed_out:
              conclude("the broker does not say whether a stream stores the orders");
              break;
            case connection_lost: break;  // the next connection will look
          }
          return nats::AfterReply::done;
        });
    looking_ = result == nats::PublishResult::sent;
    if (result == nats::PublishResult::denied) {
      conclude_denied();
    } else if (!looking_) {
      look_after(kIntervalWhenNot);
    }
  }

  void take_name(std::string_view payload) {
    const auto name = wire::parse_stream_names(payload);
    if (!name) return conclude(fmt::format("no stream found: {}", words_of(name.error())));
    if (name.value().empty()) {
      return conclude(
          fmt::format("no stream stores {}: run `realtime-strategies provision`", needs_.subject));
    }
    stream_ = name.value();
    ask("$JS.API.STREAM.INFO." + stream_, "", &StreamWatch::take_info);
  }

  void take_info(std::string_view payload) {
    const auto facts = wire::parse_stream_info(payload);
    if (!facts) return conclude(fmt::format("stream {}: {}", stream_, words_of(facts.error())));
    const auto found = stream_problems(needs_, facts.value());
    conclude(found.empty() ? "" : fmt::format("stream {}: {}", stream_, fmt::join(found, "; ")));
  }

  static std::string words_of(const wire::ApiError& error) {
    return error.code == 0 ? std::string("the answer could not be read")
                           : fmt::format("{} ({})", error.description, error.code);
  }

  void conclude_denied() {
    denied_ = true;
    conclude("the broker does not let us look the stream up");
  }

  void conclude(std::string problem) {
    const auto interval = denied_           ? kIntervalWhenDenied
                          : problem.empty() ? kIntervalWhenFine
                                            : kIntervalWhenNot;
    const bool again = std::exchange(again_, false) && !denied_;
    look_after(again ? kSoon : interval);
    const bool changed = problem != problem_;
    problem_ = std::move(problem);
    on_looked_(changed);
  }

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
