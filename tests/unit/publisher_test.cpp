// What the publisher does with an order, told as stories: a script of orders, replies and changes
// with their times in milliseconds, and what is sent and reported, and when. Broker and time are
// played; tests/integration has the real ones.
#include "service/publisher.hpp"

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/status.hpp"

namespace rts::service {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto kCore = DeliveryMode::core;
constexpr auto kStream = DeliveryMode::jetstream;

const std::map<std::string, std::string> kAnswers{
    {"ack", R"({"stream":"ORDERS","seq":%})"},  // the log's next
    {"far", R"({"stream":"ORDERS","seq":99})"},
    {"copy", R"({"stream":"ORDERS","seq":7,"duplicate":true})"},
    {"zero", R"({"stream":"ORDERS","seq":0,"duplicate":true})"},
    {"moved", R"({"error":{"code":400,"err_code":10071,"description":"wrong last sequence"}})"},
    {"commit", R"({"error":{"code":409,"err_code":10158,"description":"in process"}})"},
    {"full", R"({"error":{"code":503,"err_code":10077,"description":"maximum messages"}})"},
    {"space", R"({"error":{"code":503,"err_code":10023,"description":"no resources"}})"},
    {"ok", R"({"status":"processed"})"},
    {"no", R"({"status":"error","error":"no margin"})"},
    {"declined", R"({"status":"processed","result":{"status":"rejected","reason":"no margin"}})"},
    {"executed", R"({"result":{"status":"executed"}})"},
    {"odd", "what?"},
};

constexpr const char* kTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

DeliveryParameters parameters(DeliveryMode mode, std::int64_t failure_threshold = 1000) {
  return {.subject = "orders",
          .mode = mode,
          .ack_timeout = 1s,
          .breaker = {.failure_threshold = failure_threshold,
                      .recovery_timeout = 10s,
                      .probe_timeout = 2s},
          .max_in_flight = 3,
          .silence_limit = 2};
}

// A publisher, the broker, its log and the clock. Orders are named 1, 2, 3… as they are made. The
// log holds 5 entries at first.
class World final : public OrderTransport, public OrderLog {
 public:
  explicit World(const DeliveryParameters& given)
      : publisher(
            *this, *this, given,
            {.held_back_by = [this] { return std::string_view(held_back_by); },
             .is_paused = [this](StrategyId) { return paused_; },
             .passes_still = [this](const Order&) { return !paused_ && !blocked_; },
             .on_stored =
                 [this](const Order&, std::uint64_t sequence) {
                   EXPECT_EQ(sequence, last_ + 1);
                   last_ = sequence;
                   ++stored;
                 },
             .on_sent = [this](SteadyTime received) { first_sent.push_back(received); },
             .on_result =
                 [this](const OrderReport& report) {
                   EXPECT_EQ(report.order.symbol, "BTCUSDT");
                   EXPECT_EQ(report.order.traceparent, kTrace);
                   note("{} {} x{}", to_string(report.result), report.order.correlation_id,
                        report.attempts);
                   details.emplace_back(report.detail);
                   answered_in.push_back(report.answered_in);
                 },
             .on_odd_answer = [this](std::string_view) { note("odd answer"); },
             .on_breaker = [this](BreakerState state) { note("breaker {}", to_string(state)); }}) {}

  // "0 order, 20 ack, 30 order, 40 timed_out 2": a time, what happens, and to which order (1).
  std::string play(std::string script) {
    std::replace(script.begin(), script.end(), ',', '\n');
    std::istringstream lines(script);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::int64_t at = 0;
      std::string what, more;
      words >> at >> what >> more;
      advance_to(milliseconds(at));
      happen(what, more);
    }
    return fmt::format("{}", fmt::join(log, ", "));
  }

  std::optional<AttemptResult> send(OrderNumber number, const OrderMessage& message,
                                    ReplyHandler on_reply) override {
    const std::string order(message.correlation_id);
    const bool stores = !message.sender.empty();
    note("{} {}{}{}{}", stores ? "store" : "send", order,
         stores ? fmt::format(" at {}", message.expected_sequence) : "", path_ ? " " : "",
         path_ ? to_string(*path_) : "");
    subjects.emplace_back(message.subject);
    payloads.emplace_back(message.payload);
    traceparents.emplace_back(message.traceparent);
    lives.push_back(message.life);
    if (path_) return path_;
    numbers_[order] = number;
    if (stores) numbers_[order + "s"] = number;
    requests_.try_emplace(number, std::move(on_reply));
    return {};
  }
  std::optional<AttemptResult> round_trip(milliseconds, ReplyHandler on_reply) override {
    note("round trip{}{}", path_ ? " " : "", path_ ? to_string(*path_) : "");
    if (!path_) round_trip_ = std::move(on_reply);
    return path_;
  }
  [[nodiscard]] nats::Status status() const override {
    nats::Status made;
    made.connected = connected;
    made.takes_headers = takes_headers;
    made.max_payload = max_payload;
    made.reconnects = connection_;
    return made;
  }
  [[nodiscard]] UnixMs now() const override { return UnixMs(clock_); }
  [[nodiscard]] SteadyTime steady_now() const override { return SteadyTime(1h + clock_); }
  void wake_at(SteadyTime at, std::function<void()> wake) override {
    wakes_.emplace(at, std::move(wake));
  }

  [[nodiscard]] bool is_read() const override { return is_read_; }
  [[nodiscard]] std::uint64_t last() const override { return last_; }
  [[nodiscard]] std::uint64_t generation() const override { return generation_; }
  std::uint64_t read_on() override {
    note("look");
    return reading_ + 1 + read_ahead;
  }

  Publisher publisher;
  bool connected = true;
  bool takes_headers = true;
  std::int64_t max_payload = 1 << 20;
  std::uint64_t read_ahead = 0;
  // Timers that are set, and requests that wait for an answer.
  [[nodiscard]] std::size_t timers() const { return wakes_.size(); }
  [[nodiscard]] std::size_t awaited() const { return requests_.size(); }

  std::string held_back_by;            // why no order may leave
  int stored = 0;                      // answers that an order is the log's next entry
  std::vector<SteadyTime> first_sent;  // when the frames of orders came that were sent once
  std::vector<std::string> log, details, subjects, payloads, traceparents;
  std::vector<milliseconds> lives;
  std::vector<std::optional<std::chrono::nanoseconds>> answered_in;

 private:
  template <typename... Values>
  void note(fmt::format_string<Values...> text, Values&&... values) {
    log.push_back(fmt::format("{} ", clock_.count()) +
                  fmt::format(text, std::forward<Values>(values)...));
  }

  void advance_to(milliseconds at) {
    while (!wakes_.empty() && wakes_.begin()->first <= SteadyTime(1h + at)) {
      const auto wake = wakes_.extract(wakes_.begin());
      clock_ = std::chrono::floor<milliseconds>(wake.key().time_since_epoch()) - 1h;
      wake.mapped()();
    }
    clock_ = at;
  }

