// Follows the control log (SPEC §6), a key-value bucket at the broker, and does what it says:
// pauses and revisions of the settings, in its order. Until it is read, and while it is gone, it
// holds orders back. Thread: the loop's.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/control_log.hpp>

#include "service/log_entries.hpp"
#include "service/narrator.hpp"
#include "service/status.hpp"
#include "service/stream_follower.hpp"

namespace rts::service {

class ControlLog {
 public:
  // They outlive it.
  struct Parts {
    const config::Configuration& configuration;
    Engine& engine;
    Narrator& narrator;
    Counts& counts;
    std::function<void()> on_looked;  // as the follower's
  };

  // `is_required`: it is never off by itself. Where orders go through the order log, who provides
  // the one has to provide the other.
  ControlLog(StreamTransport& transport, const Parts& parts, bool is_required)
      : parts_(parts),
        bucket_(parts.configuration.settings.broker.control_bucket),
        is_required_(is_required),
        follower_(
            transport,
            {.domain = parts.configuration.settings.broker.jetstream_domain,
             .subject = {},
             .stream = bucket_stream(bucket_)},
            {.check = [](const StreamFacts&) { return StreamFollower::Fit{}; },
             .on_entry = [this](const wire::StoredMessage& entry) { on_entry(entry); },
             .on_looked = [this](bool is_read, bool changed) { on_looked(is_read, changed); }}) {}

  // To be called when the client's status has changed.
  void on_connection_change() {
    if (!bucket_.empty()) follower_.on_connection_change();
  }
  // Somebody writes to it, if it is true.
  void hint() { follower_.hint_ahead(); }

  // Whether all is known of it on this connection, if there is anything to know.
  [[nodiscard]] bool has_looked() const {
    return bucket_.empty() || follower_.has_looked() || !off().empty();
  }

  // Why it holds orders back; empty when it does not. Of one that is gone, or has not answered for
  // a while, nobody knows what has been written to it meanwhile.
  [[nodiscard]] std::string_view holds_back() const {
    if (bucket_.empty() || !off().empty()) return "";
    if (!follower_.is_read()) return "the control log has not been read";
    const bool is_gone = follower_.place() == StreamFollower::Place::absent ||
                         follower_.missing_for() >= StreamFollower::kSilenceLimit;
    return is_gone ? "the control log is not there any more" : "";
  }

  // Empty where it is not set.
  [[nodiscard]] std::optional<LogState> state() const {
    if (bucket_.empty()) return std::nullopt;
    const std::string& problem = follower_.problem();
    return LogState{.stream = follower_.stream(),
                    .problem = problem.empty() ? settings_problem_ : problem,
                    .last_sequence = follower_.last(),
                    .off = off()};
  }

  // Of the settings: the last revision that is in force, and those to come.
  [[nodiscard]] std::span<const TakenSettings> revisions(UnixMs now) const {
    std::span<const TakenSettings> rest = revisions_;
    while (rest.size() > 1 && rest[1].value.effective_from <= now) rest = rest.subspan(1);
    return rest;
  }

 private:
  // Why it is off though it is set; empty when it is not. One that has been there never is.
  [[nodiscard]] std::string off() const {
    const auto place = follower_.place();
    // Who names a domain says that there is one.
    const bool has_domain = !parts_.configuration.settings.broker.jetstream_domain.empty();
    const bool is_off = !is_required_ && !was_read_ &&
                        (place == StreamFollower::Place::absent ||
                         (place == StreamFollower::Place::no_jetstream && !has_domain));
    return is_off ? follower_.problem() : "";
  }

  void on_looked(bool is_read, bool changed) {
    // What was before is told as it ended.
    if (is_read && !std::exchange(was_read_, true)) tell_pauses();
    if (changed) tell_place();
    parts_.on_looked();
  }

  void tell_place() const {
    if (const std::string why = off(); !why.empty()) {
      parts_.narrator.control_log_off(why);
    } else {
      parts_.narrator.log_looked("control_log", follower_.stream(), follower_.problem());
    }
  }

  void tell_pauses() const {
    for (const StrategyId id : all_of<StrategyId>) {
      if (parts_.engine.is_paused(id)) parts_.narrator.paused(true, id, "control log or start");
    }
  }

  void on_entry(const wire::StoredMessage& entry) {
    const std::string_view problem = take(entry);
    if (problem.empty()) return;
    ++parts_.counts.odd_control_entries;
    parts_.narrator.odd_control_entry(entry, problem);
  }

  // Why it is passed over; empty when it is not.
  std::string_view take(const wire::StoredMessage& entry) {
    const bool is_of_settings = entry.subject == bucket_subject(bucket_, wire::kSettingsKey);
    if (is_of_settings) settings_problem_.clear();
    const auto said = control_in(bucket_, entry);
    if (!said && is_of_settings) settings_problem_ = said.error();
    if (!said) return said.error();
    if (const auto* change = std::get_if<wire::PauseChange>(&said.value())) {
      take_pause(*change);
      return "";
    }
    return take_settings(entry.sequence, std::get<wire::SettingsValue>(said.value()));
  }

  void take_pause(const wire::PauseChange& change) {
    const auto& [strategy, value] = change;
    parts_.engine.hear_pause(strategy, value.paused);
    const auto& [reason, by, at] = value.author;
    parts_.counts.history.add_pause(
        History::Switch::control_log, strategy, value.paused,
        fmt::format("{} in the control log{}{}", by.empty() ? "somebody" : by,
                    reason.empty() ? "" : ": ", reason));
    if (was_read_) parts_.narrator.paused(value.paused, strategy, by);
  }

  std::string_view take_settings(std::uint64_t sequence, const wire::SettingsValue& value) {
    auto parameters = config::with_live_values(parts_.configuration, value.values);
    if (!parameters) {
      return settings_problem_ =
                 fmt::format("the settings are refused: {}", fmt::join(parameters.error(), " "));
    }
    parts_.engine.hear(SettingsRevision{value.effective_from, std::move(parameters).value()});
    if (was_read_) parts_.narrator.settings_changed(sequence, value);
    // As the engine's schedule does.
    std::erase_if(revisions_, [&](const TakenSettings& taken) {
      return taken.value.effective_from >= value.effective_from;
    });
    if (revisions_.size() == Schedule::kMaxRevisions) revisions_.erase(revisions_.begin());
    revisions_.push_back({sequence, value});
    return "";
  }

  const Parts parts_;
  const std::string& bucket_;  // empty: it is not set
  const bool is_required_;
  StreamFollower follower_;
  bool was_read_ = false;
  std::string settings_problem_;          // of the last revision; empty: it is taken
  std::vector<TakenSettings> revisions_;  // by the time from which they hold
};

}  // namespace rts::service
