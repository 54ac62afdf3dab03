// What a frame costs with the bare libraries: the measure the service is held against, on the same
// kind of loop, with the same options of nats.c, on the same frames.
//   reference count|numbers|store URL GAP[,GAP…]
// count: nats.c hands every frame to the loop, which counts it. numbers: simdjson also reads every
// number of it. store: as count, but what it sends is stored in the stream of the order log first,
// by its id and in its place, and sent when that has said so. Each sends some frames back, to where
// the service sends its orders: one after the first GAP frames, the next after the second GAP, and
// so on, beginning anew after the last; so whoever publishes knows when all of it is done, and
// `count URL 10` is an echo of every tenth. Says "subscribed" when the broker has its subscription,
// and ends when it is killed.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>
#include <simdjson.h>
#include <unistd.h>

#include "nats/handles.hpp"
#include "telemetry/background.hpp"

namespace rts::test {
namespace {

namespace asio = boost::asio;
namespace ondemand = simdjson::ondemand;

constexpr const char* kFrames = "binance.websocket.data";
constexpr const char* kOrders = "tradeengine.orders";
constexpr const char* kOrderLog = "orders.intents";
constexpr const char* kStored = "orders.intents.stored";
constexpr const char* kGroup = "realtime-strategies-group";
constexpr int kIoBufferBytes = 128 << 10;
constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 20U;

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
    check(natsOptions_SetIOBufSize(options, kIoBufferBytes));
    check(natsOptions_SetSendAsap(options, true));
    check(natsOptions_SetAllowReconnect(options, false));
    check(natsOptions_SetPingInterval(options, 0));
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

  [[nodiscard]] nats::SubscriptionPtr subscribe(const char* subject, const char* group) {
    natsSubscription* subscription = nullptr;
    check(natsConnection_QueueSubscribeSync(&subscription, connection_.get(), subject, group));
    return nats::SubscriptionPtr(subscription);
  }
  // Written before this returns.
  void publish(const char* subject, std::string_view payload) {
    check(natsConnection_Publish(connection_.get(), subject, payload.data(),
                                 static_cast<int>(payload.size())));
    flush();
  }
  // Likewise, with a subject for the answer, and the headers by which a stream stores it once, in
  // its place.
  void store(const char* subject, const std::string& reply_to, std::string_view payload,
             std::uint64_t sequence) {
    natsMsg* raw = nullptr;
    check(natsMsg_Create(&raw, subject, reply_to.c_str(), payload.data(),
                         static_cast<int>(payload.size())));
    const nats::MessagePtr message(raw);
    const std::string id = fmt::format("00000000-0000-5000-8000-{:012}", sequence);
    check(natsMsgHeader_Set(raw, "Nats-Msg-Id", id.c_str()));
    check(natsMsgHeader_Set(raw, "Nats-Expected-Last-Sequence", std::to_string(sequence).c_str()));
    check(natsConnection_PublishMsg(connection_.get(), raw));
    flush();
  }
  // Calls `readable` after each read until it returns false.
  template <class Readable>
  void watch(Readable readable) {
    flush();
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this, readable](const boost::system::error_code& error) mutable {
                         if (error) return;
                         natsConnection_ProcessReadEvent(connection_.get());
                         if (readable()) watch(std::move(readable));
                       });
  }

 private:
  // What nats.c has asked to write: a subscription, a pong, a frame. It is little, the socket takes
  // it.
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
  bool write_wanted_ = false;
};

// Reads every number of a JSON text, those in strings too.
class NumberReader {
 public:
  void operator()(std::string_view frame) {
    if (frame.size() > kMaxFrameBytes) return;
    // The one padded copy that simdjson asks for.
    std::copy(frame.begin(), frame.end(), buffer_.begin());
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
      // A time begins like a number, too; it then ends otherwise and is none.
      const char first = value.raw_json_token()[1];
      const bool like_a_number = (first >= '0' && first <= '9') || first == '-';
      if (like_a_number && value.get_double_in_string().get(number) == simdjson::SUCCESS) {
        number_ = number;
      }
    } else if (type == ondemand::json_type::number) {
      if (value.get_double().get(number) == simdjson::SUCCESS) number_ = number;
    }
  }

  ondemand::parser parser_;
  std::vector<char> buffer_ = std::vector<char>(kMaxFrameBytes + simdjson::SIMDJSON_PADDING);
  volatile double number_ = 0;  // nobody reads it, but the compiler must not know
};