  void happen(const std::string& what, const std::string& more) {
    if (what == "order") return publish(StrategyId::orderbook_skew, 5s);
    if (what == "known") return publish(StrategyId::orderbook_skew, 5s, true);
    if (what == "other") return publish(StrategyId::trade_momentum, 5s);
    if (what == "brief") return publish(StrategyId::orderbook_skew, 350ms);
    if (what == "stale") return publish(StrategyId::orderbook_skew, 0ms);
    if (what == "path") path_ = from_string<AttemptResult>(more);  // "free": none
    if (what == "pause") paused_ = true;
    if (what == "resume") paused_ = false;
    if (what == "block") blocked_ = true;
    if (what == "lost") is_read_ = false;
    if (what == "ours" || what == "others") {
      ++last_;
      publisher.on_log_entry(id_of(more), what == "ours" ? publisher.sender() : "another");
    }
    if (what == "stranger") ++last_;
    if (what == "anew") {
      last_ = 0;
      ++generation_;
    }
    if (what == "unreadable") ++reading_;
    if (what == "read") {
      is_read_ = true;
      publisher.on_log_read(++reading_);
    }
    if (what == "finish") publisher.finish([this] { note("finished"); });
    if (what == "abandon") publisher.abandon();
    if (what == "reconnect") ++connection_;
    if (what == "reconnect" || what == "change") publisher.on_connection_change();
    if (what == "trip") {
      EXPECT_EQ(std::exchange(round_trip_, nullptr)(reply_of(more)), nats::AfterReply::done);
    }
    if (kAnswers.contains(what) || from_string<AttemptResult>(what)) {
      reply(numbers_.at(more.empty() ? "1" : more), what);
    }
  }

  Reply reply_of(const std::string& what) {
    if (const auto result = from_string<AttemptResult>(what)) return Failure{*result};
    answer_ = kAnswers.at(what);
    if (what == "ack") answer_.replace(answer_.find('%'), 1, std::to_string(last_ + 1));
    return std::string_view(answer_);
  }
  static Uuid id_of(const std::string& order) { return make_order_id(order); }

  // As the client does it: a lost connection ends the request, and so does a handler that has what
  // it wants.
  void reply(OrderNumber number, const std::string& what) {
    auto request = requests_.extract(number);
    if (request.empty()) return;
    const bool lost = what == "connection_lost";
    const ReplyHandler handler = request.mapped();
    if (!lost) requests_.insert(std::move(request));
    if (handler(reply_of(what)) == nats::AfterReply::done) requests_.erase(number);
  }

  void publish(StrategyId strategy, milliseconds life, bool in_log = false) {
    const std::string name = std::to_string(++orders_);
    std::string symbol = "BTCUSDT", trace = kTrace;
    Order order;
    order.symbol = symbol;
    order.strategy = strategy;
    order.correlation_id = name;
    order.traceparent = trace;
    order.id = id_of(name);
    order.valid_until = UnixMs(clock_ + life);
    publisher.publish(order, "", steady_now(), in_log);
    // The texts that an order looks at are those of a frame, which is gone when it ends.
    symbol.assign(symbol.size(), '?');
    trace.assign(trace.size(), '?');
  }

  milliseconds clock_{0};
  std::multimap<SteadyTime, std::function<void()>> wakes_;
  std::optional<AttemptResult> path_;  // why nothing can be sent
  std::uint64_t connection_ = 1;
  bool paused_ = false;
  bool blocked_ = false;  // by what others have stored
  bool is_read_ = true;
  std::uint64_t last_ = 5;
  std::uint64_t generation_ = 0;
  std::uint64_t reading_ = 0;
  std::string answer_;
  int orders_ = 0;
  std::map<std::string, OrderNumber> numbers_;
  std::map<OrderNumber, ReplyHandler> requests_;
  ReplyHandler round_trip_;
};

struct Story {
  const char* script;
  const char* log;
};

void expect_stories(const DeliveryParameters& given, const std::vector<Story>& stories) {
  for (const auto& [script, log] : stories) EXPECT_EQ(World(given).play(script), log) << script;
}

TEST(Publisher, ChecksAnOrderBeforeItIsSent) {
  expect_stories(
      parameters(kCore),
      {{"0 stale", "0 expired 1 x0"},
       {"0 order, 0 order, 0 order, 0 order", "0 send 1, 0 send 2, 0 send 3, 0 buffer_full 4 x0"},
       {"0 order, 0 order, 0 order, 10 ok 2, 20 order",
        "0 send 1, 0 send 2, 0 send 3, 10 confirmed 2 x1, 20 send 4"}});
  expect_stories(parameters(kStream), {{"0 stale", "0 expired 1 x0"}});
  DeliveryParameters dry = parameters(kCore);
  dry.dry_run = true;
  expect_stories(dry, {{"0 order, 10 stale", "0 dry_run 1 x0, 10 dry_run 2 x0"}});
}

TEST(Publisher, HasSoManyOrdersInFlightWhereNothingElseIsSaid) {
  std::string script;
  for (std::size_t i = 0; i < 8193; ++i) script += "0 order,";
  const std::string log = World(DeliveryParameters{}).play(script + "0 wait");
  EXPECT_THAT(log, AllOf(HasSubstr("0 send 8192, 0 buffer_full 8193 x0"),
                         Not(HasSubstr("buffer_full 8192 "))));
}

TEST(Publisher, SendsBeforeValidUntilAndNotAtIt) {
  for (const auto& [event, result] : std::vector<std::pair<UnixMs, const char*>>{
           {UnixMs(4999ms), "0 send 1"}, {UnixMs(5000ms), "0 expired 1 x0"}}) {
    World world(parameters(kCore));
    world.publisher.accepted(event);  // a clock that is slow
    EXPECT_EQ(world.play("0 order"), result);
  }
}

TEST(Publisher, TimeIsNeverBeforeTheNewestEventThatWasAccepted) {
  World world(parameters(kStream));
  world.publisher.accepted(UnixMs(1500ms));
  world.publisher.accepted(UnixMs(1200ms));
  world.play("0 order, 1000 timed_out, 2000 ack");
  EXPECT_THAT(world.lives, ElementsAre(3500ms, 3500ms, 3000ms));
}

TEST(Publisher, CoreSendsOnceAndReportsWhatCameOfIt) {
  expect_stories(
      parameters(kCore),
      {{"0 order, 20 ok", "0 send 1, 20 confirmed 1 x1"},
       {"0 order, 20 ack", "0 send 1, 20 confirmed 1 x1"},  // a stream that listens there
       {"0 order, 20 no", "0 send 1, 20 rejected 1 x1"},
       {"0 order, 20 copy", "0 send 1, 20 duplicate 1 x1"},
       {"0 order, 20 moved", "0 send 1, 20 rejected 1 x1"},
       {"0 order, 20 zero", "0 send 1, 20 rejected 1 x1"},
       {"0 order, 10 odd, 20 ok, 30 ok", "0 send 1, 10 odd answer, 20 confirmed 1 x1"},
       {"0 order, 10 odd, 1000 timed_out", "0 send 1, 10 odd answer, 1000 unconfirmed 1 x1"},
       {"0 order, 20 no_responders", "0 send 1, 20 no_responders 1 x1"},
       {"0 order, 1000 timed_out, 1010 ok", "0 send 1, 1000 unconfirmed 1 x1"},
       {"0 order, 1000 arrival_unproven, 9000 ok", "0 send 1, 1000 ambiguous 1 x1"},
       {"0 order, 20 connection_lost, 9000 ok", "0 send 1, 20 ambiguous 1 x1"},
       {"0 order, 20 denied", "0 send 1, 20 rejected 1 x1"},
       {"0 order, 20 denied_unsure", "0 send 1, 20 ambiguous 1 x1"},
       {"0 order, 0 order, 20 ok 2, 30 no 1",
        "0 send 1, 0 send 2, 20 confirmed 2 x1, 30 rejected 1 x1"}});
}

TEST(Publisher, WhatCannotBeSentEndsAtOnce) {
  for (const DeliveryMode mode : {kCore, kStream}) {
    for (const auto& [path, result] :
         std::map<std::string, std::string>{{"disconnected", "disconnected"},
                                            {"buffer_full", "buffer_full"},
                                            {"path_unproven", "expired"},
                                            {"unsendable", "rejected"},
                                            {"denied", "rejected"}}) {
      World world(parameters(mode));
      EXPECT_EQ(world.play(fmt::format("0 path {}, 0 order, 9000 wait", path)),
                fmt::format("0 {} 1{} {}, 0 {} 1 x0", mode == kCore ? "send" : "store",
                            mode == kCore ? "" : " at 5", path, result));
    }
  }
}

