// `provision`: creates the streams of the order log and of the control log, or makes those that are
// there as the settings want them; and prints the broker's permissions. Blocking; a command's main
// thread.
#include "commands/provision.hpp"

#include <array>
#include <optional>
#include <vector>

#include <fmt/ranges.h>

#include <rts/wire/stream_info.hpp>

#include "commands/output.hpp"
#include "commands/settings_file.hpp"
#include "nats/admin.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

constexpr std::size_t kMaxStreamNameBytes = 255;
constexpr std::uint64_t kMaxReplicas = 5;  // JetStream's own limit
constexpr std::uint64_t kMaxDailyCap = 1'000'000'000;

// It is a token of the API's subjects and a directory of the broker.
bool is_stream_name(std::string_view text) {
  return text.size() <= kMaxStreamNameBytes &&
         text.find_first_of("./\\") == std::string_view::npos && config::is_subject(text);
}

// No stream has this name, so whichever gets a message for it refuses that, and stores nothing.
constexpr nats::Header kForNoStream{"Nats-Expected-Stream", "no.such.stream"};

std::string text_of(const wire::ApiError& error) {
  return error.code == 0 ? error.description
                         : fmt::format("{} (error {})", error.description, error.code);
}

// A stream at the broker, and what of it has to change. Throws CommandError(unavailable) when the
// broker does not answer, refuses, or cannot do what is planned.
class Provisioning {
 public:
  // Looks what is there; changes nothing.
  Provisioning(nats::Admin& admin, const std::string& domain, const StreamPlan& plan)
      : admin_(admin), domain_(domain), plan_(plan) {
    require_not_taken();
    info_ = ask("INFO." + plan.name, "");
    const auto facts = wire::parse_stream_info(info_);
    if (!facts) {
      if (facts.error().code != wire::kStreamNotFound) refuse(text_of(facts.error()));
      is_new_ = true;
      changes_ = differences(plan, std::nullopt);
      return;
    }
    changes_ = differences(plan, facts.value());
    // A single broker would write 3 down and keep one copy all the same.
    if (plan.replicas > 1 && !facts.value().clustered) {
      refuse(fmt::format("{} replicas need a cluster of brokers, and {} is a single one",
                         plan.replicas, admin.server()));
    }
  }

  // Makes the changes. The error says what the broker refuses, or does not do.
  void apply() {
    if (changes_.empty()) return;
    const auto request =
        is_new_ ? Result<std::string, wire::ApiError>(wire::stream_create_request(plan_))
                : wire::stream_update_request(info_, plan_);
    if (!request) throw CommandError(ExitCode::unavailable, "{}", text_of(request.error()));
    const std::string reply = ask((is_new_ ? "CREATE." : "UPDATE.") + plan_.name, request.value());
    const auto facts = wire::parse_stream_info(reply);
    if (!facts) {
      throw CommandError(ExitCode::unavailable, "the broker refuses: {}; {} was not {}d{}",
                         text_of(facts.error()), plan_.name, action(), is_new_ ? "" : what_to_do());
    }
    if (const auto left = differences(plan_, facts.value()); !left.empty()) {
      throw CommandError(ExitCode::unavailable, "the broker agreed, but keeps {} at {}",
                         left.front().field, left.front().present);
    }
    is_applied_ = true;
  }

  [[nodiscard]] bool is_as_planned() const noexcept { return changes_.empty() || is_applied_; }

  void print(bool is_dry_run) const {
    print_out("stream {} at {}: {}\n", plan_.name, admin_.server(),
              changes_.empty() ? "nothing to change"
              : is_dry_run     ? fmt::format("would {}", action())
                               : fmt::format("{}{}d", is_applied_ ? "" : "not ", action()));
    for (const auto& [field, present, wanted] : changes_) {
      print_out("  {}: {}{}{}\n", field, present, present.empty() ? "" : " → ", wanted);
    }
  }

  // The members of an object.
  void write(JsonWriter& json) const {
    json.key("stream").string(plan_.name).key("server").string(admin_.server());
    json.key("action").string(action()).key("as_planned").boolean(is_as_planned());
    json.key("changes").begin_array();
    for (const auto& [field, present, wanted] : changes_) {
      json.begin_object().key("field").string(field).key("present");
      present.empty() ? json.null() : json.string(present);
      json.key("wanted").string(wanted).end_object();
    }
    json.end_array();
  }

