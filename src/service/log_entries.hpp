// What the entries of the order log and of the control log mean (SPEC §6), to whoever follows them:
// the service, and who records what it hears. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <rts/base/result.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/intake.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/answer.hpp>
#include <rts/wire/control_log.hpp>
#include <rts/wire/stream_info.hpp>

namespace rts::service {

// Orders go through the order log.
[[nodiscard]] inline bool uses_order_log(const config::Settings& settings) noexcept {
  return settings.delivery.mode == DeliveryMode::jetstream && !settings.delivery.dry_run;
}

// How long an order of this time counts: as long as its cooldown, and to the end of its UTC day.
[[nodiscard]] inline UnixMs counts_until(const StreamNeeds& needs, UnixMs at) noexcept {
  return std::max<UnixMs>(at + needs.cooldown,
                          std::chrono::floor<std::chrono::days>(at) + std::chrono::days(1));
}

// The order that an entry of the order log is; empty when it is none of ours. One of the future
// would hold back those of the present.
[[nodiscard]] inline std::optional<CountedOrder> order_in(const wire::StoredMessage& entry) {
  auto order = wire::parse_counted_order(entry.data);
  if (order && order->at > entry.stored_at + kMaxAheadOfClock) order.reset();
  return order;
}

// What an entry of the bucket says; or why it is passed over, a literal.
using ControlEntry = std::variant<wire::PauseChange, wire::SettingsValue>;
[[nodiscard]] inline Result<ControlEntry, std::string_view> control_in(
    const std::string& bucket, const wire::StoredMessage& entry) {
  if (entry.subject == bucket_subject(bucket, wire::kSettingsKey)) {
    auto value = wire::settings_in(entry);
    if (!value) return Failure{std::string_view("no settings can be read from it")};
    if (value->effective_from > entry.stored_at + wire::kMaxAheadOfStored) {
      return Failure{std::string_view("the settings would hold from a time that is too far away")};
    }
    return ControlEntry(*std::move(value));
  }
  const auto all = wire::pausable();
  const auto paused = std::ranges::find(all, entry.subject, [&](auto strategy) {
    return bucket_subject(bucket, wire::pause_key(strategy));
  });
  if (paused == all.end()) return Failure{std::string_view("a key that means nothing here")};
  auto value = wire::pause_in(entry);
  if (!value) return Failure{std::string_view("it does not say whether trading is paused")};
  return ControlEntry(wire::PauseChange{*paused, *std::move(value)});
}

}  // namespace rts::service
