// A network namespace for the calling thread and everything it starts from then on: its loopback is
// its own, and so are the packet filter's rules, by which a path can really be cut: packets are
// lost, nobody is told. Needs root (or CAP_SYS_ADMIN) and iptables.
#pragma once

#include <memory>
#include <string>

namespace rts::test {

class OwnNetwork {
 public:
  // Empty where this machine does not allow it.
  [[nodiscard]] static std::unique_ptr<OwnNetwork> enter();
  // Back to where the thread came from.
  ~OwnNetwork();
  OwnNetwork(const OwnNetwork&) = delete;
  OwnNetwork& operator=(const OwnNetwork&) = delete;
  OwnNetwork(OwnNetwork&&) = delete;
  OwnNetwork& operator=(OwnNetwork&&) = delete;

  // Every packet to or from an address of 127.0.0.0/8 is lost, until heal().
  void cut(const std::string& address);
  void heal();

 private:
  explicit OwnNetwork(int came_from) : came_from_(came_from) {}

  int came_from_;
};

}  // namespace rts::test
