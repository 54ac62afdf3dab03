#include "support/responder.hpp"

#include <future>
#include <mutex>
#include <stdexcept>

#include <nats/nats.h>

#include "support/deadline.hpp"

namespace rts::test {

struct Responder::State {
  natsOptions* options = nullptr;
  natsConnection* connection = nullptr;
  natsSubscription* subscription = nullptr;
  Answers answers;
  std::promise<void> finished;  // no callback runs any more
  mutable std::mutex mutex;
  std::vector<Request> received;

  void publish(const std::string& subject, std::string_view payload) const {
    natsConnection_Publish(connection, subject.c_str(), payload.data(),
                           static_cast<int>(payload.size()));
  }

  void take(natsMsg* message) {
    Request request;
    request.subject = natsMsg_GetSubject(message);
    request.payload.assign(natsMsg_GetData(message),
                           static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    if (const char* reply_to = natsMsg_GetReply(message)) request.reply_to = reply_to;
    const char** keys = nullptr;
    int count = 0;
    if (natsMsgHeader_Keys(message, &keys, &count) == NATS_OK) {
      for (int i = 0; i < count; ++i) {
        const char* value = nullptr;
        if (natsMsgHeader_Get(message, keys[i], &value) == NATS_OK) {
          request.headers[keys[i]] = value;
        }
      }
      std::free(keys);  // NOLINT(cppcoreguidelines-no-malloc): nats.c says so
    }
    {
      const std::lock_guard lock(mutex);
      request.number = received.size() + 1;
      received.push_back(request);
    }
    if (!answers) return;
    for (const std::string& answer : answers(request)) publish(request.reply_to, answer);
  }

  static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    static_cast<State*>(closure)->take(message);
    natsMsg_Destroy(message);
  }
  static void on_complete(void* closure) { static_cast<State*>(closure)->finished.set_value(); }
};

Responder::Responder(const std::string& url, const std::string& subject, Answers answers)
    : state_(std::make_unique<State>()) {
  state_->answers = std::move(answers);
  natsOptions_Create(&state_->options);
  natsOptions_SetURL(state_->options, url.c_str());
  natsOptions_SetMaxReconnect(state_->options, -1);
  natsOptions_SetReconnectWait(state_->options, 20);
  natsOptions_SetSendAsap(state_->options, true);
  if (natsConnection_Connect(&state_->connection, state_->options) != NATS_OK ||
      natsConnection_Subscribe(&state_->subscription, state_->connection, subject.c_str(),
                               State::on_message, state_.get()) != NATS_OK ||
      natsConnection_FlushTimeout(state_->connection, 10'000) != NATS_OK) {
    throw std::runtime_error("nobody to listen at " + url);
  }
  natsSubscription_SetPendingLimits(state_->subscription, -1, -1);
  natsSubscription_SetOnCompleteCB(state_->subscription, State::on_complete, state_.get());
}

Responder::~Responder() {
  natsConnection_Close(state_->connection);
  state_->finished.get_future().wait();
  natsSubscription_Destroy(state_->subscription);
  natsConnection_Destroy(state_->connection);
  natsOptions_Destroy(state_->options);
}

std::vector<Request> Responder::received() const {
  const std::lock_guard lock(state_->mutex);
  return state_->received;
}

bool Responder::wait_for(std::size_t requests, std::chrono::milliseconds limit) const {
  return eventually([&] { return received().size() >= requests; }, limit);
}

void Responder::answer(const std::string& reply_to, std::string_view payload) {
  state_->publish(reply_to, payload);
  natsConnection_FlushTimeout(state_->connection, 10'000);
}

}  // namespace rts::test
