#include "commands/provision.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <optional>

#include <fmt/format.h>

#include <rts/base/json_writer.hpp>
#include <rts/trading/order_subject.hpp>
#include <rts/wire/stream_info.hpp>

#include "commands/output.hpp"
#include "commands/permissions.hpp"
#include "config/parse.hpp"
#include "nats/admin.hpp"
#include "nats/broker.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

constexpr std::size_t kMaxStreamNameBytes = 255;
constexpr std::int64_t kMaxReplicas = 5;  // JetStream's own limit
constexpr std::int64_t kMaxDailyCap = 1'000'000'000;

std::optional<std::int64_t> parse_whole(const std::string& text, std::int64_t min,
                                        std::int64_t max) {
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
  return value >= min && value <= max ? std::optional(value) : std::nullopt;
}

// It is a token of the API's subjects and a directory of the broker.
bool is_stream_name(std::string_view text) {
  return text.size() <= kMaxStreamNameBytes &&
         text.find_first_of("./\\") == std::string_view::npos &&
         config::is_subject(text, config::Wildcards::refused);
}

using Failed = Failure<std::string>;

// Why the broker could not be asked to republish so; empty: it could.
std::optional<std::string> republish_problem(const StreamPlanSource& source) {
  const bool many = is_per_strategy(source.subject);
  if (!source.republish_to) {
    if (!many) return std::nullopt;
    return fmt::format(
        "--republish: missing; {} is a subject for each strategy, so say where their orders go, "
        "with {} too: --republish signals.trading.{}, or --republish= for nowhere",
        source.subject, kStrategyToken, kStrategyToken);
  }
  const std::string& to = *source.republish_to;
  if (to.empty()) return std::nullopt;
  if (!config::is_subject(to, config::Wildcards::refused) || !has_sound_tokens(to)) {
    return fmt::format("--republish: '{}' is no subject without wildcards", to);
  }
  if (to == source.subject) {
    return fmt::format("--republish: {} is what the stream stores; it would go in circles", to);
  }
  if (is_per_strategy(to) != many) {
    return fmt::format(
        "--republish: {} and {} both have a token {}, or neither: a stream cannot "
        "republish many subjects onto one",
        to, source.subject, kStrategyToken);
  }
  return std::nullopt;
}

// The conversation with the broker: what is there, and what of it has to change.
class Provisioning {
 public:
  enum class Deed { create, change, nothing };
  struct Outcome {
    Deed deed;
    std::vector<Difference> changes;
  };

  Provisioning(nats::Admin& admin, const StreamPlan& plan) : admin_(admin), plan_(plan) {}

  // What would be done. Reads only.
  Result<Outcome, std::string> look() {
    for (const std::string& subject : order_subjects(plan_.subject)) {
      if (auto problem = taken_by_another(subject)) return Failed{std::move(*problem)};
    }
    auto info = ask("INFO." + plan_.name, "");
    if (!info) return Failed{info.error()};
    const auto facts = wire::parse_stream_info(info.value());
    if (!facts && facts.error().code == wire::kStreamNotFound) {
      return Outcome{Deed::create, description(plan_)};
    }
    if (!facts) return Failed{text_of(facts.error())};
    info_ = std::move(info).value();
    auto changes = differences(plan_, facts.value());
    // A single broker would write 3 down and keep one copy all the same.
    if (plan_.replicas > 1 && !facts.value().clustered) {
      return Failed{fmt::format("{} replicas need a cluster of brokers, and {} is a single one",
                                plan_.replicas, admin_.server())};
    }
    return Outcome{changes.empty() ? Deed::nothing : Deed::change, std::move(changes)};
  }

