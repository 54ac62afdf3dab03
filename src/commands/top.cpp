// `top`: a view of running services, which are asked every second. None of them waits for another,
// and neither do the keys.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unistd.h>

#include <rts/base/text.hpp>

#include "commands/output.hpp"
#include "commands/service_client.hpp"
#include "commands/terminal.hpp"
#include "commands/top_view.hpp"

namespace rts::commands {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds kInterval{1};

std::vector<ServiceAddress> addresses_of(const Invocation& invocation,
                                         const config::Settings& settings) {
  std::vector<ServiceAddress> addresses;
  const auto name = invocation.option("service");
  if (!name || invocation.has("url")) addresses = service_addresses(invocation, settings);
  if (!name) return addresses;
  const auto service = parse_host_and_port(*name);
  require(service.has_value(), "--service takes NAME:PORT, not '{}'", *name);
  asio::io_context loop;
  boost::system::error_code error;
  const auto found =
      asio::ip::tcp::resolver(loop).resolve(service->host, std::to_string(service->port), error);
  if (error) {
    throw CommandError(ExitCode::unavailable,
                       "{}: {}; --service takes a name that has the address of each replica", *name,
                       error.message());
  }
  for (const auto& entry : found) {
    addresses.push_back({entry.endpoint().address().to_string(), service->port, true});
  }
  return addresses;
}

std::string problem_of(const ServiceAnswer& answer) {
  switch (answer.status) {
    case kNoAnswer: return "nobody answers there";
    case kPartOfAnswer: return "its answer ended before it was whole";
    case 200: return "another service, or an older version";
    default: return fmt::format("answers {}: {}", answer.status, answer.body);
  }
}

bool answers(const Replica& replica) { return replica.status.has_value(); }

class Top {
 public:
  Top(const std::vector<ServiceAddress>& addresses, const std::string& symbol) : symbol_(symbol) {
    for (const ServiceAddress& address : addresses) {
      targets_.push_back({address});
      view_.replicas.push_back({.name = address.name(), .problem = "has not answered yet"});
    }
  }

  ExitCode print_json() {
    look_and_wait();
    std::string text;
    JsonWriter json(text);
    json.begin_array();
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const Replica& replica = view_.replicas[i];
      json.begin_object().key("url").string(targets_[i].address.url());
      json.key("status")
          .raw(replica.status ? trimmed(targets_[i].document) : "null")
          .key("problem");
      replica.status ? json.null() : json.string(replica.problem);
      json.end_object();
    }
    json.end_array();
    print_out("{}\n", text);
    return result();
  }

  ExitCode print_once(bool has_colors) {
    look_and_wait();
    if (std::ranges::any_of(view_.replicas, answers)) {  // frames a second take two looks
      timer_.expires_after(kInterval);
      timer_.wait();
      look_and_wait();
    }
    const std::size_t rows = 50 + 3 * targets_.size();
    for (const TopLine& line : lines_of(view_, {screen_size().columns, rows})) {
      write_out(colored(line, has_colors) + '\n');
    }
    return result();
  }

  ExitCode watch(bool has_colors) {
    terminal_.emplace(loop_, [this](char key) { press(key); });
    view_.has_keys = true;
    draw_ = [this, has_colors] {
      const ScreenSize size = screen_size();
      const auto lines = lines_of(view_, {size.columns - 1, size.rows});
      if (terminal_->is_ours() && !write_at_once(frame_of(lines, has_colors)))
        stop(ExitCode::output_lost);
    };
    tick();
    loop_.run();
    terminal_.reset();
    return code_;
  }

 private:
  struct Target {
    ServiceAddress address;
    int asked = 0;                 // questions that it has not answered yet
    bool asks_again = false;       // when it has
    std::string document{};        // its status, as it came
    wire::ServiceStatus before{};  // from which frames are counted
  };