TEST(Publisher, StoresAnOrderFirstAndSendsItThen) {
  expect_stories(
      parameters(kStream),
      {{"0 order, 20 ack, 30 ok", "0 store 1 at 5, 20 send 1, 30 confirmed 1 x2"},
       {"0 order, 20 ack, 30 no", "0 store 1 at 5, 20 send 1, 30 rejected 1 x2"},
       {"0 order, 20 ack, 1020 timed_out", "0 store 1 at 5, 20 send 1, 1020 unconfirmed 1 x2"},
       {"0 order, 20 ack, 30 no_responders", "0 store 1 at 5, 20 send 1, 30 no_responders 1 x2"},
       {"0 order, 20 ack, 30 connection_lost", "0 store 1 at 5, 20 send 1, 30 ambiguous 1 x2"},
       // It is sent once, whatever the stream says later.
       {"0 order, 20 ack, 30 copy 1s, 40 ack 1s, 50 ours 1, 60 read, 70 ok",
        "0 store 1 at 5, 20 send 1, 70 confirmed 1 x2"},
       // Not a moment too late, not while paused, and not without a connection.
       {"0 order, 4999 ack, 5000 ok", "0 store 1 at 5, 4999 send 1, 5000 confirmed 1 x2"},
       {"0 order, 5000 ack", "0 store 1 at 5, 5000 expired 1 x1"},
       {"0 order, 10 pause, 20 ack", "0 store 1 at 5, 20 superseded 1 x1"},
       {"0 order, 10 path disconnected, 20 ack",
        "0 store 1 at 5, 20 send 1 disconnected, 20 disconnected 1 x1"},
       // The TradeEngine has no say in what is stored.
       {"0 order, 10 ok, 11 no, 20 ack, 30 ok", "0 store 1 at 5, 20 send 1, 30 confirmed 1 x2"},
       {"0 order, 10 full", "0 store 1 at 5, 10 rejected 1 x1"},
       {"0 order, 10 space", "0 store 1 at 5, 10 rejected 1 x1"},
       {"0 order, 10 denied", "0 store 1 at 5, 10 rejected 1 x1"}});
}

TEST(Publisher, SeveralOrdersAreOnTheirWayToTheLogAtOnce) {
  expect_stories(parameters(kStream),
                 {{"0 order, 0 order, 20 ack 1, 20 ack 2, 25 ok 2, 30 ok 1, 40 order",
                   "0 store 1 at 5, 0 store 2 at 6, 20 send 1, 20 send 2, 25 confirmed 2 x2, "
                   "30 confirmed 1 x2, 40 store 3 at 7"},
                  // One that is not stored does not hold up those behind it for long.
                  {"0 order, 5 full 1, 10 order, 20 ack 2",
                   "0 store 1 at 5, 5 rejected 1 x1, 10 store 2 at 5, 20 send 2"},
                  // Those on their way keep their places, whoever is stored or has ended.
                  {"0 order, 0 order, 20 ack 1, 30 order",
                   "0 store 1 at 5, 0 store 2 at 6, 20 send 1, 30 store 3 at 7"},
                  {"0 order, 0 order, 20 ack 1, 25 ok 1, 30 order",
                   "0 store 1 at 5, 0 store 2 at 6, 20 send 1, 25 confirmed 1 x2, "
                   "30 store 3 at 7"},
                  // What the log has not shown by its next reading is not there.
                  {"0 order, 10 read, 20 order", "0 store 1 at 5, 20 store 2 at 5"},
                  // A log may be empty.
                  {"0 anew, 10 order", "10 store 1 at 0"},
                  {"0 anew, 10 order, 20 full, 30 order",
                   "10 store 1 at 0, 20 rejected 1 x1, 30 store 2 at 0"}});
}

TEST(Publisher, WithoutTheLogNoOrderLeaves) {
  expect_stories(parameters(kStream),
                 {{"0 lost, 10 order, 20 read, 30 order", "10 disconnected 1 x0, 30 store 2 at 5"},
                  {"0 known", "0 duplicate 1 x0"}});
  expect_stories(parameters(kCore), {{"0 lost, 10 order", "10 send 1"}, {"0 known", "0 send 1"}});
}

TEST(Publisher, HoldsBackNewOrdersAsItIsTold) {
  for (const DeliveryMode mode : {kCore, kStream}) {
    World world(parameters(mode));
    world.play("0 order");
    world.held_back_by = "the control log has not been read";
    world.log.clear();
    EXPECT_EQ(world.play("10 order"), "10 disconnected 2 x0");
    EXPECT_THAT(world.details, ElementsAre("the control log has not been read"));
    world.held_back_by.clear();
    EXPECT_THAT(world.play("20 order"), HasSubstr(mode == kCore ? "20 send 3" : "20 store 3"));
  }
}

TEST(Publisher, AsksAgainUntilTheStreamSaysSomethingClear) {
  expect_stories(
      parameters(kStream),
      {{"0 order, 1000 timed_out, 1200 ack", "0 store 1 at 5, 1000 store 1 at 5, 1200 send 1"},
       {"0 order, 1000 arrival_unproven, 1200 ack",
        "0 store 1 at 5, 1000 store 1 at 5, 1200 send 1"},
       {"0 order, 10 zero, 120 ack", "0 store 1 at 5, 110 store 1 at 5, 120 send 1"},
       {"0 order, 10 commit, 120 ack", "0 store 1 at 5, 110 store 1 at 5, 120 send 1"},
       // An election: nobody is there for a while.
       {"0 order, 10 no_responders, 120 no_responders, 250 ack",
        "0 store 1 at 5, 10 look, 110 store 1 at 5, 120 look, 220 store 1 at 5, 250 send 1"},
       {"0 order, 200 connection_lost, 400 ack", "0 store 1 at 5, 300 store 1 at 5, 400 send 1"},
       // An acknowledgement of any attempt is one, also of one that was given up.
       {"0 order, 1000 timed_out, 1010 ack, 1020 copy 1s",
        "0 store 1 at 5, 1000 store 1 at 5, 1010 send 1"},
       {"0 order, 10 commit, 50 ack", "0 store 1 at 5, 50 send 1"},
       // In doubt an error says nothing of the attempts before.
       {"0 order, 1000 timed_out, 1010 space, 1200 ack",
        "0 store 1 at 5, 1000 store 1 at 5, 1110 store 1 at 5, 1200 send 1"},
       {"0 order, 1000 timed_out, 1010 odd, 1020 ack",
        "0 store 1 at 5, 1000 store 1 at 5, 1010 odd answer, 1020 send 1"},
       {"0 order, 1000 timed_out, 1010 full",
        "0 store 1 at 5, 1000 store 1 at 5, 1010 rejected 1 x2"},
       // Once another is in its place it is in doubt no more.
       {"0 order, 1000 timed_out, 1010 stranger, 1020 space",
        "0 store 1 at 5, 1000 store 1 at 5, 1020 rejected 1 x2"},
       {"0 anew, 10 order, 1010 timed_out, 1015 stranger, 1020 space",
        "10 store 1 at 0, 1010 store 1 at 0, 1020 rejected 1 x2"},
       // Asked again it is awaited as at first.
       {"0 order, 10 commit, 1110 timed_out, 1200 ack",
        "0 store 1 at 5, 110 store 1 at 5, 1110 store 1 at 5, 1200 send 1"},
       // While it waits to ask, an error counts and a silence does not.
       {"0 order, 10 commit, 50 no_responders, 120 ack",
        "0 store 1 at 5, 50 look, 110 store 1 at 5, 120 send 1"},
       {"0 order, 10 commit, 50 timed_out, 120 ack",
        "0 store 1 at 5, 110 store 1 at 5, 120 send 1"},
       // A copy that is being stored is not stored yet.
       {"0 order, 10 zero, 120 moved, 130 read, 250 ack",
        "0 store 1 at 5, 110 store 1 at 5, 120 look, 220 store 1 at 5, 250 send 1"},
       // And without a way to ask it waits for one.
       {"0 order, 200 path disconnected, 200 connection_lost, 450 path free, 600 ack",
        "0 store 1 at 5, 300 store 1 at 5 disconnected, 400 store 1 at 5 disconnected, "
        "500 store 1 at 5, 600 send 1"},
       {"0 order, 200 lost, 200 connection_lost, 450 read, 600 ack",
        "0 store 1 at 5, 500 store 1 at 5, 600 send 1"},
       // Several at a time, each for itself.
       {"0 order, 50 order, 200 connection_lost 1, 250 connection_lost 2, 400 ack 1, 500 ack 2",
        "0 store 1 at 5, 50 store 2 at 6, 300 store 1 at 5, 300 store 2 at 6, 400 send 1, "
        "500 send 2"}});
}