 private:
  [[nodiscard]] std::string_view action() const noexcept {
    return changes_.empty() ? "none" : is_new_ ? "create" : "change";
  }

  // nats-server before 2.10 never changes what a stream republishes.
  [[nodiscard]] std::string what_to_do() const {
    return fmt::format(
        ". A new stream can have what this one cannot: end every replica, delete {} ({}), and run "
        "provision again",
        plan_.name,
        plan_.is_bucket ? "pauses and changed settings go with it"
                        : "the new one knows no order: start the replicas after a cooldown");
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw CommandError(ExitCode::unavailable, "{}: {}", admin_.server(), why);
  }

  void require_not_taken() {
    const auto name =
        wire::parse_stream_names(ask("NAMES", wire::stream_names_request(plan_.subject)));
    if (!name) refuse(text_of(name.error()));
    if (name.value() == plan_.name) return;
    if (!name.value().empty()) {
      refuse(fmt::format(
          "stream {} stores {} already; it was not touched. {}", name.value(), plan_.subject,
          plan_.is_bucket
              ? "Choose another CONTROL_BUCKET"
              : "Take it with --stream " + name.value() + ", or choose another ORDER_LOG_TOPIC"));
    }
    if (!plan_.is_bucket) require_not_taken_elsewhere();
  }

  // Behind a leaf node, or by an import, another JetStream may store what is published here, and
  // two streams that both acknowledge an order would be two logs. Keys of buckets go through no
  // leaf node.
  void require_not_taken_elsewhere() {
    const auto answer = admin_.probe(plan_.subject, std::array{kForNoStream});
    if (!answer) refuse(answer.error());
    if (!answer.value()) return;
    const auto reply = wire::parse_stream_info(*answer.value());
    const bool is_stream = !reply && reply.error().code != 0;
    refuse(fmt::format("{} {} already, so none was made. {}", plan_.subject,
                       is_stream ? "is stored by a stream that is not in this JetStream"
                                 : "is answered by somebody who is no stream",
                       is_stream ? "Name its domain with NATS_JETSTREAM_DOMAIN"
                                 : "Choose another ORDER_LOG_TOPIC"));
  }

  std::string ask(const std::string& verb, std::string_view payload) {
    auto answer = admin_.request(nats::jetstream_api(domain_, "STREAM." + verb), payload);
    if (!answer) refuse(answer.error());
    return std::move(answer).value();
  }

  nats::Admin& admin_;
  const std::string& domain_;
  const StreamPlan& plan_;
  std::string info_;  // the broker's description of the stream
  bool is_new_ = false, is_applied_ = false;
  std::vector<Difference> changes_;
};

void print_as_json(const Provisioning& orders, const std::optional<Provisioning>& bucket) {
  print_json([&](JsonWriter& json) {
    orders.write(json);
    json.key("bucket");
    if (!bucket) return static_cast<void>(json.null());
    json.begin_object();
    bucket->write(json);
    json.end_object();
  });
}

// What the one ConfigMap with settings says that the manifest has, and the command line on top of
// it, as check has them: the environment does not count.
config::Settings settings_from(const Invocation& invocation, const std::string& path,
                               const std::string& manifest) {
  std::vector<FoundSettings> maps = parse_config_maps(path, manifest);
  std::erase_if(maps, [](const FoundSettings& found) { return !found.has_settings(); });
  if (maps.size() != 1) {
    throw CommandError(ExitCode::bad_input, "{}: {} ConfigMaps have settings; give one", path,
                       maps.size());
  }
  const FoundSettings& found = maps.front();
  if (!found.problems.empty()) {
    throw CommandError(ExitCode::configuration, "{}: {}", found.name, found.problems.front().text);
  }
  const auto loaded = config::load(found.given, invocation.settings);
  if (loaded) return loaded.value().settings;
  throw CommandError(ExitCode::configuration, "{}: {}", found.name,
                     fmt::join(loaded.error(), "\n"));
}

// For what the manifest deploys: its settings, and its Job's stream.
ExitCode print_permissions(const Invocation& invocation, const std::string& path) {
  const std::string manifest = settings_text(path);
  const config::Settings settings = settings_from(invocation, path, manifest);
  const Plans plans = plans_of(with_arguments_of_job(invocation, path, manifest), settings);
  write_out(permissions(settings, plans));
  return ExitCode::ok;
}

