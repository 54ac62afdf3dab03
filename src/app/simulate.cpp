#include "app/simulate.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <rts/trading/order_subject.hpp>

#include "app/broker.hpp"
#include "app/market.hpp"
#include "app/output.hpp"
#include "nats/client.hpp"

namespace rts::app {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

struct Plan {
  std::uint64_t seed = 1;
  std::uint64_t frames = 0;  // 0 = for ever
  std::uint64_t rate = 200;  // frames a second
  UnixMs start;
  bool show_orders = false;
};

std::optional<std::uint64_t> parse_count(const std::string& text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Plan> parse_plan(const Invocation& invocation) {
  const bool to_file = invocation.has("output");
  const auto seed = parse_count(invocation.option("seed", "1"));
  const auto frames = parse_count(invocation.option("frames", to_file ? "10000" : "0"));
  const auto rate = parse_count(invocation.option("rate", "200"));
  const auto start = parse_iso8601(invocation.option("start", "2024-07-19T00:00:00Z"));
  if (!seed || !frames || !rate || *rate == 0 || *rate > 1'000'000 || !start) return std::nullopt;
  return Plan{*seed, *frames, *rate, *start, invocation.has("show-orders")};
}

std::vector<Symbol> symbols_of(const config::Settings& settings) {
  if (!settings.symbols.empty()) return settings.symbols;
  return {*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"), *Symbol::from("BNBUSDT")};
}

// A recording: the frames with their receive times, as fast as they can be written.
ExitCode write_recording(const Plan& plan, Market market, OutputFile file) {
  std::string line;
  for (std::uint64_t i = 0; i < plan.frames && !file.failed(); ++i) {
    const UnixNs at = plan.start + std::chrono::nanoseconds(i * 1'000'000'000 / plan.rate);
    line = fmt::format("{} ", at.time_since_epoch().count());
    line += market.next_frame(to_ms(at));
    line += '\n';
    file.write(line);
  }
  return file.finish("simulate") ? ExitCode::ok : ExitCode::output_lost;
}

nats::ClientOptions client_options(const Plan& plan, const config::Settings& settings) {
  nats::ClientOptions options = broker_options(settings);
  options.name = "realtime-strategies-simulate";
  if (plan.show_orders) options.subject = order_subject_pattern(settings.publisher_topic);
  return options;
}

// Publishes at a steady rate until a signal or the last frame; what the service answers is printed.
class Broadcast {
 public:
  Broadcast(asio::io_context& loop, const Plan& plan, Market market,
            const config::Settings& settings)
      : loop_(loop),
        plan_(plan),
        market_(std::move(market)),
        subject_(settings.consumer_topic),
        order_subjects_(order_subjects(settings.publisher_topic)),
        client_(loop, client_options(plan, settings),
                {.on_messages = [this](auto orders) { print(orders); },
                 .on_status_change = [this] { on_status_change(); }}),
        ticks_(loop),
        signals_(loop, SIGINT, SIGTERM) {}

  void start() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) stop();
    });
    client_.start();
  }

 private:
  static constexpr std::chrono::milliseconds kTick{5};

  void print(std::span<const nats::Message> orders) {
    for (const nats::Message& order : orders) {
      // Where the strategies have a subject each, the wildcard brings other people's, too.
      if (std::find(order_subjects_.begin(), order_subjects_.end(), order.subject) !=
          order_subjects_.end()) {
        print_out("{}\n", order.payload);
      }
    }
    std::fflush(stdout);
  }

  void on_status_change() {
    const nats::Status status = client_.status();
    if (status.subscribed && !begun_) {
      begun_ = SteadyClock::now();
      print_error("simulate: {} frames/s to {} at {}\n", plan_.rate, subject_, status.server);
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
    const UnixMs now =
        to_ms(std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now()));
    for (; sent_ < due; ++sent_) {
      // A frame that cannot be sent is a gap, as at the exchange.
      const auto result = client_.publish(subject_, market_.next_frame(now), {});
      if (result != nats::PublishResult::sent) ++missed_;
    }
    if (plan_.frames > 0 && sent_ == plan_.frames) return stop();
    ticks_.expires_after(kTick);
    ticks_.async_wait([this](boost::system::error_code error) {
      if (!error) tick();
    });
  }

  void stop() {
    if (stopping_) return;
    stopping_ = true;
    ticks_.cancel();
    signals_.cancel();
    client_.close([this](bool) {
      print_error("simulate: {} frames published, {} missed\n", sent_ - missed_, missed_);
      loop_.stop();
    });
  }

  asio::io_context& loop_;
  Plan plan_;
  Market market_;
  std::string subject_;
  std::vector<std::string> order_subjects_;
  nats::Client client_;
  asio::steady_timer ticks_;
  asio::signal_set signals_;
  std::optional<SteadyClock::time_point> begun_;
  std::string last_error_;
  std::uint64_t sent_ = 0;
  std::uint64_t missed_ = 0;
  bool stopping_ = false;
};

}  // namespace

ExitCode simulate(const Invocation& invocation, const config::Configuration& configuration) {
  const auto plan = parse_plan(invocation);
  if (!plan) {
    print_error(
        "simulate: --seed, --frames and --rate take whole numbers (rate from 1 to "
        "1000000), --start an ISO 8601 time\n");
    return ExitCode::usage;
  }
  const config::Settings& settings = configuration.settings;
  Market market(symbols_of(settings), plan->seed);
  if (invocation.has("output")) {
    Outputs outputs(invocation.has("force") ? Outputs::Existing::overwrite
                                            : Outputs::Existing::refuse);
    auto file = outputs.open("--output", invocation.option("output", "-"));
    if (file) return write_recording(*plan, std::move(market), std::move(file).value());
    print_error("simulate: {}\n", file.error().text);
    return file.error().code;
  }
  if (settings.consumer_topic.find_first_of("*>") != std::string::npos) {
    print_error("simulate: cannot publish to NATS_CONSUMER_TOPIC={} with wildcards\n",
                settings.consumer_topic);
    return ExitCode::usage;
  }
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context loop(1);
  Broadcast broadcast(loop, *plan, std::move(market), settings);
  broadcast.start();
  loop.run();
  return ExitCode::ok;
}

}  // namespace rts::app
