#include "nats/admin.hpp"

#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "nats/client.hpp"

namespace rts::nats {
namespace {

using Answer = Result<std::string, std::string>;

}  // namespace

struct Admin::State {
  explicit State(ClientOptions options) : client(io, std::move(options), {}) {}

  // What the broker has complained of, without its name.
  std::string complaint() const {
    const Status status = client.status();
    const std::string prefix = server + ": ";
    return status.last_error.starts_with(prefix) ? status.last_error.substr(prefix.size())
                                                 : status.last_error;
  }
  Answer answer_of(const Reply& reply, const std::string& subject) const {
    switch (reply.kind) {
      case Reply::Kind::answered:
        return std::string(reply.payload);
      case Reply::Kind::no_responders:
        return Failure{fmt::format("nobody answers {}{}", subject,
                                   subject.starts_with("$JS.") ? ": JetStream is off" : "")};
      case Reply::Kind::timed_out:
        return Failure{fmt::format("no answer to {} within {} ms", subject, kRequestLimit.count())};
      case Reply::Kind::denied:
        return Failure{complaint()};
      case Reply::Kind::connection_lost:
        break;
    }
    return Failure<std::string>{"connection lost"};
  }

  boost::asio::io_context io{1};
  Client client;
  std::string server;
};

Admin::Admin(std::unique_ptr<State> state) : state_(std::move(state)) {}
Admin::~Admin() = default;
Admin::Admin(Admin&&) noexcept = default;
Admin& Admin::operator=(Admin&&) noexcept = default;

const std::string& Admin::server() const noexcept {
  return state_->server;
}

Result<Admin, std::string> Admin::connect(ClientOptions options, std::string_view inbox) {
  options.inbox_prefix = inbox;
  // The loop stands still between requests, so one heartbeat has to do: it comes back when the
  // broker has handled the subscription.
  options.heartbeat_interval = std::chrono::hours(1);
  auto state = std::make_unique<State>(std::move(options));
  state->client.start();
  for (;;) {
    const Status status = state->client.status();
    if (!status.last_error.empty()) return Failure{status.last_error};
    state->server = status.server;
    if (status.subscribed) return Admin(std::move(state));
    state->io.run_one();
  }
}

Answer Admin::request(const std::string& subject, std::string_view payload) {
  std::optional<Answer> answer;
  const PublishResult sent =
      state_->client.request(subject, payload, {}, kRequestLimit, [&](const Reply& reply) {
        answer = state_->answer_of(reply, subject);
        return AfterReply::done;
      });
  if (sent == PublishResult::denied) return Failure{state_->complaint()};
  if (sent == PublishResult::disconnected) return Failure<std::string>{"connection lost"};
  if (sent != PublishResult::sent) return Failure{fmt::format("{} cannot be sent", subject)};
  while (!answer) state_->io.run_one();
  return std::move(*answer);
}

}  // namespace rts::nats
