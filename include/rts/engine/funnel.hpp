// Funnel: how many events of one symbol and strategy ended how, in the last minute and in the last
// hour. The present part of each has only begun: they are 50 to 60 s and 50 to 60 minutes. Times
// are those of receipt. Not thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include <rts/base/enum_names.hpp>
#include <rts/base/recent_counts.hpp>
#include <rts/engine/reason.hpp>
#include <rts/strategy/verdict.hpp>

namespace rts {

// The one code in which an event ends.
using End = std::variant<Reason, Outcome>;
[[nodiscard]] inline std::string_view to_string(const End& end) noexcept {
  return std::visit([](auto code) { return to_string(code); }, end);
}

BOOST_DEFINE_FIXED_ENUM_CLASS(FunnelSpan, std::uint8_t, minute, hour)

class Funnel {
  // Of reasons those to drop an event, which stand behind those to ignore it.
  static constexpr std::size_t kFirstReason = index_of(Reason::too_large);
  static constexpr std::size_t kEnds = count_of<Outcome> + count_of<Reason> - kFirstReason;
  using Span = RecentCounts<kEnds, 6>;

  static std::size_t key_of(const End& end) noexcept {
    if (const auto* const outcome = std::get_if<Outcome>(&end)) return index_of(*outcome);
    return count_of<Outcome> + index_of(*std::get_if<Reason>(&end)) - kFirstReason;
  }

 public:
  // Precondition: the end is no reason to ignore an event.
  void add(const End& end, UnixMs received_at) noexcept {
    const std::size_t key = key_of(end);
    for (Span& span : spans_) span.add(key, received_at);
  }

  class Counted {
   public:
    Counted(const Span& span, UnixMs now) noexcept
        : since_(span.since(now)), ends_(span.sum(now)) {}

    [[nodiscard]] UnixMs since() const noexcept { return since_; }
    // Precondition: as of add().
    [[nodiscard]] std::uint32_t of(const End& end) const noexcept { return ends_[key_of(end)]; }

   private:
    UnixMs since_;
    Span::Counts ends_;
  };
  [[nodiscard]] Counted counted(FunnelSpan span, UnixMs now) const noexcept {
    return {spans_[index_of(span)], now};
  }

 private:
  std::array<Span, count_of<FunnelSpan>> spans_{Span(std::chrono::seconds(10)),
                                                Span(std::chrono::minutes(10))};
};

}  // namespace rts
