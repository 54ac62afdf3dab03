// `version`.
#include <rts/base/version.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

ExitCode version(const Invocation& invocation, const config::Configuration& /*configuration*/) {
  if (invocation.has("json")) {
    print_json([](JsonWriter& json) {
      json.key("version").string(rts::kVersion).key("commit").string(kCommit);
      json.key("build").string(kBuild);
    });
  } else {
    print_out("realtime-strategies {} ({})\n", rts::kVersion, kCommit);
  }
  return ExitCode::ok;
}

constexpr std::array kOptions{kJsonOption};

}  // namespace

constinit const Command kVersion{
    {"version", "print version and commit", "realtime-strategies version --json"},
    Needs::nothing,
    version,
    kOptions};

}  // namespace rts::commands
