// What `doctor` finds out, and what it says of it. The facts are gathered in doctor.cpp; what
// follows from them is pure. No thread of its own.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <rts/base/enum_names.hpp>
#include <rts/base/time.hpp>
#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/broker_info.hpp>
#include <rts/wire/frame.hpp>
#include <rts/wire/stream_info.hpp>

namespace rts::commands {

// not_looked_at: it could not be found out, which says nothing of how it is.
BOOST_DEFINE_FIXED_ENUM_CLASS(Health, std::uint8_t, ok, warning, failed, not_looked_at)

// A row: what was looked at, what was found and, unless it is ok, a sentence on what to do.
struct Finding {
  std::string_view check;
  Health health = Health::ok;
  std::string found;
  std::string fix{};
};

using Rows = std::vector<Finding>;

// "a, b and 3 more".
template <class List>
[[nodiscard]] std::string listed(const List& list) {
  constexpr std::size_t kMaxNamed = 6;
  std::string text;
  std::size_t count = 0;
  for (const std::string& item : list) {
    if (++count <= kMaxNamed) text += (text.empty() ? "" : ", ") + item;
  }
  return count <= kMaxNamed ? text : fmt::format("{} and {} more", text, count - kMaxNamed);
}

// --- The feed ------------------------------------------------------------------------------------

// Books, trades and tickers; by EventKind.
using CountsByKind = std::array<std::uint64_t, 3>;

struct FeedFacts {
  std::uint64_t frames = 0;
  std::map<std::string, CountsByKind, std::less<>> accepted;  // by symbol: the traded ones
  std::array<std::uint64_t, count_of<Reason>> refused{};
  std::map<std::string, std::uint64_t, std::less<>> others;  // events of symbols not traded
  // Symbols whose ids go back and forth between two ranges: two markets share the name.
  std::set<std::string> shared_names;
  // The receive time less the event time: the median of the first kMaxLags events.
  std::optional<std::chrono::milliseconds> lag;
};

// Takes frames as the service would, by its own engine, and sends nothing.
class FeedWatch {
 public:
  static constexpr std::size_t kMaxOthers = 64;  // names that are kept apart
  static constexpr std::size_t kMaxLags = 4096;

  explicit FeedWatch(const config::Settings& settings);
  void take(std::string_view frame, UnixNs received_at);
  [[nodiscard]] FeedFacts facts() const;

 private:
  struct Ids {
    std::uint64_t last = 0;
    int far_back = 0;  // how often an id was far below the one before
  };
  void look_at(const wire::WireEvent& event, UnixNs received_at);

  Engine engine_;
  wire::FrameReader reader_;
  FeedFacts facts_;
  std::map<std::pair<std::string, wire::Sequence>, Ids> ids_;
  std::vector<std::chrono::milliseconds> lags_;
};

// --- What else is found out ----------------------------------------------------------------------

// A look at a stream: what it is, or why that is not known.
struct StreamLook {
  std::optional<StreamFacts> facts{};
  std::string problem{};
  bool is_absent = false;         // the broker says that there is none
  bool is_jetstream_off = false;  // nobody answers for JetStream, or not to this account
};

// free: it can be listened on · ours: a service of this kind answers · foreign: somebody else has
// it · unusable: it cannot be listened on by us.
BOOST_DEFINE_FIXED_ENUM_CLASS(PortUse, std::uint8_t, free, ours, foreign, unusable)

struct DoctorFacts {
  std::string connect_problem{};  // why there is no connection; empty: there is one
  std::string server{};
  bool takes_headers = false;
  std::int64_t max_payload = 0;                                // bytes
  std::string inbox_problem{};                                 // why nothing came back to us
  std::optional<std::chrono::microseconds> round_trip{};       // through the broker to ourselves
  std::optional<wire::BrokerFacts> broker{};                   // as it says itself
  std::optional<std::chrono::milliseconds> ahead_of_broker{};  // our clock
  std::vector<std::string> refused{};                        // subscriptions, in the broker's words
  std::vector<std::string> untried{};                        // of which that could not be found out
  std::string untried_problem{};                             // why; empty: there was no time
  std::optional<wire::UserAnswer> user{};                    // what the broker says of our user
  std::string user_problem{};                                // why it does not
  std::vector<std::string> publish_subjects{};               // what the service publishes to
  std::optional<std::vector<wire::BrokerClient>> clients{};  // without ourselves
  bool has_all_clients = true;
  std::string clients_problem{};  // why they are not known
  StreamLook order_log{}, control_log{};
  // Of the domain that is named; and, where that is not reached, the broker's own.
  std::optional<wire::AccountInfo> jetstream{}, jetstream_nearby{};
  std::optional<FeedFacts> feed{};  // empty: we could not listen
  std::string feed_problem{};       // why, or what happened while we did
  std::chrono::seconds listened{0};
  PortUse port = PortUse::free;
  std::string port_detail{};
};

inline constexpr std::string_view kFeed = "feed";
inline constexpr const char* kPermissionsFix =
    "Give the broker's user what `realtime-strategies provision --permissions` prints.";
inline constexpr const char* kClockFix =
    "Set the clocks here and where the feed comes from (NTP), or find what holds the feed up.";

// Row by row, in the order in which one thing needs the other.
[[nodiscard]] Rows findings(const config::Configuration& configuration, const DoctorFacts& facts);
// The same where the settings are wrong: nothing else is looked at.
[[nodiscard]] Rows findings(const config::Problems& problems);
// The rows about the feed.
void say_feed(const config::Settings& settings, const DoctorFacts& facts, Rows& rows);

}  // namespace rts::commands
