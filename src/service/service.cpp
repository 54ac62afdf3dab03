#include "service/service.hpp"

#include <chrono>
#include <csignal>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rts/base/text.hpp>
#include <rts/config/explanation.hpp>
#include <rts/config/render.hpp>
#include <rts/engine/engine.hpp>
#include <rts/wire/answer.hpp>

#include "http/server.hpp"
#include "nats/client.hpp"
#include "service/control_log.hpp"
#include "service/lifecycle.hpp"
#include "service/log_entries.hpp"
#include "service/micro.hpp"
#include "service/narrator.hpp"
#include "service/nats_transport.hpp"
#include "service/publisher.hpp"
#include "service/replicas.hpp"
#include "service/status.hpp"
#include "service/stream_follower.hpp"
#include "telemetry/crash_report.hpp"
#include "telemetry/log.hpp"

namespace rts::service {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

// A broker that shuts down cuts its clients off 10 s after it has said so, unless it is told
// otherwise.
constexpr std::chrono::seconds kLameDuckTimeout{5};
constexpr std::chrono::milliseconds kLameDuckPoll{20};
// So old the status may be that somebody is told.
constexpr std::chrono::milliseconds kToldFor{250};

UnixNs wall_clock() noexcept {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// Of the kinds of orders that these terms allow.
std::chrono::seconds shortest_order_life(const OrderTerms& terms) noexcept {
  return terms.sells == Sells::open_short ? terms.ttl : std::min(terms.ttl, terms.reduce_only_ttl);
}

// As far as limits count it.
CountedOrder counted(const Order& order) noexcept {
  return {order.id, order.strategy, order.signal.side, *Symbol::from(order.symbol), order.at};
}

nats::ClientOptions client_options(const config::Settings& settings, std::string_view micro_name) {
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  nats::ClientOptions options{settings.broker};
  options.subscribes_when_told = true;
  std::ranges::copy(micro_subjects(micro_name), std::back_inserter(options.optional_subjects));
  options.name = fmt::format("{}-{}", settings.broker.consumer_name, host);
  options.max_buffered_bytes = kMaxUnsentOrderBytes;
  if (const std::string& control = settings.broker.control_subject; !control.empty()) {
    options.command_subjects.push_back(control);
  }
  if (uses_order_log(settings)) {
    options.command_subjects.push_back(stored_subject(settings.stream.subject));
  }
  if (const std::string& bucket = settings.broker.control_bucket; !bucket.empty()) {
    options.command_subjects.push_back(bucket_subject(bucket));
  }
  // No order leaves on a path that was last proven longer ago than the order is good for. So that a
  // young one does, even of the kind with the shorter life, a proof is asked for often enough.
  const auto half_life =
      std::chrono::milliseconds(shortest_order_life(settings.engine.defaults.terms)) / 2;
  options.heartbeat_timeout = std::min(options.heartbeat_timeout, half_life);
  options.heartbeat_interval = std::min(options.heartbeat_interval, options.heartbeat_timeout / 2);
  return options;
}

class Service {
 public:
  Service(asio::io_context& loop, const config::Configuration& configuration, telemetry::Log& log,
          Narrator& narrator)
      : configuration_(configuration),
        settings_(configuration.settings),
        log_(log),
        narrator_(narrator),
        engine_(config::engine_parameters(settings_, Clock::live)),
        crash_report_(log_, engine_),
        counts_(engine_.symbols()),
        client_(loop, client_options(settings_, identity_.name), client_callbacks()),
        transport_(loop, client_),
        order_log_(transport_,
                   {.domain = settings_.broker.jetstream_domain,
                    .subject = settings_.stream.subject,
                    .stream = {}},
                   order_log_callbacks()),
        control_log_(transport_,
                     {configuration_, engine_, narrator_, counts_,
                      [this] {
                        told_.at = {};
                        subscribe_once_logs_are_read();
                      }},
                     uses_order_log_),
        publisher_(transport_, order_log_, settings_.delivery, publisher_callbacks(), identity_.id),
        server_(loop,
                {.host = settings_.server.host,
                 .port = settings_.server.port,
                 .on_problem = [this](auto text) { narrator_.http_problem(text); }},
                routes()),
        user_signals_(loop, SIGUSR1, SIGUSR2),
        lame_duck_timer_(loop),
        subscribe_timer_(loop),
        notifier_(loop),
        lifecycle_({loop, client_, publisher_, server_, notifier_, narrator_, counts_.tally},
                   settings_.shutdown_timeout) {
    for (const StrategyId id : all_of<StrategyId>) {
      if (!settings_.engine.paused) break;
      counts_.history.add_pause(History::Switch::process, id, true, "TRADING_PAUSED at the start");
    }
    await_user_signal();
  }

  ExitCode run() { return lifecycle_.run(); }

 private:
  // --- Frames in, orders out --------------------------------------------------------------------

  void on_messages(std::span<const nats::Message> messages) {
    const UnixNs received_at = wall_clock();
    const auto begun = SteadyClock::now();
    auto before = begun;
    for (const nats::Message& message : messages) {
      const Step step = engine_.step(message.payload, received_at);
      const auto after = SteadyClock::now();
      counts_.step_duration.observe(after - before);
      counts_.add(step, received_at, begun);
      bool took_time = false;  // for orders and log lines, which are not the engine's time
      for (const EventRecord& record : step.events) took_time |= handle(record, message, begun);
      before = took_time ? SteadyClock::now() : after;
    }
  }

  // Whether an order was made or a line was meant to be written.
  bool handle(const EventRecord& record, const nats::Message& message,
              SteadyClock::time_point received) {
    if (const Reason* reason = record.reason()) {
      if (is_ignored(*reason)) return false;
      narrator_.event_dropped(*reason, record.kind, message.payload);
      return true;
    }
    const Decision& decision = *record.decision();
    publisher_.accepted(decision.at);
    if (settings_.log.decisions) narrate(record);
    if (decision.order) {
      publisher_.publish(*decision.order, message.traceparent, received, decision.in_log);
    }
    return settings_.log.decisions || decision.order;
  }

  void narrate(const EventRecord& record) {
    const Decision& decision = *record.decision();
    History::Found found{engine_.symbols().at(decision.symbol_index), {}};
    describe(record, found.decision);
    found.decision.number = counts_.history.newest();  // it is among those of the present frame
    const UnixMs now = to_ms(wall_clock());
    narrator_.decision(
        decision, found.symbol.text(),
        config::sentence(found, {configuration_, counts_.history.paused_by(found.decision),
                                 live_values(control_log_.revisions(now), now)}));
  }

  Publisher::Callbacks publisher_callbacks() {
    return {
        .held_back_by = [this] { return control_log_.holds_back(); },
        .is_paused = [this](StrategyId strategy) { return engine_.is_paused(strategy); },
        .passes_still = [this](const Order& order) { return engine_.passes_still(counted(order)); },
        .on_stored =
            [this](const Order& order, std::uint64_t sequence) {
              engine_.hear(counted(order));
              order_log_.advance(sequence);
            },
        .on_sent =
            [this](auto received_at) {
              counts_.receive_to_publish.observe(SteadyClock::now() - received_at);
            },
        .on_result = [this](const OrderReport& report) { on_result(report); },
        .on_odd_answer = [this](std::string_view answer) { narrator_.odd_answer(answer); },
        .on_breaker = [this](BreakerState state) { narrator_.breaker_changed(state); }};
  }

  void on_result(const OrderReport& report) {
    ++counts_.orders[index_of(report.order.strategy)][index_of(report.result)];
    counts_.history.add(report.order, report.result);
    if (report.answered_in) counts_.order_answer.observe(*report.answered_in);
    narrator_.order(report);
  }

  // --- The order log ----------------------------------------------------------------------------

  StreamFollower::Callbacks order_log_callbacks() {
    return {.check = [this](const StreamFacts& facts) { return fit_of(facts); },
            .on_entry = [this](const wire::StoredMessage& entry) { on_log_entry(entry); },
            .on_looked =
                [this](bool is_read, bool changed) {
                  if (is_read) publisher_.on_log_read(order_log_.reading());
                  if (changed) {
                    narrator_.log_looked("order_log", order_log_.stream(), order_log_.problem());
                  }
                  if (order_log_.missing_for() >= StreamFollower::kSilenceLimit) {
                    client_.move_on("the order log does not answer there");
                  }
                  subscribe_once_logs_are_read();
                }};
  }

  StreamFollower::Fit fit_of(const StreamFacts& facts) const {
    auto problems = stream_problems(settings_.stream, facts);
    // Purged before we had read it, and young enough to matter: what it has forgotten we cannot
    // know, so until it would not count any more no order leaves here.
    const bool is_purged = facts.last_sequence > order_log_.last() &&
                           facts.first_sequence > facts.last_sequence &&
                           counts_until(settings_.stream, facts.last_stored_at) > wall_clock();
    if (is_purged) {
      problems.emplace_back(
          "it was emptied, and what it held counts still: orders leave again when the last one's "
          "cooldown and UTC day are over, or when it is deleted and provisioned anew");
    }
    return {fmt::format("{}", fmt::join(problems, "; ")),
            !is_purged && !delivers_twice(settings_.stream, facts)};
  }

  void on_log_entry(const wire::StoredMessage& entry) {
    const auto order = order_in(entry);
    if (!order) {
      ++counts_.odd_log_entries;
      return narrator_.odd_log_entry(entry);
    }
    engine_.hear(*order);
    publisher_.on_log_entry(order->id, entry.header("Rts-Sender"));
  }

  // What the stream republishes is a hint, for anybody can send there. What we have sent ourselves
  // the acknowledgement tells.
  void on_stored_elsewhere(const nats::Message& message) {
    if (nats::header(message, "Rts-Sender") == publisher_.sender()) return;
    const auto sequence = parse_as<std::uint64_t>(nats::header(message, "Nats-Sequence"));
    if (sequence) order_log_.hint(*sequence);
  }

  // --- Control ----------------------------------------------------------------------------------

  void on_command(const nats::Message& message) {
    if (message.subject == settings_.broker.control_subject) return on_control(message);
    if (message.subject.starts_with(kMicroPrefix)) {
      const auto verb = micro_verb(message.subject, identity_);
      if (verb) answer(message, micro_answer(*verb, identity_, state()));
      return;
    }
    if (message.subject == stored_subject(settings_.stream.subject)) {
      return on_stored_elsewhere(message);
    }
    control_log_.hint();
  }

  void on_control(const nats::Message& message) {
    const auto command = wire::parse_control(message.payload);
    ++counts_.control_messages[index_of(!command         ? Control::unreadable
                                        : command->pause ? Control::pause
                                                         : Control::resume)];
    if (command) {
      set_paused(command->pause, command->strategy, settings_.broker.control_subject);
    } else {
      narrator_.control_unreadable(message.payload);
    }
    answer(message, control_answer(state(), command.has_value()));
  }

  // Who asks wants to know. No answer goes where it could be taken for an order.
  void answer(const nats::Message& question, std::string_view text) {
    if (!question.reply_to.starts_with("_INBOX.")) return;
    (void)client_.publish({question.reply_to, text});
  }

  // SIGUSR1 pauses, SIGUSR2 resumes.
  void await_user_signal() {
    user_signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      set_paused(signal == SIGUSR1, std::nullopt, signal == SIGUSR1 ? "SIGUSR1" : "SIGUSR2");
      await_user_signal();
    });
  }

