// A hub with JetStream in the domain "hub", and a broker that is a leaf node of it, for one test.
// The path between them is a proxy, which can cut it: its address is what the hub tells of its own,
// for a leaf that has lost its hub dials those, too.
#pragma once

#include <cstdint>
#include <string>

#include "support/nats_server.hpp"
#include "support/proxy.hpp"

namespace rts::test {

class NatsLeaf {
 public:
  static constexpr const char* kDomain = "hub";

  // `of_leaf`: more of the leaf's configuration; without, it has no JetStream of its own.
  explicit NatsLeaf(const std::string& of_leaf = {});

  // Waits until what is published at the leaf reaches the hub's subscribers.
  [[nodiscard]] bool joined() const;

  const std::uint16_t hub_port;  // where the hub awaits leaf nodes
  Proxy path;
  NatsServer hub;
  NatsServer leaf;
};

}  // namespace rts::test
