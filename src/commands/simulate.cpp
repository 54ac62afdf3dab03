// `simulate`: plays the market (and watches what the TradeEngine would get) so that the service can
// be seen at work without an exchange.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/ranges.h>

#include <rts/config/broker_url.hpp>
#include <rts/trading/order_subject.hpp>
#include <rts/wire/answer.hpp>

#include "commands/output.hpp"
#include "commands/packed_file.hpp"
#include "nats/client.hpp"
#include "simulation/market.hpp"

namespace rts::commands {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

struct Plan {
  std::uint64_t seed;
  std::uint64_t frames;  // 0 = for ever
  std::uint64_t rate;    // frames a second
  UnixMs start;
  bool shows_orders, as_json;
  std::string broker_id;  // empty: any broker
};

// Whether the receive time of every frame can be written.
bool ends_in_time(const Plan& plan) {
  constexpr UnixMs kFirstStart{std::chrono::seconds(1)};
  // Receive times are nanoseconds in 63 bits: they end on 2262-04-11.
  constexpr auto kLastSecond = std::chrono::floor<std::chrono::seconds>(UnixNs::max());
  const auto left = (kLastSecond - std::chrono::ceil<std::chrono::seconds>(plan.start)).count();
  return plan.start >= kFirstStart && left > 0 &&
         plan.frames / plan.rate < static_cast<std::uint64_t>(left);
}

Plan parse_plan(const Invocation& invocation) {
  const auto number = [&](std::string_view name, std::uint64_t fallback, Range range) {
    return invocation.whole_number(name, range).value_or(fallback);
  };
  const std::string start_text = invocation.option("start").value_or("2024-07-19T00:00:00Z");
  const auto start = parse_iso8601(start_text);
  Plan plan{.seed = number("seed", 1, {}),
            .frames = number("frames", invocation.has("output") ? 10'000 : 0, {}),
            .rate = number("rate", 200, {1, 1'000'000}),
            .start = start.value_or(UnixMs{}),
            .shows_orders = invocation.has("show-orders"),
            .as_json = invocation.has("json"),
            .broker_id = invocation.option("broker-id").value_or("")};
  require(start.has_value(), "--start takes a time as 2024-07-19T00:00:00Z, not '{}'", start_text);
  require(ends_in_time(plan),
          "--start is from 1970-01-01T00:00:01Z on, and the last frame before 2262-04-11");
  return plan;
}

std::vector<Symbol> symbols_of(const config::Settings& settings) {
  const auto& symbols = settings.engine.symbols;
  return symbols.empty() ? config::Settings{}.engine.symbols : symbols;  // all: the default ones
}

// Throws CommandError unless the user says that made-up frames may be published: a service that
// listens at the broker trades on them. SIMULATE_ON_REAL_BROKER says so, or the broker's id.
void require_consent(const Plan& plan, const config::Settings& settings) {
  require(settings.broker.subject.find_first_of("*>") == std::string::npos,
          "cannot publish to NATS_CONSUMER_TOPIC={} with wildcards", settings.broker.subject);
  const char* const meant = std::getenv("SIMULATE_ON_REAL_BROKER");
  if (!plan.broker_id.empty() || (meant != nullptr && std::string_view(meant) == "yes")) return;
  std::vector<std::string> urls;
  for (const Secret& url : settings.broker.urls) {
    urls.push_back(config::without_userinfo(url.reveal()));
  }
  throw CommandError(
      ExitCode::configuration,
      "refused: whoever listens on {} at {} would trade on a made-up market. "
      "SIMULATE_ON_REAL_BROKER=yes says that this is meant; `make run-local` starts a "
      "broker of its own; --output FILE publishes nothing.",
      settings.broker.subject, fmt::join(urls, ","));
}

// A recording: the frames with their receive times, as fast as they can be written.
ExitCode write_recording(const Plan& plan, const config::Settings& settings, PackedFile file) {
  simulation::Market market(symbols_of(settings), plan.seed);
  for (std::uint64_t i = 0; i < plan.frames && !file.failed(); ++i) {
    // In two parts, for i x 10^9 would not fit.
    const UnixNs at = plan.start + std::chrono::seconds(i / plan.rate) +
                      std::chrono::nanoseconds(i % plan.rate * 1'000'000'000 / plan.rate);
    file.write(fmt::format("{} {}\n", at.time_since_epoch().count(), market.next_frame(to_ms(at))));
  }
  return file.finish() ? ExitCode::ok : ExitCode::output_lost;
}

UnixNs now() {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

nats::ClientOptions client_options(const Plan& plan, const config::Settings& settings) {
  nats::ClientOptions options{settings.broker};
  options.name = "realtime-strategies-simulate";
  options.subject = plan.shows_orders ? order_subject(settings.delivery.subject, "*") : "";
  options.queue_group.clear();
  options.control_subject.clear();
  return options;
}

// Publishes at a steady rate until a signal or the last frame; what the service answers is printed.
class Broadcast {
 public:
  Broadcast(const Plan& plan, const config::Settings& settings)
      : plan_(plan),
        // A service that still knows an earlier simulation's ids would take the same for old.
        market_(symbols_of(settings), plan.seed,
                static_cast<std::uint64_t>(now().time_since_epoch().count())),
        subject_(settings.broker.subject),
        order_subjects_(order_subjects(settings.delivery.subject)),
        client_(loop_, client_options(plan, settings),
                {.on_messages = [this](auto orders) { show(orders); },
                 .on_status_change = [this] { on_status_change(); }}),
        ticks_(loop_),
        signals_(loop_, SIGINT, SIGTERM) {}

  ExitCode run() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) stop(ExitCode::ok);
    });
    client_.start();
    loop_.run();
    return *result_;
  }