TEST(Publisher, OfWhatWasStoredMeanwhileTheLogTells) {
  expect_stories(
      parameters(kStream),
      {// Another's: the order is compared anew with it, if it may still be sent.
       {"0 order, 10 moved, 20 stranger, 20 read, 30 ack",
        "0 store 1 at 5, 10 look, 20 store 1 at 6, 30 send 1"},
       {"0 order, 10 moved, 15 block, 20 stranger, 20 read",
        "0 store 1 at 5, 10 look, 20 superseded 1 x1"},
       {"0 order, 10 moved, 15 pause, 20 stranger, 20 read",
        "0 store 1 at 5, 10 look, 20 superseded 1 x1"},
       // The order itself, by another replica or by us.
       {"0 order, 10 moved, 20 others 1, 20 read", "0 store 1 at 5, 10 look, 20 duplicate 1 x1"},
       {"0 order, 10 copy, 20 others 1, 20 read", "0 store 1 at 5, 10 look, 20 duplicate 1 x1"},
       {"0 order, 1000 timed_out, 1010 moved, 1020 ours 1, 1020 read",
        "0 store 1 at 5, 1000 store 1 at 5, 1010 look, 1020 send 1"},
       {"0 order, 1000 timed_out, 1010 copy, 1020 ours 1, 1020 read",
        "0 store 1 at 5, 1000 store 1 at 5, 1010 look, 1020 send 1"},
       // It is heard before the acknowledgement, which may be lost.
       {"0 order, 10 ours 1, 10 read, 20 ack 1s, 30 ok",
        "0 store 1 at 5, 10 send 1, 30 confirmed 1 x2"},
       {"0 order, 10 others 1, 10 read, 20 moved 1s", "0 store 1 at 5, 10 duplicate 1 x1"},
       {"0 order, 4999 ours 1, 5000 read", "0 store 1 at 5, 5000 expired 1 x1"},
       // Stored behind another that we did not know: it may not be sent any more.
       {"0 order, 0 order, 10 moved 1, 15 far 2, 20 stranger, 20 ours 2, 20 read",
        "0 store 1 at 5, 0 store 2 at 6, 10 look, 15 look, 20 store 1 at 7, 20 send 2"},
       {"0 order, 10 far, 15 block, 20 stranger, 20 ours 1, 20 read",
        "0 store 1 at 5, 10 look, 20 superseded 1 x1"},
       // Behind another that we have read since, where one of ours was expected.
       {"0 order, 0 order, 10 others 9, 10 read, 15 block, 20 ack 2",
        "0 store 1 at 5, 0 store 2 at 6, 20 superseded 2 x1"},
       {"0 order, 0 order, 10 others 9, 10 read, 20 ack 2, 30 ok 2",
        "0 store 1 at 5, 0 store 2 at 6, 20 send 2, 30 confirmed 2 x2"},
       // Those that were read before it was sent are none of these.
       {"0 others 9, 5 block, 10 order, 20 ack", "10 store 1 at 6, 20 send 1"},
       // The stream says so after all, before the log does.
       {"0 order, 10 moved, 15 ack", "0 store 1 at 5, 10 look, 15 send 1"},
       // What the stream knows and its log does not show is not stored again.
       {"0 order, 10 copy, 20 read", "0 store 1 at 5, 10 look, 20 duplicate 1 x1"},
       {"0 order, 10 far, 20 read", "0 store 1 at 5, 10 look, 20 duplicate 1 x1"},
       // A log that shows nothing new is asked no faster than any other.
       {"0 order, 10 moved, 20 read, 9000 wait", "0 store 1 at 5, 10 look, 110 store 1 at 5"}});
}

// Found by the simulation of replicas: the next log has forgotten who stored it in the one before.
TEST(Publisher, AnOrderOnItsWayToALogThatIsMadeAnewIsNotStoredAgain) {
  expect_stories(parameters(kStream), {{"0 order, 5 read, 10 moved, 20 anew, 20 read",
                                        "0 store 1 at 5, 10 look, 20 superseded 1 x1"},
                                       {"0 order, 5 read, 10 moved, 20 anew, 20 others 1, 20 read",
                                        "0 store 1 at 5, 10 look, 20 duplicate 1 x1"},
                                       {"0 read, 10 anew, 10 read, 20 order", "20 store 1 at 0"},
                                       // What was stored in the one before is sent all the same.
                                       {"0 order, 5 read, 10 ack, 20 anew, 20 read, 30 ok",
                                        "0 store 1 at 5, 10 send 1, 30 confirmed 1 x2"}});
}

TEST(Publisher, AReadingThatIsOlderThanTheQuestionSettlesNothing) {
  World world(parameters(kStream));
  world.read_ahead = 1;  // one is under way when it is asked for
  EXPECT_EQ(world.play("0 order, 10 moved, 20 read, 30 stranger, 30 read, 40 ack"),
            "0 store 1 at 5, 10 look, 30 store 1 at 6, 40 send 1");
}

TEST(Publisher, NothingIsStoredAfterValidUntilOrWhilePaused) {
  expect_stories(
      parameters(kStream),
      {{"0 order, 1000 timed_out, 2000 timed_out, 3000 timed_out, 4000 timed_out, 5000 timed_out",
        "0 store 1 at 5, 1000 store 1 at 5, 2000 store 1 at 5, 3000 store 1 at 5, "
        "4000 store 1 at 5, 5000 expired 1 x5"},
       {"0 order, 4999 timed_out, 5999 timed_out",
        "0 store 1 at 5, 4999 store 1 at 5, 5999 expired 1 x2"},
       {"0 brief, 50 path disconnected, 50 connection_lost, 9000 wait",
        "0 store 1 at 5, 150 store 1 at 5 disconnected, 250 store 1 at 5 disconnected, "
        "350 expired 1 x1"},
       {"0 brief, 50 moved, 9000 wait", "0 store 1 at 5, 50 look, 350 expired 1 x1"},
       {"0 brief, 50 lost, 50 connection_lost, 9000 wait", "0 store 1 at 5, 350 expired 1 x1"},
       {"0 order, 500 pause, 1000 timed_out", "0 store 1 at 5, 1000 superseded 1 x1"},
       {"0 order, 200 connection_lost, 250 pause, 9000 wait",
        "0 store 1 at 5, 300 superseded 1 x1"},
       // One that is on its way is not given up by a look at another that waits.
       {"0 brief, 0 order, 10 moved 2, 450 ack 1",
        "0 store 1 at 5, 0 store 2 at 6, 10 look, 450 expired 1 x1"},
       {"0 order, 200 pause, 300 resume, 1000 timed_out, 1100 ack",
        "0 store 1 at 5, 1000 store 1 at 5, 1100 send 1"}});
}

