// One round of connection attempts on a helper thread. Private to this room; loop thread.
//
// nats.c connects synchronously, a name look-up may take many seconds, and the handshake may never
// end (sockets.hpp): none of it may happen on the loop. The thread shares nothing with the loop but
// the immutable start and the result, which is posted.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>

#include "nats/client.hpp"
#include "nats/handles.hpp"
#include "nats/link.hpp"

namespace rts::nats {

// What a round ends with: a connection, or none and an error without secrets.
struct Outcome {
  std::unique_ptr<Link> link;  // before its user: the connection goes first
  ConnectionPtr connection;
  std::string server;
  std::string error;
};

class Connector {
 public:
  // Starts the round. `done` runs on the loop, once, and not after the destructor if it captures
  // its owner weakly.
  Connector(boost::asio::io_context& io, ClientOptions options, std::function<void(Outcome)> done);
  // Abandons the round: joins the thread if it can be made to end within 100 ms, else leaves it to
  // end alone (a name look-up or a dial cannot be interrupted); it then touches nothing of ours.
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  Connector(Connector&&) = delete;
  Connector& operator=(Connector&&) = delete;

  // To be called every 100 ms: makes an attempt that is not over at once wait instead of spin, and
  // cuts one that has taken longer than connect_watchdog; the round goes on with the next address.
  void check_watchdog();

  // Makes the round end as soon as it can; `done` still runs. For closing without blocking.
  void give_up();

 private:
  struct Round;
  static void run(const std::shared_ptr<Round>& round);

  std::shared_ptr<Round> round_;
  std::thread thread_;
};

}  // namespace rts::nats
