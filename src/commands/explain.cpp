// `explain`: asks a running service why it has ordered something, or nothing.
#include <fmt/ranges.h>

#include <rts/base/text.hpp>
#include <rts/engine/reason.hpp>

#include "commands/output.hpp"
#include "commands/service_client.hpp"
#include "service/status.hpp"

namespace rts::commands {
namespace {

// The query, of values that are known to be right.
std::string query_of(const Invocation& invocation) {
  std::string query = invocation.has("json") ? "format=json" : "format=text";
  if (const auto symbol = invocation.option("symbol")) {
    require(config::parse_symbol(*symbol).has_value(), "--symbol takes a symbol, not '{}'",
            *symbol);
    query += "&symbol=" + url_escaped(*symbol);
  }
  if (const auto strategy = invocation.option("strategy")) {
    require(from_string<StrategyId>(*strategy).has_value(), "--strategy takes {}, not '{}'",
            fmt::join(names_of<StrategyId>, ", "), *strategy);
    query += "&strategy=" + *strategy;
  }
  if (const auto outcome = invocation.option("outcome")) {
    require(*outcome == "signal" || from_string<Outcome>(*outcome) || from_string<Reason>(*outcome),
            "--outcome takes signal, {}, {}, not '{}'", fmt::join(names_of<Outcome>, ", "),
            fmt::join(names_of<Reason>, ", "), *outcome);
    query += "&outcome=" + *outcome;
  }
  if (const auto last = invocation.whole_number("last", {1, service::kMaxDecisions})) {
    query += fmt::format("&last={}", *last);
  }
  return query;
}

// ok: answered · different: the service does not accept the question · unavailable: no answer, or
// that it has no room for one.
ExitCode explain(const Invocation& invocation, const config::Configuration& configuration) {
  const ServiceAddress address = service_address(invocation, configuration.settings);
  const auto [status, body] = ask_service(address, "/decisions?" + query_of(invocation));
  const bool is_json = invocation.has("json");
  const bool is_ok = status == 200;
  if (status == 503) {
    throw CommandError(ExitCode::unavailable, "{} is too busy to answer; ask again", address.url());
  }
  if (status == 404) {
    print_error("explain: {} has no /decisions: it is another service, or an older version\n",
                address.url());
  } else if (is_json) {
    print_out("{}\n", body);
  } else if (is_ok && body.empty()) {
    print_out(
        "no such decision yet; `realtime-strategies health --ready --json` says whether frames "
        "arrive\n");
  } else {
    for (const std::string_view line : split(trimmed(body), '\n')) {
      is_ok ? print_out("{}\n", line) : print_error("explain: {}\n", line);
    }
  }
  return is_ok ? ExitCode::ok : ExitCode::different;
}

static_assert(service::kMaxDecisions == 200, "as the help says");
constexpr std::array kOptions{
    Option{"--symbol", "SYMBOL", "decisions about this symbol only"},
    Option{"--strategy", "NAME", "of this strategy only"},
    Option{"--outcome", "CODE",
           "that ended so only, as neutral, cooldown or stale; signal: as an order"},
    Option{"--last", "N", "so many, the newest last (default 20, at most 200)"},
    kUrlOption,
    Option{"--json", "", "print the service's JSON: the numbers behind each sentence"}};

}  // namespace

constinit const Command kExplain{
    {"explain", "say why a running service has ordered something, or nothing",
     "realtime-strategies explain --symbol ETHUSDT --strategy orderbook_skew"},
    Needs::connection,
    explain,
    kOptions};

}  // namespace rts::commands
