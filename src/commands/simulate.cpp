#include "commands/simulate.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/order_text.hpp>

#include "commands/output.hpp"
#include "nats/broker.hpp"
#include "nats/client.hpp"
#include "simulation/market.hpp"

namespace rts::commands {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

enum class ShowOrders : std::uint8_t { no, as_lines, as_json };

struct Plan {
  std::uint64_t seed = 1;
  std::uint64_t frames = 0;  // 0 = for ever
  std::uint64_t rate = 200;  // frames a second
  UnixMs start;
  ShowOrders show_orders = ShowOrders::no;
  std::string broker_id;  // empty: any broker
};

constexpr UnixMs kFirstStart{std::chrono::seconds(1)};
// Receive times are nanoseconds in 63 bits: they end on 2262-04-11.
constexpr auto kLastSecond = std::chrono::floor<std::chrono::seconds>(UnixNs::max());

// The option's whole number, or why it is none.
Result<std::uint64_t, std::string> count_of(const Invocation& invocation, std::string_view option,
                                            std::string_view fallback) {
  const std::string text = invocation.option(option, fallback);
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec == std::errc{} && result.ptr == text.data() + text.size()) return value;
  return Failure{fmt::format("--{} takes a whole number, not '{}'", option, text)};
}

// Whether the receive time of every frame can be written.
bool ends_in_time(const Plan& plan) {
  const auto left = (kLastSecond - std::chrono::ceil<std::chrono::seconds>(plan.start)).count();
  return plan.start >= kFirstStart && left > 0 &&
         plan.frames / plan.rate < static_cast<std::uint64_t>(left);
}

Result<Plan, std::string> parse_plan(const Invocation& invocation) {
  const auto seed = count_of(invocation, "seed", "1");
  if (!seed) return Failure{seed.error()};
  const auto frames = count_of(invocation, "frames", invocation.has("output") ? "10000" : "0");
  if (!frames) return Failure{frames.error()};
  const auto rate = count_of(invocation, "rate", "200");
  if (!rate) return Failure{rate.error()};
  if (rate.value() == 0 || rate.value() > 1'000'000) {
    return Failure{std::string("--rate is from 1 to 1000000")};
  }
  const std::string start_text = invocation.option("start", "2024-07-19T00:00:00Z");
  const auto start = parse_iso8601(start_text);
  if (!start) return Failure{fmt::format("--start takes an ISO 8601 time, not '{}'", start_text)};
  Plan plan{seed.value(), frames.value(), rate.value(),
            *start,       ShowOrders::no, invocation.option("broker-id", "")};
  if (!ends_in_time(plan)) {
    return Failure{std::string(
        "--start is from 1970-01-01T00:00:01Z on, and the last frame before 2262-04-11")};
  }
  if (invocation.has("show-orders")) {
    plan.show_orders = invocation.has("json") ? ShowOrders::as_json : ShowOrders::as_lines;
  }
  return plan;
}

