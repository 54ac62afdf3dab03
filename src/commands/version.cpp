// `version`.
#include <rts/base/json_writer.hpp>
#include <rts/base/version.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

ExitCode version(const Invocation& invocation, const config::Configuration& /*configuration*/) {
  if (!invocation.has("json")) {
    print_out("realtime-strategies {} ({})\n", rts::kVersion, kCommit);
    return ExitCode::ok;
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("version").string(rts::kVersion).key("commit").string(kCommit);
  json.key("build").string(kBuild).end_object();
  print_out("{}\n", out);
  return ExitCode::ok;
}

constexpr std::array kOptions{Option{"--json", "", "print as JSON"}};

}  // namespace

constinit const Command kVersion{"version",
                                 "",
                                 "print version and commit",
                                 "realtime-strategies version --json",
                                 kOptions,
                                 Needs::nothing,
                                 version};

}  // namespace rts::commands