TEST(Publisher, AShutdownWaitsForWhatIsInFlightOrGivesItUp) {
  expect_stories(
      parameters(kStream),
      {{"0 finish", "0 finished"},
       {"0 order, 10 finish, 20 ack, 30 ok",
        "0 store 1 at 5, 20 send 1, 30 confirmed 1 x2, 30 finished"},
       {"0 order, 0 order, 10 finish, 20 full 1, 30 full 2",
        "0 store 1 at 5, 0 store 2 at 6, 20 rejected 1 x1, 30 rejected 2 x1, 30 finished"},
       {"0 order, 10 ack, 20 order, 30 finish, 40 abandon, 50 ack 2, 9000 wait",
        "0 store 1 at 5, 10 send 1, 20 store 2 at 6, 40 ambiguous 1 x2, 40 expired 2 x1"}});
}

// --- The circuit breaker: two failures open it for ten seconds -----------------------------------

TEST(Publisher, TheBreakerHoldsOrdersBackAndOneTriesForAll) {
  const std::string open =
      "0 send 1, 0 send 2, 10 no_responders 1 x1, 20 breaker open, "
      "20 no_responders 2 x1, ";
  const std::string failing = "0 order, 0 order, 10 no_responders 1, 20 no_responders 2, ";
  for (const auto& [script, log] : std::vector<Story>{
           {"30 order, 10019 order", "30 circuit_open 3 x0, 10019 circuit_open 4 x0"},
           // The first order after the recovery is the probe.
           {"10020 order, 10030 order, 10040 ok 3, 10050 order",
            "10020 breaker half_open, 10020 send 3, 10030 circuit_open 4 x0, "
            "10040 breaker closed, 10040 confirmed 3 x1, 10050 send 5"},
           {"10020 order, 10030 no_responders 3, 20029 order, 20030 order",
            "10020 breaker half_open, 10020 send 3, 10030 breaker open, "
            "10030 no_responders 3 x1, 20029 circuit_open 4 x0, 20030 breaker half_open, "
            "20030 send 5"},
           // A probe whose end is not known decides nothing, and the next may try.
           {"10020 order, 10030 connection_lost 3, 10040 order",
            "10020 breaker half_open, 10020 send 3, 10030 ambiguous 3 x1, 10040 send 4"},
           {"10020 path disconnected, 10020 order, 10030 path free, 10030 order",
            "10020 breaker half_open, 10020 send 3 disconnected, 10020 disconnected 3 x0, "
            "10030 send 4"},
           // Where no order comes for a second, a round trip tries.
           {"11020 trip ok, 11030 order",
            "10020 breaker half_open, 11020 round trip, 11020 breaker closed, 11030 send 3"},
           {"12020 trip timed_out, 22019 order",
            "10020 breaker half_open, 11020 round trip, 12020 breaker open, "
            "22019 circuit_open 3 x0"},
           {"11500 trip no_responders",
            "10020 breaker half_open, 11020 round trip, 11500 breaker open"},
           {"11500 trip connection_lost, 12020 trip ok",
            "10020 breaker half_open, 11020 round trip, 12020 round trip, 12020 breaker closed"},
           {"11000 path disconnected, 11500 path free, 12020 trip ok",
            "10020 breaker half_open, 11020 round trip disconnected, 12020 round trip, "
            "12020 breaker closed"},
           {"11030 order", "10020 breaker half_open, 11020 round trip, 11030 circuit_open 3 x0"},
       }) {
    EXPECT_EQ(World(parameters(kCore, 2)).play(failing + script), open + log) << script;
  }
}

// An order has one permit for its whole life, and says one thing at its end.
TEST(Publisher, TheBreakerCountsOrdersAndNotAttempts) {
  const DeliveryParameters given = parameters(kStream, 2);
  expect_stories(
      given,
      {{"0 order, 10 no_responders, 120 no_responders, 230 no_responders, 340 ack, 350 ok",
        "0 store 1 at 5, 10 look, 110 store 1 at 5, 120 look, 220 store 1 at 5, 230 look, 330 "
        "store 1 at 5, 340 send 1, "
        "350 confirmed 1 x5"},
       {"0 order, 10 full, 20 order, 30 full 2, 40 order, 50 full 3",
        "0 store 1 at 5, 10 rejected 1 x1, 20 store 2 at 5, 30 rejected 2 x1, 40 store 3 at 5, "
        "50 rejected 3 x1"},
       // Nobody listened, and then nobody knew whether the connection works: it never was stored.
       {"0 order, 0 order, 10 no_responders 1, 10 no_responders 2, 50 path path_unproven, 200 wait",
        "0 store 1 at 5, 0 store 2 at 6, 10 look, 10 look, 110 store 1 at 5 path_unproven, "
        "110 expired 1 x1, 110 store 2 at 5 path_unproven, 110 breaker open, 110 expired 2 x1"},
       // Others were faster until it was too late: nothing is broken.
       {"0 brief, 0 brief, 250 moved 1, 260 moved 2, 9000 wait",
        "0 store 1 at 5, 0 store 2 at 6, 250 look, 260 look, 350 expired 1 x1, 350 expired 2 x1"},
       // The stream has answered, or the log has told: the path works, also where it is too late,
       // paused, held back by others, or another's.
       {"0 order, 0 order, 5000 ack 1, 5000 ack 2",
        "0 store 1 at 5, 0 store 2 at 6, 5000 expired 1 x1, 5000 expired 2 x1"},
       {"0 order, 0 order, 10 pause, 20 ack 1, 20 ack 2",
        "0 store 1 at 5, 0 store 2 at 6, 20 superseded 1 x1, 20 superseded 2 x1"},
       {"0 order, 0 order, 10 copy 1, 10 copy 2, 20 read",
        "0 store 1 at 5, 0 store 2 at 6, 10 look, 10 look, 20 duplicate 1 x1, 20 duplicate 2 x1"},
       {"0 order, 0 order, 10 copy 1, 10 copy 2, 15 block, 20 ours 1, 20 ours 2, 20 read",
        "0 store 1 at 5, 0 store 2 at 6, 10 look, 10 look, 20 superseded 1 x1, "
        "20 superseded 2 x1"},
       {"0 order, 0 order, 10 commit 1, 10 commit 2, 15 block, 300 wait",
        "0 store 1 at 5, 0 store 2 at 6, 110 superseded 1 x1, 110 superseded 2 x1"},
       {"0 order, 0 order, 5 read, 10 moved 1, 10 moved 2, 20 anew, 20 read",
        "0 store 1 at 5, 0 store 2 at 6, 10 look, 10 look, 20 superseded 1 x1, "
        "20 superseded 2 x1"},
       // The first was in the log, and was not known to be: it says nothing of the second.
       {"0 order, 10 space, 20 order, 30 space 2",
        "0 store 1 at 5, 10 rejected 1 x1, 20 store 2 at 5, 30 breaker open, 30 rejected 2 x1"},
       {"0 brief, 0 brief, 250 commit 1, 250 commit 2, 9000 wait",
        "0 store 1 at 5, 0 store 2 at 6, 350 expired 1 x1, 350 breaker open, "
        "350 expired 2 x1, 1350 look"},
       // The log has stored another meanwhile: it works, whatever it says of these two.
       {"0 brief, 0 brief, 250 commit 1, 250 commit 2, 260 order, 270 ack 3, 280 ok 3, 9000 wait",
        "0 store 1 at 5, 0 store 2 at 6, 260 store 3 at 5, 270 send 3, 280 confirmed 3 x2, "
        "350 expired 1 x1, 350 expired 2 x1"}});
}