  // While paused, frames are still read and counted.
  void set_paused(bool paused, std::optional<StrategyId> strategy, std::string_view by) {
    told_.at = {};
    for (const StrategyId id : all_of<StrategyId>) {
      if (strategy && id != *strategy) continue;
      engine_.set_paused(id, paused);
      counts_.history.add_pause(History::Switch::process, id, paused, by);
    }
    narrator_.paused(paused, strategy, by);
    const bool is_held = strategy ? engine_.is_paused(*strategy)
                                  : std::ranges::any_of(all_of<StrategyId>, [this](auto id) {
                                      return engine_.is_paused(id);
                                    });
    if (!paused && is_held) narrator_.paused_still(by);
  }

  // --- The broker -------------------------------------------------------------------------------

  nats::Client::Callbacks client_callbacks() {
    return {.on_messages = [this](auto messages) { on_messages(messages); },
            .on_command = [this](const auto& message) { on_command(message); },
            .on_unexpected_reply = [this](auto subject) { narrator_.unexpected_reply(subject); },
            .on_status_message = [this](auto text) { narrator_.status_message(text); },
            .on_status_change = [this] { on_status_change(); }};
  }

  void on_status_change() {
    told_.at = {};
    publisher_.on_connection_change();
    if (uses_order_log_) order_log_.on_connection_change();
    control_log_.on_connection_change();
    subscribe_once_logs_are_read();
    const nats::Status now = client_.status();
    narrator_.broker(before_, now, publisher_.status().path_problem);
    if (now.connected != before_.connected) {
      if (now.connected) subscribe_in_any_case();
      notifier_.status(now.connected ? "connected to " + now.server
                                     : "not connected to a broker: " + now.last_error);
    }
    if (now.lame_duck && !before_.lame_duck) leave_lame_duck(SteadyClock::now());
    before_ = now;
  }

