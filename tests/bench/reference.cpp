// What a frame costs with the bare libraries: the measure the service is held against, on the same
// kind of loop and the same frames.
//   reference count|numbers URL FRAMES
// count: nats.c hands every frame to the loop, which counts it. numbers: simdjson also reads every
// value of it. Says "subscribed" when the broker has its subscription, ends after so many frames
// and prints what they cost: {"frames":…,"cpu_seconds":…,"numbers":…}
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include "nats/handles.hpp"
#include "support/usage.hpp"

namespace rts::test {
namespace {

namespace asio = boost::asio;
namespace ondemand = simdjson::ondemand;

constexpr const char* kFrames = "binance.websocket.data";

double cpu_seconds() {
  return std::chrono::duration<double>(cpu_time_of(::getpid())).count();
}

void check(natsStatus status) {
  if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
}

// One connection whose socket an Asio loop watches.
class Connection {
 public:
  Connection(asio::io_context& io, const std::string& url) : socket_(io) {
    natsOptions* options = nullptr;
    check(natsOptions_Create(&options));
    const nats::OptionsPtr owner(options);
    check(natsOptions_SetURL(options, url.c_str()));
    check(natsOptions_SetSendAsap(options, true));
    check(natsOptions_SetAllowReconnect(options, false));
    check(natsOptions_SetEventLoop(options, this, attach, read, write, detach));
    natsConnection* connection = nullptr;
    check(natsConnection_Connect(&connection, options));
    connection_.reset(connection);
  }
  // nats.c closes the socket; the loop's duplicate goes with the descriptor.
  ~Connection() { connection_.reset(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  [[nodiscard]] natsConnection* get() const { return connection_.get(); }
  [[nodiscard]] nats::SubscriptionPtr subscribe(const char* subject) {
    natsSubscription* subscription = nullptr;
    check(natsConnection_SubscribeSync(&subscription, connection_.get(), subject));
    return nats::SubscriptionPtr(subscription);
  }
  // Calls `readable` after each read until it returns false.
  void watch(std::function<bool()> readable) {
    readable_ = std::move(readable);
    flush();
    wait();
  }

 private:
  void wait() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const boost::system::error_code& error) {
                         if (error) return;
                         natsConnection_ProcessReadEvent(connection_.get());
                         if (!readable_()) return;
                         flush();
                         wait();
                       });
  }
  // What nats.c has asked to write: a subscription, a pong. It is little, the socket takes it.
  void flush() {
    if (write_wanted_) natsConnection_ProcessWriteEvent(connection_.get());
  }
  static natsStatus attach(void** user_data, void* self, natsConnection*, natsSock socket) {
    *user_data = self;
    static_cast<Connection*>(self)->socket_.assign(::dup(socket));
    return NATS_OK;
  }
  static natsStatus read(void*, bool) { return NATS_OK; }
  static natsStatus write(void* self, bool wanted) {
    static_cast<Connection*>(self)->write_wanted_ = wanted;
    return NATS_OK;
  }
  static natsStatus detach(void*) { return NATS_OK; }

  asio::posix::stream_descriptor socket_;
  nats::ConnectionPtr connection_;
  std::function<bool()> readable_;
  bool write_wanted_ = false;
};

// Reads every value of a JSON text and counts the numbers, those in strings too.
class NumberReader {
 public:
  std::uint64_t numbers() const { return numbers_; }
  void read(std::string_view frame) {
    // The one padded copy that simdjson asks for.
    buffer_.assign(frame);
    buffer_.resize(frame.size() + simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    const simdjson::padded_string_view padded(buffer_.data(), frame.size(), buffer_.size());
    if (parser_.iterate(padded).get(document) != simdjson::SUCCESS) return;
    ondemand::value root;
    if (document.get_value().get(root) == simdjson::SUCCESS) read(root);
  }

 private:
  void read(ondemand::value value) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return;
    double number = 0;
    if (type == ondemand::json_type::object) {
      ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS) return;
      for (auto member : object) {
        ondemand::field field;
        if (std::move(member).get(field) != simdjson::SUCCESS) return;
        read(field.value());
      }
    } else if (type == ondemand::json_type::array) {
      ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) return;
      for (auto element : array) {
        ondemand::value child;
        if (element.get(child) != simdjson::SUCCESS) return;
        read(child);
      }
    } else if (type == ondemand::json_type::string) {
      // A name or a time begins with a digit, too; it then ends otherwise and is no number.
      if (value.get_double_in_string().get(number) == simdjson::SUCCESS) ++numbers_;
    } else if (type == ondemand::json_type::number) {
      if (value.get_double().get(number) == simdjson::SUCCESS) ++numbers_;
    }
  }

  ondemand::parser parser_;
  std::string buffer_;
  std::uint64_t numbers_ = 0;
};

// The frames that one read has brought.
std::uint64_t take(natsSubscription* subscription,
                   const std::function<void(std::string_view)>& each) {
  std::uint64_t taken = 0;
  natsMsg* raw = nullptr;
  while (natsSubscription_NextMsg(&raw, subscription, 0) == NATS_OK) {
    const nats::MessagePtr message(raw);
    each({natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw))});
    ++taken;
  }
  return taken;
}

void run(std::string_view mode, const std::string& url, std::uint64_t wanted) {
  NumberReader reader;
  std::function<void(std::string_view)> each;
  if (mode == "count") each = [](std::string_view) {};
  if (mode == "numbers") each = [&](std::string_view frame) { reader.read(frame); };
  if (!each) throw std::runtime_error("no such mode");

  check(nats_Open(-1));
  asio::io_context io;
  Connection connection(io, url);
  const nats::SubscriptionPtr frames = connection.subscribe(kFrames);
  // A message to ourselves comes back when the broker has the subscription before it.
  const std::string own = fmt::format("reference.{}", ::getpid());
  const nats::SubscriptionPtr proof = connection.subscribe(own.c_str());
  check(natsConnection_Publish(connection.get(), own.c_str(), nullptr, 0));
  std::uint64_t received = 0;
  double begun = 0;
  connection.watch([&] {
    if (take(proof.get(), [](std::string_view) {}) > 0) {
      fmt::print("subscribed\n");
      std::fflush(stdout);
      begun = cpu_seconds();
    }
    received += take(frames.get(), each);
    return received < wanted;
  });
  io.run();
  fmt::print(R"({{"frames":{},"cpu_seconds":{:.6f},"numbers":{}}})"
             "\n",
             received, cpu_seconds() - begun, reader.numbers());
}

}  // namespace
}  // namespace rts::test

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::runtime_error("usage: reference count|numbers URL FRAMES");
    std::uint64_t frames = 0;
    const std::string_view text = argv[3];
    if (std::from_chars(text.data(), text.data() + text.size(), frames).ec != std::errc{}) {
      throw std::runtime_error("FRAMES is no number");
    }
    rts::test::run(argv[1], argv[2], frames);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reference: %s\n", error.what());
    return 1;
  }
}
