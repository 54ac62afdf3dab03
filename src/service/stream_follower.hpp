// Follows a stream at the broker: finds it, looks whether it fits, reads what it holds in its order
// and reads on when something says that there is more. What is heard elsewhere (what a stream
// republishes, an order's acknowledgement) is such a hint and nothing else: an entry counts when
// the stream itself has answered with it. So nothing is missed, doubled, or believed that somebody
// has made up. Without blocking. The broker and time are behind a small interface, so that a test
// can play them. Thread: the loop's.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <rts/base/time.hpp>
#include <rts/trading/stream_plan.hpp>
#include <rts/wire/stream_info.hpp>

#include "nats/subjects.hpp"
#include "nats/types.hpp"
#include "service/publisher.hpp"

namespace rts::service {

// The way to the broker that has the stream, and the time.
class StreamTransport {
 public:
  // As nats::Client does it: of what is `sent` the handler runs at least once, never inside
  // request().
  [[nodiscard]] virtual nats::PublishResult request(const nats::Outgoing& message,
                                                    std::chrono::milliseconds timeout,
                                                    nats::ReplyHandler on_reply) = 0;
  [[nodiscard]] virtual nats::Status status() const = 0;
  [[nodiscard]] virtual SteadyTime steady_now() const = 0;
  // Calls `wake` once at that time. It cannot be taken back, and any number may be set.
  virtual void wake_at(SteadyTime at, std::function<void()> wake) = 0;
};

class StreamFollower final : public OrderLog {
 public:
  // Of more entries the newest are read: a day at 30 orders a minute has 43,200.
  static constexpr std::uint64_t kMaxEntries = std::uint64_t{1} << 16U;

  // So long a stream may be silent on a connection: then it may be that the connection is to a node
  // that is cut off, and what is read is old.
  static constexpr std::chrono::seconds kSilenceLimit{5};

  struct Source {
    std::string domain;   // of JetStream; empty: the broker's own
    std::string subject;  // the stream that stores it is looked for; or
    std::string stream;   // it is the one of this name
  };
  // Where the stream is, as the last look has found.
  enum class Place : std::uint8_t {
    unknown,       // no answer yet, or none that says it
    found,         //
    absent,        // there is no such stream
    no_jetstream,  // nor JetStream at all
  };
  struct Fit {
    std::string problem;      // for people; empty: none
    bool is_readable = true;  // else nothing of it counts
  };
  struct Callbacks {
    std::function<Fit(const StreamFacts&)> check;
    std::function<void(const wire::StoredMessage&)> on_entry;
    // After each look; whether all that is stored was read, and whether problem() has changed.
    std::function<void(bool is_read, bool changed)> on_looked;
  };

  // `transport` must outlive it, and not call it any more once it is gone.
  StreamFollower(StreamTransport& transport, Source source, Callbacks callbacks)
      : transport_(transport), source_(std::move(source)), callbacks_(std::move(callbacks)) {}

  // To be called when the client's status has changed: on a new connection all is read anew that
  // was not read before.
  void on_connection_change() {
    const nats::Status now = transport_.status();
    const std::uint64_t number = now.connected ? now.reconnects + 1 : 0;
    // Until the subscriptions stand, what is stored now may be heard of nowhere.
    if (number == connection_ || (number != 0 && !now.hears_commands)) return;
    connection_ = number;
    is_read_ = is_looking_ = false;
    has_looked_ = number != 0 && is_denied_;
    place_ = Place::unknown;
    missing_since_.reset();
    ++look_;                 // what is asked still is of no use any more
    if (is_denied_) return;  // a new connection is what the refusal has cost: the timer goes on
    problem_ = number == 0 ? "there is no connection to read it on"
                           : "it has not been read on this connection yet";
    look_at_ = SteadyTime::max();
    if (number != 0) look_after(std::chrono::seconds(0));
  }

  // Something has been stored up to this sequence, if it is true.
  void hint(std::uint64_t sequence) {
    if (sequence != last_) read_on();
  }
  // Something is on its way into the stream. Whoever hears a message itself may do so before the
  // stream has stored it: a look that finds nothing says little, and the next ones come soon.
  void hint_ahead() {
    looks_ahead_ = kIntervalsAhead.size();
    read_on();
  }
  // An entry of ours has been acknowledged, and the caller knows it. Precondition: the next one.
  void advance(std::uint64_t sequence) {
    last_ = sequence;
    if (is_read_ && place_ != Place::found) {  // it is there, whatever a look has not found
      place_ = Place::found;
      problem_.clear();
      missing_since_.reset();
    }
  }