// An election may take longer than an order lives; the recovery time-out is longer still.
TEST(Publisher, ABreakerThatIsOpenForWantOfTheLogIsTriedWhenThatCanBeReadAgain) {
  const std::string failing = "0 brief, 0 brief, 250 no_responders 1, 250 no_responders 2, ";
  const std::string open =
      "0 store 1 at 5, 0 store 2 at 6, 250 look, 250 look, 350 expired 1 x1, 350 breaker open, "
      "350 expired 2 x1";
  const DeliveryParameters given = parameters(kStream, 2);
  expect_stories(
      given,
      {{(failing + "1300 order, 1400 unreadable, 1450 order, 1500 read, 1510 order, 1520 ack 5, "
                   "1530 ok 5")
            .c_str(),
        (open + ", 1300 circuit_open 3 x0, 1350 look, 1450 circuit_open 4 x0, "
                "1500 breaker half_open, 1510 store 5 at 5, 1520 send 5, 1530 breaker closed, "
                "1530 confirmed 5 x2")
            .c_str()},
       // Once: when it opens again for another reason a reading changes nothing.
       {(failing + "1500 read, 1510 order, 1520 space 3, 1600 read, 1610 order").c_str(),
        (open + ", 1350 look, 1500 breaker half_open, 1510 store 3 at 5, 1520 breaker open, "
                "1520 rejected 3 x1, 1610 circuit_open 4 x0")
            .c_str()},
       // What was read before the second was over counts for nothing.
       {(failing + "400 read, 1340 order").c_str(), (open + ", 1340 circuit_open 3 x0").c_str()}});
}

TEST(Publisher, OnlyAReadingThatHasBegunSinceTriesABreakerThatIsOpenForWantOfTheLog) {
  World world(parameters(kStream, 1));
  world.read_ahead = 1;  // one is under way when it is asked for
  EXPECT_THAT(world.play("0 brief, 250 no_responders, 1400 read, 1410 order, 1500 read"),
              HasSubstr("1350 look, 1410 circuit_open 2 x0, 1500 breaker half_open"));
}

// One failure opens it.
TEST(Publisher, AnOrderThatIsNotStoredInTimeOpensTheBreakerUnlessTheLogWorks) {
  expect_stories(
      parameters(kStream, 1),
      {// It was never sent.
       {"0 path path_unproven, 0 order", "0 store 1 at 5 path_unproven, 0 expired 1 x0"},
       // It was pending, then nobody was there: that the log went on since says nothing.
       {"0 brief, 50 commit, 160 no_responders, 170 stranger, 320 no_responders, 9000 wait",
        "0 store 1 at 5, 150 store 1 at 5, 160 look, 260 store 1 at 6, 320 look, "
        "420 breaker open, 420 expired 1 x3, 1420 look"},
       // The log shows nothing of what was faster.
       {"0 brief, 260 moved, 270 read, 9000 wait",
        "0 store 1 at 5, 260 look, 360 breaker open, 360 expired 1 x1, 1360 look"},
       // Another was faster, and then the broker refused us.
       {"0 brief, 50 moved, 60 stranger, 60 read, 70 denied_unsure, 160 denied_unsure, "
        "270 denied_unsure, 9000 wait",
        "0 store 1 at 5, 50 look, 60 store 1 at 6, 150 store 1 at 6, 260 store 1 at 6, "
        "370 breaker open, 370 expired 1 x4, 1370 look"},
       // Another was faster, and then there was no connection.
       {"0 brief, 0 brief, 10 connection_lost 2, 120 moved 2, 130 stranger, "
        "130 path disconnected, 130 read, 500 wait",
        "0 store 1 at 5, 0 store 2 at 6, 110 store 2 at 5, 120 look, "
        "130 store 2 at 6 disconnected, 220 store 2 at 6 disconnected, "
        "320 store 2 at 6 disconnected, 420 expired 2 x2"},
       // One that opened it is enough to look for the log.
       {"0 brief, 0 brief, 250 no_responders 1, 250 no_responders 2, 9000 wait",
        "0 store 1 at 5, 0 store 2 at 6, 250 look, 250 look, 350 breaker open, "
        "350 expired 1 x1, 350 expired 2 x1, 1350 look"}});
}

TEST(Publisher, KeepsOneTimerForABreakerThatIsNotClosed) {
  World world(parameters(kCore, 1));
  world.play("0 order, 10 no_responders, 500 wait");
  EXPECT_EQ(world.timers(), 1U) << "open";
  world.play("10500 wait");
  EXPECT_EQ(world.timers(), 1U) << "half-open, before the round trip";
  world.play("11500 wait");
  EXPECT_EQ(world.timers(), 1U) << "and after it was sent";
  world.play("11600 trip ok, 30000 wait");
  EXPECT_EQ(world.timers(), 0U) << "closed";
}

TEST(Publisher, WaitsForNoAnswerToAnOrderThatHasEnded) {
  World confirmed(parameters(kCore));
  confirmed.play("0 order, 10 ok");
  EXPECT_EQ(confirmed.awaited(), 0U);
  World expired(parameters(kStream));
  expired.play("0 brief, 260 commit, 400 wait");
  EXPECT_EQ(expired.awaited(), 1U) << "until it comes";
  expired.play("410 ack");
  EXPECT_EQ(expired.awaited(), 0U);
}

// nats-server 2.10 says so of what a leader that is no more had proposed, until the order is too
// old: five seconds in which no other was tried, and one more for the breaker.
TEST(Publisher, AProbeThatIsPendingForASecondIsHandedOn) {
  const std::string failing = "0 brief, 250 no_responders 1, 1360 read, 1400 order, ";
  const std::string open =
      "0 store 1 at 5, 250 look, 350 breaker open, 350 expired 1 x1, 1350 look, "
      "1360 breaker half_open, 1400 store 2 at 5";
  std::string pending;
  std::string asked;
  for (int at = 1410; at < 2400; at += 110) {  // asked again 100 ms after each
    pending += fmt::format("{} zero 2, ", at);
    asked += fmt::format(", {} store 2 at 5", at + 100);
  }
  expect_stories(
      parameters(kStream, 1),
      {{(failing + pending + "2401 order").c_str(),
        (open + asked + ", 2401 circuit_open 3 x0").c_str()},
       {(failing + pending + "2410 order").c_str(), (open + asked + ", 2410 store 3 at 6").c_str()},
       // Where none comes nothing is proven, and the breaker stays as it is.
       {(failing + pending + "2510 zero 2, 2700 wait").c_str(),
        (open + asked + ", 2610 store 2 at 5").c_str()},
       // The next one shows that the log works; how the first one ends no longer matters.
       {(failing + pending +
         "2510 zero 2, 2520 order, 2530 ack 3, 2540 ok 3, 2550 order, 2560 ack 4,"
         " 2570 ok 4, 6310 zero 2, 6500 wait")
            .c_str(),
        (open + asked +
         ", 2520 store 3 at 5, 2530 send 3, 2540 breaker closed, 2540 confirmed 3 x2, "
         "2550 store 4 at 6, 2560 send 4, 2570 confirmed 4 x2, 2610 store 2 at 7, "
         "6410 expired 2 x11")
            .c_str()}});
}

