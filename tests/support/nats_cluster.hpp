// Three brokers that keep a stream in three copies, for one test. Their names are "0", "1", "2".
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "support/nats_server.hpp"

namespace rts::test {

class NatsCluster {
 public:
  static constexpr std::size_t kSize = 3;

  // They run when this returns; until JetStream has a leader it takes a few seconds more.
  NatsCluster();

  [[nodiscard]] NatsServer& broker(std::size_t number) { return *brokers_[number]; }
  // Addresses of all of them, this one first.
  [[nodiscard]] std::string urls(std::size_t first = 0) const;
  // How often a broker has become the leader of a stream, or of JetStream itself.
  [[nodiscard]] std::size_t elections() const;
  // Tells its clients to go, and ends; gone when this returns. Throws when it is not within 30 s.
  void retire(std::size_t number);

 private:
  std::vector<std::unique_ptr<NatsServer>> brokers_;
};

}  // namespace rts::test
