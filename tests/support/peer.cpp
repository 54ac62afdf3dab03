#include "support/peer.hpp"

#include <mutex>
#include <stdexcept>

#include <nats/nats.h>

#include "support/deadline.hpp"

namespace rts::test {

struct Peer::State {
  natsOptions* options = nullptr;
  natsConnection* connection = nullptr;
  std::vector<natsSubscription*> subscriptions;
  mutable std::mutex mutex;
  std::vector<Received> received;

  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    auto* state = static_cast<State*>(closure);
    Received received{
        natsMsg_GetSubject(message),
        {natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))},
        {}};
    const char** keys = nullptr;
    int count = 0;
    if (natsMsgHeader_Keys(message, &keys, &count) == NATS_OK) {
      for (int i = 0; i < count; ++i) {
        const char* value = nullptr;
        if (natsMsgHeader_Get(message, keys[i], &value) == NATS_OK) {
          received.headers[keys[i]] = value;
        }
      }
      std::free(keys);  // NOLINT(cppcoreguidelines-no-malloc): nats.c says so
    }
    natsMsg_Destroy(message);
    const std::lock_guard lock(state->mutex);
    state->received.push_back(std::move(received));
  }
};

Peer::Peer(const std::string& url) : state_(std::make_unique<State>()) {
  natsOptions_Create(&state_->options);
  natsOptions_SetURL(state_->options, url.c_str());
  natsOptions_SetMaxReconnect(state_->options, -1);
  natsOptions_SetReconnectWait(state_->options, 50);
  if (natsConnection_Connect(&state_->connection, state_->options) != NATS_OK) {
    throw std::runtime_error("no broker at " + url);
  }
}

Peer::~Peer() {
  for (natsSubscription* subscription : state_->subscriptions) {
    natsSubscription_Destroy(subscription);
  }
  natsConnection_Destroy(state_->connection);
  natsOptions_Destroy(state_->options);
}

void Peer::subscribe(const std::string& subject) {
  natsSubscription* subscription = nullptr;
  if (natsConnection_Subscribe(&subscription, state_->connection, subject.c_str(),
                               State::on_message, state_.get()) != NATS_OK) {
    throw std::runtime_error("cannot subscribe to " + subject);
  }
  natsSubscription_SetPendingLimits(subscription, -1, -1);
  state_->subscriptions.push_back(subscription);
  flush();
}

void Peer::publish(const std::string& subject, std::string_view payload,
                   const std::map<std::string, std::string>& headers) {
  natsMsg* message = nullptr;
  natsMsg_Create(&message, subject.c_str(), nullptr, payload.data(),
                 static_cast<int>(payload.size()));
  for (const auto& [name, value] : headers) {
    natsMsgHeader_Set(message, name.c_str(), value.c_str());
  }
  natsConnection_PublishMsg(state_->connection, message);
  natsMsg_Destroy(message);
}

bool Peer::flush() {
  return natsConnection_FlushTimeout(state_->connection, 10'000) == NATS_OK;
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
