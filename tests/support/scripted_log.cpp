#include "support/scripted_log.hpp"

#include <algorithm>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include <rts/base/time.hpp>

#include "support/deadline.hpp"
#include "support/log_stream.hpp"
#include "support/orders.hpp"
#include "support/rapidjson.hpp"

namespace rts::test {
namespace {

constexpr const char* kApi = "$JS.API.";

struct Entry {
  Received message;
  UnixMs at;
};

std::string as_stored(const Entry& entry, std::uint64_t sequence) {
  std::string headers = "NATS/1.0\r\n";
  for (const auto& [name, value] : entry.message.headers) {
    headers += fmt::format("{}: {}\r\n", name, value);
  }
  headers += "\r\n";
  return stored_message({.sequence = sequence,
                         .subject = entry.message.subject,
                         .headers = headers,
                         .data = entry.message.payload,
                         .stored_at = entry.at});
}

}  // namespace

struct ScriptedLog::State {
  State(const std::string& broker, Script answers)
      : url(broker), script(std::move(answers)), peer(broker) {}

  std::string url;
  Script script;
  mutable std::mutex mutex;
  std::vector<Entry> entries;
  std::vector<Received> attempts;
  std::size_t looks = 0;
  Peer peer;  // for the API, and all that is published
  std::optional<Peer> listener;

  void serve(const Received& request) {
    const std::string verb = request.subject.substr(std::string(kApi).size());
    const std::lock_guard lock(mutex);
    const std::size_t last = entries.size();
    std::string answer;
    if (verb == "STREAM.NAMES") {
      answer = fmt::format(R"({{"total":1,"streams":["{}"]}})", OrderLogStream::kName);
    } else if (verb.starts_with("STREAM.INFO.")) {
      ++looks;
      answer = fmt::format(
          R"({{"config":{{{}}},"state":{{"messages":{},"first_seq":{},"last_seq":{}}}}})",
          order_log_configuration(), last, last == 0 ? 0 : 1, last);
    } else {
      rapidjson::Document document;
      document.Parse(request.payload.c_str());
      const std::uint64_t sequence = document["seq"].GetUint64();
      answer = sequence == 0 || sequence > last ? stream_error(404, 10037, "no message found")
                                                : as_stored(entries[sequence - 1], sequence);
    }
    peer.publish(request.reply, answer);
  }

  std::uint64_t store_untold(const Received& message) {
    const std::lock_guard lock(mutex);
    entries.push_back({message, std::chrono::floor<std::chrono::milliseconds>(wall_clock())});
    return entries.size();
  }
  std::uint64_t store(Received message) {
    const std::uint64_t sequence = store_untold(message);
    message.headers["Nats-Sequence"] = std::to_string(sequence);
    peer.publish(kStoredIntents, message.payload, message.headers);
    return sequence;
  }
};

ScriptedLog::ScriptedLog(const std::string& url, Script script)
    : state_(std::make_unique<State>(url, std::move(script))) {
  state_->peer.subscribe(std::string(kApi) + ">",
                         [this](const Received& request) { state_->serve(request); });
  listen(true);
}
// First what may store.
ScriptedLog::~ScriptedLog() { listen(false); }

void ScriptedLog::listen(bool does) {
  state_->listener.reset();
  if (!does) return;
  state_->listener.emplace(state_->url);
  state_->listener->subscribe(kIntents, [this](const Received& order) {
    std::size_t number = 0;
    {
      const std::lock_guard lock(state_->mutex);
      state_->attempts.push_back(order);
      number = state_->attempts.size();
    }
    for (const std::string& text : state_->script(*this, number, order)) {
      state_->peer.publish(order.reply, text);
    }
  });
}

std::uint64_t ScriptedLog::store(const Received& order) { return state_->store(order); }

std::uint64_t ScriptedLog::store_by_other(const Received& order) {
  Received copy = order;
  copy.headers["Rts-Sender"] = "another";
  return state_->store(std::move(copy));
}

std::uint64_t ScriptedLog::store_text(const std::string& payload) {
  return state_->store({.subject = kIntents, .payload = payload, .headers = {}, .reply = {}});
}

void ScriptedLog::store_untold(const std::string& subject, const std::string& payload) {
  state_->store_untold({.subject = subject, .payload = payload, .headers = {}, .reply = {}});
}

std::size_t ScriptedLog::looks() const {
  const std::lock_guard lock(state_->mutex);
  return state_->looks;
}

std::vector<Received> ScriptedLog::attempts() const {
  const std::lock_guard lock(state_->mutex);
  return state_->attempts;
}

bool ScriptedLog::wait_for(std::size_t attempts, std::chrono::milliseconds limit) const {
  return eventually([&] { return this->attempts().size() >= attempts; }, limit);
}

void ScriptedLog::answer(const Received& attempt, const std::string& text) {
  state_->peer.publish(attempt.reply, text);
  state_->peer.flush();
}

std::string stored_ack(std::uint64_t sequence) {
  return fmt::format(R"({{"stream":"{}","seq":{}}})", OrderLogStream::kName, sequence);
}

std::string duplicate_ack(std::uint64_t sequence) {
  return fmt::format(R"({{"stream":"{}","seq":{},"duplicate":true}})", OrderLogStream::kName,
                     sequence);
}

std::string stream_error(int code, int error_code, const std::string& description) {
  return fmt::format(R"({{"type":"io.nats.jetstream.api.v1.pub_ack_response","error":{{"code":{},)"
                     R"("err_code":{},"description":"{}"}}}})",
                     code, error_code, description);
}

}  // namespace rts::test
