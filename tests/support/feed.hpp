// The exchange's side: a seeded market (the product's own, src/simulation/market.hpp) with the
// faults a feed has, and the orders that have to come of it. What is expected is what an Engine of
// our own says to the same frames: it is told the service's settings and steps along.
//
// Event times are "now" and follow the rate: frame n is of start + n / rate, plus the shift. The
// same options and start give the same frames. The feed's frames are gaps when the broker is away,
// as at the exchange.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>

#include "simulation/market.hpp"
#include "support/orders.hpp"
#include "support/peer.hpp"

namespace rts::test {

using Settings = std::map<std::string, std::string>;  // as environment variables

// Every book that is skewed is an order, whatever came before it: then the orders of a frame depend
// on that frame only, and replicas that share the frames order together what one would alone.
[[nodiscard]] Settings memoryless_settings();

struct FeedOptions {
  std::uint64_t seed = 1;
  std::uint64_t rate = 1000;           // frames a second
  double duplicate_share = 0;          // frames that come twice
  double swap_share = 0;               // frames that come after the next one
  double mutate_share = 0;             // frames that are bent
  std::chrono::milliseconds shift{0};  // added to all event times
  Settings settings{};                 // the service's, beyond the defaults
  std::string subject = "binance.websocket.data";
};

// The frames without the broker.
class FrameSource {
 public:
  FrameSource(const FeedOptions& options, UnixNs start);

  struct Frame {
    std::string text;
    UnixNs due;                          // when it is to be published: start + n / rate
    std::vector<std::string> order_ids;  // what it leads to
  };
  [[nodiscard]] Frame next();
  void shift(std::chrono::milliseconds by) { options_.shift = by; }
  // After a pause: the next frame is due at `now`, the others follow at the rate.
  void resume(UnixNs now) { start_ = now - passed(); }
  // How the events of all frames so far have to end.
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  [[nodiscard]] std::chrono::nanoseconds passed() const {
    return std::chrono::nanoseconds(made_ * 1'000'000'000 / options_.rate);
  }
  [[nodiscard]] bool draw(double share);
  [[nodiscard]] std::string fresh_frame();
  void refill();

  FeedOptions options_;
  UnixNs start_;
  std::uint64_t made_ = 0;
  std::mt19937_64 random_;
  simulation::Market market_;
  Engine engine_;
  Tally tally_;
  std::deque<std::string> waiting_;
};

// Publishes them.
class Feed {
 public:
  // Connects; throws when no broker is there. A broker that goes away later makes gaps: what it
  // does not take is not expected to lead to anything.
  Feed(const std::string& url, FeedOptions options);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  Feed(Feed&&) = delete;
  Feed& operator=(Feed&&) = delete;

  // Publishes so many frames at the rate on the calling thread; returns when the broker has them,
  // false when it does not say so within 10 s. Not while it runs on its own.
  bool publish(std::uint64_t frames);

  // From start() to stop() a thread publishes.
  void start();
  bool stop();  // like publish()

  // Waits until what is due has been published and the broker has it: a broker that stood still
  // also held the feed up, and frames that come late make no orders.
  [[nodiscard]] bool wait_in_step(std::chrono::milliseconds limit);

  [[nodiscard]] std::uint64_t published() const { return published_; }
  // Of everything published so far.
  [[nodiscard]] ExpectedOrders expected() const;
  // Only while it does not run.
  [[nodiscard]] const Tally& tally() const { return source_->tally(); }
  void shift(std::chrono::milliseconds by) { source_->shift(by); }

 private:
  void publish_next();

  FeedOptions options_;
  Peer peer_;
  std::optional<FrameSource> source_;
  std::atomic<std::uint64_t> published_{0};
  std::atomic<UnixNs> last_due_{};
  mutable std::mutex mutex_;
  ExpectedOrders expected_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace rts::test
