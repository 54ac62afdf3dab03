#include "nats/admin.hpp"

#include <optional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "nats/adapter.hpp"
#include "nats/connector.hpp"
#include "nats/inbox.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kConnectPoll{5};
// A broker's refusal comes as a complaint, which names no request: it counts when for so long
// nothing else has come.
constexpr std::chrono::milliseconds kComplaintDelay{100};

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

Result<std::string, std::string> Admin::request(const std::string& subject,
                                                std::string_view payload) {
  natsConnection* const connection = adapter_->connection();
  const std::string inbox = new_inbox(inbox_);
  natsSubscription* raw = nullptr;
  natsStatus status = natsConnection_SubscribeSync(&raw, connection, inbox.c_str());
  const SubscriptionPtr answers(raw);
  if (status == NATS_OK) {
    status = natsConnection_PublishRequest(connection, subject.c_str(), inbox.c_str(),
                                           payload.data(), static_cast<int>(payload.size()));
  }
  adapter_->flush();
  natsMsg* answer = nullptr;
  const auto deadline = Clock::now() + kRequestLimit;
  while (status == NATS_OK) {
    const bool quiet = loop_->run_one_for(kComplaintDelay) == 0;
    status = natsSubscription_NextMsg(&answer, answers.get(), 0);
    if (status != NATS_TIMEOUT) break;
    if (const auto text = adapter_->complaint(); quiet && !text.empty()) {
      return Failure{std::string(text)};
    }
    if (Clock::now() < deadline) status = NATS_OK;
  }
  const MessagePtr message(answer);
  if (status == NATS_TIMEOUT) {
    return Failure{fmt::format("no answer to {} within {} ms", subject, kRequestLimit.count())};
  }
  if (status == NATS_NO_RESPONDERS) {
    return Failure{fmt::format("nobody answers {}{}", subject,
                               subject.starts_with("$JS.") ? ": JetStream is off" : "")};
  }
  if (status != NATS_OK) return Failure{std::string(natsStatus_GetText(status))};
  return std::string(natsMsg_GetData(message.get()),
                     static_cast<std::size_t>(natsMsg_GetDataLength(message.get())));
}

}  // namespace rts::nats
