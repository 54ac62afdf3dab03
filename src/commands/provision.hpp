// What `provision` plans before it talks to the broker, and the broker's permissions as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rts/trading/stream_plan.hpp>

#include "commands/command_line.hpp"
#include "nats/admin.hpp"

namespace rts::commands {

// What the command line and the settings ask for: the stream of the order log, and the bucket of
// the control log unless CONTROL_BUCKET is empty. Throws CommandError.
struct Plans {
  StreamPlan orders;
  std::optional<StreamPlan> bucket;
};
[[nodiscard]] Plans plans_of(const Invocation& invocation, const config::Settings& settings);

// What the provisioning Job of a manifest asks for by its arguments, and what the command line
// says, which wins. Throws CommandError of arguments that the Job would end with.
[[nodiscard]] Invocation with_arguments_of_job(Invocation invocation, const std::string& file,
                                               const std::string& manifest);

// The connection names of `provision`, and of the commands that write the control log, from which
// their inboxes are named, and the provisioner's user.
[[nodiscard]] inline std::string provisioner_name(const std::string& consumer_name) {
  return consumer_name + "-provision";
}
[[nodiscard]] inline std::string operator_name(const std::string& consumer_name) {
  return consumer_name + "-operator";
}

// A connection for requests, under this name. Throws CommandError(unavailable).
[[nodiscard]] nats::Admin connected_as(const std::string& name,
                                       const config::BrokerParameters& broker);

// What the service publishes and subscribes to, and why: what its user has to be allowed.
struct SubjectNeed {
  std::string subject;  // may have wildcards
  std::string_view why;
  std::string queue_group{};   // to subscribe in it only; empty: plainly
  bool is_for_doctor = false;  // the service does without
};
struct ServiceSubjects {
  std::vector<SubjectNeed> publish, subscribe;
};
[[nodiscard]] ServiceSubjects service_subjects(const config::Settings& settings,
                                               const Plans& plans);

// An `authorization` block of nats-server's configuration: least privilege for the service, for
// `provision`, for the people who pause and change settings, and for the TradeEngine. Passwords are
// variables ($RTS_NATS_PASSWORD …), which nats-server takes from its environment or from the same
// file.
[[nodiscard]] std::string permissions(const config::Settings& settings, const Plans& plans);

}  // namespace rts::commands
