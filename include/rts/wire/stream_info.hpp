// The JetStream API as it stands on the wire: requests for `$JS.API.STREAM.…` and what comes back.
// Each function is synchronous, takes microseconds and allocates a little; whatever the payload, it
// returns. Any thread. Source: nats-server 2.9.10, whose replies are in the tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <rts/base/result.hpp>
#include <rts/base/time.hpp>
#include <rts/trading/stream_plan.hpp>

namespace rts::wire {

// Longer replies are refused; a stream's description has about 1 KiB.
inline constexpr std::size_t kMaxStreamReplyBytes = std::size_t{1} << 20U;

struct ApiError {
  std::int64_t code = 0;    // JetStream's err_code; 0: the payload is no such reply
  std::string description;  // cut at 256 bytes, control characters replaced
};
inline constexpr std::int64_t kStreamNotFound = 10059;
inline constexpr std::int64_t kNoJetStream = 10076;
inline constexpr std::int64_t kNoJetStreamForAccount = 10039;
inline constexpr std::int64_t kMessageNotFound = 10037;
inline constexpr std::int64_t kWrongLastSequence = 10071;  // in the answer to a publication

// For $JS.API.STREAM.NAMES: which stream stores this subject?
[[nodiscard]] std::string stream_names_request(std::string_view subject);
// The first name of the answer; empty when there is none.
[[nodiscard]] Result<std::string, ApiError> parse_stream_names(std::string_view payload);

// The answer of $JS.API.STREAM.INFO.<name>, and of CREATE and UPDATE, which describe the stream
// likewise.
[[nodiscard]] Result<StreamFacts, ApiError> parse_stream_info(std::string_view payload);

// The answer of $JS.API.INFO: the account's JetStream.
struct AccountInfo {
  std::string domain;                              // empty: the broker has none
  std::uint64_t storage_used_bytes = 0;            // in files, of all its streams
  std::optional<std::uint64_t> storage_max_bytes;  // of the account; the broker's own is not told
};
[[nodiscard]] Result<AccountInfo, ApiError> parse_account_info(std::string_view payload);

// For $JS.API.STREAM.CREATE.<name>.
[[nodiscard]] std::string stream_create_request(const StreamPlan& plan);
// For $JS.API.STREAM.UPDATE.<name>: the configuration in `info`, an answer as above, with the
// plan's settings instead of its own. What the plan does not speak of stays, also what this program
// does not know.
[[nodiscard]] Result<std::string, ApiError> stream_update_request(std::string_view info,
                                                                  const StreamPlan& plan);

// For $JS.API.STREAM.MSG.GET.<name>: the subject's last message; its first from a sequence on; the
// one with a sequence.
[[nodiscard]] std::string last_message_request(std::string_view subject);
[[nodiscard]] std::string next_message_request(std::string_view subject, std::uint64_t from);
[[nodiscard]] std::string message_request(std::uint64_t sequence);

// A message as a stream has stored it. Sizes as the broker's limit for messages is.
struct StoredMessage {
  std::uint64_t sequence = 0;
  std::string subject;
  std::string headers;  // "NATS/1.0\r\nName: value\r\n…\r\n\r\n"; empty: it has none
  std::string data;     // empty also of a key that was deleted
  UnixMs stored_at{};   // by the broker's clock

  // The first of this name, without blanks around it; empty without one.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  // Of a key-value bucket: the key was deleted.
  [[nodiscard]] bool is_deletion() const noexcept {
    return data.empty() && !header("KV-Operation").empty();
  }
};
// The answer. kMessageNotFound: there is none.
[[nodiscard]] Result<StoredMessage, ApiError> parse_stored_message(std::string_view payload);

}  // namespace rts::wire
