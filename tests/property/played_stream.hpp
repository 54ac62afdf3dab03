// Of the world that the simulated replicas live in: chance, time, and a stream that stores, and
// answers about it, by nats-server's rules. Nothing here waits, and one seed always gives the same.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/base/time.hpp>
#include <rts/trading/order_memory.hpp>
#include <rts/wire/answer.hpp>
#include <rts/wire/stream_info.hpp>

#include "support/log_stream.hpp"

namespace rts::test {

using std::chrono::milliseconds;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}

  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool chance(std::uint64_t percent) { return pick(100) < percent; }
  milliseconds between(milliseconds least, milliseconds most) {
    const auto range = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + milliseconds(pick(range));
  }
  template <typename Choices>
  auto one_of(const Choices& choices) {
    return *(std::begin(choices) + static_cast<std::ptrdiff_t>(pick(std::size(choices))));
  }

 private:
  std::mt19937_64 random_;
};

// What happens when; of one moment in the order in which it was planned.
class Schedule {
 public:
  explicit Schedule(UnixMs start) : now_(start) {}

  [[nodiscard]] UnixMs now() const { return now_; }
  void at(UnixMs time, std::function<void()> run) {
    due_.push({std::max(time, now_), ++planned_, std::move(run)});
  }
  void in(milliseconds delay, std::function<void()> run) { at(now_ + delay, std::move(run)); }
  // The next thing that happens up to `end`; false: nothing does, and it is then.
  bool step(UnixMs end) {
    if (due_.empty() || due_.top().at > end) {
      now_ = end;
      return false;
    }
    const Due next = due_.top();
    due_.pop();
    now_ = next.at;
    ++steps_;
    next.run();
    return true;
  }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

 private:
  struct Due {
    UnixMs at;
    std::uint64_t number = 0;
    std::function<void()> run;

    bool operator<(const Due& other) const {
      return std::pair(at, number) > std::pair(other.at, other.number);
    }
  };

  UnixMs now_;
  std::uint64_t planned_ = 0, steps_ = 0;
  std::priority_queue<Due> due_;
};

class PlayedStream {
 public:
  // To a copy of what waits to be committed.
  enum class ToCopies : std::uint8_t { queued, zero, in_process };
  struct Rules {
    bool id_before_sequence = true;  // of 2.9 and 2.10; those of 2.14 compare the sequence first
    ToCopies to_copies = ToCopies::queued;
    std::size_t max_messages = 0;  // 0: any number
  };
  enum class Health : std::uint8_t {
    fine,
    no_quorum,  // what is sent is kept and answered when it is committed, if it ever is
    no_leader   // nobody listens
  };
  struct Message {
    std::string subject{};
    std::string id{};      // empty: none
    std::string sender{};  // Rts-Sender
    std::string payload{};
    std::optional<std::uint64_t> expected{};
  };
  struct Entry {
    std::uint64_t sequence = 0;
    UnixMs stored_at;
    Message message;
    std::optional<CountedOrder> order{};
    // The periods that a fold over the log counts it to: time never runs backwards there.
    std::int64_t day = 0, minute = 0;
  };
  using OnAnswer = std::function<void(const std::string&)>;

  PlayedStream(std::string name, Rules rules, const Schedule& schedule,
               std::function<void(const Entry&)> on_stored)
      : name_(std::move(name)),
        rules_(rules),
        schedule_(schedule),
        on_stored_(std::move(on_stored)) {}

  void publish(const Message& message, const OnAnswer& answer) {
    if (health_ == Health::fine) return answer(store(message));
    const auto waits = [&](const auto& one) { return one.first.id == message.id; };
    const bool is_copy = std::any_of(waiting_.begin(), waiting_.end(), waits);
    if (is_copy && rules_.to_copies == ToCopies::zero) return answer(duplicate_of(0));
    if (is_copy && rules_.to_copies == ToCopies::in_process) return answer(error(10158));
    waiting_.emplace_back(message, answer);
  }

