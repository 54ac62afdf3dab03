// What the streams of the order log and of the control log have to be: the plans that `provision`
// makes real, and the needs that the running service checks. Pure values and rules: whoever uses
// them asks the broker. Any thread. SPEC §6.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/base/time.hpp>

namespace rts {

struct Republish {
  std::string source;
  std::string destination;
  bool headers_only = false;

  friend bool operator==(const Republish&, const Republish&) = default;
};

// A stream as the broker describes it; the initial values are what its silence means.
struct StreamFacts {
  std::string name;
  std::vector<std::string> subjects;  // may have wildcards
  std::string storage = "file";       // file, memory
  std::string retention = "limits";   // limits, interest, workqueue
  std::string discard = "old";        // old, new
  std::chrono::nanoseconds duplicate_window{0};
  std::chrono::nanoseconds max_age{0};         // 0: messages do not age
  std::int64_t max_messages = -1;              // below 1: no limit
  std::int64_t max_messages_per_subject = -1;  // below 1: no limit
  std::int64_t replicas = 1;
  std::optional<Republish> republish;
  bool no_ack = false;
  bool sealed = false;
  bool allow_rollup = false;
  bool deny_delete = false;
  bool deny_purge = false;
  bool clustered = false;  // the broker that answered is part of a cluster
  std::string created;     // when it was: another stream of the name has another time
  std::string answered;    // when these are from, by the same clock; empty before nats-server 2.10
  // What it holds: the last sequence is that of the newest message, also when that is gone; the
  // first is one more than it when nothing is left.
  std::uint64_t first_sequence = 0, last_sequence = 0;
  UnixMs last_stored_at{};  // by the broker's clock; 1970 or before: never
};

// What the running service relies on when it stores its orders in the order log.
struct StreamNeeds {
  std::string subject;                 // ORDER_LOG_TOPIC
  std::chrono::seconds cooldown{0};    // SIGNAL_COOLDOWN_SECONDS: replicas send one id within it
  std::chrono::seconds order_life{0};  // an id is repeated within it: the longer of the ORDER_TTLs
  std::string forward_topic{};         // NATS_PUBLISHER_TOPIC, with its token if it has one
};

// What the plan is made from: those needs, further settings, and the options of `provision`.
struct StreamPlanSource : StreamNeeds {
  std::string name = "ORDERS";
  std::int64_t daily_signals = 0;         // RISK_MAX_DAILY_SIGNALS; 0 = no limit
  std::optional<std::int64_t> daily_cap;  // empty: daily_signals of every strategy
  std::int64_t replicas = 1;
};

// What a stream has to be. What is no member is the same for all: file storage, retention by
// limits, discard new, acknowledging, not sealed.
struct StreamPlan {
  std::string name;
  std::string subject;
  std::chrono::seconds duplicate_window{0};
  std::int64_t max_messages = -1;              // -1: no limit
  std::int64_t max_messages_per_subject = -1;  // -1: no limit
  std::chrono::seconds max_age{0};             // 0: messages do not age
  std::optional<Republish> republish;
  std::int64_t replicas = 1;
  bool is_bucket = false;  // of keys and values: rollups are allowed, no entry is deleted by itself
};

// The window is the cooldown and an order's life longer, for so far apart two replicas may send
// what has one id: one at a bucket's first moment, the other when an order of its last moment is
// about to expire. At least 2 min, at most the 24 h that messages are kept.
[[nodiscard]] StreamPlan plan_stream(const StreamPlanSource& source);

// The stream behind a key-value bucket, and the subject of one of its keys, or of all.
[[nodiscard]] inline std::string bucket_stream(std::string_view bucket) {
  return "KV_" + std::string(bucket);
}
[[nodiscard]] inline std::string bucket_subject(std::string_view bucket,
                                                std::string_view key = ">") {
  return std::string("$KV.").append(bucket).append(".").append(key);
}

// The bucket of the control log, with the last 64 values of each key.
[[nodiscard]] StreamPlan plan_bucket(std::string_view bucket, std::int64_t replicas);

// One setting of the stream, named as JetStream does, in words for people.
struct Difference {
  std::string_view field;
  std::string present;  // empty where there is no stream yet
  std::string wanted;

  friend bool operator==(const Difference&, const Difference&) = default;
};

// What would have to change. More subjects than ours are fine, and so is a longer duplicate window
// (as long as messages are kept for it). Empty: the stream is as planned. Where there is none yet
// it is every setting that matters.
[[nodiscard]] std::vector<Difference> differences(const StreamPlan& plan,
                                                  const std::optional<StreamFacts>& present);

// The values differences() compares, for whoever writes the stream's new configuration: what is
// there already where that is fine, else what is planned.
[[nodiscard]] std::vector<std::string> wanted_subjects(const StreamPlan& plan,
                                                       const StreamFacts& facts);
[[nodiscard]] std::chrono::nanoseconds wanted_duplicate_window(const StreamPlan& plan,
                                                               const StreamFacts& facts);

// What breaks the promise of §6, a short sentence each; empty: the stream fits.
//
// Whatever lets the log forget an order of the day is a problem, for limits and cooldowns are
// counted from it, and a broker that restarts rebuilds the ids it knows from what is stored; so is
// a count limit that discards old messages, which lets every order through and is not the cap that
// somebody meant it to be. No limit at all is fine, and so are byte limits, storage and replicas:
// whoever chose those knows what he has.
[[nodiscard]] std::vector<std::string> stream_problems(const StreamNeeds& needs,
                                                       const StreamFacts& facts);

// Whether the stream itself may publish orders to where they are forwarded, as it had to before
// there was an order log. Then no order may be stored: each would be delivered twice.
[[nodiscard]] bool delivers_twice(const StreamNeeds& needs, const StreamFacts& facts);

// Where the stream of the order log republishes what it has stored, for the replicas to hear.
[[nodiscard]] inline std::string stored_subject(std::string_view log_topic) {
  return std::string(log_topic) + ".stored";
}

// Whether a subject with wildcards ("orders.>") takes in one without, or with a '>' at its end.
[[nodiscard]] bool covers(std::string_view pattern, std::string_view subject) noexcept;

}  // namespace rts
