// A TCP proxy between a client and its broker that spoils the path as told: slow, in crumbs, held
// up in one direction or both, reset, cut in the greeting, without some of the answers. What is
// held up is not lost: it arrives when it is let go, as from a stalled sidecar or after a healed
// partition. Anybody may call the methods while it runs; one thread of its own does the work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "support/ack_eater.hpp"

namespace rts::test {

// What the path does to bytes, each direction on its own.
struct PathFaults {
  std::chrono::milliseconds latency{0};
  std::size_t slice_bytes = 0;  // at most so many in one write, one write a millisecond; 0 = off
  std::size_t bytes_per_second = 0;  // 0 = no limit
  bool hold_client = false;          // what the client sends stays here
  bool hold_broker = false;          // what the broker sends stays here
  bool cut_after_info = false;       // connections end after the broker's first line
};
inline constexpr PathFaults kBlackHole{.hold_client = true, .hold_broker = true};

class Proxy {
 public:
  // Listens on a free port of 127.0.0.1 for connections to that port of 127.0.0.1.
  explicit Proxy(std::uint16_t to_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  Proxy(Proxy&&) = delete;
  Proxy& operator=(Proxy&&) = delete;

  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::uint16_t port() const { return port_; }

  // For every connection, those that are open included.
  void set(const PathFaults& faults);
  // Only what the client sends.
  void hold_client(bool hold) { set({.hold_client = hold}); }
  // Of what the broker sends next only so many bytes go on, and the rest stays here; what the
  // client sends goes on.
  void stop_broker_after(std::int64_t bytes);
  void let_broker_go_on();
  // Ends all connections with a reset.
  void reset_connections();
  // From the next connection on, each with a seed of its own that follows from this one.
  void eat_acks(const AckEaterOptions& options);

  [[nodiscard]] std::uint64_t acks_eaten() const;
  [[nodiscard]] std::uint64_t connections() const;  // made so far

 private:
  class Work;
  std::uint16_t port_ = 0;
  std::unique_ptr<Work> work_;
};

}  // namespace rts::test