  // What came before would be decided on without them, and its orders held back; in a queue group
  // another replica takes it. Where a log cannot be read in time, frames are taken all the same, so
  // that the windows are warm when it can.
  void subscribe_once_logs_are_read() {
    const bool has_looked = !uses_order_log_ || order_log_.has_looked();
    if (client_.status().refused || (has_looked && control_log_.has_looked())) client_.subscribe();
  }

  void subscribe_in_any_case() {
    subscribe_timer_.expires_after(StreamFollower::kSilenceLimit);
    subscribe_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) client_.subscribe();
    });
  }

  // The broker waits some seconds before it cuts its clients off. Orders under way get their
  // answers first.
  void leave_lame_duck(SteadyClock::time_point since) {
    if (publisher_.status().in_flight == 0 || SteadyClock::now() - since > kLameDuckTimeout) {
      return client_.move_on("the broker shuts down");
    }
    lame_duck_timer_.expires_after(kLameDuckPoll);
    lame_duck_timer_.async_wait([this, since](boost::system::error_code error) {
      if (!error && client_.status().lame_duck) leave_lame_duck(since);
    });
  }

  // --- What people see --------------------------------------------------------------------------

  State state() const {
    State state{.configuration = configuration_,
                .counts = counts_,
                .at = SteadyClock::now(),
                .now = to_ms(wall_clock()),
                .nats = client_.status(),
                .delivery = publisher_.status(),
                .http = server_.stats(),
                .draining = lifecycle_.draining(),
                .uptime = SteadyClock::now() - started_,
                .lost_log_lines = log_.lost_lines(),
                .shortened_log_lines = log_.shortened_lines()};
    if (uses_order_log_) {
      state.order_log = {.stream = order_log_.stream(),
                         .problem = order_log_.problem(),
                         .last_sequence = order_log_.last()};
    }
    state.control_log = control_log_.state();
    state.revisions = control_log_.revisions(state.now);
    state.replicas = replicas_.seen();
    state.discovery = replicas_.discovery();
    state.id = identity_.id;
    state.settings_hash = hash_of(state);
    for (const StrategyId strategy : all_of<StrategyId>) {
      state.enabled[index_of(strategy)] = engine_.is_enabled(strategy);
      state.paused[index_of(strategy)] = engine_.is_paused(strategy);
    }
    return state;
  }

  // It walks all settings and instruments: once for each revision.
  std::string_view hash_of(const State& state) const {
    const TakenSettings* const in_force = state.in_force();
    const auto key = in_force == nullptr
                         ? std::pair<std::uint64_t, UnixMs>()
                         : std::pair(in_force->sequence, in_force->value.effective_from);
    if (std::exchange(hashed_, key) != key) {
      settings_hash_ = config::fingerprint(configuration_, state.live_values());
    }
    return settings_hash_;
  }

  State scraped() const {
    State now = state();
    now.process = telemetry::read_process_usage();
    return now;
  }

  http::Routes routes() {
    return {
        {"/healthz", [](auto&) { return http::Response{.body = R"({"status":"alive"})"}; }},
        {"/ready", [this](auto&) { return ready_response(state()); }},
        {"/metrics",
         [this](auto&) {
           return http::Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                 .body = telemetry::to_text(metrics_)};
         }},
        {"/info", [this](auto&) { return info_response(state()); }},
        {"/decisions", [this](auto& query) { return decisions_response(state(), query.text); }},
        {"/events",
         [this](auto& query) { return events_response(query, counts_.symbols, status_of()); }},
        {"/", [this](auto& query) { return index_response(query, counts_.symbols, status_of()); }}};
  }

  // Who looks at the same symbol within a moment is told the same: many pages cost hardly more than
  // one.
  StatusOf status_of() {
    return [this](const std::optional<Symbol>& watched) {
      const auto now = SteadyClock::now();
      if (now - told_.at > kToldFor || told_.watched != watched) {
        replicas_.look(now);
        told_ = {now, watched, status_document(state(), watched)};
      }
      return told_.document;
    };
  }

  const config::Configuration& configuration_;
  const config::Settings& settings_;
  const telemetry::Log& log_;
  Narrator& narrator_;
  Engine engine_;
  telemetry::CrashReport crash_report_;
  Counts counts_;
  const MicroIdentity identity_{nats::subject_safe(settings_.broker.consumer_name),
                                new_process_id()};
  nats::Client client_;
  Replicas replicas_{client_, micro_ping_subject(identity_.name)};
  NatsTransport transport_;
  const bool uses_order_log_ = uses_order_log(settings_);
  StreamFollower order_log_;
  ControlLog control_log_;
  Publisher publisher_;
  mutable std::pair<std::uint64_t, UnixMs> hashed_{};  // the revision that settings_hash_ is of
  mutable std::string settings_hash_ = config::fingerprint(configuration_);
  const telemetry::Collector<State> metrics_{metrics_table(), [this] { return scraped(); }};
  http::Server server_;
  asio::signal_set user_signals_;
  asio::steady_timer lame_duck_timer_, subscribe_timer_;
  Notifier notifier_;
  Lifecycle lifecycle_;
  nats::Status before_;  // as last logged
  struct Told {
    SteadyTime at{};
    std::optional<Symbol> watched{};
    std::string document{};
  };
  Told told_;
  const SteadyClock::time_point started_ = SteadyClock::now();
};

