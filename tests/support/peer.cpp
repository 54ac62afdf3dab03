#include "support/peer.hpp"

#include <cstdlib>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <utility>

#include <nats/nats.h>

#include "support/deadline.hpp"
#include "support/nats_options.hpp"

namespace rts::test {

namespace {

Received received_from(natsMsg* message) {
  const char* reply = natsMsg_GetReply(message);
  Received received{.subject = natsMsg_GetSubject(message),
                    .payload = {natsMsg_GetData(message),
                                static_cast<std::size_t>(natsMsg_GetDataLength(message))},
                    .headers = {},
                    .reply = reply == nullptr ? "" : reply};
  const char** keys = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(message, &keys, &count) != NATS_OK) return received;
  for (int i = 0; i < count; ++i) {
    const char* value = nullptr;
    if (natsMsgHeader_Get(message, keys[i], &value) == NATS_OK) received.headers[keys[i]] = value;
  }
  std::free(keys);  // NOLINT(cppcoreguidelines-no-malloc): nats.c says so
  return received;
}

}  // namespace

struct Peer::State {
  struct Subscription {
    natsSubscription* handle = nullptr;
    Handler handler;
    std::binary_semaphore over{0};  // no callback runs or will run
  };

  natsOptions* options = nullptr;
  natsConnection* connection = nullptr;
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  mutable std::mutex mutex;
  std::vector<Received> received;

  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    const Received received = received_from(message);
    natsMsg_Destroy(message);
    static_cast<const Subscription*>(closure)->handler(received);
  }
  static void on_complete(void* closure) { static_cast<Subscription*>(closure)->over.release(); }
};

Peer::Peer(const std::string& url, WhileDisconnected policy) : state_(std::make_unique<State>()) {
  natsOptions_Create(&state_->options);
  set_addresses(state_->options, url);
  natsOptions_SetMaxReconnect(state_->options, -1);
  natsOptions_SetReconnectWait(state_->options, 10);
  natsOptions_SetReconnectJitter(state_->options, 1, 1);
  if (policy == WhileDisconnected::refuse) natsOptions_SetReconnectBufSize(state_->options, 0);
  if (natsConnection_Connect(&state_->connection, state_->options) != NATS_OK) {
    natsOptions_Destroy(state_->options);
    throw std::runtime_error("no broker at " + url);
  }
}

// Closing ends the callbacks, but does not wait for the one that runs.
Peer::~Peer() {
  natsConnection_Close(state_->connection);
  for (const auto& subscription : state_->subscriptions) {
    if (subscription->handle == nullptr) continue;
    subscription->over.acquire();
    natsSubscription_Destroy(subscription->handle);
  }
  natsConnection_Destroy(state_->connection);
  natsOptions_Destroy(state_->options);
}

void Peer::subscribe(const std::string& subject) {
  subscribe(subject, [this](const Received& received) {
    const std::lock_guard lock(state_->mutex);
    state_->received.push_back(received);
  });
}

void Peer::subscribe(const std::string& subject, Handler handler) {
  auto& subscription = *state_->subscriptions.emplace_back(std::make_unique<State::Subscription>());
  subscription.handler = std::move(handler);
  if (natsConnection_Subscribe(&subscription.handle, state_->connection, subject.c_str(),
                               State::on_message, &subscription) != NATS_OK) {
    throw std::runtime_error("cannot subscribe to " + subject);
  }
  natsSubscription_SetOnCompleteCB(subscription.handle, State::on_complete, &subscription);
  natsSubscription_SetPendingLimits(subscription.handle, -1, -1);
  flush();
}

bool Peer::publish(const std::string& subject, std::string_view payload,
                   const std::map<std::string, std::string>& headers, const std::string& reply) {
  natsMsg* message = nullptr;
  natsMsg_Create(&message, subject.c_str(), reply.empty() ? nullptr : reply.c_str(), payload.data(),
                 static_cast<int>(payload.size()));
  for (const auto& [name, value] : headers) {
    natsMsgHeader_Set(message, name.c_str(), value.c_str());
  }
  const natsStatus status = natsConnection_PublishMsg(state_->connection, message);
  natsMsg_Destroy(message);
  return status == NATS_OK;
}

bool Peer::flush() { return natsConnection_FlushTimeout(state_->connection, 10'000) == NATS_OK; }

bool Peer::connected() const {
  return natsConnection_Status(state_->connection) == NATS_CONN_STATUS_CONNECTED;
}

std::vector<Received> Peer::received() const {
  const std::lock_guard lock(state_->mutex);
  return state_->received;
}

bool Peer::wait_for(std::size_t messages, std::chrono::milliseconds limit) const {
  return eventually(
      [&] {
        const std::lock_guard lock(state_->mutex);
        return state_->received.size() >= messages;
      },
      limit);
}

}  // namespace rts::test
