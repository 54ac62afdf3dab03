#include "commands/evaluation.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/time.hpp>

#include "commands/input.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

using research::AccountMarkouts;
using research::AccountResult;
using research::Edge;
using research::GroupMarkouts;
using research::Interval;
using research::kHorizons;
using research::Markout;
using research::Profit;

constexpr double kMaxFeeBp = 1'000;              // a tenth of what is traded
constexpr std::uint64_t kMaxLatencyMs = 60'000;  // beyond it no price is known
constexpr std::size_t kMaxGroupsShown = 30;      // of markouts, on a terminal

std::vector<wire::FundingEntry> read_funding(const std::string& path) {
  const auto text = read_settings_file(path, wire::kMaxFundingBytes);
  if (!text) throw CommandError(ExitCode::bad_input, "--funding: {} {}", path, text.error());
  auto entries = wire::parse_funding(text.value(), wire::symbol_of_file_name(path));
  if (!entries) throw CommandError(ExitCode::bad_input, "--funding: {} {}", path, entries.error());
  return std::move(entries).value();
}

std::string percent_text(const Interval& rate) {
  if (rate.samples == 0) return "none";
  if (!rate.has_bounds()) return fmt::format("{:.0f} [one block]", rate.mean * 100);
  return fmt::format("{:.0f} [{:.0f}, {:.0f}]", rate.mean * 100, rate.low * 100, rate.high * 100);
}

void print_group(const GroupMarkouts& group, std::string_view symbol) {
  print_error("{} {}: {} orders\n", to_string(group.strategy), symbol, group.orders);
  print_error("  {:>6}  {:<25} {:<16} {:>7}  {:<25} {:>6} {:>7}  {}\n", "after",
              "bp, of them 95 % between", "hits, %", "cost bp", "net bp", "blocks", "unknown",
              "verdict");
  bool has_no_spread = false;
  for (std::size_t i = 0; i < kHorizons.size(); ++i) {
    const Markout& markout = group.horizons[i];
    const auto& [gross, net, hit_rate, strict_net, mean_cost] = markout.estimate;
    const std::string cost = gross.samples > 0 ? fmt::format("{:.2f}", mean_cost) : "none";
    print_error("  {:>6}  {:<25} {:<16} {:>7}  {:<25} {:>6} {:>7}  {}\n",
                duration_text(kHorizons[i]), interval_text(gross), percent_text(hit_rate), cost,
                interval_text(net), gross.blocks, markout.unknown, words(to_string(markout.edge)));
    has_no_spread = has_no_spread || markout.without_spread > 0;
  }
  if (has_no_spread) print_error("  without books the spread is not known: cost is fees alone\n");
}

void print_profit(std::string_view name, const Profit& profit) {
  print_error(
      "  {:<17} {} lots closed, {} won; net {:+.2f} (gross {:+.2f}, fees {:.2f}, funding "
      "{:+.2f}), open {:+.2f}\n",
      name, profit.closed_lots, profit.wins, profit.net(), profit.gross, profit.fees,
      profit.funding, profit.open);
}

void write_profit(JsonWriter& json, const Profit& profit) {
  json.key("orders").unsigned_integer(profit.orders);
  json.key("closed_lots").unsigned_integer(profit.closed_lots);
  json.key("wins").unsigned_integer(profit.wins);
  json.key("gross").number_or_null(profit.gross);
  json.key("fees").number_or_null(profit.fees);
  json.key("funding").number_or_null(profit.funding);
  json.key("net").number_or_null(profit.net());
  json.key("open").number_or_null(profit.open);
  json.key("turnover").number_or_null(profit.turnover);
}

void write_markout(JsonWriter& json, std::chrono::milliseconds horizon, const Markout& markout) {
  json.begin_object();
  json.key("after_seconds").integer(std::chrono::floor<std::chrono::seconds>(horizon).count());
  write_json(json.key("gross_bp"), markout.estimate.gross);
  write_json(json.key("hit_rate"), markout.estimate.hit_rate);
  write_json(json.key("net_bp"), markout.estimate.net);
  write_json(json.key("strict_net_bp"), markout.estimate.strict_net);
  json.key("cost_bp").number_or_null(markout.estimate.mean_cost);
  json.key("unknown").unsigned_integer(markout.unknown);
  json.key("without_spread").unsigned_integer(markout.without_spread);
  json.key("block_ms").integer(markout.block_length.count());
  json.key("verdict").string(to_string(markout.edge));
  json.end_object();
}

}  // namespace