UnixNs time_of_frame(const Plan& plan, std::uint64_t number) {
  // In two parts, for number x 10^9 would not fit.
  return plan.start + std::chrono::seconds(number / plan.rate) +
         std::chrono::nanoseconds(number % plan.rate * 1'000'000'000 / plan.rate);
}

// Whoever listens at a broker trades on what comes: the user has to mean it, or has to know that
// the broker is the one that was started for this.
bool may_publish(const Plan& plan) {
  const char* meant = std::getenv("SIMULATE_ON_REAL_BROKER");
  return !plan.broker_id.empty() || (meant != nullptr && std::string_view(meant) == "yes");
}

std::string shown_urls(const config::Settings& settings) {
  std::string urls;
  for (const Secret& url : settings.nats_urls) {
    urls += urls.empty() ? "" : ",";
    urls += config::without_userinfo(url.reveal());
  }
  return urls;
}

std::vector<Symbol> symbols_of(const config::Settings& settings) {
  if (!settings.symbols.empty()) return settings.symbols;
  return {*Symbol::from("BTCUSDT"), *Symbol::from("ETHUSDT"), *Symbol::from("BNBUSDT")};
}

// A recording: the frames with their receive times, as fast as they can be written.
ExitCode write_recording(const Plan& plan, simulation::Market market, OutputFile file) {
  std::string line;
  for (std::uint64_t i = 0; i < plan.frames && !file.failed(); ++i) {
    const UnixNs at = time_of_frame(plan, i);
    line = fmt::format("{} ", at.time_since_epoch().count());
    line += market.next_frame(to_ms(at));
    line += '\n';
    file.write(line);
  }
  return file.finish("simulate") ? ExitCode::ok : ExitCode::output_lost;
}

nats::ClientOptions client_options(const Plan& plan, const config::Settings& settings) {
  nats::ClientOptions options = nats::broker_options(settings);
  options.name = "realtime-strategies-simulate";
  if (plan.show_orders != ShowOrders::no) {
    options.subject = order_subject(settings.publisher_topic, "*");
  }
  return options;
}

// Publishes at a steady rate until a signal or the last frame; what the service answers is printed.
class Broadcast {
 public:
  Broadcast(asio::io_context& loop, const Plan& plan, simulation::Market market,
            const config::Settings& settings)
      : loop_(loop),
        plan_(plan),
        market_(std::move(market)),
        subject_(settings.consumer_topic),
        order_subjects_(order_subjects(settings.publisher_topic)),
        client_(loop, client_options(plan, settings),
                {.on_messages = [this](auto orders) { show(orders); },
                 .on_status_change = [this] { on_status_change(); }}),
        ticks_(loop),
        signals_(loop, SIGINT, SIGTERM) {}

  void start() {
    signals_.async_wait([this](boost::system::error_code error, int) {
      if (!error) stop();
    });
    client_.start();
  }

  // How it went; after the loop has ended.
  [[nodiscard]] ExitCode result() const { return result_; }

 private:
  static constexpr std::chrono::milliseconds kTick{5};

  void show(std::span<const nats::Message> orders) {
    std::string lines;
    for (const nats::Message& order : orders) {
      // Where the strategies have a subject each, the wildcard brings other people's, too.
      if (std::find(order_subjects_.begin(), order_subjects_.end(), order.subject) ==
          order_subjects_.end()) {
        continue;
      }
      lines +=
          printable(plan_.show_orders == ShowOrders::as_json ? std::string(order.payload)
                                                             : wire::order_text(order.payload));
      lines += '\n';
    }
    write_out(lines);
    if (!all_output_arrived()) end(ExitCode::output_lost);
  }

  void on_status_change() {
    const nats::Status status = client_.status();
    if (status.connected && !plan_.broker_id.empty() && status.server_id != plan_.broker_id) {
      // Also when the right one has gone and somebody else has taken its port.
      print_error("simulate: refused: {} is not the broker with the id {}\n", status.server,
                  plan_.broker_id);
      end(ExitCode::configuration);
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

  void end(ExitCode result) {
    if (!stopping_) result_ = result;
    stop();
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
  simulation::Market market_;
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
  ExitCode result_ = ExitCode::ok;
};

}  // namespace

ExitCode simulate(const Invocation& invocation, const config::Configuration& configuration) {
  const auto parsed = parse_plan(invocation);
  if (!parsed) {
    print_error("simulate: {}\n", parsed.error());
    return ExitCode::usage;
  }
  const Plan& plan = parsed.value();
  const config::Settings& settings = configuration.settings;
  simulation::Market market(symbols_of(settings), plan.seed);
  if (invocation.has("output")) {
    Outputs outputs(invocation.has("force") ? Outputs::Existing::overwrite
                                            : Outputs::Existing::refuse);
    auto file = outputs.open("--output", invocation.option("output", "-"));
    if (file) return write_recording(plan, std::move(market), std::move(file).value());
    print_error("simulate: {}\n", file.error().text);
    return file.error().code;
  }
  if (settings.consumer_topic.find_first_of("*>") != std::string::npos) {
    print_error("simulate: cannot publish to NATS_CONSUMER_TOPIC={} with wildcards\n",
                settings.consumer_topic);
    return ExitCode::usage;
  }
  if (!may_publish(plan)) {
    print_error(
        "simulate: refused: whoever listens on {} at {} would trade on a made-up market. "
        "SIMULATE_ON_REAL_BROKER=yes says that this is meant; `make run-local` starts a "
        "broker of its own; --output FILE publishes nothing.\n",
        settings.consumer_topic, shown_urls(settings));
    return ExitCode::configuration;
  }
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context loop(1);
  Broadcast broadcast(loop, plan, std::move(market), settings);
  broadcast.start();
  loop.run();
  return broadcast.result();
}

}  // namespace rts::commands