  std::uint64_t read_on() override {
    if (connection_ == 0 || is_denied_) return reading_ + 1;
    if (is_looking_) {
      is_wanted_again_ = true;
      return reading_ + 2;
    }
    look();
    return reading_ + 1;
  }
  [[nodiscard]] bool is_read() const override { return is_read_; }
  // Whether a look on this connection has said what there is to know: it was read, or it must not
  // be, there is none, or the broker does not let us.
  [[nodiscard]] bool has_looked() const noexcept { return has_looked_; }
  [[nodiscard]] std::uint64_t last() const override { return last_; }
  [[nodiscard]] std::uint64_t generation() const override { return generation_; }
  // Of the readings that are done.
  [[nodiscard]] std::uint64_t reading() const noexcept { return reading_; }

  // For how long nobody has answered who knows of it, while there was a connection.
  [[nodiscard]] std::chrono::milliseconds missing_for() const {
    if (connection_ == 0 || !missing_since_) return std::chrono::milliseconds(0);
    return std::chrono::duration_cast<std::chrono::milliseconds>(transport_.steady_now() -
                                                                 *missing_since_);
  }

  [[nodiscard]] Place place() const noexcept { return place_; }
  // Why it cannot be followed, or does not fit; empty when it is as it should be.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] const std::string& stream() const noexcept { return stream_; }

 private:
  static constexpr std::chrono::seconds kIntervalWhenFine{5};
  // Then, of what is on its way: the last first.
  static constexpr std::array<std::chrono::milliseconds, 4> kIntervalsAhead{
      std::chrono::milliseconds(1500), std::chrono::milliseconds(400),
      std::chrono::milliseconds(100), std::chrono::milliseconds(25)};
  static constexpr std::chrono::milliseconds kIntervalWhenSilent{500};
  static constexpr std::chrono::seconds kIntervalWhenNot{2};
  // A refusal costs the connection: the client makes a new one to ask again.
  static constexpr std::chrono::seconds kIntervalWhenDenied{60};
  static constexpr std::chrono::seconds kTimeout{1};
  static constexpr std::chrono::seconds kClocksAgree{1};  // of a cluster's brokers
  // Entries that are asked for at the same time. A broker cuts off who leaves 64 MiB unread, and a
  // stranger may have stored entries that are as long as a broker takes.
  static constexpr std::size_t kWindow = 32;

  using Handler = std::function<void(const nats::Reply&)>;

  void look_after(std::chrono::milliseconds delay) {
    look_at_ = transport_.steady_now() + delay;
    await_look();
  }

  // A wake that was set for an earlier time sets the next one: however often the time is moved, few
  // are waiting.
  void await_look() {
    if (look_at_ >= wake_at_) return;
    wake_at_ = look_at_;
    transport_.wake_at(wake_at_, [this, at = wake_at_] {
      if (at != wake_at_) return;  // an earlier one has been set since
      wake_at_ = SteadyTime::max();
      if (transport_.steady_now() < look_at_) return await_look();
      look_at_ = SteadyTime::max();
      is_denied_ = false;
      if (connection_ != 0 && !is_looking_) look();
    });
  }

  void look() {
    is_looking_ = true;
    is_wanted_again_ = false;
    looked_at_ = transport_.steady_now();
    ++look_;
    if (const nats::Status now = transport_.status(); now.connected && !now.takes_headers) {
      return conclude("the broker takes no headers, so it has no JetStream for us",
                      Place::no_jetstream);
    }
    stream_ = stream_.empty() ? source_.stream : stream_;
    if (!stream_.empty()) return ask_info();
    ask("STREAM.NAMES", wire::stream_names_request(source_.subject),
        [this](const nats::Reply& reply) { take_name(reply); });
  }

  void ask_info() {
    asked_at_ = last_;
    ask("STREAM.INFO." + stream_, "", [this](const nats::Reply& reply) { take_info(reply); });
  }