EvaluationTerms evaluation_terms(const Invocation& invocation) {
  EvaluationTerms terms;
  if (const auto text = invocation.option("fee-bp")) {
    const auto fee = parse_as<double>(*text, 0, kMaxFeeBp);
    require(fee.has_value(), "--fee-bp: '{}' is no number from 0 to {}", *text, kMaxFeeBp);
    terms.orders.fee_bp = *fee;
  }
  const auto latency = invocation.whole_number("latency-ms", {0, kMaxLatencyMs});
  terms.orders.latency = std::chrono::milliseconds(latency.value_or(0));
  for (const std::string& path : invocation.all_of_option("funding")) {
    const auto entries = read_funding(path);
    terms.funding.insert(terms.funding.end(), entries.begin(), entries.end());
  }
  return terms;
}

std::optional<EvaluationRequest> evaluation_request(const Invocation& invocation) {
  EvaluationRequest request;
  request.prints_markouts = invocation.has("markouts");
  request.prints_paper = invocation.has("paper");
  request.is_written = invocation.has("evaluation");
  request.is_reported = invocation.has("report");
  const bool is_asked =
      request.prints_markouts || request.prints_paper || request.is_written || request.is_reported;
  for (const std::string_view option : {"fee-bp", "latency-ms", "funding"}) {
    require(
        is_asked || !invocation.has(option),
        "--{} says how orders are evaluated; give --markouts, --paper, --evaluation or --report, "
        "too",
        option);
  }
  if (!is_asked) return std::nullopt;
  request.terms = evaluation_terms(invocation);
  request.terms.orders.by_symbol = request.prints_markouts || request.is_written;
  request.terms.orders.has_paper =
      request.prints_paper || request.is_written || request.is_reported;
  return request;
}

std::string duration_text(std::chrono::milliseconds duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  return seconds < 60 ? fmt::format("{} s", seconds) : fmt::format("{} min", seconds / 60);
}

std::string words(std::string_view code) {
  std::string text(code);
  std::ranges::replace(text, '_', ' ');
  return text;
}

std::string interval_text(const Interval& interval) {
  if (interval.samples == 0) return "none";
  if (!interval.has_bounds()) return fmt::format("{:+.2f} [one block]", interval.mean);
  return fmt::format("{:+.2f} [{:+.2f}, {:+.2f}]", interval.mean, interval.low, interval.high);
}

void write_json(JsonWriter& json, const Interval& interval) {
  const auto number = [&](std::string_view name, bool is_known, double value) {
    json.key(name);
    if (is_known) {
      json.number_or_null(value);
    } else {
      json.null();
    }
  };
  json.begin_object();
  number("mean", interval.samples > 0, interval.mean);
  number("low", interval.has_bounds(), interval.low);
  number("high", interval.has_bounds(), interval.high);
  json.key("samples").unsigned_integer(interval.samples);
  json.key("blocks").unsigned_integer(interval.blocks);
  json.end_object();
}

void write_markouts(JsonWriter& json, const AccountMarkouts& markouts,
                    const std::vector<Symbol>& symbols) {
  json.key("overall").string(to_string(markouts.overall));
  json.key("questions").unsigned_integer(markouts.questions);
  json.key("groups").begin_array();
  for (const GroupMarkouts& group : markouts.groups) {
    json.begin_object();
    json.key("strategy").string(to_string(group.strategy));
    if (!symbols.empty()) json.key("symbol").string(symbols[group.symbol_index].text());
    json.key("orders").unsigned_integer(group.orders);
    json.key("horizons").begin_array();
    for (std::size_t i = 0; i < kHorizons.size(); ++i) {
      write_markout(json, kHorizons[i], group.horizons[i]);
    }
    json.end_array().end_object();
  }
  json.end_array();
}

void write_paper(JsonWriter& json, const AccountResult& result) {
  write_profit(json, result.total);
  json.key("unfilled").unsigned_integer(result.unfilled);
  json.key("closed_nothing").unsigned_integer(result.closed_nothing);
  write_json(json.key("lot_net_bp"), result.lot_net_bp);
  write_json(json.key("win_rate"), result.win_rate);
  json.key("open_long").number_or_null(result.open_long);
  json.key("open_short").number_or_null(result.open_short);
  json.key("equity").number_or_null(result.equity);
  json.key("max_drawdown").number_or_null(result.max_drawdown);
  json.key("strategies").begin_object();
  for (const StrategyId strategy : all_of<StrategyId>) {
    json.key(to_string(strategy)).begin_object();
    write_profit(json, result.strategies[index_of(strategy)]);
    json.end_object();
  }
  json.end_object();
  json.key("curve").begin_array();
  for (const research::EquityPoint& point : result.curve) {
    json.begin_array().string(rfc3339(point.at)).number_or_null(point.equity).end_array();
  }
  json.end_array();
}