// Says when the next frame is to be sent back.
class Gaps {
 public:
  explicit Gaps(std::string_view text) {
    for (bool more = true; more;) {
      const std::size_t comma = std::min(text.find(','), text.size());
      std::uint64_t gap = 0;
      if (std::from_chars(text.data(), text.data() + comma, gap).ec != std::errc{} || gap == 0) {
        throw std::runtime_error("GAP is no number of frames");
      }
      gaps_.push_back(gap);
      more = comma < text.size();
      text.remove_prefix(more ? comma + 1 : comma);
    }
    left_ = gaps_.front();
  }
  // Counts one frame.
  bool is_over() {
    if (--left_ > 0) return false;
    at_ = (at_ + 1) % gaps_.size();
    left_ = gaps_[at_];
    return true;
  }

 private:
  std::vector<std::uint64_t> gaps_;
  std::size_t at_ = 0;
  std::uint64_t left_ = 0;
};

// The messages that one read has brought.
template <class Each>
int take(natsSubscription* subscription, Each each) {
  int count = 0;
  int bytes = 0;
  if (natsSubscription_GetPending(subscription, &count, &bytes) != NATS_OK) return 0;
  for (int left = count; left > 0; --left) {
    natsMsg* raw = nullptr;
    if (natsSubscription_NextMsg(&raw, subscription, 0) != NATS_OK) break;
    const nats::MessagePtr message(raw);
    each(std::string_view(natsMsg_GetData(raw),
                          static_cast<std::size_t>(natsMsg_GetDataLength(raw))));
  }
  return count;
}

// A message to ourselves comes back when the broker has the subscription before it.
void prove(asio::io_context& io, Connection& connection) {
  const std::string own = fmt::format("reference.{}", ::getpid());
  const nats::SubscriptionPtr proof = connection.subscribe(own.c_str(), "own");
  connection.publish(own.c_str(), "proof");
  connection.watch([&] { return take(proof.get(), [](std::string_view) {}) == 0; });
  io.run();
  io.restart();
}

// Sends what the stream has stored, which was empty at first. It acknowledges in the order in which
// it was asked. As a replica does, it hears what the stream has stored.
class StoredFirst {
 public:
  explicit StoredFirst(Connection& connection)
      : connection_(connection),
        acks_(connection.subscribe(inbox_.c_str(), "own")),
        heard_(connection.subscribe(kStored, inbox_.c_str())) {}

  void operator()(std::string_view frame) {
    asked_for_.emplace_back(frame);
    connection_.store(kOrderLog, inbox_, frame, sequence_++);
  }
  void take_acks() {
    take(heard_.get(), [](std::string_view) {});
    take(acks_.get(), [this](std::string_view) {
      connection_.publish(kOrders, asked_for_.front());
      asked_for_.pop_front();
    });
  }

 private:
  Connection& connection_;
  const std::string inbox_ = fmt::format("reference.{}.stored", ::getpid());
  const nats::SubscriptionPtr acks_, heard_;
  std::deque<std::string> asked_for_;
  std::uint64_t sequence_ = 0;
};

template <class Read>
void run(const std::string& url, Gaps gaps, bool stores, Read read) {
  // As the service's helper threads are, when the comparison is to be without that.
  if (std::getenv("REFERENCE_IN_BACKGROUND") != nullptr) telemetry::stay_in_background();
  check(nats_Open(-1));
  asio::io_context io;
  Connection connection(io, url);
  const nats::SubscriptionPtr frames = connection.subscribe(kFrames, kGroup);
  StoredFirst store(connection);
  prove(io, connection);
  fmt::print("subscribed\n");
  std::fflush(stdout);
  connection.watch([&] {
    take(frames.get(), [&](std::string_view frame) {
      read(frame);
      if (gaps.is_over()) stores ? store(frame) : connection.publish(kOrders, frame);
    });
    store.take_acks();
    return true;
  });
  io.run();
}

}  // namespace
}  // namespace rts::test

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::runtime_error("usage: reference count|numbers|store URL GAP[,GAP…]");
    const std::string_view mode = argv[1];
    const rts::test::Gaps gaps(argv[3]);
    if (mode == "count" || mode == "store") {
      rts::test::run(argv[2], gaps, mode == "store", [](std::string_view) {});
    } else if (mode == "numbers") {
      rts::test::run(argv[2], gaps, false, rts::test::NumberReader());
    } else {
      throw std::runtime_error("no such mode");
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reference: %s\n", error.what());
    return 1;
  }
}