  // The handler runs once, unless the look is over by then. None is late while others come.
  void ask(const std::string& verb, std::string_view payload, Handler handler) {
    const std::string subject = nats::jetstream_api(source_.domain, verb);
    const auto result = transport_.request(
        {subject, payload}, kTimeout,
        [this, look = look_, handler = std::move(handler)](const nats::Reply& reply) {
          if (look != look_) return nats::AfterReply::done;
          const SteadyTime now = transport_.steady_now();
          const bool is_late = reply.kind == nats::ReplyKind::timed_out;
          if (is_late && now - answered_at_ < kTimeout) return nats::AfterReply::keep_waiting;
          if (!is_late) answered_at_ = now;
          handler(reply);
          return nats::AfterReply::done;
        });
    if (result == nats::PublishResult::denied) return conclude_denied();
    if (result != nats::PublishResult::sent) fail("it could not be asked for");
  }

  // Whether there is an answer; else the look is over.
  bool is_answer(const nats::Reply& reply) {
    using enum nats::ReplyKind;
    switch (reply.kind) {
      case answered: return true;
      case no_responders:
        // Where there is JetStream without a leader, one is being elected.
        conclude(source_.domain.empty()
                     ? "the broker has no JetStream, or no leader for it"
                     : fmt::format("no JetStream of the domain {} is reached, or it has no leader",
                                   source_.domain),
                 Place::no_jetstream);
        return false;
      case denied: conclude_denied(); return false;
      case timed_out: fail("the broker does not answer"); return false;
      case connection_lost: return false;  // the next connection will look
    }
    return false;
  }

  void take_name(const nats::Reply& reply) {
    if (!is_answer(reply)) return;
    const auto name = wire::parse_stream_names(reply.payload);
    if (!name) return fail(words_of(name.error()));
    if (name.value().empty()) {
      return conclude(
          fmt::format("no stream stores {}: run `realtime-strategies provision`", source_.subject),
          Place::absent);
    }
    stream_ = name.value();
    ask_info();
  }

  void take_info(const nats::Reply& reply) {
    if (!is_answer(reply)) return;
    const auto facts = wire::parse_stream_info(reply.payload);
    if (!facts) {
      const auto code = facts.error().code;
      if (code == wire::kNoJetStream || code == wire::kNoJetStreamForAccount) {
        return conclude(words_of(facts.error()), Place::no_jetstream);
      }
      const bool is_absent = code == wire::kStreamNotFound;
      const std::string name = std::exchange(stream_, {});
      if (!is_absent) return fail(words_of(facts.error()));
      return conclude(
          fmt::format("there is no stream {}: run `realtime-strategies provision`", name),
          Place::absent);
    }
    fit_ = callbacks_.check(facts.value());
    if (!fit_.is_readable) {
      is_read_ = false;
      return conclude(fmt::format("stream {}: {}", stream_, fit_.problem), Place::found);
    }
    until_ = facts.value().last_sequence;
    // It was made anew: what it holds now is heard from its start. Or it has lost its end: that is
    // believed when it is seen twice, for an answer may be older than what is known by now, and a
    // new leader behind the one before.
    const bool is_another = is_made_anew(facts.value());
    const bool was_behind = std::exchange(is_behind_, until_ < asked_at_);
    created_ = facts.value().created;
    seen_at_ = parse_iso8601(facts.value().answered);
    if (is_another || (is_behind_ && was_behind)) {
      is_behind_ = is_read_ = false;
      last_ = 0;
      ++generation_;
    }
    const std::uint64_t newest = until_ > kMaxEntries ? until_ - kMaxEntries + 1 : 1;
    next_ = std::max({last_ + 1, facts.value().first_sequence, newest});
    window_.clear();
    read_entries();
  }

  // A broker of a cluster may have a time of its own for when a stream was made (nats-server 2.10).
  // One before the last look at the stream is that of no newer stream.
  [[nodiscard]] bool is_made_anew(const StreamFacts& facts) const {
    if (created_.empty() || created_ == facts.created) return false;
    const auto created = parse_iso8601(facts.created);
    return !created || !seen_at_ || *created + kClocksAgree > *seen_at_;
  }

  // Keeps the window full.
  void read_entries() {
    const std::uint64_t look = look_;
    while (look == look_ && next_ <= until_ && window_.size() < kWindow) {
      window_.emplace_back();
      const std::uint64_t sequence = next_++;
      ask("STREAM.MSG.GET." + stream_, wire::message_request(sequence),
          [this, sequence](const nats::Reply& reply) { take_entry(sequence, reply); });
    }
    if (look == look_ && window_.empty()) conclude_read();
  }