TEST(Publisher, ATradeEngineThatFallsSilentOpensTheBreakerAtOnce) {
  const char* silent =
      "0 order, 10 ok, 20 order, 30 order, 40 order, 1020 timed_out 2, 1030 timed_out 3, "
      "1040 timed_out 4";
  World world(parameters(kCore));
  EXPECT_EQ(world.play(silent),
            "0 send 1, 10 confirmed 1 x1, 20 send 2, 30 send 3, 40 send 4, 1020 unconfirmed 2 x1, "
            "1030 breaker open, 1030 unconfirmed 3 x1, 1040 unconfirmed 4 x1");
  EXPECT_THAT(world.details.at(2), HasSubstr("answers no more"));
  // Not one that has never confirmed, nor on a new connection, nor a stream.
  World unproven(parameters(kCore));
  EXPECT_THAT(unproven.play("0 order, 10 no, 20 order, 1020 timed_out 2, 1030 order, "
                            "2030 timed_out 3, 2040 order, 3040 timed_out 4"),
              Not(HasSubstr("breaker")));
  World renewed(parameters(kCore));
  EXPECT_THAT(renewed.play("0 order, 10 ok, 15 reconnect, 20 order, 30 order, 1020 timed_out 2, "
                           "1030 timed_out 3"),
              Not(HasSubstr("breaker")));
}

TEST(Publisher, SilenceOnOneSubjectSaysNothingOfTheOthers) {
  DeliveryParameters given = parameters(kCore);
  given.subject = "orders.{strategy}";
  World world(given);
  EXPECT_THAT(world.play("0 order, 10 ok, 20 other, 30 other, 1020 timed_out 2, 1030 timed_out 3, "
                         "1040 order, 2040 timed_out 4, 2050 other"),
              Not(HasSubstr("breaker")));
  EXPECT_THAT(world.subjects,
              ElementsAre("orders.orderbook_skew", "orders.trade_momentum", "orders.trade_momentum",
                          "orders.orderbook_skew", "orders.trade_momentum"));
  EXPECT_THAT(world.play("3000 order, 4000 timed_out 6"), HasSubstr("4000 breaker open"));
}

// --- What is sent and reported beside the result -------------------------------------------------

TEST(Publisher, StoresAndSendsTheSameMessage) {
  DeliveryParameters given = parameters(kStream);
  given.subject = "to.{strategy}";
  World world(given);
  world.play("0 order, 1000 timed_out, 1500 ack, 1600 ok");
  ASSERT_EQ(world.payloads.size(), 3U);
  EXPECT_THAT(world.payloads[0], HasSubstr(R"("BTCUSDT")"));
  EXPECT_THAT(world.payloads, testing::Each(world.payloads[0]));
  EXPECT_THAT(world.subjects, ElementsAre("orders.intents", "orders.intents", "to.orderbook_skew"));
  EXPECT_THAT(world.lives, ElementsAre(5000ms, 4000ms, 3500ms));
  EXPECT_THAT(world.first_sent, ElementsAre(SteadyTime(1h)));
  EXPECT_THAT(world.answered_in, ElementsAre(100ms));  // from the last sending
  const Publisher::Status stats = world.publisher.status();
  EXPECT_EQ(stats.repeats, 1U);
  EXPECT_EQ(stats.in_flight, 0U);
}

TEST(Publisher, TellsOfTheFirstAttemptAndCountsThoseToStoreItAgain) {
  World core(parameters(kCore));
  core.play("5 order, 10 odd, 20 odd");
  EXPECT_THAT(core.first_sent, ElementsAre(SteadyTime(1h + 5ms)));
  EXPECT_EQ(core.publisher.status().odd_answers, 2U);
  World stream(parameters(kStream));
  stream.play("0 order, 10 ack");
  EXPECT_EQ(stream.publisher.status().repeats, 0U) << "it was stored and sent";
}

TEST(Publisher, SaysHowFastTheLastAttemptWasAnsweredAndNoEarlierOne) {
  World world(parameters(kStream));
  world.play("0 order, 10 commit, 120 abandon");
  EXPECT_THAT(world.answered_in, ElementsAre(std::nullopt));
}

TEST(Publisher, AnEntryOfTheLogIsWhatWasStoredThereAndNotWhatAStreamSaysOfAForwardedOrder) {
  World core(parameters(kCore));
  core.play("0 order, 20 ack");
  EXPECT_EQ(core.stored, 0);
  World stream(parameters(kStream));
  stream.play("0 order, 10 moved, 15 ack, 20 ack");
  EXPECT_EQ(stream.stored, 1);
}

TEST(Publisher, NoTwoProcessesHaveTheSameNameInTheLog) {
  const World one(parameters(kStream));
  const World other(parameters(kStream));
  EXPECT_EQ(one.publisher.sender().size(), 36U);
  EXPECT_NE(one.publisher.sender(), other.publisher.sender());
}

TEST(Publisher, CarriesTheFramesTraceOrTheEnvelopes) {
  const std::string header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const std::string envelope = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  World world(parameters(kCore));
  Order order;
  order.valid_until = UnixMs(1s);
  order.traceparent = envelope;
  world.publisher.publish(order, header, {}, false);
  world.publisher.publish(order, "not one", {}, false);
  order.traceparent = "nor this";
  world.publisher.publish(order, "", {}, false);
  EXPECT_THAT(world.traceparents, ElementsAre(header, envelope, ""));
}

TEST(Publisher, SaysWhyInWords) {
  struct Row {
    DeliveryMode mode;
    const char* script;
    const char* detail;
  };
  for (const auto& [mode, script, detail] : std::vector<Row>{
           {kCore, "0 order, 10 ok", "status processed"},
           {kCore, "0 order, 10 no", "status error: no margin"},
           {kCore, "0 order, 10 declined", "status processed, result rejected: no margin"},
           {kCore, "0 order, 10 executed", "result executed"},
           {kCore, "0 order, 10 no_responders", "nobody listens on orders"},
           {kCore, "0 order, 10 timed_out", ""},
           {kCore, "0 order, 10 denied", "the broker refuses us the order subject"},
           {kCore, "0 order, 10 denied_unsure", "the broker refuses us the order subject"},
           {kCore, "0 path path_unproven, 0 order",
            "the path to the broker has been unproven for longer than the order is good for"},
           {kCore, "0 path unsendable, 0 order", "the message cannot be sent"},
           {kCore, "0 path disconnected, 0 order", ""},
           {kStream, "0 order, 10 full", "maximum messages (10077)"},
           {kStream, "0 order, 10 pause, 1000 timed_out",
            "what others have stored, or a pause, holds it back by now"},
           {kStream, "0 order, 10 pause, 20 ack", "stored, but paused before it was sent"},
           {kStream, "0 order, 5000 ack", "stored, but not before valid_until"},
           {kStream, "0 brief, 1000 timed_out", "not stored until valid_until"},
           {kStream, "0 known", "another process has stored it"},
           {kStream, "0 order, 10 copy, 20 others 1, 20 read", "another process has stored it"},
           {kStream, "0 order, 10 copy, 20 read",
            "the log knows it, and does not show who has stored it"},
           {kStream, "0 order, 5 read, 10 moved, 20 anew, 20 read",
            "the order log was made anew meanwhile"},
           {kStream, "0 lost, 0 order", "the order log has not been read"},
           {kStream, "0 order, 10 abandon", "shut down before it was stored"},
           {kCore, "0 order, 10 abandon", "shut down before it was answered"}}) {
    World world(parameters(mode));
    world.play(script);
    EXPECT_THAT(world.details, ElementsAre(detail)) << script;
  }
  World headerless(parameters(kCore));
  headerless.takes_headers = false;
  headerless.play("0 path unsendable, 0 order");
  EXPECT_THAT(headerless.details, ElementsAre(HasSubstr("takes no headers")));
}

