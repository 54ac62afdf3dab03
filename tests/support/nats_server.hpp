// A real nats-server on a free port of 127.0.0.1, for one test.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "support/process.hpp"

namespace rts::test {

// Configuration of a broker that looks after its clients as well as it can. Between a client's
// silent death and the moment TCP tells, it deals frames to that member of a queue group all the
// same: deliveries count as a sign of life, so that pings come only when there are none.
inline constexpr const char* kAttentiveBroker =
    "write_deadline: \"2s\"\nping_interval: \"2s\"\nping_max: 1\n";

// The broker's program: RTS_NATS_SERVER, or else the installed one.
[[nodiscard]] std::string nats_server_program();
// Of its version "2.14.10" the 14.
[[nodiscard]] int nats_server_minor_version();

class NatsServer {
 public:
  // Configuration text that switches JetStream on; its files go with the server.
  static constexpr const char* kJetStream = "jetstream: enabled\n";
  // For a network of its own: listens on all addresses. Never on the machine's real network.
  enum class Listen { on_loopback, everywhere };

  // Returns when the port answers; throws std::runtime_error with the server's log when it does not
  // within 10 s. extra_config is nats-server configuration text (permissions, jetstream, tls …).
  explicit NatsServer(std::string extra_config = {}, Listen listen = Listen::on_loopback);
  ~NatsServer();
  NatsServer(const NatsServer&) = delete;
  NatsServer& operator=(const NatsServer&) = delete;
  NatsServer(NatsServer&&) = delete;
  NatsServer& operator=(NatsServer&&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const;                             // nats://127.0.0.1:port
  std::string url(const std::string& userinfo) const;  // nats://userinfo@127.0.0.1:port
  pid_t pid() const;

  void kill();  // SIGKILL; gone when this returns
  void stop();  // SIGTERM; throws when it does not end within 10 s
  bool wait_gone(std::chrono::milliseconds limit);  // whether it has ended, by itself
  void restart();  // on the same port, after it has ended; ready when this returns
  void suspend();  // keeps its connections and answers nothing; still when this returns
  void resume();

  // Replaces the extra configuration; a running server has read it (SIGHUP) when this returns, one
  // that is down reads it at restart().
  void reload(std::string extra_config);

  std::string log() const;

 private:
  bool start();
  bool answers();
  void write_config() const;

  std::string extra_config_;
  Listen listen_;
  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  std::optional<Process> process_;
};

}  // namespace rts::test
