#include "nats/admin.hpp"

#include <atomic>
#include <semaphore>
#include <thread>

#include <fmt/format.h>

#include "nats/dial.hpp"
#include "nats/endpoint.hpp"
#include "nats/handles.hpp"
#include "nats/sockets.hpp"
#include "nats/subjects.hpp"

namespace rts::nats {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{100};  // between looks at the connection's last error

// nats.c waits for ever for the end of a handshake (sockets.hpp). This ends an attempt that takes
// too long, from a thread of its own.
class Watchdog {
 public:
  Watchdog(const Endpoint& endpoint, milliseconds limit)
      : endpoint_(&endpoint, 1), older_(sockets_to(endpoint_)), thread_([this, limit] {
          if (over_.try_acquire_for(limit)) return;
          cut_ = true;
          // The first cut may come before the socket; a later one finds it.
          do {
            shut_down_sockets_to(endpoint_, older_);
          } while (!over_.try_acquire_for(kPatience));
        }) {}
  ~Watchdog() {
    over_.release();
    thread_.join();
  }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  Watchdog(Watchdog&&) = delete;
  Watchdog& operator=(Watchdog&&) = delete;

  bool has_cut() const { return cut_; }

 private:
  std::span<const Endpoint> endpoint_;
  std::vector<ino_t> older_;
  std::atomic<bool> cut_ = false;
  std::binary_semaphore over_{0};
  std::thread thread_;
};

// Ends within the watchdog's limit.
ConnectionPtr dial_watched(const ClientOptions& ours, const Endpoint& endpoint,
                           std::string& error) {
  const Watchdog watchdog(endpoint, ours.connect_watchdog);
  auto connection = dial(ours, endpoint, nullptr);
  if (connection && !watchdog.has_cut()) return std::move(connection).value();
  const std::string server = endpoint.url.display();
  error = watchdog.has_cut() ? fmt::format("{}: handshake not finished within {} ms", server,
                                           ours.connect_watchdog.count())
                             : fmt::format("{}: {}", server, connection.error());
  return {};
}

}  // namespace

struct Admin::State {
  ConnectionPtr connection;
  std::string server;
  std::string inbox;
};

Admin::Admin(std::unique_ptr<State> state) : state_(std::move(state)) {}
Admin::~Admin() = default;
Admin::Admin(Admin&&) noexcept = default;
Admin& Admin::operator=(Admin&&) noexcept = default;

const std::string& Admin::server() const noexcept {
  return state_->server;
}

Result<Admin, std::string> Admin::connect(const ClientOptions& options, std::string_view inbox) {
  std::string error = "no server url";
  for (const Endpoint& endpoint : resolve_all(options.urls, error)) {
    ConnectionPtr connection = dial_watched(options, endpoint, error);
    if (!connection) continue;
    auto state = std::make_unique<State>();
    state->connection = std::move(connection);
    state->server = endpoint.url.display();
    state->inbox = inbox;
    return Admin(std::move(state));
  }
  return Failure{std::move(error)};
}

Result<std::string, std::string> Admin::request(const std::string& subject,
                                                std::string_view payload) {
  natsConnection* const connection = state_->connection.get();
  const std::string inbox = new_inbox(state_->inbox);
  natsSubscription* raw = nullptr;
  natsStatus status = natsConnection_SubscribeSync(&raw, connection, inbox.c_str());
  const SubscriptionPtr answers(raw);
  if (status == NATS_OK) {
    status = natsConnection_PublishRequest(connection, subject.c_str(), inbox.c_str(),
                                           payload.data(), static_cast<int>(payload.size()));
  }
  natsMsg* answer = nullptr;
  const auto deadline = Clock::now() + kRequestLimit;
  while (status == NATS_OK) {
    status = natsSubscription_NextMsg(&answer, answers.get(), kPatience.count());
    if (status != NATS_TIMEOUT) break;
    if (const auto text = complaint(connection); !text.empty()) return Failure{std::string(text)};
    if (Clock::now() < deadline) status = NATS_OK;
  }
  const MessagePtr message(answer);
  if (status == NATS_TIMEOUT) {
    return Failure{fmt::format("no answer to {} within {} ms", subject, kRequestLimit.count())};
  }
  if (status == NATS_NO_RESPONDERS) {
    const bool jetstream = subject.starts_with("$JS.");
    return Failure{
        fmt::format("nobody answers {}{}", subject, jetstream ? ": JetStream is off" : "")};
  }
  if (status != NATS_OK) return Failure{std::string(natsStatus_GetText(status))};
  return std::string(natsMsg_GetData(message.get()),
                     static_cast<std::size_t>(natsMsg_GetDataLength(message.get())));
}

}  // namespace rts::nats
