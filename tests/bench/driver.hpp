// The load that all figures of the service are taken with: one thread and one TCP connection that
// speaks as much NATS as that takes, so that it adds little to what it measures, and the same to
// whatever it measures. It publishes frames at a steady rate and waits for the answers to those
// that are marked.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rts::test {

using SteadyClock = std::chrono::steady_clock;

// Frames as they go over the wire, one publication behind the other.
class Load {
 public:
  struct Mark {
    std::size_t frame;  // its index
    std::string id;     // stands in the answer to it
  };

  void add(std::string_view frame);
  void add_marked(std::string_view frame, std::string id);

  [[nodiscard]] std::size_t size() const noexcept { return begins_.size() - 1; }
  // The frames first … last − 1.
  [[nodiscard]] std::string_view bytes(std::size_t first, std::size_t last) const;
  // In the order of their frames.
  [[nodiscard]] const std::vector<Mark>& marks() const noexcept { return marks_; }

 private:
  std::string bytes_;
  std::vector<std::size_t> begins_{0};
  std::vector<Mark> marks_;
};

// The frames first … last − 1 of a load, so many a second; 0 = as fast as the broker takes them.
// What is due is published every 0.1 ms, or one by one where there are fewer; all that are due at
// once in one write.
struct Drive {
  std::size_t first = 0;
  std::size_t last = 0;
  double frames_per_second = 0;
};

// How a drive went.
struct Driven {
  std::chrono::duration<double> publishing{};  // until the last frame was given to the socket
  std::chrono::duration<double> answered{};    // until the last mark was answered
  std::vector<std::chrono::duration<double, std::micro>> latencies;  // of every mark
};

// Thrown when a mark is not answered.
class NoAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Driver {
 public:
  // Connects and subscribes to the orders; throws std::runtime_error when the broker does not
  // answer.
  explicit Driver(std::uint16_t port);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  Driver(Driver&&) = delete;
  Driver& operator=(Driver&&) = delete;

  // Returns when every mark of the drive has been answered. A latency begins right before the write
  // that the frame is in, and ends when the answer has been read. Throws NoAnswer when one is
  // missing for 20 s.
  Driven run(const Load& load, const Drive& drive);

 private:
  struct Awaited {
    std::string_view id;
    SteadyClock::time_point sent_at;
  };

  void send(std::string_view bytes) const;
  void receive();
  // One message or word of the broker off the front of what has arrived; false when there is none.
  bool take_one();
  void take_answer(std::string_view payload);
  [[nodiscard]] bool wait_until(SteadyClock::time_point at) const;

  int fd_ = -1;
  std::array<char, 65536> buffer_{};
  std::string arrived_;
  std::size_t taken_ = 0;  // of it
  SteadyClock::time_point arrived_at_;
  bool ponged_ = false;
  std::deque<Awaited> awaited_;  // the oldest first, as the answers come
  std::vector<std::chrono::duration<double, std::micro>> latencies_;
};

}  // namespace rts::test
