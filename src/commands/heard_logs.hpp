// What the logs at the broker have said so far, as a recording has it: who reads on from some point
// has to know what counts there. Pure; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <rts/engine/schedule.hpp>
#include <rts/trading/order_memory.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/recording.hpp>

#include "service/log_entries.hpp"

namespace rts::commands {

class HeardLogs {
 public:
  // `needs` outlive it.
  explicit HeardLogs(const StreamNeeds& needs) : needs_(needs) {}

  void hear(const CountedOrder& order) {
    if (orders_.size() == OrderMemory::kMaxStored) orders_.pop_front();
    orders_.push_back(order);
    ++order_count_;
  }
  void hear(const wire::PauseChange& change) {
    std::erase_if(pauses_, [&](const auto& other) { return other.strategy == change.strategy; });
    pauses_.push_back(change);
    ++pause_count_;
  }
  // As the engine's schedule does.
  void hear(const wire::SettingsValue& value) {
    std::erase_if(revisions_, [&](const wire::SettingsValue& other) {
      return other.effective_from >= value.effective_from;
    });
    if (revisions_.size() == Schedule::kMaxRevisions) revisions_.erase(revisions_.begin());
    revisions_.push_back(value);
    ++revision_count_;
  }

  // As lines. Orders that count no more are forgotten.
  [[nodiscard]] std::string lines(UnixMs now) {
    std::erase_if(orders_, [&](const CountedOrder& order) {
      return service::counts_until(needs_, order.at) <= now;
    });
    using wire::RecordedLog;
    std::string out;
    for (const auto& value : revisions_) append(out, RecordedLog::settings, to_json(value));
    for (const auto& change : pauses_) append(out, RecordedLog::pause, to_json(change));
    for (const auto& order : orders_) append(out, RecordedLog::order, wire::to_json(order));
    return out;
  }

  // All that was heard: "3 orders, 1 pauses and resumes, 0 revisions of the settings".
  [[nodiscard]] std::string counts() const {
    return fmt::format("{} orders, {} pauses and resumes, {} revisions of the settings",
                       order_count_, pause_count_, revision_count_);
  }

 private:
  static void append(std::string& out, wire::RecordedLog log, const std::string& json) {
    wire::append_recorded_note(out, log, json);
  }

  const StreamNeeds& needs_;
  std::deque<CountedOrder> orders_;
  std::vector<wire::PauseChange> pauses_;
  std::vector<wire::SettingsValue> revisions_;
  std::uint64_t order_count_ = 0, pause_count_ = 0, revision_count_ = 0;
};

}  // namespace rts::commands