  [[nodiscard]] Health health() const { return health_; }
  void fall_ill(Health health) { health_ = health; }
  // What waited is committed now, or was lost with the leader that had it.
  void recover(bool commits) {
    health_ = Health::fine;
    for (const auto& [message, answer] : std::exchange(waiting_, {})) {
      if (commits) answer(store(message));
    }
  }
  void purge() { first_ = last_ + 1; }

  [[nodiscard]] std::uint64_t last() const { return last_; }
  // What JetStream's API says about it to STREAM.NAMES, STREAM.INFO and STREAM.MSG.GET. What was
  // stored after `newest` it does not know.
  [[nodiscard]] std::string look_up(std::string_view verb, std::string_view payload,
                                    std::uint64_t newest) const {
    const std::uint64_t last = std::min(last_, newest);
    if (verb == "STREAM.NAMES") return fmt::format(R"({{"streams":["{}"]}})", name_);
    if (verb.starts_with("STREAM.INFO.")) {
      return fmt::format(R"({{"config":{{"name":"{}"}},"created":"then",)"
                         R"("state":{{"first_seq":{},"last_seq":{}}}}})",
                         name_, first_, last);
    }
    std::uint64_t sequence = 0;  // {"seq":1}
    const std::size_t at = std::min(payload.find(':') + 1, payload.size());
    std::from_chars(payload.data() + at, payload.data() + payload.size(), sequence);
    if (sequence < first_ || sequence > last) return error(wire::kMessageNotFound);
    const Entry& entry = entries_[sequence - 1];
    const std::string& sender = entry.message.sender;
    return stored_message(
        {.sequence = sequence,
         .subject = entry.message.subject,
         .headers = sender.empty() ? "" : "NATS/1.0\r\nRts-Sender: " + sender + "\r\n\r\n",
         .data = entry.message.payload,
         .stored_at = entry.stored_at});
  }
  // All that it has ever stored.
  [[nodiscard]] const std::deque<Entry>& history() const { return entries_; }

  static std::string error(std::int64_t code) {
    return fmt::format(R"({{"error":{{"code":400,"err_code":{},"description":"no"}}}})", code);
  }

 private:
  static std::string duplicate_of(std::uint64_t sequence) {
    return fmt::format(R"({{"stream":"ORDERS","seq":{},"duplicate":true}})", sequence);
  }

  // The dedupe window is longer than a simulation.
  std::string store(const Message& message) {
    const auto known = message.id.empty() ? ids_.end() : ids_.find(message.id);
    if (known != ids_.end() && rules_.id_before_sequence) return duplicate_of(known->second);
    if (message.expected && *message.expected != last_) return error(10071);
    if (known != ids_.end()) return duplicate_of(known->second);
    if (rules_.max_messages > 0 && last_ + 1 - first_ >= rules_.max_messages) return error(10077);
    Entry entry{.sequence = ++last_,
                .stored_at = schedule_.now(),
                .message = message,
                .order = wire::parse_counted_order(message.payload)};
    if (entry.order) {
      std::int64_t& day = days_[index_of(entry.order->strategy)];
      entry.day = day = std::max(day, utc_day(entry.order->at));
      entry.minute = minute_ = std::max(minute_, utc_minute(entry.order->at));
    }
    if (!message.id.empty()) ids_.emplace(message.id, last_);
    entries_.push_back(std::move(entry));
    on_stored_(entries_.back());
    return fmt::format(R"({{"stream":"ORDERS","seq":{}}})", last_);
  }

  const std::string name_;
  const Rules rules_;
  const Schedule& schedule_;
  const std::function<void(const Entry&)> on_stored_;
  Health health_ = Health::fine;
  std::uint64_t first_ = 1, last_ = 0;
  std::deque<Entry> entries_;
  std::unordered_map<std::string, std::uint64_t> ids_;
  std::vector<std::pair<Message, OnAnswer>> waiting_;
  std::array<std::int64_t, count_of<StrategyId>> days_{};
  std::int64_t minute_ = 0;
};

}  // namespace rts::test
