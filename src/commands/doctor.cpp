// `doctor`: what is wrong with an installation, found out without changing anything. No message is
// sent to where orders go or are stored, and the market data is heard outside of the queue group,
// so that nobody misses a frame. Blocking, at most --seconds and 12 s more; a command's main
// thread.
#include "commands/doctor.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <rts/wire/stream_info.hpp>

#include "commands/output.hpp"
#include "commands/provision.hpp"
#include "commands/service_client.hpp"
#include "nats/client.hpp"
#include "nats/subjects.hpp"

namespace rts::commands {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kConnectLimit{5000};  // names, dials and handshakes
constexpr milliseconds kAskLimit{2500};      // all questions together
constexpr milliseconds kAnswerLimit{1000};   // one of them; every broker of a cluster may answer
constexpr milliseconds kLeastLimit{300};     // the same when the time of all is over
constexpr milliseconds kAnswerGrace{100};    // until the client has said that there is none
constexpr milliseconds kTryLimit{2000};      // all subscriptions that are tried
constexpr std::uint64_t kMaxSeconds = 600;

// How a question has ended.
struct Answers {
  nats::ReplyKind kind = nats::ReplyKind::timed_out;
  std::vector<std::string> payloads{};
  UnixMs first_at{};  // by our clock
};
enum class Expect : std::uint8_t { one, several };

std::string why_not(const std::string& subject, const Answers& answers) {
  switch (answers.kind) {
    case nats::ReplyKind::no_responders: return "nobody answers " + subject;
    case nats::ReplyKind::denied: return "no permission to ask on " + subject;
    case nats::ReplyKind::connection_lost: return "the connection was lost";
    case nats::ReplyKind::answered: return fmt::format("what answers {} cannot be read", subject);
    case nats::ReplyKind::timed_out: break;
  }
  return fmt::format("no answer to {} in time", subject);
}

UnixNs wall_clock() {
  return std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

// The connections to the broker, all on one loop, which runs while something is awaited.
class Examination {
 public:
  explicit Examination(const config::Configuration& configuration)
      : settings_(configuration.settings),
        watch_(settings_),
        asker_(loop_, listening_on(""), {.on_messages = [](auto) {}}) {}

  DoctorFacts run(const Plans& plans, std::chrono::seconds seconds) {
    look_at_port();
    asker_.start();
    wait(
        [&] {
          const nats::Status status = asker_.status();
          return status.subscribed || !status.last_error.empty();
        },
        SteadyClock::now() + kConnectLimit);
    const nats::Status status = asker_.status();
    if (!status.connected) {
      facts_.connect_problem = status.last_error.empty() ? fmt::format("no connection within {} s",
                                                                       kConnectLimit.count() / 1000)
                                                         : status.last_error;
      return std::move(facts_);
    }
    facts_.server = status.server;
    facts_.takes_headers = status.takes_headers;
    facts_.max_payload = status.max_payload;
    facts_.inbox_problem = status.last_error;
    examine(plans, seconds);
    return std::move(facts_);
  }

 private:
  // A plain subscription to one subject, or to none.
  [[nodiscard]] nats::ClientOptions listening_on(const std::string& subject) const {
    nats::ClientOptions options{settings_.broker};
    options.name = name_;
    options.subject = subject;
    options.queue_group.clear();
    return options;
  }

  // Runs the loop until it is so, or until then.
  bool wait(const std::function<bool()>& is_so, SteadyClock::time_point until) {
    while (!is_so()) {
      if (SteadyClock::now() >= until) return false;
      loop_.run_one_until(until);
    }
    return true;
  }

  void examine(const Plans& plans, std::chrono::seconds seconds) {
    const auto [publish, subscribe] = service_subjects(settings_, plans);
    for (const SubjectNeed& need : publish) {
      if (!need.is_for_doctor) facts_.publish_subjects.push_back(need.subject);
    }
    nats::Client feed(loop_, listening_on(settings_.broker.subject),
                      {.on_messages = [this](auto messages) {
                        for (const nats::Message& message : messages) {
                          watch_.take(message.payload, wall_clock());
                        }
                      }});
    const auto began = SteadyClock::now();
    feed.start();
    ask_until_ = began + kAskLimit;
    look_at_path();
    look_at_clients();
    look_at_logs();
    try_to_subscribe(subscribe);
    listen(feed, began, seconds);
  }

  // --- Questions ---------------------------------------------------------------------------------

  Answers ask(const std::string& subject, std::string_view payload, Expect expect = Expect::one) {
    struct Shared {
      Answers answers{};
      bool done = false;
    };
    // The handler may be called after we have given up.
    const auto shared = std::make_shared<Shared>();
    const auto limit =
        std::clamp<milliseconds>(std::chrono::floor<milliseconds>(ask_until_ - SteadyClock::now()),
                                 kLeastLimit, kAnswerLimit);
    const auto sent =
        asker_.request({subject, payload}, limit, [shared, expect](const nats::Reply& reply) {
          Answers& answers = shared->answers;
          if (reply.kind == nats::ReplyKind::answered) {
            if (answers.payloads.empty()) {
              answers.first_at = to_ms(wall_clock());
              answers.kind = reply.kind;
            }
            answers.payloads.emplace_back(reply.payload);
            if (expect == Expect::several) return nats::AfterReply::keep_waiting;
          } else if (answers.payloads.empty()) {
            answers.kind = reply.kind;
          }
          shared->done = true;
          return nats::AfterReply::done;
        });
    if (sent != nats::PublishResult::sent) {
      return {.kind = sent == nats::PublishResult::denied ? nats::ReplyKind::denied
                                                          : nats::ReplyKind::connection_lost};
    }
    wait([&] { return shared->done; }, SteadyClock::now() + limit + kAnswerGrace);
    return shared->answers;
  }

  void look_at_path() {
    const auto began = SteadyClock::now();
    const auto back = std::make_shared<std::optional<SteadyClock::time_point>>();
    const auto sent = asker_.round_trip(kAnswerLimit, [back](const nats::Reply& reply) {
      if (reply.kind == nats::ReplyKind::answered) *back = SteadyClock::now();
      return nats::AfterReply::done;
    });
    if (sent != nats::PublishResult::sent) return;
    if (!wait([&] { return back->has_value(); }, began + kAnswerLimit)) return;
    facts_.round_trip = std::chrono::floor<std::chrono::microseconds>(**back - began);
  }

  void take(const wire::BrokerFacts& broker, UnixMs answered_at) {
    if (facts_.broker || broker.version.empty()) return;
    facts_.broker = broker;
    if (broker.at == UnixMs()) return;
    const auto half = facts_.round_trip.value_or(std::chrono::microseconds(0)) / 2;
    facts_.ahead_of_broker = answered_at - broker.at - std::chrono::floor<milliseconds>(half);
  }

  void look_at_clients() {
    const std::string user_subject(wire::kUserSubject);
    const Answers user = ask(user_subject, "");
    if (!user.payloads.empty()) facts_.user = wire::parse_user(user.payloads.front());
    if (facts_.user) {
      take(facts_.user->broker, user.first_at);
    } else {
      facts_.user_problem = why_not(user_subject, user);
    }

    const std::string subject(wire::kClientsSubject);
    const Answers answers = ask(subject, wire::kClientsRequest, Expect::several);
    std::vector<wire::BrokerClient> clients;
    bool is_understood = false;
    for (const std::string& payload : answers.payloads) {
      auto part = wire::parse_clients(payload);
      facts_.has_all_clients = facts_.has_all_clients && part && part->is_complete;
      if (!part) continue;
      is_understood = true;
      take(part->broker, answers.first_at);
      std::ranges::move(part->clients, std::back_inserter(clients));
    }
    std::erase_if(clients, [this](const auto& c) { return c.name == name_; });
    if (is_understood) facts_.clients = std::move(clients);
    facts_.clients_problem = why_not(subject, answers);
  }

  // --- The logs ----------------------------------------------------------------------------------

  // The answer to a request about streams, or why there is none. Of the domain in the settings.
  std::optional<std::string> ask_jetstream(const std::string& verb, std::string_view payload,
                                           StreamLook& look) {
    return ask_jetstream(settings_.broker.jetstream_domain, verb, payload, look);
  }
  std::optional<std::string> ask_jetstream(const std::string& domain, const std::string& verb,
                                           std::string_view payload, StreamLook& look) {
    const std::string subject = nats::jetstream_api(domain, verb);
    Answers answers = ask(subject, payload);
    if (!answers.payloads.empty()) return std::move(answers.payloads.front());
    look.problem = why_not(subject, answers);
    look.is_jetstream_off = answers.kind == nats::ReplyKind::no_responders;
    if (look.is_jetstream_off) look.problem += ": " + nats::no_jetstream(subject);
    return std::nullopt;
  }

  static void take_error(const wire::ApiError& error, StreamLook& look) {
    look.problem = error.description;
    look.is_absent = error.code == wire::kStreamNotFound;
    look.is_jetstream_off =
        error.code == wire::kNoJetStream || error.code == wire::kNoJetStreamForAccount;
  }

  StreamLook look_at(const std::string& stream) {
    StreamLook look;
    const auto answer = ask_jetstream("STREAM.INFO." + stream, "", look);
    if (!answer) return look;
    auto facts = wire::parse_stream_info(*answer);
    if (facts) {
      look.facts = std::move(facts).value();
    } else {
      take_error(facts.error(), look);
      if (look.is_absent) look.problem = "there is no stream " + stream;
    }
    return look;
  }

  StreamLook look_at_order_log() {
    StreamLook look;
    const std::string& topic = settings_.stream.subject;
    const auto answer = ask_jetstream("STREAM.NAMES", wire::stream_names_request(topic), look);
    if (!answer) return look;
    const auto name = wire::parse_stream_names(*answer);
    if (name && !name.value().empty()) return look_at(name.value());
    if (!name) {
      take_error(name.error(), look);
    } else {
      look.is_absent = true;
      look.problem = "no stream stores " + topic;
    }
    return look;
  }

  void look_at_logs() {
    if (settings_.delivery.mode == DeliveryMode::jetstream) facts_.order_log = look_at_order_log();
    const std::string& bucket = settings_.broker.control_bucket;
    if (!bucket.empty()) facts_.control_log = look_at(bucket_stream(bucket));
    const std::string& domain = settings_.broker.jetstream_domain;
    facts_.jetstream = look_at_account(domain);
    const bool is_elsewhere =
        facts_.order_log.is_jetstream_off || facts_.control_log.is_jetstream_off;
    if (is_elsewhere && !domain.empty()) facts_.jetstream_nearby = look_at_account("");
  }

  std::optional<wire::AccountInfo> look_at_account(const std::string& domain) {
    StreamLook ignored;
    const auto answer = ask_jetstream(domain, "INFO", "", ignored);
    if (!answer) return std::nullopt;
    auto info = wire::parse_account_info(*answer);
    return info ? std::optional(std::move(info).value()) : std::nullopt;
  }

  // --- Subscriptions -----------------------------------------------------------------------------

  // Each on a connection of its own, for the broker's last complaint is all that is kept of one;
  // one at a time, for a small account may not have room for more, and the service needs it too;
  // and only until it is known, for while we listen nobody is told that nobody does.
  void try_to_subscribe(const std::vector<SubjectNeed>& needs) {
    const auto until = SteadyClock::now() + kTryLimit;
    const std::string inbox = nats::inbox_prefix(settings_.broker.consumer_name);
    for (const SubjectNeed& need : needs) {
      // The others are tried already.
      if (need.subject == settings_.broker.subject || need.subject.starts_with(inbox)) continue;
      if (SteadyClock::now() >= until) {
        facts_.untried.push_back(need.subject);
        continue;
      }
      nats::Client one(loop_, listening_on(need.subject), {.on_messages = [](auto) {}});
      one.start();
      wait([&] { return is_settled(one); }, until);
      const nats::Status status = one.status();
      if (is_refused(status)) {
        facts_.refused.push_back(status.last_error);
      } else if (!status.subscribed) {
        facts_.untried.push_back(need.subject);
        facts_.untried_problem = status.last_error;
      }
    }
  }

  static bool is_refused(const nats::Status& status) {
    return status.last_error.find("for Subscription") != std::string::npos;
  }
  static bool is_settled(const nats::Client& client) {
    const nats::Status status = client.status();
    return status.subscribed || is_refused(status);
  }

  void listen(const nats::Client& feed, SteadyClock::time_point began,
              std::chrono::seconds seconds) {
    wait([&] { return is_settled(feed); }, ask_until_);
    const nats::Status status = feed.status();
    if (!status.subscribed) {
      facts_.feed_problem =
          status.last_error.empty() ? "the broker does not answer" : status.last_error;
      // In the group it may be allowed, which is not tried: we would get frames of the service's.
      const bool has_group = !settings_.broker.queue_group.empty();
      if (is_refused(status) && !has_group) facts_.refused.push_back(status.last_error);
      return;
    }
    wait([] { return false; }, began + seconds);
    const nats::Status after = feed.status();
    if (!after.answering) facts_.feed_problem = "the broker fell silent meanwhile";
    if (after.reconnects > 0) facts_.feed_problem = "the connection was lost meanwhile";
    facts_.feed = watch_.facts();
    facts_.listened = std::chrono::round<std::chrono::seconds>(SteadyClock::now() - began);
  }

  // --- The HTTP port -----------------------------------------------------------------------------

  // As the service takes it, but not listened on: a service that starts now gets it all the same.
  void look_at_port() {
    namespace asio = boost::asio;
    const auto& [host, port] = settings_.server;
    boost::system::error_code error;
    try {
      asio::io_context loop(1);
      const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(host), port);
      asio::ip::tcp::acceptor trial(loop, endpoint.protocol());
      trial.set_option(asio::socket_base::reuse_address(true));
      trial.bind(endpoint);
    } catch (const boost::system::system_error& failure) {
      error = failure.code();
    }
    facts_.port = error ? PortUse::unusable : PortUse::free;
    facts_.port_detail = error       ? error.message()
                         : port == 0 ? "any free one"
                                     : "free; no service runs here";
    if (error != asio::error::address_in_use) return;
    facts_.port = PortUse::foreign;
    facts_.port_detail = "somebody else has it";
    try {
      const auto [status, body] = ask_service(service_address({}, settings_), "/ready");
      if (body.find("\"nats_connected\"") == std::string::npos) return;
      facts_.port = PortUse::ours;
      facts_.port_detail = status == 200 ? "a service answers, and is ready"
                                         : "a service answers, and is not ready: see its /ready";
    } catch (const CommandError&) {  // nobody who speaks HTTP
    }
  }

  const config::Settings& settings_;
  const std::string name_ = settings_.broker.consumer_name + "-doctor";
  boost::asio::io_context loop_{1};
  FeedWatch watch_;
  nats::Client asker_;
  SteadyClock::time_point ask_until_{};
  DoctorFacts facts_;
};

ExitCode report(const Invocation& invocation, const Rows& rows) {
  const bool is_well = std::ranges::count(rows, Health::failed, &Finding::health) == 0;
  if (invocation.has("json")) {
    print_json([&](JsonWriter& json) {
      json.key("ok").boolean(is_well).key("checks").begin_array();
      for (const auto& [check, health, found, fix] : rows) {
        json.begin_object().key("check").string(check).key("status").string(to_string(health));
        json.key("found").string(found).key("fix");
        fix.empty() ? json.null() : json.string(fix);
        json.end_object();
      }
      json.end_array();
    });
  } else {
    for (const auto& [check, health, found, fix] : rows) {
      const bool is_unknown = health == Health::not_looked_at;
      print_out("{:<13} {:<11} {}\n", is_unknown ? "not looked at" : to_string(health), check,
                found);
      if (!fix.empty()) print_out("{:25} → {}\n", "", fix);
    }
  }
  return is_well ? ExitCode::ok : ExitCode::different;
}

ExitCode doctor(const Invocation& invocation, const config::Configuration& configuration) {
  const auto seconds = invocation.whole_number("seconds", {1, kMaxSeconds}).value_or(10);
  const Plans plans = plans_of(invocation, configuration.settings);
  // Before there are connections: a terminal that is stopped would hold them up.
  if (::isatty(STDERR_FILENO) == 1) {
    print_error("doctor: looking, and listening to the feed for {} s …\n", seconds);
  }
  const DoctorFacts facts = Examination(configuration).run(plans, std::chrono::seconds(seconds));
  return report(invocation, findings(configuration, facts));
}

ExitCode refused_settings(const Invocation& invocation, const config::Problems& problems) {
  return report(invocation, findings(problems));
}

constexpr std::array kOptions{
    Option{"--seconds", "N", "how long to listen to the feed, 1 to 600 (default 10)"}, kJsonOption};

}  // namespace

constinit const Command kDoctor{
    {"doctor", "say what is wrong with this installation, and how to mend it",
     "realtime-strategies doctor --seconds 3"},
    Needs::delivery,
    doctor,
    kOptions,
    refused_settings};

}  // namespace rts::commands
