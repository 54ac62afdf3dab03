#include "app/service.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <rts/engine/engine.hpp>
#include <rts/engine/tally.hpp>

#include "app/publisher.hpp"
#include "app/status.hpp"
#include "app/version.hpp"
#include "http/server.hpp"
#include "nats/client.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace rts::app {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;
using telemetry::Level;
using telemetry::OrderResult;

UnixNs wall_clock() noexcept {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// A dozen orders that the socket does not take at once; more would be a queue for later.
constexpr std::size_t kMaxUnsentOrderBytes = std::size_t{16} << 10U;

nats::ClientOptions client_options(const config::Settings& settings) {
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  nats::ClientOptions options;
  options.urls = settings.nats_urls;
  options.name = fmt::format("{}-{}", settings.consumer_name, host);
  options.subject = settings.consumer_topic;
  options.queue_group = settings.consumer_group;
  options.max_buffered_bytes = kMaxUnsentOrderBytes;
  return options;
}

class Service {
 public:
  Service(asio::io_context& loop, const config::Configuration& configuration, telemetry::Log& log)
      : loop_(loop),
        configuration_(configuration),
        settings_(configuration.settings),
        log_(log),
        engine_(config::engine_parameters(settings_, Clock::live)),
        metrics_(engine_.symbols(), kVersion, kCommit),
        client_options_(client_options(settings_)),
        client_(loop, client_options_,
                {.on_messages = [this](auto messages) { on_messages(messages); },
                 .on_status_change = [this] { on_status_change(); }}),
        publisher_(client_,
                   {settings_.publisher_topic, config::order_format(settings_), settings_.dry_run}),
        server_(
            loop,
            {.host = settings_.health_host,
             .port = static_cast<std::uint16_t>(settings_.health_port),
             .on_problem = [this](auto text) { log_.write(Level::error, "http_problem", text); }},
            routes()),
        stop_signals_(loop, SIGINT, SIGTERM),
        user_signals_(loop, SIGUSR1, SIGUSR2),
        shutdown_deadline_(loop) {}

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
    return true;
  }

  // What the process ends with once the loop has run out of work.
  [[nodiscard]] ExitCode exit_code() const noexcept { return exit_code_; }

 private:
  // --- Frames in, orders out
  // -----------------------------------------------------------------------

  void on_messages(std::span<const nats::Message> messages) {
    const UnixNs received_at = wall_clock();
    const auto begun = SteadyClock::now();
    auto before = begun;
    for (const nats::Message& message : messages) {
      const Step step = engine_.step(message.payload, received_at);
      const auto after = SteadyClock::now();
      metrics_.observe_step(after - before);
      before = after;
      take(step, received_at);
      for (const EventRecord& record : step.events) act_on(record, message, begun);
    }
  }

  void take(const Step& step, UnixNs received_at) {
    metrics_.count(step, received_at);
    tally_.add(step);
  }

  void act_on(const EventRecord& record, const nats::Message& message,
              SteadyClock::time_point received) {
    if (const Reason* reason = record.reason()) {
      if (!is_ignored(*reason)) log_drop(*reason, record.kind, message.payload);
      return;
    }
    const Decision& decision = *record.decision();
    last_event_[static_cast<std::size_t>(record.kind)] = received;
    if (settings_.debug_mode) log_decision(decision);
    if (decision.order) send(*decision.order, message, received);
  }

  void send(const Order& order, const nats::Message& message, SteadyClock::time_point received) {
    const OrderResult result = publisher_.publish(order, to_ms(wall_clock()), message.traceparent);
    metrics_.count(order.strategy, result);
    ++orders_[index_of(order.strategy)][static_cast<std::size_t>(result)];
    if (result == OrderResult::unconfirmed) metrics_.observe_publish(SteadyClock::now() - received);
    log_order(order, result);
  }

  void log_order(const Order& order, OrderResult result) {
    const bool sent = result == OrderResult::unconfirmed || result == OrderResult::dry_run;
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
                            telemetry::Field{"result", telemetry::to_string(result)}};
    log_.write_each(sent ? Level::info : Level::warning, "order",
                    sent ? "order sent" : "order not sent", fields);
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
    constexpr std::size_t kExcerptBytes = 200;
    log_.write_as(to_string(reason), Level::warning, "event_dropped", "an event was dropped",
                  {{"reason", to_string(reason)},
                   {"kind", to_string(kind)},
                   {"frame", frame.substr(0, kExcerptBytes)}});
  }

  void on_status_change() {
    const nats::Status now = client_.status();
    if (now.connected && !before_.connected) {
      log_.write(Level::info, "nats_connected", "connected to the broker",
                 {{"server", std::string_view(now.server)}, {"reconnects", now.reconnects}});
    }
    if (!now.connected && before_.connected) {
      log_.write(Level::warning, "nats_disconnected", "the connection is gone; trying again",
                 {{"error", std::string_view(now.last_error)}});
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

  // --- What people see
  // -----------------------------------------------------------------------------

  State state() const {
    const auto now = SteadyClock::now();
    State state;
    state.nats = client_.status();
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
    snapshot.ready = now.ready();
    snapshot.nats_connected = now.nats.connected;
    snapshot.nats_reconnects = now.nats.reconnects;
    snapshot.nats_dropped_messages = now.nats.messages_dropped_by_library;
    snapshot.nats_buffered_bytes = now.nats.buffered_bytes;
    snapshot.paused = now.paused;
    snapshot.lost_log_lines = log_.lost_lines();
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

  // --- Signals and shutdown
  // ------------------------------------------------------------------------

  void await_stop_signal() {
    stop_signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      if (draining_) std::_Exit(128 + signal);  // the second one: at once
      await_stop_signal();
      shut_down(signal);
    });
  }

  // SIGUSR1 pauses, SIGUSR2 resumes: frames are still consumed and counted.
  void await_user_signal() {
    user_signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) return;
      const bool pause = signal == SIGUSR1;
      engine_.set_paused(pause);
      log_.write(Level::warning, pause ? "trading_paused" : "trading_resumed",
                 pause ? "SIGUSR1: no orders until resumed" : "SIGUSR2: orders again");
      await_user_signal();
    });
  }

  // Not ready → drain the subscription → what is pending is evaluated → flush → close.
  void shut_down(int signal) {
    draining_ = true;
    log_.write(Level::info, "draining", "shutting down",
               {{"signal", static_cast<std::int64_t>(signal)}});
    shutdown_deadline_.expires_after(std::chrono::seconds(settings_.shutdown_timeout_seconds));
    shutdown_deadline_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      log_.write(Level::error, "shutdown_timed_out", "could not drain in time; leaving anyway");
      exit_code_ = ExitCode::unavailable;
      loop_.stop();
    });
    client_.drain([this] { client_.close([this](bool flushed) { finish(flushed); }); });
  }

  void finish(bool flushed) {
    log_.write(Level::info, "stopped", "drained and closed",
               {{"flushed", flushed}, {"frames", tally_.frames()}, {"events", tally_.events()}});
    shutdown_deadline_.cancel();
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
  Publisher publisher_;
  http::Server server_;
  asio::signal_set stop_signals_;
  asio::signal_set user_signals_;
  asio::steady_timer shutdown_deadline_;
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

}  // namespace

ExitCode run(const config::Configuration& configuration) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  telemetry::Log log = make_log(configuration.settings);
  for (const std::string& warning : configuration.warnings) {
    log.write(Level::warning, "configuration_warning", warning);
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

}  // namespace rts::app
