#include "support/fake_broker.hpp"

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "support/protocol_text.hpp"

namespace rts::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

bool matches(std::string_view pattern, std::string_view subject) {
  if (pattern.ends_with('>')) return subject.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == subject;
}

const std::string& of_visitor(const std::vector<std::string>& list, std::size_t visitor) {
  static const std::string kNothing;
  return list.empty() ? kNothing : list[visitor % list.size()];
}

}  // namespace

const std::vector<std::string>& broker_errors() {
  static const std::vector<std::string> kErrors = [] {
    std::vector<std::string> all;
    for (const char* text :
         {"Unknown Protocol Operation", "Attempted To Connect To Route Port",
          "Authorization Violation", "Authorization Timeout", "Invalid Client Protocol",
          "Maximum Control Line Exceeded", "Parser Error", "Secure Connection - TLS Required",
          "Stale Connection", "Maximum Connections Exceeded", "Slow Consumer",
          "Maximum Payload Violation", "Invalid Subject", "User Authentication Expired",
          "User Authentication Revoked", "Account Authentication Expired",
          "Permissions Violation for Publish to \"tradeengine.orders\"", "Never Heard Of This",
          ""}) {
      all.push_back(fmt::format("-ERR '{}'\r\n", text));
    }
    all.emplace_back("-ERR\r\n");
    all.emplace_back("-ERR " + std::string(3000, 'x') + "\r\n");
    return all;
  }();
  return kErrors;
}

