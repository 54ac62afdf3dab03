#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <rts/base/text.hpp>
#include <rts/strategy/verdict.hpp>
#include <rts/trading/order_subject.hpp>
#include <rts/trading/stream_plan.hpp>

namespace rts {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kDay{86'400};
constexpr seconds kLeastWindow{120};
constexpr const char* kRetention = "limits";
constexpr const char* kDiscard = "new";
constexpr std::int64_t kBucketHistory = 64;  // the most that JetStream's clients ask for

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

bool stores(const std::vector<std::string>& subjects, std::string_view subject) {
  return std::ranges::any_of(subjects,
                             [&](const auto& pattern) { return covers(pattern, subject); });
}

// A destination with a wildcard where a token depends on the message: on "$1" it becomes one token,
// on a function such as "{{split(1,-)}}" any number of them.
std::string pattern_of(std::string_view destination) {
  std::string pattern;
  for (const std::string_view token : split(destination, '.')) {
    if (!pattern.empty()) pattern += '.';
    if (token.find("{{") != std::string_view::npos) return pattern + '>';
    pattern += token.starts_with('$') ? "*" : token;
  }
  return pattern;
}

bool tells_replicas(const StreamNeeds& needs, const StreamFacts& facts) {
  const auto& republish = facts.republish;
  return republish && !republish->headers_only && covers(republish->source, needs.subject) &&
         republish->destination == stored_subject(needs.subject);
}

// How the log would forget orders that still count.
std::vector<std::string> lapses(const StreamFacts& facts) {
  std::vector<std::string> found;
  if (facts.retention != kRetention) {
    found.push_back(fmt::format("retention is {}, wanted {}: the log forgets orders",
                                facts.retention, kRetention));
  }
  if (facts.max_age.count() > 0 && facts.max_age < kDay) {
    found.push_back(
        fmt::format("max_age is {}, wanted at least {}: the log forgets orders of the day",
                    text_of(facts.max_age), text_of(kDay)));
  }
  if (facts.max_messages_per_subject > 0) {
    found.push_back(fmt::format("max_msgs_per_subject is {}, wanted none: the log forgets orders",
                                facts.max_messages_per_subject));
  }
  if (facts.max_messages > 0 && facts.discard != kDiscard) {
    found.push_back(
        fmt::format("max_msgs is {} with discard {}, wanted discard {}: the limit stops no order "
                    "and forgets old ones",
                    facts.max_messages, facts.discard, kDiscard));
  }
  return found;
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
  plan.republish = Republish{source.subject, stored_subject(source.subject)};
  plan.replicas = source.replicas;
  return plan;
}

StreamPlan plan_bucket(std::string_view bucket, std::int64_t replicas) {
  return {.name = bucket_stream(bucket),
          .subject = bucket_subject(bucket),
          .duplicate_window = kLeastWindow,
          .max_messages_per_subject = kBucketHistory,
          .republish = {},
          .replicas = replicas,
          .is_bucket = true};
}

std::vector<Difference> differences(const StreamPlan& plan,
                                    const std::optional<StreamFacts>& present) {
  const StreamFacts facts = present.value_or(StreamFacts{});
  std::vector<Difference> rows{
      {"subjects", text_of(facts.subjects), text_of(wanted_subjects(plan, facts))},
      {"duplicate_window", text_of(facts.duplicate_window),
       text_of(wanted_duplicate_window(plan, facts))},
      {"max_msgs", text_of_limit(facts.max_messages), text_of_limit(plan.max_messages)},
      {"max_msgs_per_subject", text_of_limit(facts.max_messages_per_subject),
       text_of_limit(plan.max_messages_per_subject)},
      {"discard", facts.discard, kDiscard},
      {"max_age", text_of_age(facts.max_age), text_of_age(plan.max_age)},
      {"republish", text_of(facts.republish), text_of(plan.republish)},
      {"num_replicas", std::to_string(facts.replicas), std::to_string(plan.replicas)},
      {"storage", facts.storage, "file"},
      {"retention", facts.retention, kRetention},
      {"no_ack", fmt::to_string(facts.no_ack), "false"},
      {"sealed", fmt::to_string(facts.sealed), "false"},
  };
  // Neither of the two can be emptied or thinned out by the way: what is gone does not count.
  rows.push_back({"deny_delete", fmt::to_string(facts.deny_delete), "true"});
  rows.push_back(
      {"allow_rollup_hdrs", fmt::to_string(facts.allow_rollup), fmt::to_string(plan.is_bucket)});
  if (!plan.is_bucket) rows.push_back({"deny_purge", fmt::to_string(facts.deny_purge), "true"});
  if (present) {
    std::erase_if(rows, [](const Difference& row) { return row.present == row.wanted; });
  } else {
    for (Difference& row : rows) row.present.clear();
  }
  return rows;
}

std::vector<std::string> wanted_subjects(const StreamPlan& plan, const StreamFacts& facts) {
  std::vector<std::string> subjects = facts.subjects;
  if (!stores(subjects, plan.subject)) subjects.push_back(plan.subject);
  return subjects;
}

nanoseconds wanted_duplicate_window(const StreamPlan& plan, const StreamFacts& facts) {
  const bool is_too_long = plan.max_age.count() > 0 && facts.duplicate_window > plan.max_age;
  return is_too_long ? plan.duplicate_window
                     : std::max<nanoseconds>(facts.duplicate_window, plan.duplicate_window);
}

std::vector<std::string> stream_problems(const StreamNeeds& needs, const StreamFacts& facts) {
  std::vector<std::string> found = lapses(facts);
  if (!stores(facts.subjects, needs.subject)) {
    found.push_back(fmt::format("stream {} stores {}, not {}", facts.name, text_of(facts.subjects),
                                needs.subject));
  }
  const std::chrono::seconds window = std::max(needs.cooldown, needs.order_life);
  if (facts.duplicate_window < window) {
    found.push_back(fmt::format(
        "duplicate_window is {}, wanted at least the {} of {}", text_of(facts.duplicate_window),
        window == needs.cooldown ? "cooldown" : "order life", text_of(window)));
  }
  if (facts.no_ack) found.emplace_back("no_ack is true, wanted false: nothing is confirmed");
  if (facts.sealed) found.emplace_back("sealed is true, wanted false: nothing is stored");
  for (const std::string& subject : order_subjects(needs.forward_topic)) {
    if (!stores(facts.subjects, subject)) continue;
    found.push_back(fmt::format(
        "it stores {} too, where orders are forwarded to: its answers would pass for the "
        "TradeEngine's; take that subject from the stream",
        subject));
  }
  if (delivers_twice(needs, facts)) {
    found.push_back(fmt::format(
        "it republishes onto {}, where orders are forwarded to: each would be delivered "
        "twice; run provision",
        facts.republish->destination));
  } else if (!tells_replicas(needs, facts)) {
    found.push_back(
        fmt::format("it does not republish to {}: replicas hear nothing of each other until they "
                    "collide; run provision",
                    stored_subject(needs.subject)));
  }
  return found;
}

bool delivers_twice(const StreamNeeds& needs, const StreamFacts& facts) {
  if (!facts.republish) return false;
  const std::string pattern = pattern_of(facts.republish->destination);
  return std::ranges::any_of(order_subjects(needs.forward_topic),
                             [&](const auto& subject) { return covers(pattern, subject); });
}

bool covers(std::string_view pattern, std::string_view subject) noexcept {
  for (;;) {
    const std::size_t pattern_end = std::min(pattern.find('.'), pattern.size());
    const std::size_t subject_end = std::min(subject.find('.'), subject.size());
    const std::string_view token = pattern.substr(0, pattern_end);
    if (token == ">") return pattern_end == pattern.size() && !subject.empty();
    const std::string_view of_subject = subject.substr(0, subject_end);
    if (token != of_subject && (token != "*" || of_subject == ">")) return false;
    const bool pattern_ends = pattern_end == pattern.size();
    const bool subject_ends = subject_end == subject.size();
    if (pattern_ends || subject_ends) return pattern_ends && subject_ends;
    pattern.remove_prefix(pattern_end + 1);
    subject.remove_prefix(subject_end + 1);
  }
}

}  // namespace rts
