#include <algorithm>

#include <fmt/format.h>

#include <rts/trading/order_subject.hpp>

namespace rts {
namespace {

// Where the token begins that is {strategy}; npos: none is.
std::size_t find_token(std::string_view topic) {
  return fmt::format(".{}.", topic).find(fmt::format(".{}.", kStrategyToken));
}

}  // namespace

bool is_per_strategy(std::string_view topic) { return find_token(topic) != std::string_view::npos; }

std::string order_subject(std::string_view topic, std::string_view text) {
  std::string subject(topic);
  const std::size_t at = find_token(topic);
  if (at != std::string_view::npos) subject.replace(at, kStrategyToken.size(), text);
  return subject;
}

std::vector<std::string> order_subjects(std::string_view topic) {
  std::vector<std::string> subjects;
  subjects.reserve(count_of<StrategyId>);
  for (const StrategyId strategy : all_of<StrategyId>) {
    subjects.push_back(order_subject(topic, to_string(strategy)));
  }
  if (!is_per_strategy(topic)) subjects.resize(1);
  return subjects;
}

bool has_sound_tokens(std::string_view topic) {
  const auto braces =
      std::count_if(topic.begin(), topic.end(), [](char c) { return c == '{' || c == '}'; });
  return braces == (is_per_strategy(topic) ? 2 : 0);
}

}  // namespace rts
