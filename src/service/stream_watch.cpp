#include "service/stream_watch.hpp"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/stream_info.hpp>

namespace rts::service {
namespace {

// Not at once: not inside an order's handler, and once for many orders that end together.
constexpr auto kSoon = std::chrono::milliseconds(50);

std::string what(const wire::ApiError& error) {
  return error.code == 0 ? std::string("the answer could not be read")
                         : fmt::format("{} ({})", error.description, error.code);
}

}  // namespace

StreamWatch::StreamWatch(boost::asio::io_context& io, nats::Client& client, StreamNeeds needs,
                         std::function<void(bool changed)> on_looked)
    : client_(client), needs_(std::move(needs)), on_looked_(std::move(on_looked)), timer_(io) {}

void StreamWatch::on_connection_change() {
  const nats::Status now = client_.status();
  if (!now.subscribed || connection_ == now.reconnects + 1) return;
  connection_ = now.reconnects + 1;
  if (!denied_) look_after(std::chrono::steady_clock::duration(0));
}

void StreamWatch::look_again() {
  again_ = looking_;
  if (!denied_ && timer_.expiry() > std::chrono::steady_clock::now() + kSoon) look_after(kSoon);
}

void StreamWatch::look_after(std::chrono::steady_clock::duration delay) {
  timer_.expires_after(delay);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) look();
  });
}

void StreamWatch::look() {
  if (looking_) return;
  denied_ = false;
  // With a subject for each strategy, the first one finds the stream; its description has all.
  ask("$JS.API.STREAM.NAMES", wire::stream_names_request(order_subjects(needs_.subject).front()),
      [this](std::string_view payload) { take_name(payload); });
}

void StreamWatch::ask(const std::string& subject, std::string_view payload, Reader read) {
  const auto result = client_.request(
      {subject, payload}, kTimeout, [this, read = std::move(read)](const nats::Reply& reply) {
        looking_ = false;
        if (reply.kind == nats::Reply::Kind::answered) {
          read(reply.payload);
        } else if (reply.kind == nats::Reply::Kind::no_responders) {
          conclude("the broker has no JetStream");
        } else if (reply.kind == nats::Reply::Kind::denied) {
          conclude_denied();
        } else if (reply.kind == nats::Reply::Kind::timed_out) {
          conclude("the broker does not say whether a stream stores the orders");
        }  // else a new connection will look
        return nats::AfterReply::done;
      });
  looking_ = result == nats::PublishResult::sent;
  if (result == nats::PublishResult::denied) {
    conclude_denied();
  } else if (!looking_) {
    look_after(kIntervalWhenNot);
  }
}

void StreamWatch::take_name(std::string_view payload) {
  const auto name = wire::parse_stream_names(payload);
  if (!name) return conclude(fmt::format("no stream found: {}", what(name.error())));
  if (name.value().empty()) {
    return conclude(
        fmt::format("no stream stores {}: run `realtime-strategies provision`", needs_.subject));
  }
  stream_ = name.value();
  ask(fmt::format("$JS.API.STREAM.INFO.{}", stream_), "",
      [this](std::string_view answer) { take_info(answer); });
}

void StreamWatch::take_info(std::string_view payload) {
  const auto facts = wire::parse_stream_info(payload);
  if (!facts) return conclude(fmt::format("stream {}: {}", stream_, what(facts.error())));
  const auto found = stream_problems(needs_, facts.value());
  conclude(found.empty() ? std::string()
                         : fmt::format("stream {}: {}", stream_, fmt::join(found, "; ")));
}

void StreamWatch::conclude(std::string problem) {
  if (std::exchange(again_, false)) {
    look_after(kSoon);
  } else {
    look_after(problem.empty() ? kIntervalWhenFine : kIntervalWhenNot);
  }
  const bool changed = problem != problem_;
  problem_ = std::move(problem);
  on_looked_(changed);
}

void StreamWatch::conclude_denied() {
  conclude("the broker does not let us look the stream up");
  denied_ = true;
  look_after(kIntervalWhenDenied);
}

}  // namespace rts::service