  void take_entry(std::uint64_t sequence, const nats::Reply& reply) {
    if (!is_answer(reply)) return;
    auto message = wire::parse_stored_message(reply.payload);
    const bool is_gone = !message && message.error().code == wire::kMessageNotFound;
    const bool is_unreadable = !message && message.error().code == 0;  // told as an empty one
    if (!message && !is_gone && !is_unreadable) return fail(words_of(message.error()));
    wire::StoredMessage entry;
    if (is_unreadable) entry.sequence = sequence;
    if (message && message.value().sequence == sequence) entry = std::move(message).value();
    window_[sequence - (next_ - window_.size())] = std::move(entry);
    // In their order.
    for (; !window_.empty() && window_.front(); window_.pop_front()) {
      last_ = std::max(last_, next_ - window_.size());
      if (window_.front()->sequence > 0) callbacks_.on_entry(*window_.front());
    }
    read_entries();
  }

  static std::string words_of(const wire::ApiError& error) {
    return error.code == 0 ? std::string("the answer could not be read")
                           : fmt::format("{} ({})", error.description, error.code);
  }

  void conclude_read() {
    last_ = std::max(last_, until_);
    is_read_ = true;
    conclude(fit_.problem.empty() ? "" : fmt::format("stream {}: {}", stream_, fit_.problem),
             Place::found);
  }

  void conclude_denied() {
    is_denied_ = true;
    conclude("the broker does not let us read it", Place::unknown, kIntervalWhenDenied);
  }

  void fail(const std::string& why) { conclude(why, Place::unknown); }

  void conclude(std::string problem, Place place,
                std::optional<std::chrono::milliseconds> interval = std::nullopt) {
    ++look_;
    ++reading_;
    is_looking_ = false;
    has_looked_ = has_looked_ || is_denied_ || place == Place::found || place == Place::absent;
    place_ = place;
    if (place == Place::found || place == Place::absent) {
      missing_since_.reset();
    } else if (!missing_since_) {
      missing_since_ = std::max(looked_at_, answered_at_);
    }
    const bool changed = problem != problem_;
    problem_ = std::move(problem);
    look_after(interval.value_or(take_interval()));
    const bool again = is_wanted_again_;
    callbacks_.on_looked(place == Place::found && is_read_, changed);
    if (again && !is_looking_ && connection_ != 0 && !interval) look();
  }

  // Until the next look; each of those that come soon counts.
  std::chrono::milliseconds take_interval() {
    if (!problem_.empty()) return place_ == Place::unknown ? kIntervalWhenSilent : kIntervalWhenNot;
    return looks_ahead_ > 0 ? kIntervalsAhead[--looks_ahead_] : kIntervalWhenFine;
  }

  StreamTransport& transport_;
  const Source source_;
  const Callbacks callbacks_;
  SteadyTime look_at_ = SteadyTime::max();  // the next one; max: none is due
  SteadyTime wake_at_ = SteadyTime::max();  // the first wake that is set; max: none is
  std::uint64_t connection_ = 0;  // the client's number of the connection, from 1; 0: none
  std::uint64_t look_ = 0;        // the number of the look; what another has asked for is void
  bool is_looking_ = false;
  bool has_looked_ = false;
  bool is_wanted_again_ = false;  // what it has asked for may be older than what is wanted
  bool is_denied_ = false;        // and not asked again yet
  std::size_t looks_ahead_ = 0;   // that come soon, for something is on its way
  std::string stream_;
  std::string created_;            // when that was, in the broker's words
  std::optional<UnixMs> seen_at_;  // when it was looked at last, by a broker's clock
  bool is_behind_ = false;         // it held less than what had been read
  std::uint64_t asked_at_ = 0;     // last_ when it was asked what it holds
  std::uint64_t generation_ = 0;   // of the stream: another one, or one that has lost its end
  Fit fit_;
  std::uint64_t next_ = 0, until_ = 0;  // sequences, of the look
  // Asked for, up to next_, and not told yet; of what is gone the sequence is 0.
  std::deque<std::optional<wire::StoredMessage>> window_;
  SteadyTime answered_at_;  // the last answer

  SteadyTime looked_at_;
  std::optional<SteadyTime> missing_since_;
  bool is_read_ = false;
  std::uint64_t last_ = 0;
  std::uint64_t reading_ = 0;
  Place place_ = Place::unknown;
  std::string problem_ = "there has been no connection to read it on";
};

}  // namespace rts::service