void write_terms(JsonWriter& json, const EvaluationTerms& terms) {
  json.key("latency_ms").integer(terms.orders.latency.count());
  json.key("fee_bp").number_or_null(terms.orders.fee_bp);
  json.key("funding_rates").unsigned_integer(terms.funding.size());
}

Evaluation::Evaluation(EvaluationRequest request)
    : request_(std::move(request)), evaluator_(request_.terms.orders, 1) {
  evaluator_.set_funding(request_.terms.funding);
  if (request_.is_written || request_.is_reported) evaluator_.paper()->keep_curve(0);
}

void Evaluation::take(const SymbolTable& symbols, const Decision& decision) {
  const Symbol& symbol = symbols.at(decision.symbol_index);
  const std::size_t number = evaluator_.number_of(decision.symbol_index, symbol);
  evaluator_.see(number, decision.at, decision.quote);
  if (!decision.order) return;
  research::AccountOrder order = research::account_order(0, decision);
  order.symbol_index = number;
  evaluator_.take(order);
}

void Evaluation::print() const {
  if (request_.prints_markouts) print_markouts();
  if (request_.prints_paper) print_paper();
}

void Evaluation::print_markouts() const {
  print_error("markouts: latency {} ms, fee {} bp each side\n",
              request_.terms.orders.latency.count(), request_.terms.orders.fee_bp);
  std::vector<GroupMarkouts> groups = evaluator_.markouts_by_symbol()->result(0).groups;
  std::ranges::stable_sort(groups, std::greater{}, &GroupMarkouts::orders);
  for (std::size_t i = 0; i < std::min(groups.size(), kMaxGroupsShown); ++i) {
    print_group(groups[i], evaluator_.symbols()[groups[i].symbol_index].text());
  }
  if (groups.size() > kMaxGroupsShown) {
    print_error("{} groups with fewer orders are not shown; --evaluation writes all of them\n",
                groups.size() - kMaxGroupsShown);
  }
  const AccountMarkouts all = evaluator_.markouts().result(0);
  if (groups.size() > all.groups.size()) {
    for (const GroupMarkouts& group : all.groups) print_group(group, "all symbols");
  }
  if (all.overall == Edge::too_little_data) {
    return print_error("markouts overall: too little data: no mean is of {} blocks or more\n",
                       research::kEnoughBlocks);
  }
  print_error("markouts overall: {}, of {} means with {} blocks or more\n",
              words(to_string(all.overall)), all.questions, research::kEnoughBlocks);
}

void Evaluation::print_paper() const {
  const AccountResult result = evaluator_.paper()->result(0);
  print_error("paper account: latency {} ms, fee {} bp each side, {} funding rates\n",
              request_.terms.orders.latency.count(), request_.terms.orders.fee_bp,
              request_.terms.funding.size());
  print_error("  {} orders filled, {} whose price was not known, {} that found nothing to close\n",
              result.total.orders, result.unfilled, result.closed_nothing);
  for (const StrategyId strategy : all_of<StrategyId>) {
    const Profit& profit = result.strategies[index_of(strategy)];
    if (profit.orders + profit.closed_lots > 0) print_profit(to_string(strategy), profit);
  }
  print_profit("all", result.total);
  if (result.lot_net_bp.samples > 0) {
    print_error("  a closed lot: net {} bp, won {} %, {} blocks\n",
                interval_text(result.lot_net_bp), percent_text(result.win_rate),
                result.lot_net_bp.blocks);
  }
  print_error(
      "  equity {:+.2f}, of it open {:+.2f} (LONG {:.2f}, SHORT {:.2f}); largest drawdown {:.2f}; "
      "turnover {:.2f}\n",
      result.equity, result.total.open, result.open_long, result.open_short, result.max_drawdown,
      result.total.turnover);
}

std::string Evaluation::to_json() const {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_terms(json, request_.terms);
  json.key("end");
  if (const auto end = evaluator_.end()) {
    json.string(rfc3339(*end));
  } else {
    json.null();
  }
  json.key("markouts").begin_object();
  write_markouts(json, evaluator_.markouts().result(0), {});
  json.end_object();
  json.key("markouts_by_symbol").begin_object();
  write_markouts(json, evaluator_.markouts_by_symbol()->result(0), evaluator_.symbols());
  json.end_object();
  json.key("paper").begin_object();
  write_paper(json, evaluator_.paper()->result(0));
  json.end_object();
  json.end_object();
  return text += '\n';
}

}  // namespace rts::commands