ExitCode provision(const Invocation& invocation, const config::Configuration& configuration) {
  const auto from = invocation.option("from");
  require(!from || invocation.has("permissions"),
          "--from is for --permissions; `provision` itself takes the settings that are here");
  if (from) return print_permissions(invocation, *from);
  const config::Settings& settings = configuration.settings;
  const Plans plans = plans_of(invocation, settings);
  if (invocation.has("permissions")) {
    write_out(permissions(settings, plans));
    return ExitCode::ok;
  }
  nats::Admin admin =
      connected_as(provisioner_name(settings.broker.consumer_name), settings.broker);
  const std::string& domain = settings.broker.jetstream_domain;
  Provisioning orders(admin, domain, plans.orders);
  std::optional<Provisioning> bucket;
  if (plans.bucket) bucket.emplace(admin, domain, *plans.bucket);
  const bool is_dry_run = invocation.has("dry-run");
  std::optional<CommandError> refusal;
  try {
    if (!is_dry_run) orders.apply();
    if (!is_dry_run && bucket) bucket->apply();
  } catch (const CommandError& error) {
    refusal = error;
  }
  // What was wanted is worth seeing also where the broker refused it.
  if (invocation.has("json")) {
    print_as_json(orders, bucket);
  } else {
    orders.print(is_dry_run);
    if (bucket) bucket->print(is_dry_run);
  }
  if (refusal) throw CommandError(*refusal);
  const bool is_as_planned = orders.is_as_planned() && (!bucket || bucket->is_as_planned());
  return is_as_planned ? ExitCode::ok : ExitCode::different;
}

constexpr std::array kOptions{
    Option{"--stream", "NAME", "the order log's name (default ORDERS)"},
    Option{"--daily-cap", "N",
           "orders in 24 h, all replicas together; 0 = none (default 3 x RISK_MAX_DAILY_SIGNALS)"},
    Option{"--replicas", "N", "copies, in a cluster of brokers (default 1)"},
    Option{"--dry-run", "", "change nothing; exit 1 when something would change"},
    kJsonOption,
    Option{"--permissions", "", "only print the broker's permissions, as nats-server reads them"},
    Option{"--from", "FILE",
           "print them for the ConfigMap of a Kubernetes manifest, - for standard input"}};

}  // namespace

constinit const Command kProvision{
    {"provision", "create or verify the streams of orders and control at the broker",
     "realtime-strategies provision --dry-run"},
    Needs::connection,
    provision,
    kOptions};

nats::Admin connected_as(const std::string& name, const config::BrokerParameters& broker) {
  nats::ClientOptions options{broker};
  options.name = name;
  auto admin = nats::Admin::connect(options, nats::inbox_prefix(name));
  if (admin) return std::move(admin).value();
  throw CommandError(ExitCode::unavailable,
                     "{}; NATS_URL says which broker is asked, NATS_USER and the like who asks",
                     admin.error());
}

Invocation with_arguments_of_job(Invocation invocation, const std::string& file,
                                 const std::string& manifest) {
  std::vector<std::string> words = provision_arguments(file, manifest);
  words.insert(words.begin(), "provision");
  try {
    const Invocation job = parse_command_line(words);
    static_cast<void>(plans_of(job, {}));
    for (const char* const name : {"stream", "daily-cap", "replicas"}) {
      const auto value = job.option(name);
      if (value && !invocation.has(name)) invocation.options.emplace(name, *value);
    }
  } catch (const CommandError& error) {
    throw CommandError(ExitCode::configuration, "the Job's arguments: {}", error.what());
  }
  return invocation;
}

Plans plans_of(const Invocation& invocation, const config::Settings& settings) {
  StreamPlanSource source;
  source.name = invocation.option("stream").value_or(source.name);
  require(
      is_stream_name(source.name),
      "--stream takes up to {} characters without blanks, dots, slashes and wildcards, not '{}'",
      kMaxStreamNameBytes, source.name);
  static_cast<StreamNeeds&>(source) = settings.stream;
  source.daily_signals = settings.engine.gate.max_daily_signals;
  source.daily_cap = invocation.whole_number("daily-cap", {0, kMaxDailyCap});
  source.replicas =
      static_cast<std::int64_t>(invocation.whole_number("replicas", {1, kMaxReplicas}).value_or(1));
  Plans plans{plan_stream(source), {}};
  if (const std::string& bucket = settings.broker.control_bucket; !bucket.empty()) {
    plans.bucket = plan_bucket(bucket, source.replicas);
  }
  return plans;
}

}  // namespace rts::commands
