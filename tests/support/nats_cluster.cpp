#include "support/nats_cluster.hpp"

#include <array>
#include <chrono>
#include <stdexcept>

#include <fmt/format.h>

#include "support/process.hpp"

namespace rts::test {

// A client that is asked to go has a second for it, and the next one of a broker's clients another.
// nats-server 2.10 writes to a broker that reads no more for as long as write_deadline says, and may
// keep the other copies of a stream waiting meanwhile: docs/DELIVERY.md has what to set.
NatsCluster::NatsCluster() {
  std::array<std::uint16_t, kSize> ports{};
  std::string routes;
  for (std::uint16_t& port : ports) {
    port = free_port();
    routes += fmt::format("\"nats://127.0.0.1:{}\", ", port);
  }
  for (std::size_t i = 0; i < kSize; ++i) {
    brokers_.push_back(std::make_unique<NatsServer>(
        fmt::format("jetstream: enabled\nserver_name: \"{}\"\nlame_duck_grace_period: \"1s\"\n"
                    "lame_duck_duration: \"30s\"\nwrite_deadline: \"2s\"\n"
                    "cluster {{ name: test, listen: \"127.0.0.1:{}\", routes: [ {}] }}\n",
                    i, ports[i], routes)));
  }
}

std::string NatsCluster::urls(std::size_t first) const {
  std::string urls;
  for (std::size_t i = 0; i < kSize; ++i) {
    urls += fmt::format("{}{}", i == 0 ? "" : ",", brokers_[(first + i) % kSize]->url());
  }
  return urls;
}

std::size_t NatsCluster::elections() const {
  std::size_t count = 0;
  for (const auto& broker : brokers_) {
    const std::string log = broker->log();
    for (const char* won : {"new stream leader for", "Self is new JetStream cluster metadata"}) {
      for (auto at = log.find(won); at != std::string::npos; at = log.find(won, at + 1)) ++count;
    }
  }
  return count;
}

void NatsCluster::retire(std::size_t number) {
  NatsServer& broker = *brokers_[number];
  Process told({nats_server_program(), "--signal", fmt::format("ldm={}", broker.pid())},
               {.env = {}, .capture_stdout = true, .capture_stderr = true});
  if (!told.wait(std::chrono::seconds(5)) || !broker.wait_gone(std::chrono::seconds(30))) {
    throw std::runtime_error("a broker does not retire:\n" + told.err() + broker.log());
  }
}

}  // namespace rts::test
