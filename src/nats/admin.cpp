#include "nats/admin.hpp"

#include <thread>
#include <utility>

#include <fmt/format.h>

#include "nats/adapter.hpp"
#include "nats/connector.hpp"
#include "nats/inbox.hpp"
#include "nats/messages.hpp"
#include "nats/subjects.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kConnectPoll{5};
// A broker's refusal comes as a complaint, which names no request: it counts when for so long
// nothing else has come.
constexpr std::chrono::milliseconds kComplaintDelay{100};

ReplyKind kind_of(natsStatus status) noexcept {
  if (status == NATS_OK) return ReplyKind::answered;
  if (status == NATS_TIMEOUT) return ReplyKind::timed_out;
  return status == NATS_NO_RESPONDERS ? ReplyKind::no_responders : ReplyKind::connection_lost;
}

}  // namespace

const std::string& Admin::server() const noexcept { return adapter_->server(); }

Result<Admin, std::string> Admin::connect(const ClientOptions& options, std::string_view inbox) {
  Connector connector(options, {});
  std::optional<ConnectResult> result;
  while (!(result = connector.poll())) std::this_thread::sleep_for(kConnectPoll);
  if (!result->connection) return Failure{std::move(result->error)};
  auto loop = std::make_unique<boost::asio::io_context>(1);
  auto adapter = std::make_shared<AsioAdapter>(*loop, std::move(*result));
  adapter->start({.readable = [] {}, .lost = [] {}});
  return Admin(std::move(loop), std::move(adapter), inbox);
}

Admin::Answer Admin::exchange(const Outgoing& message) {
  natsConnection* const connection = adapter_->connection();
  const std::string inbox = new_inbox(inbox_);
  natsSubscription* raw = nullptr;
  natsStatus status = natsConnection_SubscribeSync(&raw, connection, inbox.c_str());
  const SubscriptionPtr answers(raw);
  const MessagePtr question = build_message(message, inbox);
  if (status == NATS_OK) status = natsConnection_PublishMsg(connection, question.get());
  adapter_->flush();
  natsMsg* received = nullptr;
  const auto deadline = Clock::now() + kRequestLimit;
  while (status == NATS_OK) {
    const bool quiet = loop_->run_one_for(kComplaintDelay) == 0;
    status = natsSubscription_NextMsg(&received, answers.get(), 0);
    if (status != NATS_TIMEOUT) break;
    if (const auto text = adapter_->complaint(); quiet && !text.empty()) {
      return {ReplyKind::denied, std::string(text)};
    }
    if (Clock::now() < deadline) status = NATS_OK;
  }
  const MessagePtr answer(received);
  if (status != NATS_OK) return {kind_of(status), natsStatus_GetText(status)};
  return {ReplyKind::answered,
          std::string(natsMsg_GetData(answer.get()),
                      static_cast<std::size_t>(natsMsg_GetDataLength(answer.get())))};
}

Result<std::string, std::string> Admin::request(const std::string& subject,
                                                std::string_view payload,
                                                std::span<const Header> headers) {
  Answer answer = exchange({subject, payload, headers});
  if (answer.kind == ReplyKind::answered) return std::move(answer.text);
  if (answer.kind == ReplyKind::timed_out) {
    return Failure{fmt::format("no answer to {} within {} ms", subject, kRequestLimit.count())};
  }
  if (answer.kind == ReplyKind::no_responders) {
    const bool is_jetstream = subject.starts_with("$JS.");
    return Failure{fmt::format("nobody answers {}{}", subject,
                               is_jetstream ? ": " + no_jetstream(subject) : "")};
  }
  return Failure{std::move(answer.text)};
}

Result<std::optional<std::string>, std::string> Admin::probe(const std::string& subject,
                                                             std::span<const Header> headers) {
  using Found = std::optional<std::string>;
  Answer answer = exchange({subject, "", headers});
  if (answer.kind == ReplyKind::answered) return Found(std::move(answer.text));
  if (answer.kind == ReplyKind::timed_out || answer.kind == ReplyKind::no_responders) {
    return Found();
  }
  return Failure{std::move(answer.text)};
}

}  // namespace rts::nats