 private:
  static constexpr std::chrono::milliseconds kTick{5};

  void show(std::span<const nats::Message> orders) {
    for (const nats::Message& order : orders) {
      // Where each strategy has a subject, the wildcard also brings what others publish.
      if (std::ranges::count(order_subjects_, order.subject) == 0) continue;
      print_out("{}\n",
                plan_.as_json ? std::string(order.payload) : wire::order_text(order.payload));
      // After each one: a signal interrupts a short write to a pipe that is full, not a long one.
      if (!standard_output_arrived()) return stop(ExitCode::output_lost);
    }
  }

  void on_status_change() {
    const nats::Status status = client_.status();
    if (status.connected && !plan_.broker_id.empty() && status.server_id != plan_.broker_id) {
      // Also when the right one has gone and another broker has its port.
      print_error("simulate: refused: {} is not the broker with the id {}\n", status.server,
                  plan_.broker_id);
      stop(ExitCode::configuration);
    } else if (status.subscribed && !begun_) {
      begun_ = SteadyClock::now();
      print_error("simulate: a made-up market, {} frames/s, to {} at {}{}\n", plan_.rate, subject_,
                  status.server, plan_.broker_id.empty() ? ": whoever listens there gets it" : "");
      tick();
    } else if (!begun_ && status.last_error != last_error_) {
      last_error_ = status.last_error;
      print_error("simulate: no broker yet: {}\n", last_error_);
    }
  }

  void tick() {
    const std::chrono::duration<double> elapsed = SteadyClock::now() - *begun_;
    auto due = static_cast<std::uint64_t>(elapsed.count() * static_cast<double>(plan_.rate));
    if (plan_.frames > 0) due = std::min(due, plan_.frames);
    const UnixMs at = to_ms(now());
    for (; sent_ < due; ++sent_) {
      // A frame that cannot be sent is a gap, as at the exchange.
      const auto result = client_.publish({subject_, market_.next_frame(at)});
      if (result != nats::PublishResult::sent) ++missed_;
    }
    if (plan_.frames > 0 && sent_ == plan_.frames) return stop(ExitCode::ok);
    ticks_.expires_after(kTick);
    ticks_.async_wait([this](boost::system::error_code error) {
      if (!error) tick();
    });
  }

  void stop(ExitCode result) {
    if (result_) return;
    result_ = result;
    ticks_.cancel();
    client_.close([this](bool) {
      print_error("simulate: {} frames published, {} missed\n", sent_ - missed_, missed_);
      loop_.stop();
    });
  }

  asio::io_context loop_{1};
  Plan plan_;
  simulation::Market market_;
  std::string subject_;
  std::vector<std::string> order_subjects_;
  nats::Client client_;
  asio::steady_timer ticks_;
  asio::signal_set signals_;
  std::optional<SteadyClock::time_point> begun_;
  std::string last_error_;
  std::uint64_t sent_ = 0, missed_ = 0;
  std::optional<ExitCode> result_;  // empty: it goes on
};

ExitCode simulate(const Invocation& invocation, const config::Configuration& configuration) {
  const Plan plan = parse_plan(invocation);
  const config::Settings& settings = configuration.settings;
  if (const auto path = invocation.option("output")) {
    return write_recording(plan, settings, {Outputs(invocation).open("--output", *path), *path});
  }
  require_consent(plan, settings);
  return Broadcast(plan, settings).run();
}

constexpr std::array kOptions{
    Option{"--output", "FILE", "write frames to a file (.zst: packed) or -; none is published"},
    Option{"--force", "", "overwrite the file of --output where it exists"},
    Option{"--frames", "N", "stop after so many frames (default: none with NATS, 10000 else)"},
    Option{"--rate", "N", "frames a second when publishing (default 200)"},
    Option{"--seed", "N", "the same seed gives the same market (default 1)"},
    Option{"--start", "TIME", "event time of the first frame when writing to a file"},
    Option{"--show-orders", "", "subscribe to the orders and print each as a line"},
    Option{"--json", "", "with --show-orders: each order as it is"},
    Option{"--broker-id", "ID", "publish to the broker with this server_id and to no other"}};

}  // namespace

constinit const Command kSimulate{
    {"simulate", "make up a market, to a file or, if that is meant, to the broker",
     "realtime-strategies simulate --output market.log --frames 50000"},
    Needs::connection,
    simulate,
    kOptions};

}  // namespace rts::commands