  // Does it; empty when the broker then describes the stream as planned.
  std::optional<std::string> act(Deed deed) {
    if (deed == Deed::nothing) return std::nullopt;
    const bool creating = deed == Deed::create;
    const auto request =
        creating ? Result<std::string, wire::ApiError>(wire::stream_create_request(plan_))
                 : wire::stream_update_request(info_, plan_);
    if (!request) return text_of(request.error());
    auto reply = ask((creating ? "CREATE." : "UPDATE.") + plan_.name, request.value());
    if (!reply) return reply.error();
    const auto facts = wire::parse_stream_info(reply.value());
    if (!facts) return refusal(facts.error(), creating);
    const auto left = differences(plan_, facts.value());
    if (left.empty()) return std::nullopt;
    return fmt::format("the broker agreed, but keeps {} at {}", left.front().field,
                       left.front().present);
  }

 private:
  // Why the subject cannot be ours; empty: no other stream has it.
  std::optional<std::string> taken_by_another(const std::string& subject) {
    auto owner = ask("NAMES", wire::stream_names_request(subject));
    if (!owner) return owner.error();
    const auto name = wire::parse_stream_names(owner.value());
    if (!name) return text_of(name.error());
    if (name.value().empty() || name.value() == plan_.name) return std::nullopt;
    return fmt::format(
        "stream {} stores {} already; it was not touched. Take it with --stream {}, or choose "
        "another NATS_PUBLISHER_TOPIC",
        name.value(), subject, name.value());
  }

  Result<std::string, std::string> ask(const std::string& verb, std::string_view payload) {
    return admin_.request("$JS.API.STREAM." + verb, payload);
  }

  static std::string text_of(const wire::ApiError& error) {
    return error.code == 0 ? error.description
                           : fmt::format("{} (error {})", error.description, error.code);
  }

  static std::string refusal(const wire::ApiError& error, bool creating) {
    return fmt::format("the broker refuses: {}; nothing was changed{}", text_of(error),
                       creating ? ""
                                : ". What it does not change, a new stream can have: --stream "
                                  "with another name, after this one was deleted");
  }

  nats::Admin& admin_;
  const StreamPlan& plan_;
  std::string info_;  // the broker's description of the stream
};

// How the command ended, for whoever started it.
struct Ending {
  const Provisioning::Outcome& outcome;
  const StreamPlan& plan;
  std::string_view server;
  bool dry_run;
  bool refused;

  [[nodiscard]] bool as_planned() const noexcept {
    return outcome.changes.empty() || !(dry_run || refused);
  }
};

void print_json(const Ending& ending) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("stream").string(ending.plan.name);
  json.key("server").string(ending.server).key("action");
  switch (ending.outcome.deed) {
    case Provisioning::Deed::create:
      json.string("create");
      break;
    case Provisioning::Deed::change:
      json.string("change");
      break;
    case Provisioning::Deed::nothing:
      json.string("none");
      break;
  }
  json.key("as_planned").boolean(ending.as_planned()).key("changes").begin_array();
  for (const Difference& change : ending.outcome.changes) {
    json.begin_object().key("field").string(change.field).key("present");
    if (change.present.empty()) {
      json.null();
    } else {
      json.string(change.present);
    }
    json.key("wanted").string(change.wanted).end_object();
  }
  json.end_array().end_object();
  print_out("{}\n", out);
}

std::string_view result_of(const Ending& ending) {
  const bool creating = ending.outcome.deed == Provisioning::Deed::create;
  if (ending.outcome.deed == Provisioning::Deed::nothing) return "nothing to change";
  if (ending.refused) return creating ? "not created" : "not changed";
  if (ending.dry_run) return creating ? "would create" : "would change";
  return creating ? "created" : "changed";
}

void print_text(const Ending& ending) {
  print_out("stream {} at {}: {}\n", ending.plan.name, ending.server, result_of(ending));
  for (const Difference& change : ending.outcome.changes) {
    if (change.present.empty()) {
      print_out("  {}: {}\n", change.field, change.wanted);
    } else {
      print_out("  {}: {} → {}\n", change.field, change.present, change.wanted);
    }
  }
}

ExitCode unavailable(std::string_view reason) {
  print_error("provision: {}\n", reason);
  return ExitCode::unavailable;
}

