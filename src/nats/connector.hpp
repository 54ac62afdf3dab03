// One round of connection attempts on a helper thread. Private to this room; loop thread.
//
// nats.c connects synchronously, files of credentials are read, a name look-up may take many
// seconds, and the handshake may never end (sockets.hpp): none of it may happen on the loop. The
// thread shares nothing with the loop but the immutable start and the result, which is asked for.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <thread>

#include "nats/adapter.hpp"
#include "nats/types.hpp"

namespace rts::nats {

class Connector {
 public:
  // Starts the round. The address that is avoided is tried last.
  Connector(const ClientOptions& options, const Address& avoided);
  // Abandons the round: joins the thread if it can be made to end within 100 ms, else leaves it to
  // end alone (a name look-up or a dial cannot be interrupted); it then touches nothing of ours.
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;
  Connector(Connector&&) = delete;
  Connector& operator=(Connector&&) = delete;

  // The result, once, when the round has ended. To be called at least every 100 ms: until then it
  // makes an attempt that is not over at once wait instead of spin, and cuts one that has taken
  // longer than connect_watchdog; the round goes on with the next address.
  std::optional<ConnectResult> poll();

 private:
  struct Round;

  std::shared_ptr<Round> round_;
  std::future<ConnectResult> result_;
  std::thread thread_;
};

}  // namespace rts::nats