namespace {

std::vector<NamedScript> make_scripts() {
  std::string all_errors;
  for (const std::string& error : broker_errors()) all_errors += error;
  const auto greeting = [](std::string text) {
    return BrokerScript{.greetings = {std::move(text)}};
  };
  const auto behind_pong = [](std::string text) {
    return BrokerScript{.after_pong = {std::move(text)}};
  };
  return {
      {"silent", greeting("")},
      {"silent-after-info", {.answers_ping = false, .returns_heartbeats = false}},
      {"http", greeting("HTTP/1.1 400 Bad Request\r\n\r\n")},
      {"garbage", greeting(std::string(5000, '\x80'))},
      {"endless-line", greeting("INFO {" + std::string(200'000, ' '))},
      {"bad-info", greeting("INFO {\"server_id\":]}\r\n")},
      {"no-payload", greeting("INFO {\"server_id\":\"F\",\"max_payload\":-1,\"headers\":true}\r\n"),
       std::chrono::seconds(6)},  // the handshake succeeds; then no heartbeat can be sent
      {"garbage-after-handshake", behind_pong(std::string(5000, '\x80') + "\r\n")},
      {"negative-length", behind_pong("MSG binance.websocket.data 1 -5\r\n\r\n")},
      {"endless-length", behind_pong("MSG binance.websocket.data 1 99999999999999999999\r\n")},
      {"long-header", behind_pong("HMSG a 1 100 10\r\n0123456789\r\n")},
      {"long-control-line", behind_pong("MSG " + std::string(200'000, 'x'))},
      {"errors-in-handshake", {.instead_of_pong = broker_errors()}},
      {"errors-and-good-bye", {.after_pong = broker_errors(), .hangs_up = true}},
      {"errors", behind_pong(all_errors)}};
}

}  // namespace

const std::vector<NamedScript>& broker_scripts() {
  static const std::vector<NamedScript> kScripts = make_scripts();
  return kScripts;
}

std::vector<FakeMessage> pub_ack(const FakePublish& order) {
  if (order.reply.empty()) return {};
  static std::atomic<std::uint64_t> seq{0};
  return {{order.reply, fmt::format(R"({{"stream":"ORDERS","seq":{}}})", ++seq)}};
}

std::vector<FakeMessage> ack_for_somebody_else(const FakePublish& order) {
  return {{order.inbox + "18446744073709551615", R"({"stream":"ORDERS","seq":1})"},
          {order.inbox + "nonsense", R"({"status":"accepted"})"},
          {order.inbox + "hb.999999999", ""}};
}

std::vector<FakeMessage> oversized_ack(const FakePublish& order) {
  const std::string subject = order.reply.empty() ? order.inbox + "1" : order.reply;
  return {{subject, R"({"stream":")" + std::string(1'000'000, 'x') + "\"}"}};
}

class FakeBroker::Work {
 public:
  explicit Work(BrokerScript script)
      : script_(std::move(script)),
        acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    port = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Work() {
    asio::post(io_, [this] { io_.stop(); });
    thread_.join();
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  Work(Work&&) = delete;
  Work& operator=(Work&&) = delete;

  std::uint16_t port = 0;

  [[nodiscard]] std::vector<Visit> visits() const {
    const std::lock_guard lock(mutex_);
    return visits_;
  }
  void deliver(std::string subject, std::string payload) {
    asio::post(io_, [this, message = FakeMessage{std::move(subject), std::move(payload)}] {
      for (Visitor& visitor : visitors_) send(visitor, message);
    });
  }
  void say(std::string bytes) {
    asio::post(io_, [this, bytes = std::move(bytes)] {
      for (Visitor& visitor : visitors_) write(visitor, bytes);
    });
  }

 private:
  struct Visitor {
    Visitor(tcp::socket s, std::size_t n) : socket(std::move(s)), number(n) {}
    tcp::socket socket;
    std::size_t number;
    Clock::time_point came = Clock::now();
    std::array<char, 65536> buffer{};
    std::string input;
    bool greeted_back = false;
    std::vector<std::pair<std::string, std::string>> subscriptions;  // pattern, sid
  };
  using Place = std::list<Visitor>::iterator;

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      socket.set_option(tcp::no_delay(true));
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = visits_.size();
        visits_.emplace_back();
      }
      const Place visitor = visitors_.emplace(visitors_.end(), std::move(socket), number);
      write(*visitor, of_visitor(script_.greetings, number));
      read(visitor);
      accept();
    });
  }

  void read(Place visitor) {
    visitor->socket.async_read_some(asio::buffer(visitor->buffer),
                                    [this, visitor](error_code error, std::size_t n) {
                                      if (error) {
                                        leave(visitor);
                                        return;
                                      }
                                      visitor->input.append(visitor->buffer.data(), n);
                                      while (take(*visitor)) {
                                      }
                                      read(visitor);
                                    });
  }

  void leave(Place visitor) {
    {
      const std::lock_guard lock(mutex_);
      visits_[visitor->number].stay =
          std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - visitor->came);
    }
    visitors_.erase(visitor);
  }

  // One line of the client's, with its body; false when it is not all there yet.
  bool take(Visitor& visitor) {
    const std::size_t end = visitor.input.find("\r\n");
    if (end == std::string::npos) return false;
    // Owned: the input moves on.
    const auto parts = words(std::string_view(visitor.input).substr(0, end));
    const std::vector<std::string> line(parts.begin(), parts.end());
    const bool has_body = line.size() >= 3 && (line[0] == "PUB" || line[0] == "HPUB");
    const std::size_t body = has_body ? number(line.back()) : 0;
    const std::size_t size = end + 2 + (has_body ? body + 2 : 0);
    if (visitor.input.size() < size) return false;
    const std::string text = visitor.input.substr(end + 2, body);
    visitor.input.erase(0, size);
    if (has_body) {
      published(visitor, line, text);
    } else if (!line.empty() && line[0] == "PING") {
      pinged(visitor);
    } else if (line.size() >= 3 && line[0] == "SUB") {
      visitor.subscriptions.emplace_back(line[1], line.back());
    }
    return true;
  }

  void pinged(Visitor& visitor) {
    const bool first = !std::exchange(visitor.greeted_back, true);
    if (first) {
      const std::lock_guard lock(mutex_);
      visits_[visitor.number].shook_hands = true;
    }
    if (first && !script_.instead_of_pong.empty()) {
      write(visitor, of_visitor(script_.instead_of_pong, visitor.number));
      hang_up(visitor);
      return;
    }
    if (!script_.answers_ping) return;
    write(visitor, "PONG\r\n");
    if (!first) return;
    write(visitor, of_visitor(script_.after_pong, visitor.number));
    hang_up(visitor);
  }

  void hang_up(Visitor& visitor) const {
    error_code ignored;
    if (script_.hangs_up) visitor.socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  void published(Visitor& visitor, const std::vector<std::string>& line, const std::string& body) {
    const bool headers = line[0] == "HPUB";
    const std::size_t parts = headers ? 4 : 3;  // without a reply subject
    const std::size_t header_bytes = headers ? number(line[line.size() - 2]) : 0;
    const FakePublish message{.subject = line[1],
                              .reply = line.size() > parts ? line[2] : "",
                              .inbox = inbox_of(visitor),
                              .payload = body.substr(std::min(header_bytes, body.size()))};
    if (script_.returns_heartbeats) send(visitor, {message.subject, message.payload});
    if (!script_.ack || message.inbox.empty() || message.subject.starts_with(message.inbox)) return;
    for (const FakeMessage& answer : script_.ack(message)) send(visitor, answer);
  }

  static std::string inbox_of(const Visitor& visitor) {
    for (const auto& [pattern, sid] : visitor.subscriptions) {
      if (pattern.ends_with('>')) return pattern.substr(0, pattern.size() - 1);
    }
    return {};
  }

  void send(Visitor& visitor, const FakeMessage& message) {
    for (const auto& [pattern, sid] : visitor.subscriptions) {
      if (!matches(pattern, message.first)) continue;
      write(visitor, fmt::format("MSG {} {} {}\r\n{}\r\n", message.first, sid,
                                 message.second.size(), message.second));
      return;
    }
  }

  // Blocking: what the visitor does not read holds only this fake up.
  static void write(Visitor& visitor, const std::string& bytes) {
    error_code ignored;
    asio::write(visitor.socket, asio::buffer(bytes), ignored);
  }

  const BrokerScript script_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::list<Visitor> visitors_;
  mutable std::mutex mutex_;
  std::vector<Visit> visits_;
  std::thread thread_;
};

FakeBroker::FakeBroker(BrokerScript script) : work_(std::make_unique<Work>(std::move(script))) {}
FakeBroker::~FakeBroker() = default;

std::string FakeBroker::url() const { return fmt::format("nats://127.0.0.1:{}", work_->port); }
std::uint16_t FakeBroker::port() const { return work_->port; }
std::vector<Visit> FakeBroker::visits() const { return work_->visits(); }
void FakeBroker::deliver(const std::string& subject, const std::string& payload) {
  work_->deliver(subject, payload);
}
void FakeBroker::say(const std::string& bytes) { work_->say(bytes); }

}  // namespace rts::test
