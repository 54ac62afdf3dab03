// A TCP proxy between the service and its broker that can hold one direction up, as a stalled
// sidecar does: nothing is lost, and everything arrives when it is let go.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace rts::test {

class Proxy {
 public:
  // Listens on a free port of 127.0.0.1 for one connection to that port of 127.0.0.1.
  explicit Proxy(std::uint16_t to_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  Proxy(Proxy&&) = delete;
  Proxy& operator=(Proxy&&) = delete;

  [[nodiscard]] std::string url() const;
  // While held, what the client sends stays here; what the broker sends goes on.
  void hold_client(bool hold) { held_ = hold; }

 private:
  void run();
  bool forward(int from, int to);

  std::uint16_t to_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> held_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace rts::test
