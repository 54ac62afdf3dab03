#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/strategy/verdict.hpp>
#include <rts/trading/order_subject.hpp>
#include <rts/trading/stream_plan.hpp>

namespace rts {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kDay{86'400};
constexpr seconds kLeastWindow{120};
constexpr const char* kDiscard = "new";

std::string text_of(nanoseconds duration) {
  return fmt::format("{} s", std::chrono::duration<double>(duration).count());
}

std::string text_of_age(nanoseconds age) { return age.count() > 0 ? text_of(age) : "none"; }

std::string text_of_limit(std::int64_t limit) { return limit > 0 ? std::to_string(limit) : "none"; }

std::string text_of(const std::optional<Republish>& republish) {
  if (!republish) return "none";
  return fmt::format("from {} to {}{}", republish->source, republish->destination,
                     republish->headers_only ? ", headers only" : "");
}

std::string text_of(const std::vector<std::string>& subjects) {
  return subjects.empty() ? "none" : fmt::format("{}", fmt::join(subjects, ", "));
}

// Of the subjects of a topic those that are not covered.
std::vector<std::string> uncovered(const std::vector<std::string>& subjects,
                                   std::string_view topic) {
  std::vector<std::string> wanted = order_subjects(topic);
  std::erase_if(wanted, [&](const std::string& subject) {
    return std::ranges::any_of(subjects,
                               [&](const auto& pattern) { return covers(pattern, subject); });
  });
  return wanted;
}

}  // namespace

StreamPlan plan_stream(const StreamPlanSource& source) {
  StreamPlan plan;
  plan.name = source.name;
  plan.subject = source.subject;
  plan.duplicate_window = std::clamp(source.cooldown + source.order_life, kLeastWindow, kDay);
  plan.max_age = kDay;
  const auto strategies = static_cast<std::int64_t>(count_of<StrategyId>);
  const std::int64_t cap = source.daily_cap.value_or(strategies * source.daily_signals);
  plan.max_messages = cap > 0 ? cap : -1;
  const bool many = is_per_strategy(source.subject);
  plan.republish_topic = source.republish_to.value_or(
      many || source.subject == kTradeEngineSubject ? "" : std::string(kTradeEngineSubject));
  if (!plan.republish_topic.empty()) {
    plan.republish =
        Republish{order_subject(source.subject, "*"), order_subject(plan.republish_topic, "$1")};
  }
  plan.replicas = source.replicas;
  return plan;
}

std::vector<Difference> differences(const StreamPlan& plan,
                                    const std::optional<StreamFacts>& present) {
  const StreamFacts facts = present.value_or(StreamFacts{});
  std::vector<Difference> rows{
      {"subjects", text_of(facts.subjects), text_of(wanted_subjects(plan, facts))},
      {"duplicate_window", text_of(facts.duplicate_window),
       text_of(wanted_duplicate_window(plan, facts))},
      {"max_msgs", text_of_limit(facts.max_messages), text_of_limit(plan.max_messages)},
      {"max_msgs_per_subject", text_of_limit(facts.max_messages_per_subject), "none"},
      {"discard", facts.discard, kDiscard},
      {"max_age", text_of_age(facts.max_age), text_of_age(plan.max_age)},
      {"republish", text_of(facts.republish), text_of(plan.republish)},
      {"num_replicas", std::to_string(facts.replicas), std::to_string(plan.replicas)},
      {"storage", facts.storage, "file"},
      {"retention", facts.retention, "limits"},
      {"no_ack", fmt::to_string(facts.no_ack), "false"},
      {"sealed", fmt::to_string(facts.sealed), "false"},
  };
  if (present) {
    std::erase_if(rows, [](const Difference& row) { return row.present == row.wanted; });
  } else {
    for (Difference& row : rows) row.present.clear();
  }
  return rows;
}

std::vector<std::string> wanted_subjects(const StreamPlan& plan, const StreamFacts& facts) {
  std::vector<std::string> subjects = facts.subjects;
  std::ranges::copy(uncovered(facts.subjects, plan.subject), std::back_inserter(subjects));
  return subjects;
}

nanoseconds wanted_duplicate_window(const StreamPlan& plan, const StreamFacts& facts) {
  const bool fits =
      facts.duplicate_window >= plan.duplicate_window && facts.duplicate_window <= plan.max_age;
  return fits ? facts.duplicate_window : nanoseconds(plan.duplicate_window);
}

std::vector<std::string> stream_problems(const StreamNeeds& needs, const StreamFacts& facts) {
  std::vector<std::string> found;
  if (const auto left = uncovered(facts.subjects, needs.subject); !left.empty()) {
    found.push_back(fmt::format("stream {} stores {}, not {}", facts.name, text_of(facts.subjects),
                                text_of(left)));
  }
  const std::chrono::seconds window = std::max(needs.cooldown, needs.order_life);
  if (facts.duplicate_window < window) {
    found.push_back(fmt::format(
        "duplicate_window is {}, wanted at least the {} of {}", text_of(facts.duplicate_window),
        window == needs.cooldown ? "cooldown" : "order life", text_of(window)));
  }
  if (facts.no_ack) found.emplace_back("no_ack is true, wanted false: nothing is confirmed");
  if (facts.sealed) found.emplace_back("sealed is true, wanted false: nothing is stored");
  if (facts.max_messages > 0 && facts.discard != kDiscard) {
    found.push_back(
        fmt::format("max_msgs is {} with discard {}, wanted discard {}: the limit stops no order "
                    "and forgets old ones",
                    facts.max_messages, facts.discard, kDiscard));
  }
  return found;
}

bool covers(std::string_view pattern, std::string_view subject) noexcept {
  for (;;) {
    const std::size_t pattern_end = std::min(pattern.find('.'), pattern.size());
    const std::size_t subject_end = std::min(subject.find('.'), subject.size());
    const std::string_view token = pattern.substr(0, pattern_end);
    if (token == ">") return pattern_end == pattern.size() && !subject.empty();
    if (token != "*" && token != subject.substr(0, subject_end)) return false;
    const bool pattern_ends = pattern_end == pattern.size();
    const bool subject_ends = subject_end == subject.size();
    if (pattern_ends || subject_ends) return pattern_ends && subject_ends;
    pattern.remove_prefix(pattern_end + 1);
    subject.remove_prefix(subject_end + 1);
  }
}

}  // namespace rts