TEST(Publisher, KnowsOfThePathWhatTheLastOrderFoundOut) {
  struct Row {
    DeliveryMode mode;
    const char* script;
    const char* problem;
    bool tried;
  };
  const char* refused = "the broker refuses us orders; no order has got through since";
  for (const auto& [mode, script, problem, tried] : std::vector<Row>{
           {kCore, "0 order", "", false},
           {kCore, "0 order, 10 ok", "", true},
           {kCore, "0 order, 10 no", "", true},
           {kCore, "0 order, 10 timed_out", "", true},
           {kCore, "0 order, 10 connection_lost", "", false},
           {kCore, "0 order, 10 no_responders", "nobody listens on orders", true},
           {kCore, "0 order, 10 no_responders, 20 order, 30 ok 2", "", true},
           {kCore, "0 order, 10 no_responders, 20 reconnect", "", false},
           {kCore, "0 order, 10 ok, 20 reconnect", "", false},
           {kCore, "0 order, 10 no_responders, 20 change", "nobody listens on orders", true},
           {kCore, "0 order, 10 ok, 20 change", "", true},
           {kCore, "0 order, 10 denied", refused, true},
           {kCore, "0 order, 10 denied, 20 reconnect", refused, true},
           {kCore, "0 order, 10 denied_unsure", refused, true},
           {kCore, "0 path denied, 0 order", refused, true},
           {kCore, "0 order, 10 denied, 20 order, 30 ok 2", "", true},
           {kStream, "0 order, 10 ack", "", false},
           {kStream, "0 order, 10 ack, 20 ok", "", true},
           {kStream, "0 order, 10 no_responders", "", false},
           {kStream, "0 order, 10 ack, 20 no_responders", "nobody listens on orders", true},
           {kStream, "0 order, 10 denied",
            "the order log takes no order: the broker refuses us the order subject", false},
           {kStream, "0 order, 10 full", "", false},  // as it is meant to
           {kStream, "0 order, 10 space",
            "the order log takes no order: no resources (10023): JetStream has no storage left",
            false},
           {kStream, "0 order, 10 space, 20 order, 30 ack 2", "", false},
           {kStream, "0 order, 10 denied, 20 order, 30 ack 2", "", false}}) {
    World world(parameters(mode));
    world.publisher.on_connection_change();
    world.play(script);
    EXPECT_EQ(world.publisher.status().path_problem, problem) << script;
    EXPECT_EQ(world.publisher.status().path_tried, tried) << script;
  }
}

TEST(Publisher, KnowsNothingOfThePathUntilItIsConnectedAnew) {
  World world(parameters(kCore));
  EXPECT_FALSE(world.publisher.status().path_tried) << "at first";
  world.play("0 order, 10 no_responders");
  world.connected = false;
  world.play("20 reconnect");
  EXPECT_TRUE(world.publisher.status().path_tried) << "lost again already";
  world.connected = true;
  world.play("30 change");
  EXPECT_FALSE(world.publisher.status().path_tried);
}

TEST(Publisher, KnowsOfThePathWhatTheBrokerSaysOfItselfWhileItIsConnected) {
  const auto problem = [](bool connected, bool takes_headers, std::int64_t max_payload) {
    World world(parameters(kCore));
    world.connected = connected;
    world.takes_headers = takes_headers;
    world.max_payload = max_payload;
    return world.publisher.status().path_problem;
  };
  EXPECT_THAT(problem(true, false, 2048), HasSubstr("takes no headers"));
  EXPECT_THAT(problem(true, true, 2047),
              AllOf(HasSubstr("2047 bytes a message"), HasSubstr("has up to 2048")));
  EXPECT_EQ(problem(true, true, 2048), "") << "as many as an order has";
  EXPECT_EQ(problem(false, false, 2048), "");
  EXPECT_EQ(problem(false, true, 0), "");
  DeliveryParameters dry = parameters(kCore);
  dry.dry_run = true;
  World idle(dry);
  idle.takes_headers = false;
  EXPECT_EQ(idle.publisher.status().path_problem, "") << "no order has to get through";
}

TEST(Publisher, SaysWhatWouldHoldBackTheNextOrder) {
  World world(parameters(kCore, 1));
  const auto held_by = [&](const char* script) {
    world.play(script);
    return std::string(world.publisher.status().held_by);
  };
  EXPECT_EQ(held_by("0 order, 0 order"), "");
  EXPECT_EQ(held_by("0 order"), "too many are in flight");
  EXPECT_EQ(held_by("10 ok 1"), "");
  EXPECT_EQ(held_by("20 no_responders 2"), "the circuit breaker is open");
  World stored(parameters(kStream));
  stored.play("0 lost");
  EXPECT_EQ(stored.publisher.status().held_by, "the order log has not been read");
  stored.held_back_by = "the control log has not been read";
  EXPECT_EQ(stored.publisher.status().held_by, stored.held_back_by);
}

// --- Readiness: each check alone takes it away

const config::Configuration kConfiguration;
const SymbolTable kSymbols({});
const Counts kCounts(kSymbols);

State healthy(const config::Configuration& configuration = kConfiguration) {
  State made{.configuration = configuration, .counts = kCounts};
  made.nats.connected = made.nats.subscribed = made.nats.answering = true;
  return made;
}

TEST(State, IsReadyOnlyWithEveryCheck) {
  const auto state = [](auto change) {
    State made = healthy();
    change(made);
    return made.ready();
  };
  EXPECT_TRUE(state([](State&) {}));
  EXPECT_FALSE(state([](State& s) { s.nats.connected = false; }));
  EXPECT_FALSE(state([](State& s) { s.nats.subscribed = false; }));
  EXPECT_FALSE(state([](State& s) { s.nats.answering = false; }));
  EXPECT_FALSE(state([](State& s) { s.nats.buffered_bytes = kMaxUnsentOrderBytes; }));
  EXPECT_FALSE(state([](State& s) { s.draining = true; }));
  EXPECT_TRUE(state([](State& s) { s.order_log = LogState{.stream = "ORDERS"}; }));
  EXPECT_FALSE(state([](State& s) { s.order_log = LogState{.problem = "no stream"}; }));
  EXPECT_FALSE(state([](State& s) { s.delivery.path_problem = "nobody listens"; }));
  EXPECT_FALSE(state([](State& s) { s.delivery.breaker = BreakerState::open; }));
  EXPECT_FALSE(state([](State& s) { s.delivery.breaker = BreakerState::half_open; }));
}

// Found by a new user: "orders can be sent" was said with nobody there to take them.
TEST(State, SaysThatOrdersCanBeSentOnlyWhenThatIsKnown) {
  State state = healthy();
  EXPECT_THAT(ready_response(state).body, HasSubstr(R"("detail":"orders can be sent")"));
  state.delivery.path_tried = false;
  EXPECT_TRUE(state.ready());
  EXPECT_THAT(ready_response(state).body, HasSubstr("not known until the first order"));
  EXPECT_THAT(ready_response(state).body, Not(HasSubstr("orders can be sent")));
  state.delivery.path_problem = "nobody listens on orders";
  EXPECT_THAT(ready_response(state).body, HasSubstr(R"("detail":"nobody listens on orders")"));
  config::Configuration dry;
  dry.settings.delivery.dry_run = true;
  EXPECT_THAT(ready_response(healthy(dry)).body,
              HasSubstr(R"("detail":"dry run: no order is sent")"));
}

}  // namespace
}  // namespace rts::service