PermissionNeeds permission_needs(const StreamPlan& plan, const config::Settings& settings) {
  const bool jetstream = settings.order_delivery == "jetstream";
  return {
      .consumer_name = settings.consumer_name,
      .consumer_topic = settings.consumer_topic,
      .consumer_group = settings.consumer_group,
      .control_topic = settings.control_topic,
      .publisher_topic = settings.publisher_topic,
      .engine_topic = jetstream && plan.republish ? plan.republish_topic : settings.publisher_topic,
      .stream = plan.name,
      .jetstream = jetstream};
}

ExitCode make_stream(const Invocation& invocation, const StreamPlan& plan,
                     const config::Settings& settings) {
  std::signal(SIGPIPE, SIG_IGN);
  nats::ClientOptions options = nats::broker_options(settings);
  options.name = provisioner_name(settings.consumer_name);
  auto admin = nats::Admin::connect(options, nats::inbox_prefix(options.name));
  if (!admin) return unavailable(admin.error());
  Provisioning provisioning(admin.value(), plan);
  const auto outcome = provisioning.look();
  if (!outcome) return unavailable(fmt::format("{}: {}", admin.value().server(), outcome.error()));
  const bool dry_run = invocation.has("dry-run");
  const auto problem = dry_run ? std::nullopt : provisioning.act(outcome.value().deed);
  // What was wanted is worth seeing also where the broker refused it.
  const Ending ending{.outcome = outcome.value(),
                      .plan = plan,
                      .server = admin.value().server(),
                      .dry_run = dry_run,
                      .refused = problem.has_value()};
  if (invocation.has("json")) {
    print_json(ending);
  } else {
    print_text(ending);
  }
  if (problem) return unavailable(*problem);
  if (!plan.republish) {
    print_error(
        "provision: note: nothing is republished, so who listens on {} without the stream "
        "also gets what the stream refuses\n",
        plan.subject);
  }
  return ending.as_planned() ? ExitCode::ok : ExitCode::different;
}

}  // namespace

Result<StreamPlan, std::string> plan_of(const Invocation& invocation,
                                        const config::Settings& settings) {
  StreamPlanSource source;
  source.name = invocation.option("stream", source.name);
  if (!is_stream_name(source.name)) {
    return Failed{fmt::format("--stream: '{}' is no name of a stream", source.name)};
  }
  source.subject = settings.publisher_topic;
  source.cooldown = std::chrono::seconds(settings.cooldown_seconds);
  source.order_life = config::order_life(settings);
  source.daily_signals = settings.max_daily_signals;
  if (invocation.has("daily-cap")) {
    source.daily_cap = parse_whole(invocation.option("daily-cap", ""), 0, kMaxDailyCap);
    if (!source.daily_cap) {
      return Failed{
          fmt::format("--daily-cap takes a whole number from 0 (no cap) to {}", kMaxDailyCap)};
    }
  }
  const auto replicas = parse_whole(invocation.option("replicas", "1"), 1, kMaxReplicas);
  if (!replicas)
    return Failed{fmt::format("--replicas takes a whole number, 1 to {}", kMaxReplicas)};
  source.replicas = *replicas;
  if (invocation.has("republish")) source.republish_to = invocation.option("republish", "");
  const bool has_stream =
      !invocation.has("permissions") || config::delivery_mode(settings) == DeliveryMode::jetstream;
  if (auto problem = republish_problem(source); problem && has_stream) {
    return Failed{std::move(*problem)};
  }
  return plan_stream(source);
}

ExitCode provision(const Invocation& invocation, const config::Configuration& configuration) {
  const config::Settings& settings = configuration.settings;
  const auto plan = plan_of(invocation, settings);
  if (!plan) {
    print_error("provision: {}\n", plan.error());
    return ExitCode::usage;
  }
  if (invocation.has("permissions")) {
    write_out(permissions(permission_needs(plan.value(), settings)));
    return ExitCode::ok;
  }
  return make_stream(invocation, plan.value(), settings);
}

}  // namespace rts::commands
