// `provision`: creates the stream of the orders, or makes the one that is there as the settings
// want it; and prints the broker's permissions. Blocking; a command's main thread.
#include "commands/provision.hpp"

#include <optional>

#include <rts/trading/order_subject.hpp>
#include <rts/wire/stream_info.hpp>

#include "commands/output.hpp"
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

// Throws CommandError when the broker could not be asked to republish so.
void require_republishable(const StreamPlanSource& source) {
  const bool many = is_per_strategy(source.subject);
  require(source.republish_to || !many,
          "--republish: missing; {} is a subject for each strategy, so say where their orders go, "
          "with {} too: --republish signals.trading.{}, or --republish= for nowhere",
          source.subject, kStrategyToken, kStrategyToken);
  const std::string to = source.republish_to.value_or("");
  if (to.empty()) return;
  require(config::is_subject(to) && has_sound_tokens(to),
          "--republish: '{}' is no subject without wildcards", to);
  require(to != source.subject, "--republish: {} is what the stream stores; it would go in circles",
          to);
  require(is_per_strategy(to) == many,
          "--republish: {} and {} both have a token {}, or neither: a stream cannot republish many "
          "subjects onto one",
          to, source.subject, kStrategyToken);
}

std::string text_of(const wire::ApiError& error) {
  return error.code == 0 ? error.description
                         : fmt::format("{} (error {})", error.description, error.code);
}

// The stream at the broker, and what of it has to change. Throws CommandError(unavailable) when the
// broker does not answer, refuses, or cannot do what is planned.
class Provisioning {
 public:
  // Looks what is there; changes nothing.
  Provisioning(nats::Admin& admin, const StreamPlan& plan) : admin_(admin), plan_(plan) {
    for (const std::string& subject : order_subjects(plan.subject)) require_not_taken(subject);
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
      throw CommandError(
          ExitCode::unavailable, "the broker refuses: {}; nothing was changed{}",
          text_of(facts.error()),
          is_new_ ? ""
                  : ". What it does not change, a new stream can have: --stream with another "
                    "name, after this one was deleted");
    }
    if (const auto left = differences(plan_, facts.value()); !left.empty()) {
      throw CommandError(ExitCode::unavailable, "the broker agreed, but keeps {} at {}",
                         left.front().field, left.front().present);
    }
    is_applied_ = true;
  }

  [[nodiscard]] bool is_as_planned() const noexcept { return changes_.empty() || is_applied_; }

  void print(const Invocation& invocation) const {
    if (invocation.has("json")) return print_json([this](JsonWriter& json) { write(json); });
    print_out("stream {} at {}: {}\n", plan_.name, admin_.server(),
              changes_.empty() ? "nothing to change"
              : invocation.has("dry-run")
                  ? fmt::format("would {}", action())
                  : fmt::format("{}{}d", is_applied_ ? "" : "not ", action()));
    for (const auto& [field, present, wanted] : changes_) {
      print_out("  {}: {}{}{}\n", field, present, present.empty() ? "" : " → ", wanted);
    }
  }

 private:
  [[nodiscard]] std::string_view action() const noexcept {
    return changes_.empty() ? "none" : is_new_ ? "create" : "change";
  }

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

  [[noreturn]] void refuse(const std::string& why) const {
    throw CommandError(ExitCode::unavailable, "{}: {}", admin_.server(), why);
  }

  void require_not_taken(const std::string& subject) {
    const auto name = wire::parse_stream_names(ask("NAMES", wire::stream_names_request(subject)));
    if (!name) refuse(text_of(name.error()));
    if (name.value().empty() || name.value() == plan_.name) return;
    refuse(
        fmt::format("stream {} stores {} already; it was not touched. Take it with --stream {}, "
                    "or choose another NATS_PUBLISHER_TOPIC",
                    name.value(), subject, name.value()));
  }

  std::string ask(const std::string& verb, std::string_view payload) {
    auto answer = admin_.request("$JS.API.STREAM." + verb, payload);
    if (!answer) refuse(answer.error());
    return std::move(answer).value();
  }

  nats::Admin& admin_;
  const StreamPlan& plan_;
  std::string info_;  // the broker's description of the stream
  bool is_new_ = false, is_applied_ = false;
  std::vector<Difference> changes_;
};

ExitCode provision(const Invocation& invocation, const config::Configuration& configuration) {
  const config::Settings& settings = configuration.settings;
  const StreamPlan plan = plan_of(invocation, settings);
  if (invocation.has("permissions")) {
    write_out(permissions(settings, plan));
    return ExitCode::ok;
  }
  nats::ClientOptions options{settings.broker};
  options.name = provisioner_name(settings.broker.consumer_name);
  auto admin = nats::Admin::connect(options, nats::inbox_prefix(options.name));
  if (!admin) throw CommandError(ExitCode::unavailable, "{}", admin.error());
  Provisioning provisioning(admin.value(), plan);
  std::optional<CommandError> refusal;
  try {
    if (!invocation.has("dry-run")) provisioning.apply();
  } catch (const CommandError& error) {
    refusal = error;
  }
  // What was wanted is worth seeing also where the broker refused it.
  provisioning.print(invocation);
  if (refusal) throw CommandError(*refusal);
  if (!plan.republish) {
    print_error(
        "provision: note: nothing is republished, so who listens on {} without the stream "
        "also gets what the stream refuses\n",
        plan.subject);
  }
  return provisioning.is_as_planned() ? ExitCode::ok : ExitCode::different;
}

constexpr std::array kOptions{
    Option{"--stream", "NAME", "the stream's name (default ORDERS)"},
    Option{"--daily-cap", "N",
           "orders in 24 h, all replicas together; 0 = none (default 3 x RISK_MAX_DAILY_SIGNALS)"},
    Option{"--republish", "SUBJECT",
           "where what was stored goes; empty: nowhere (default tradeengine.orders, unless that is "
           "NATS_PUBLISHER_TOPIC); with a token {strategy} where that has one"},
    Option{"--replicas", "N", "copies, in a cluster of brokers (default 1)"},
    Option{"--dry-run", "", "change nothing; exit 1 when something would change"},
    Option{"--json", "", "print as JSON"},
    Option{"--permissions", "", "only print the broker's permissions, as nats-server reads them"}};

}  // namespace

constinit const Command kProvision{
    {"provision",
     "create or verify the stream that stores each order once; exit 69 when it cannot be",
     "NATS_PUBLISHER_TOPIC=orders.intents realtime-strategies provision --dry-run"},
    Needs::connection,
    provision,
    kOptions};

StreamPlan plan_of(const Invocation& invocation, const config::Settings& settings) {
  StreamPlanSource source;
  source.name = invocation.option("stream").value_or(source.name);
  require(is_stream_name(source.name), "--stream: '{}' is no name of a stream", source.name);
  static_cast<StreamNeeds&>(source) = settings.stream;
  source.daily_signals = settings.engine.gate.max_daily_signals;
  source.daily_cap = invocation.whole_number("daily-cap", {0, kMaxDailyCap});
  source.replicas =
      static_cast<std::int64_t>(invocation.whole_number("replicas", {1, kMaxReplicas}).value_or(1));
  source.republish_to = invocation.option("republish");
  const bool has_stream =
      !invocation.has("permissions") || settings.delivery.mode == DeliveryMode::jetstream;
  if (has_stream) require_republishable(source);
  return plan_stream(source);
}

}  // namespace rts::commands
