// What systemd hears from the real binary: a datagram socket stands in for it.
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_server.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

// The socket systemd would listen on; '@' in front of the name makes it an abstract one.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  ~Manager() { ::close(fd_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  Manager(Manager&&) = delete;
  Manager& operator=(Manager&&) = delete;

  // Until there is no room for anybody's message: a sender has an end of its own, too.
  void fill() {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::getsockname(fd_, name, &length), 0);
    for (int sent = 1; sent > 0;) {
      const int sender = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      for (sent = 0; ::sendto(sender, "noise", 5, 0, name, length) == 5;) ++sent;
      ::close(sender);
    }
  }
  // The next message that is there already; empty when there is none.
  std::string next() {
    char message[512];
    const ssize_t size = ::recv(fd_, message, sizeof message, MSG_DONTWAIT);
    return {message, size > 0 ? static_cast<std::size_t>(size) : 0};
  }
  // Waits until so many messages with this text have come.
  bool hears(std::string_view text, int times = 1) {
    return eventually(
        [&] {
          if (next().find(text) != std::string::npos) --times;
          return times == 0;
        },
        10s);
  }

 private:
  int fd_;
};

// The socket holds about ten messages and what does not fit is not sent: not too many a second.
TEST(Notify, SaysThatItRunsIsConnectedTurnsAndStops) {
  const ScratchFiles files;
  Manager manager(files.path("notify"));
  NatsServer broker;
  Daemon daemon(Environment{{"NATS_URL", broker.url()},
                            {"NOTIFY_SOCKET", files.path("notify")},
                            {"WATCHDOG_USEC", "600000"}});
  EXPECT_TRUE(manager.hears("READY=1\n"));
  EXPECT_TRUE(manager.hears("STATUS=connected to nats://"));
  EXPECT_TRUE(manager.hears("WATCHDOG=1", 2));
  broker.kill();
  EXPECT_TRUE(manager.hears("STATUS=not connected to a broker: "));
  daemon.process().signal(SIGTERM);
  EXPECT_TRUE(manager.hears("STOPPING=1\n"));
  const auto status = daemon.process().wait(10s);
  ASSERT_TRUE(status && status->exited);
  EXPECT_EQ(status->code, 0);
}

TEST(Notify, IsStartedWithoutABroker) {
  const std::string name = "@rts-notify-" + std::to_string(::getpid());
  Manager manager(name);
  const Daemon daemon(Environment{{"NATS_URL", "nats://127.0.0.1:1"}, {"NOTIFY_SOCKET", name}});
  EXPECT_TRUE(manager.hears("READY=1\nSTATUS=started; not connected to a broker yet"));
}

TEST(Notify, SaysAgainThatItIsStartedWhenThatWasLost) {
  const ScratchFiles files;
  Manager manager(files.path("notify"));
  manager.fill();
  NatsServer broker;
  Daemon daemon(Environment{{"NATS_URL", broker.url()},
                            {"NOTIFY_SOCKET", files.path("notify")},
                            {"WATCHDOG_USEC", "600000"}});
  ASSERT_TRUE(daemon.wait_ready());  // hence it has said so, and nobody could hear it
  EXPECT_TRUE(manager.hears("READY=1\n"));
}

// The loop stands still: that is what the watchdog is for.
TEST(Notify, IsSilentWhileItStandsStill) {
  const ScratchFiles files;
  Manager manager(files.path("notify"));
  Daemon daemon(Environment{{"NATS_URL", "nats://127.0.0.1:1"},
                            {"NOTIFY_SOCKET", files.path("notify")},
                            {"WATCHDOG_USEC", "20000"}});
  EXPECT_TRUE(manager.hears("WATCHDOG=1"));
  daemon.process().suspend();
  while (!manager.next().empty()) {
  }
  EXPECT_TRUE(throughout(300ms, [&] { return manager.next().empty(); }));
  daemon.process().resume();
  EXPECT_TRUE(manager.hears("WATCHDOG=1"));
}

TEST(Notify, NobodyWhoListensAndANameThatIsNoneAreNoHindrance) {
  NatsServer broker;
  for (const std::string& name :
       {std::string("/nowhere/notify"), std::string("@"), std::string(200, 'x'), std::string()}) {
    Daemon daemon(
        {{"NATS_URL", broker.url()}, {"NOTIFY_SOCKET", name}, {"WATCHDOG_USEC", "20000"}});
    EXPECT_TRUE(daemon.wait_ready()) << name;
    EXPECT_EQ(daemon.terminate(), 0) << name;
  }
}

TEST(Notify, AWatchdogOfAnotherProcessIsNotServed) {
  const ScratchFiles files;
  Manager manager(files.path("notify"));
  const Daemon daemon(Environment{{"NATS_URL", "nats://127.0.0.1:1"},
                                  {"NOTIFY_SOCKET", files.path("notify")},
                                  {"WATCHDOG_PID", "1"},
                                  {"WATCHDOG_USEC", "20000"}});
  EXPECT_TRUE(manager.hears("READY=1\n"));
  EXPECT_TRUE(
      throughout(300ms, [&] { return manager.next().find("WATCHDOG") == std::string::npos; }));
}

}  // namespace
}  // namespace rts::test
