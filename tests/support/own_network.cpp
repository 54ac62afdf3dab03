#include "support/own_network.hpp"

#include <chrono>
#include <cstring>
#include <stdexcept>

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/process.hpp"

namespace rts::test {
namespace {

bool raise_loopback() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return up;
}

bool iptables(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"iptables"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Process process(command, {.env = {}, .capture_stdout = true, .capture_stderr = true});
  const auto status = process.wait(std::chrono::seconds(5));
  return status && status->exited && status->code == 0;
}

}  // namespace

std::unique_ptr<OwnNetwork> OwnNetwork::enter() {
  const int came_from = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (came_from < 0) return nullptr;
  if (::unshare(CLONE_NEWNET) != 0) {
    ::close(came_from);
    return nullptr;
  }
  std::unique_ptr<OwnNetwork> network(new OwnNetwork(came_from));
  if (!raise_loopback() || !iptables({"-L"})) return nullptr;
  return network;
}

OwnNetwork::~OwnNetwork() {
  if (::setns(came_from_, CLONE_NEWNET) != 0) std::abort();  // every later test would be elsewhere
  ::close(came_from_);
}

void OwnNetwork::cut(const std::string& address) {
  if (!iptables({"-A", "INPUT", "-d", address, "-j", "DROP"}) ||
      !iptables({"-A", "INPUT", "-s", address, "-j", "DROP"})) {
    throw std::runtime_error("iptables does not cut");
  }
}

void OwnNetwork::heal() {
  if (!iptables({"-F"})) throw std::runtime_error("iptables does not heal");
}

}  // namespace rts::test