  void look() {
    view_.at = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      if (targets_[i].asked == 0) ask(i);
    }
  }

  void look_and_wait() {
    loop_.restart();
    look();
    loop_.run();  // which ends with the last answer
  }

  // Once more when it has answered, where it is asked still: keys may come faster than answers.
  void ask(std::size_t i) {
    targets_[i].asks_again = targets_[i].asked > 0;
    if (targets_[i].asks_again) return;
    const bool is_selected = i == view_.selected;
    const bool has_symbol = is_selected && !symbol_.empty();
    send(i, {"/" + (has_symbol ? "?symbol=" + url_escaped(symbol_) : ""), "application/json"},
         [this, i](ServiceAnswer& answer) { take(i, answer); });
    if (!is_selected) return;
    send(i, {.path = "/decisions?outcome=signal&last=50"}, [this, i](const ServiceAnswer& answer) {
      if (i != view_.selected || answer.status != 200) return;
      view_.orders = wire::parse_order_statuses(answer.body);
    });
  }

  void send(std::size_t i, const ServiceQuestion& question,
            const std::function<void(ServiceAnswer&)>& then) {
    ++targets_[i].asked;
    ask_service(loop_, targets_[i].address, question, [this, i, then](ServiceAnswer answer) {
      then(answer);
      if (--targets_[i].asked == 0 && targets_[i].asks_again) ask(i);
      draw_();
    });
  }

  void take(std::size_t i, ServiceAnswer& answer) {
    Replica& replica = view_.replicas[i];
    wire::ServiceStatus& before = targets_[i].before;
    replica.status = answer.status == 200 ? wire::parse_service_status(answer.body) : std::nullopt;
    replica.problem = replica.status ? "" : problem_of(answer);
    targets_[i].document = std::move(answer.body);
    if (!replica.status) return;
    const wire::ServiceStatus& status = *replica.status;
    const bool is_same_run = before.id == status.id && before.frames <= status.frames;
    const double seconds = status.uptime_seconds - before.uptime_seconds;
    if (is_same_run && seconds < 0.5) return;  // too short to measure
    const auto frames = static_cast<double>(status.frames - before.frames);
    replica.frames_a_second = is_same_run ? std::optional(frames / seconds) : std::nullopt;
    before = status;
  }

  [[nodiscard]] ExitCode result() const {
    return std::ranges::all_of(view_.replicas, answers) ? ExitCode::ok : ExitCode::unavailable;
  }

  void tick() {
    if (!view_.is_stopped) look();
    draw_();
    timer_.expires_after(kInterval);
    timer_.async_wait([this](const auto& error) {
      if (!error) tick();
    });
  }

  void stop(ExitCode code) {
    code_ = code;
    loop_.stop();
  }

  void press(char key) {
    switch (key) {
      case Terminal::kQuit: return stop(code_);
      case 'j': select(1); break;
      case 'k': select(targets_.size() - 1); break;
      case 's': turn_to_symbol(1); break;
      case 'S': turn_to_symbol(-1); break;
      case 'm': view_.is_hour = !view_.is_hour; break;
      case 'p': view_.is_stopped = !view_.is_stopped; break;
      case '?': view_.has_help = !view_.has_help; break;
      default: break;
    }
    draw_();
  }

  // The replica so many rows on.
  void select(std::size_t step) {
    if (targets_.size() == 1) return;
    view_.selected = (view_.selected + step) % targets_.size();
    view_.orders.reset();
    const auto& status = view_.replicas[view_.selected].status;
    if (status && std::ranges::count(status->symbols, symbol_) == 0) symbol_.clear();
    ask(view_.selected);
  }

  void turn_to_symbol(std::ptrdiff_t step) {
    const auto& status = view_.replicas[view_.selected].status;
    if (status && !status->symbols.empty()) {
      const auto& symbols = status->symbols;
      const auto count = std::ssize(symbols);
      const std::string& from = symbol_.empty() ? status->symbol : symbol_;
      const auto at = std::ranges::find(symbols, from) - symbols.begin();
      symbol_ = symbols[static_cast<std::size_t>((at + count + step) % count)];
    }
    ask(view_.selected);
  }

  asio::io_context loop_{1};
  asio::steady_timer timer_{loop_};
  std::vector<Target> targets_;
  std::string symbol_;  // empty: the service's first one
  TopView view_;
  std::optional<Terminal> terminal_;  // while it is watched on one
  std::function<void()> draw_ = [] {};
  ExitCode code_ = ExitCode::ok;
};

bool is_screen() {
  const char* const kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

// ok: all answer, or it was ended · unavailable: one does not.
ExitCode top(const Invocation& invocation, const config::Configuration& configuration) {
  const std::string symbol = invocation.option("symbol").value_or("");
  require(symbol.empty() || config::parse_symbol(symbol), "--symbol takes a symbol, not '{}'",
          symbol);
  // As services write it.
  Top top(addresses_of(invocation, configuration.settings),
          symbol.empty() ? symbol : std::string(config::parse_symbol(symbol)->text()));
  if (invocation.has("json")) return top.print_json();
  if (!invocation.has("once") && is_screen()) {
    return top.watch(has_colors(invocation, STDOUT_FILENO));
  }
  return top.print_once(invocation.option("color") == "always");
}

constexpr std::array kOptions{
    Option{"--url", "URL",
           "a service, as http://HOST:PORT; once for each (default the one the settings are of)"},
    Option{"--service", "NAME:PORT", "every address that this name has is a service"},
    Option{"--symbol", "SYMBOL", "the symbol to begin with"},
    Option{"--once", "", "print the view once, as where there is no terminal"},
    Option{"--json", "", "print what the services say, as JSON, once"}};

}  // namespace

constinit const Command kTop{
    {"top", "watch running services: rates, lag, settings, decisions, orders",
     "realtime-strategies top --symbol ETHUSDT"},
    Needs::connection,
    top,
    kOptions};

}  // namespace rts::commands
