#include "service/service.hpp"

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rts/base/version.hpp>
#include <rts/config/render.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>
#include <rts/wire/answer.hpp>

#include "http/server.hpp"
#include "nats/broker.hpp"
#include "nats/client.hpp"
#include "service/nats_transport.hpp"
#include "service/notify.hpp"
#include "service/publisher.hpp"
#include "service/status.hpp"
#include "service/stream_watch.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace rts::service {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using telemetry::Level;

UnixNs wall_clock() noexcept {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// A dozen orders that the socket does not take at once; more would be a queue for later.
constexpr std::size_t kMaxUnsentOrderBytes = std::size_t{16} << 10U;
// What the log shows of what could not be read.
constexpr std::size_t kExcerptBytes = 200;

// Microseconds are enough to read.
double milliseconds(std::optional<std::chrono::nanoseconds> duration) noexcept {
  using Tenths = std::chrono::duration<double, std::ratio<1, 1'000'000>>;
  return duration ? std::round(Tenths(*duration).count()) / 1000 : 0;
}

// What the log says of an order's end.
std::string_view message_of(const OrderReport& report) noexcept {
  switch (report.result) {
    case OrderResult::confirmed:
      return "order confirmed";
    case OrderResult::unconfirmed:
      return "order sent, no answer";
    case OrderResult::duplicate:
      return "order stored before";
    case OrderResult::no_responders:
      return "order lost: nobody listens";
    case OrderResult::rejected:
      return "order rejected";
    case OrderResult::ambiguous:
      return "order sent, fate unknown";
    case OrderResult::dry_run:
      return "order decided, not sent";
    case OrderResult::expired:
    case OrderResult::disconnected:
    case OrderResult::circuit_open:
    case OrderResult::buffer_full:
      break;
  }
  return report.attempts > 0 ? "order not acknowledged in time" : "order not sent";
}

// Of the kinds of orders that these settings allow.
std::chrono::seconds shortest_order_life(const config::Settings& settings) noexcept {
  const bool reduce_only_exist = !settings.enable_shorts;
  return std::chrono::seconds(reduce_only_exist ? std::min(settings.order_ttl_seconds,
                                                           settings.order_ttl_reduce_only_seconds)
                                                : settings.order_ttl_seconds);
}

nats::ClientOptions client_options(const config::Settings& settings) {
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  nats::ClientOptions options = nats::broker_options(settings);
  options.name = fmt::format("{}-{}", settings.consumer_name, host);
  options.subject = settings.consumer_topic;
  options.queue_group = settings.consumer_group;
  options.control_subject = settings.control_topic;
  options.max_buffered_bytes = kMaxUnsentOrderBytes;
  // No order leaves on a path that was last proven longer ago than the order is good for. So that a
  // young one does, even of the kind with the shorter life, a proof is asked for often enough.
  const auto half_life = std::chrono::milliseconds(shortest_order_life(settings)) / 2;
  options.proof_patience = std::min(options.proof_patience, half_life);
  options.heartbeat_interval = std::min(options.heartbeat_interval, options.proof_patience / 2);
  return options;
}

DeliveryParameters delivery_parameters(const config::Settings& settings) {
  DeliveryParameters options;
  options.subject = settings.publisher_topic;
  options.format = config::order_format(settings);
  options.mode = config::delivery_mode(settings);
  options.ack_timeout = std::chrono::milliseconds(settings.order_ack_timeout_ms);
  // An order that is the probe is waited for until its answer can no longer come.
  options.breaker = {
      .failure_threshold = settings.breaker_failure_threshold,
      .recovery_timeout = std::chrono::seconds(settings.breaker_recovery_timeout_seconds),
      .probe_patience = options.ack_timeout + std::chrono::seconds(1)};
  options.silence_limit = settings.order_silence_limit;
  options.dry_run = settings.dry_run;
  return options;
}

StreamNeeds stream_needs(const config::Settings& settings) {
  return {settings.publisher_topic, std::chrono::seconds(settings.cooldown_seconds),
          config::order_life(settings)};
}

class Service {
 public:
  Service(asio::io_context& loop, const config::Configuration& configuration, telemetry::Log& log)
      : loop_(loop),
        configuration_(configuration),
        settings_(configuration.settings),
        log_(log),
        engine_(config::engine_parameters(settings_, Clock::live)),
        metrics_(engine_.symbols(), {.version = kVersion,
                                     .commit = kCommit,
                                     .settings_hash = config::fingerprint(configuration)}),
        client_options_(client_options(settings_)),
        client_(loop, client_options_,
                {.on_messages = [this](auto messages) { on_messages(messages); },
                 .on_control = [this](const auto& message) { on_control(message); },
                 .on_unexpected_reply =
                     [this](std::string_view subject) {
                       log_.write(Level::warning, "unexpected_reply",
                                  "an answer that no order awaits: late, twice or invented",
                                  {{"subject", subject}});
                     },
                 .on_status_message =
                     [this](std::string_view text) {
                       log_.write(Level::warning, "nats_status",
                                  "a broker's own message on a subject of ours",
                                  {{"status", text.substr(0, kExcerptBytes)}});
                     },
                 .on_status_change = [this] { on_status_change(); }}),
        transport_(client_),
        order_clock_(loop),
        publisher_(transport_, order_clock_, delivery_parameters(settings_), publisher_callbacks()),
        stream_watch_(loop, client_, stream_needs(settings_),
                      [this](bool changed) { on_stream_looked(changed); }),
        server_(
            loop,
            {.host = settings_.health_host,
             .port = static_cast<std::uint16_t>(settings_.health_port),
             .on_problem = [this](auto text) { log_.write(Level::error, "http_problem", text); }},
            routes()),
        stop_signals_(loop, SIGINT, SIGTERM),
        user_signals_(loop, SIGUSR1, SIGUSR2),
        shutdown_deadline_(loop),
        notifier_(loop, notify_options_of_environment()) {}

  // False when the HTTP port cannot be opened; that has been logged.
  bool start() {
    if (const auto error = server_.start()) {
      log_.write(Level::error, "http_not_listening", *error);
      return false;
    }
    log_.write(Level::info, "started", "serving probes, metrics and info",
               {{"version", std::string_view(kVersion)},
                {"commit", std::string_view(kCommit)},
                {"environment", std::string_view(settings_.environment)},
                {"http_host", std::string_view(settings_.health_host)},
                {"http_port", static_cast<std::uint64_t>(server_.port())},
                {"consumer_topic", std::string_view(settings_.consumer_topic)},
                {"publisher_topic", std::string_view(settings_.publisher_topic)},
                {"dry_run", settings_.dry_run},
                {"paused", settings_.trading_paused}});
    await_stop_signal();
    await_user_signal();
    client_.start();
    notifier_.ready();
    return true;
  }

  // What the process ends with once the loop has run out of work.
  [[nodiscard]] ExitCode exit_code() const noexcept { return exit_code_; }

 private:
  // --- Frames in, orders out --------------------------------------------------------------------

  void on_messages(std::span<const nats::Message> messages) {
    const UnixNs received_at = wall_clock();
    const auto begun = SteadyClock::now();
    auto before = begun;
    for (const nats::Message& message : messages) {
      const Step step = engine_.step(message.payload, received_at);
      const auto after = SteadyClock::now();
      metrics_.observe_step(after - before);
      tally_.add(step);
      metrics_.observe(step, received_at);
      bool acted = false;
      for (const EventRecord& record : step.events) acted |= act_on(record, message, begun);
      before = acted ? SteadyClock::now() : after;  // orders and lines are not the engine's
    }
  }

  // Whether an order was made or a line was meant to be written.
  bool act_on(const EventRecord& record, const nats::Message& message,
              SteadyClock::time_point received) {
    if (const Reason* reason = record.reason()) {
      if (is_ignored(*reason)) return false;
      log_drop(*reason, record.kind, message.payload);
      return true;
    }
    const Decision& decision = *record.decision();
    publisher_.accepted(decision.at);
    last_event_[static_cast<std::size_t>(record.kind)] = received;
    if (settings_.debug_mode) log_decision(decision);
    if (decision.order) publisher_.publish(*decision.order, message.traceparent, received);
    return settings_.debug_mode || decision.order;
  }

  Publisher::Callbacks publisher_callbacks() {
    return {.is_paused = [this](StrategyId strategy) { return engine_.is_paused(strategy); },
            .on_sent =
                [this](auto received_at) {
                  metrics_.observe_publish(SteadyClock::now() - received_at);
                },
            .on_result = [this](const OrderReport& report) { on_result(report); },
            .on_odd_answer =
                [this](std::string_view answer) {
                  log_.write(Level::warning, "odd_answer",
                             "an answer to an order could not be read",
                             {{"answer", answer.substr(0, kExcerptBytes)}});
                },
            .on_breaker =
                [this](BreakerState state) {
                  const bool closed = state == BreakerState::closed;
                  log_.write_each(closed ? Level::info : Level::error, "circuit_breaker",
                                  closed ? "orders can be sent again" : "orders are held back",
                                  std::array{telemetry::Field{"state", to_string(state)}});
                }};
  }

  void on_result(const OrderReport& report) {
    const StrategyId strategy = report.order.strategy;
    metrics_.count(strategy, report.result);
    ++orders_[index_of(strategy)][static_cast<std::size_t>(report.result)];
    if (report.answered_in) metrics_.observe_answer(*report.answered_in);
    if (needs_stream_ && report.result == OrderResult::no_responders) stream_watch_.look_again();
    log_order(report);
  }

  void log_order(const OrderReport& report) {
    const Order& order = report.order;
    const OrderResult result = report.result;
    const bool arrived = result == OrderResult::confirmed || result == OrderResult::unconfirmed ||
                         result == OrderResult::duplicate || result == OrderResult::dry_run;
    const UuidText id = to_text(order.id);
    const std::string quantity = order.quantity.to_string();
    const std::array fields{telemetry::Field{"order_id", std::string_view(id.data(), id.size())},
                            telemetry::Field{"correlation_id", order.correlation_id},
                            telemetry::Field{"strategy", to_string(order.strategy)},
                            telemetry::Field{"symbol", order.symbol},
                            telemetry::Field{"side", to_string(order.side)},
                            telemetry::Field{"quantity", std::string_view(quantity)},
                            telemetry::Field{"price", order.price.value()},
                            telemetry::Field{"reduce_only", order.reduce_only},
                            telemetry::Field{"result", to_string(result)},
                            telemetry::Field{"attempts", std::int64_t{report.attempts}},
                            telemetry::Field{"detail", report.detail},
                            telemetry::Field{"answer_ms", milliseconds(report.answered_in)}};
    const auto used = std::span(fields).first(fields.size() - (report.answered_in ? 0 : 1));
    log_.write_each(arrived ? Level::info : Level::warning, "order", message_of(report), used);
  }

  void log_decision(const Decision& decision) {
    const auto names = indicator_names(decision.strategy);
    std::vector<telemetry::Field> fields{
        {"strategy", to_string(decision.strategy)},
        {"symbol", engine_.symbols().at(decision.symbol_index).text()},
        {"outcome", to_string(decision.outcome)}};
    for (std::size_t i = 0; i < names.size(); ++i) {
      fields.push_back({names[i], decision.indicators[i].value()});
    }
    log_.write_each(Level::debug, "decision", "event evaluated", fields);
  }

  void log_drop(Reason reason, EventKind kind, std::string_view frame) {
    log_.write_as(to_string(reason), Level::warning, "event_dropped", "an event was dropped",
                  {{"reason", to_string(reason)},
                   {"kind", to_string(kind)},
                   {"frame", frame.substr(0, kExcerptBytes)}});
  }

  void on_control(const nats::Message& message) {
    const auto command = wire::parse_control(message.payload);
    ++control_messages_[static_cast<std::size_t>(!command         ? telemetry::Control::unreadable
                                                 : command->pause ? telemetry::Control::pause
                                                                  : telemetry::Control::resume)];
    if (!command) {
      log_.write(Level::warning, "control_unreadable", "a control message could not be read",
                 {{"message", message.payload.substr(0, kExcerptBytes)}});
      return;
    }
    set_paused(command->pause, command->strategy, settings_.control_topic);
  }

  // The kill switch: frames are still consumed and counted. Whoever turned it is in the log.
  void set_paused(bool paused, std::optional<StrategyId> strategy, std::string_view by) {
    if (strategy) {
      engine_.set_paused(*strategy, paused);
    } else {
      engine_.set_paused(paused);
    }
    log_.write(Level::warning, paused ? "trading_paused" : "trading_resumed",
               paused ? "no orders until resumed" : "orders again",
               {{"strategy", strategy ? to_string(*strategy) : "all"}, {"by", by}});
  }

  void on_stream_looked(bool changed) {
    publisher_.on_stream_looked();
    if (!changed) return;
    const bool fits = stream_watch_.problem().empty();
    log_.write(fits ? Level::info : Level::error, "order_stream",
               fits ? "the stream stores the orders" : stream_watch_.problem(),
               {{"stream", std::string_view(stream_watch_.stream())}});
  }

  void on_status_change() {
    publisher_.on_connection_change();
    if (needs_stream_) stream_watch_.on_connection_change();
    const nats::Status now = client_.status();
    if (now.connected && !before_.connected) {
      log_.write(Level::info, "nats_connected", "connected to the broker",
                 {{"server", std::string_view(now.server)}, {"reconnects", now.reconnects}});
      notifier_.status("connected to " + now.server);
      if (const auto problem = publisher_.path_problem(); !problem.empty()) {
        log_.write(Level::error, "order_path", problem);
      }
    }
    if (!now.connected && before_.connected) {
      log_.write(Level::warning, "nats_disconnected", "the connection is gone; trying again",
                 {{"error", std::string_view(now.last_error)}});
      notifier_.status("not connected to a broker: " + now.last_error);
    }
    if (now.subscribed && !before_.subscribed) {
      log_.write(Level::info, "nats_subscribed", "frames can arrive",
                 {{"subject", std::string_view(settings_.consumer_topic)},
                  {"queue_group", std::string_view(settings_.consumer_group)}});
    }
    if (!now.last_error.empty() && now.last_error != before_.last_error) {
      log_.write(Level::warning, "nats_error", now.last_error);
    }
    before_ = now;
  }

  // --- What people see --------------------------------------------------------------------------

  State state() const {
    const auto now = SteadyClock::now();
    State state;
    state.nats = client_.status();
    state.delivery = publisher_.stats();
    state.path_problem = publisher_.path_problem();
    state.path_tried = publisher_.path_tried();
    state.dry_run = settings_.dry_run;
    if (needs_stream_ && state.path_problem.empty()) state.path_problem = stream_watch_.problem();
    state.draining = draining_;
    for (const StrategyId strategy : kStrategies) {
      state.enabled[index_of(strategy)] = engine_.is_enabled(strategy);
      state.paused[index_of(strategy)] = engine_.is_paused(strategy);
    }
    state.max_buffered_bytes = client_options_.max_buffered_bytes;
    state.uptime_seconds = std::chrono::duration<double>(now - started_).count();
    for (std::size_t kind = 0; kind < state.event_age_seconds.size(); ++kind) {
      if (!last_event_[kind]) continue;
      state.event_age_seconds[kind] =
          std::chrono::duration<double>(now - *last_event_[kind]).count();
    }
    return state;
  }

  telemetry::Snapshot snapshot() const {
    const State now = state();
    const http::Stats http = server_.stats();
    telemetry::Snapshot snapshot;
    snapshot.tally = tally_;
    snapshot.ready = now.ready();
    for (const telemetry::Check check : telemetry::kChecks) {
      snapshot.checks[static_cast<std::size_t>(check)] = now.holds(check);
    }
    snapshot.breaker = now.delivery.breaker;
    snapshot.breaker_entered = now.delivery.breaker_entered;
    snapshot.orders_in_flight = now.delivery.in_flight;
    snapshot.order_repeats = now.delivery.repeats;
    snapshot.odd_answers = now.delivery.odd_answers;
    snapshot.unexpected_answers = now.nats.unexpected_replies;
    snapshot.control_messages = control_messages_;
    snapshot.nats_connected = now.nats.connected;
    snapshot.nats_reconnects = now.nats.reconnects;
    snapshot.nats_dropped_messages = now.nats.messages_dropped_by_library;
    snapshot.nats_status_messages = now.nats.status_messages;
    snapshot.nats_buffered_bytes = now.nats.buffered_bytes;
    snapshot.paused = now.paused;
    snapshot.lost_log_lines = log_.lost_lines();
    snapshot.shortened_log_lines = log_.shortened_lines();
    snapshot.http_connections = http.open;
    for (const std::uint64_t answers : http.answers) snapshot.http_requests += answers;
    return snapshot;
  }

  http::Routes routes() {
    return {
        {"/healthz", [] { return http::Response{.body = R"({"status":"alive"})"}; }},
        {"/ready",
         [this] {
           const State now = state();
           return http::Response{.status = now.ready() ? 200U : 503U, .body = ready_json(now)};
         }},
        {"/metrics",
         [this] {
           return http::Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                                 .body = metrics_.scrape(snapshot())};
         }},
        {"/info", [this] { return http::Response{.body = info_json(state(), configuration_)}; }},
        {"/", [this] {
           return http::Response{.content_type = "text/html",
                                 .body = index_html(state(), configuration_, tally_, orders_)};
         }}};
  }

  // --- Signals and shutdown ---------------------------------------------------------------------

  void await_stop_signal() {
    stop_signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      if (draining_) std::_Exit(128 + signal);  // the second one: at once
      await_stop_signal();
      shut_down(signal);
    });
  }

  // SIGUSR1 pauses, SIGUSR2 resumes.
  void await_user_signal() {
    user_signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      set_paused(signal == SIGUSR1, std::nullopt, signal == SIGUSR1 ? "SIGUSR1" : "SIGUSR2");
      await_user_signal();
    });
  }

  // Not ready → drain the subscription → what is pending is evaluated → answers to orders are
  // awaited → flush → close.
  void shut_down(int signal) {
    draining_ = true;
    notifier_.stopping();
    log_.write(Level::info, "draining", "shutting down",
               {{"signal", static_cast<std::int64_t>(signal)}});
    shutdown_deadline_.expires_after(std::chrono::seconds(settings_.shutdown_timeout_seconds));
    shutdown_deadline_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      log_.write(Level::error, "shutdown_timed_out", "could not drain in time; leaving anyway");
      publisher_.abandon();
      exit_code_ = ExitCode::unavailable;
      loop_.stop();
    });
    client_.drain([this] {
      publisher_.finish([this] { client_.close([this](bool flushed) { finish(flushed); }); });
    });
  }

  void finish(bool flushed) {
    stream_watch_.stop();
    log_.write(Level::info, "stopped", "drained and closed",
               {{"flushed", flushed}, {"frames", tally_.frames()}, {"events", tally_.events()}});
    shutdown_deadline_.cancel();
    notifier_.stop();
    stop_signals_.cancel();
    user_signals_.cancel();
    server_.stop();
    loop_.stop();
  }

  asio::io_context& loop_;
  const config::Configuration& configuration_;
  const config::Settings& settings_;
  telemetry::Log& log_;
  Engine engine_;
  telemetry::Metrics metrics_;
  Tally tally_;
  OrderCounts orders_{};
  nats::ClientOptions client_options_;
  nats::Client client_;
  NatsTransport transport_;
  LoopClock order_clock_;
  Publisher publisher_;
  StreamWatch stream_watch_;
  const bool needs_stream_ =
      config::delivery_mode(settings_) == DeliveryMode::jetstream && !settings_.dry_run;
  std::array<std::uint64_t, telemetry::kControls.size()> control_messages_{};
  http::Server server_;
  asio::signal_set stop_signals_;
  asio::signal_set user_signals_;
  asio::steady_timer shutdown_deadline_;
  Notifier notifier_;
  nats::Status before_;  // as last logged
  bool draining_ = false;
  ExitCode exit_code_ = ExitCode::ok;
  SteadyClock::time_point started_ = SteadyClock::now();
  std::array<std::optional<SteadyClock::time_point>, 3> last_event_;  // by kind
};

telemetry::Log make_log(const config::Settings& settings) {
  const bool text = settings.log_format == "text" ||
                    (settings.log_format == "auto" && ::isatty(STDOUT_FILENO) == 1);
  return {STDOUT_FILENO,
          settings.debug_mode ? Level::debug : telemetry::parse_level(settings.log_level),
          text ? telemetry::LogFormat::text : telemetry::LogFormat::json};
}

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
  telemetry::Log log = make_log(configuration.settings);
  for (const auto* warnings : {&configuration.warnings, &configuration.delivery_warnings}) {
    for (const std::string& warning : *warnings) {
      log.write(Level::warning, "configuration_warning", warning);
    }
  }
  try {
    asio::io_context loop(1);
    Service service(loop, configuration, log);
    if (!service.start()) return ExitCode::unavailable;
    loop.run();
    return service.exit_code();
  } catch (const std::exception& bug) {
    log.write(Level::error, "internal_error", bug.what());
    return ExitCode::internal;
  }
}

}  // namespace rts::service