// Credentials are in our memory and environment: neither a core dump nor another process of the
// same user may show them. Sanitizers have to look into us.
void keep_memory_private() {
#ifndef RTS_SANITIZED
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

// What a burst of frames has taken of the heap is kept for the next one: given back to the system
// after every few hundred frames, it would have to be asked for again, page by page.
void keep_memory_for_bursts() {
#ifdef __GLIBC__
  constexpr int kKeptBytes = 2 << 20;
  ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  ::mallopt(M_MMAP_THRESHOLD, kKeptBytes);  // the largest frame is of the heap, too
#endif
}

}  // namespace

ExitCode run(const config::Configuration& configuration) {
  keep_memory_private();
  keep_memory_for_bursts();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  const config::LogParameters& logged = configuration.settings.log;
  telemetry::Log log(STDOUT_FILENO, logged.level, logged.format);
  Narrator narrator(log, configuration.settings);
  for (const auto* warnings : {&configuration.warnings, &configuration.delivery_warnings}) {
    for (const std::string& warning : *warnings) narrator.configuration_warning(warning);
  }
  try {
    asio::io_context loop(1);
    return Service(loop, configuration, log, narrator).run();
  } catch (const std::exception& bug) {
    narrator.internal_error(bug.what());
    return ExitCode::internal;
  }
}

}  // namespace rts::service
