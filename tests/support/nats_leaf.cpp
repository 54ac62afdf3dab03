#include "support/nats_leaf.hpp"

#include <chrono>

#include <fmt/format.h>

#include "support/deadline.hpp"
#include "support/peer.hpp"
#include "support/process.hpp"

namespace rts::test {

using namespace std::chrono_literals;

NatsLeaf::NatsLeaf(const std::string& of_leaf)
    : hub_port(free_port()),
      path(hub_port),
      hub(fmt::format(
          "server_name: hub\njetstream: {{ domain: {} }}\n"
          "leafnodes {{ host: \"127.0.0.1\", port: {}, advertise: \"127.0.0.1:{}\" }}\n",
          kDomain, hub_port, path.port())),
      leaf(fmt::format("leafnodes {{ remotes: [{{url: \"{}\"}}] }}\n", path.url()) + of_leaf) {}

bool NatsLeaf::joined() const {
  Peer listener(hub.url());
  listener.subscribe("hello");
  (void)listener.flush();
  Peer speaker(leaf.url());
  return eventually(
      [&] {
        speaker.publish("hello", "");
        return speaker.flush() && listener.wait_for(1, 20ms);
      },
      10s);
}

}  // namespace rts::test
