// What the history holds, by a query that anybody may have written.
#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/config/explanation.hpp>

#include "service/status.hpp"

namespace rts::service {
namespace {

struct Question {
  History::Query query{};
  bool as_text = false;
};

template <class Enum>
std::optional<End> end_named(std::string_view name) {
  const auto code = from_string<Enum>(name);
  return code ? std::optional<End>(*code) : std::nullopt;
}

std::string accepted_symbols(const SymbolTable& symbols) {
  constexpr std::size_t kShown = 10;
  if (symbols.is_open()) return "the name of a symbol";
  std::string names;
  for (std::size_t i = 0; i < std::min(symbols.size(), kShown); ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", symbols.at(i).text());
  }
  return names + (symbols.size() > kShown ? ", …" : "");
}

// Takes a parameter over; else what it accepts.
std::optional<std::string> take(std::string_view name, const std::string& value,
                                const SymbolTable& symbols, Question& question) {
  History::Query& query = question.query;
  if (name == "symbol") {
    query.symbol = config::parse_symbol(value);
    if (query.symbol && (symbols.is_open() || symbols.find(value))) return std::nullopt;
    return accepted_symbols(symbols);
  }
  if (name == "strategy") {
    query.strategy = from_string<StrategyId>(value);
    if (query.strategy) return std::nullopt;
    return fmt::format("{}", fmt::join(names_of<StrategyId>, ", "));
  }
  if (name == "outcome") {
    query.only_orders = value == "signal";
    if (query.only_orders) return std::nullopt;
    query.end = end_named<Outcome>(value);
    if (!query.end) query.end = end_named<Reason>(value);
    if (query.end) return std::nullopt;
    return fmt::format("signal, {}, {}", fmt::join(names_of<Outcome>, ", "),
                       fmt::join(names_of<Reason>, ", "));
  }
  if (name == "last") {
    const auto last = parse_as<std::size_t>(value, 1, kMaxDecisions);
    query.last = last.value_or(query.last);
    if (last) return std::nullopt;
    return fmt::format("a whole number from 1 to {}", kMaxDecisions);
  }
  question.as_text = value == "text";
  if (value == "text" || value == "json") return std::nullopt;
  return "json, text";
}

// Takes over what is asked by these names, up to what cannot be answered; and why not.
std::string read(std::string_view query, std::span<const std::string_view> names,
                 const SymbolTable& symbols, Question& question) {
  const auto parameters = http::parameters_of(query);
  if (!parameters) return "an escape of the query is broken: a '%' needs two digits behind it";
  for (const auto& [name, value] : *parameters) {
    if (std::ranges::find(names, name) == names.end()) {
      return fmt::format("unknown parameter '{}'; accepted: {}", name, fmt::join(names, ", "));
    }
    if (const auto accepted = take(name, value, symbols, question)) {
      return fmt::format("{}: '{}' is not accepted; accepted: {}", name, value, *accepted);
    }
  }
  return {};
}

}  // namespace

Result<std::optional<Symbol>, std::string> watched_symbol(const SymbolTable& symbols,
                                                          std::string_view query) {
  constexpr std::array<std::string_view, 1> kNames{"symbol"};
  Question question;
  if (std::string problem = read(query, kNames, symbols, question); !problem.empty()) {
    return Failure{std::move(problem)};
  }
  if (!question.query.symbol && symbols.size() > 0) question.query.symbol = symbols.at(0);
  return question.query.symbol;
}

http::Response decisions_response(const State& state, std::string_view query) {
  constexpr std::array<std::string_view, 5> kNames{"symbol", "strategy", "outcome", "last",
                                                   "format"};
  Question question;
  const std::string problem = read(query, kNames, state.counts.symbols, question);
  if (!problem.empty() && !question.as_text) return http::error_response(400, problem);
  http::Response response{.status = problem.empty() ? 200U : 400U, .body = {}};
  if (question.as_text) response.content_type = "text/plain; charset=utf-8";
  if (!problem.empty()) {
    response.body = printable(problem) + '\n';
    return response;
  }
  const History& history = state.counts.history;
  const auto found = history.find(question.query);
  const auto around = [&](const History::Found& one) {
    return config::Circumstances{state.configuration, history.paused_by(one.decision),
                                 state.live_values()};
  };
  if (question.as_text) {
    for (const auto& one : found) response.body += printable(line_of(one, around(one))) + '\n';
    return response;
  }
  JsonWriter json(response.body);
  json.begin_object().key("decisions").begin_array();
  for (const auto& one : found) append_json(json, one, around(one));
  json.end_array().end_object();
  return response;
}

}  // namespace rts::service
