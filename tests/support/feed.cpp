#include "support/feed.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <rts/config/settings.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/mutation.hpp"

namespace rts::test {
namespace {

std::vector<Symbol> usual_symbols() {
  return {*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"), *Symbol::from("BNBUSDT")};
}

EngineParameters parameters_of(const Settings& settings) {
  std::vector<config::Given> given;
  for (const auto& [name, value] : with_test_defaults(settings)) given.push_back({name, value});
  const auto loaded = config::load(given, {});
  if (!loaded) throw std::runtime_error("the feed's settings: " + loaded.error().front());
  return config::engine_parameters(loaded.value().settings, Clock::live);
}

}  // namespace

Settings memoryless_settings() {
  return {{"STRATEGY_ENABLED_TRADE_MOMENTUM", "false"},
          {"STRATEGY_ENABLED_TICKER_VELOCITY", "false"},
          {"ORDERBOOK_SKEW_MIN_SPREAD_PERCENT", "0"},
          {"SIGNAL_COOLDOWN_SECONDS", "0"},
          {"RISK_MAX_DAILY_SIGNALS", "0"},
          {"RISK_MAX_ORDERS_PER_MINUTE", "0"},
          {"RISK_PRICE_BAND_PERCENT", "0"}};
}

// --- FrameSource

FrameSource::FrameSource(const FeedOptions& options, UnixNs start)
    : options_(options),
      start_(start),
      random_(options.seed ^ 0x5eedU),
      market_(usual_symbols(), options.seed),
      engine_(parameters_of(options.settings)) {}

bool FrameSource::draw(double share) {
  return share > 0 && static_cast<double>(random_() >> 11U) * 0x1p-53 < share;
}

std::string FrameSource::fresh_frame() {
  std::string frame(market_.next_frame(to_ms(start_ + passed()) + options_.shift));
  return draw(options_.mutate_share) ? mutated(frame, random_) : frame;
}

void FrameSource::refill() {
  waiting_.push_back(fresh_frame());
  if (draw(options_.duplicate_share)) waiting_.push_back(waiting_.back());
  if (draw(options_.swap_share)) waiting_.push_front(fresh_frame());
}

FrameSource::Frame FrameSource::next() {
  const UnixNs due = start_ + passed();
  if (waiting_.empty()) refill();
  Frame frame{.text = std::move(waiting_.front()), .due = due, .order_ids = {}};
  waiting_.pop_front();
  ++made_;
  const Step step = engine_.step(frame.text, due);
  tally_.add(step);
  for (const EventRecord& record : step.events) {
    const Decision* decision = record.decision();
    if (decision == nullptr || !decision->order) continue;
    const UuidText id = to_text(decision->order->id);
    frame.order_ids.emplace_back(id.data(), id.size());
  }
  return frame;
}

// --- Feed

Feed::Feed(const std::string& url, FeedOptions options)
    : options_(std::move(options)), peer_(url, WhileDisconnected::refuse) {
  source_.emplace(options_, wall_clock());
}

Feed::~Feed() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

// Waits for the frame's time, unless it has passed.
void Feed::publish_next() {
  const FrameSource::Frame frame = source_->next();
  std::this_thread::sleep_until(frame.due);
  // Expected before it is sent: the order may be at the sink before publish() returns. A loaded
  // machine wakes us late, so the time of the frame is when it leaves and not when it was due.
  {
    const UnixMs sent_at = to_ms(std::max(frame.due, wall_clock()));
    const std::lock_guard lock(mutex_);
    for (const std::string& id : frame.order_ids) expected_[id] = sent_at;
  }
  const bool taken = peer_.publish(options_.subject, frame.text);
  last_due_ = frame.due;
  if (taken) {
    ++published_;
    return;
  }
  const std::lock_guard lock(mutex_);
  for (const std::string& id : frame.order_ids) expected_.erase(id);
}

bool Feed::publish(std::uint64_t frames) {
  source_->resume(wall_clock());
  for (std::uint64_t i = 0; i < frames; ++i) publish_next();
  return peer_.flush();
}

void Feed::start() {
  stopping_ = false;
  source_->resume(wall_clock());
  thread_ = std::thread([this] {
    while (!stopping_) publish_next();
  });
}

bool Feed::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return peer_.flush();
}

bool Feed::wait_in_step(std::chrono::milliseconds limit) {
  using namespace std::chrono_literals;
  const auto in_step = [&] { return wall_clock() - last_due_.load() < 100ms; };
  return eventually(in_step, limit) && peer_.flush();
}

ExpectedOrders Feed::expected() const {
  const std::lock_guard lock(mutex_);
  return expected_;
}

}  // namespace rts::test
