// fake_broker: a NATS server that misbehaves by a script.
#include "support/fake_broker.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "chaos/options.hpp"
#include "chaos/until_stopped.hpp"

namespace {

using rts::test::BrokerScript;

std::optional<BrokerScript> script_named(const std::string& name) {
  if (name == "pub-acks") return BrokerScript{.ack = rts::test::pub_ack};
  if (name == "acks-for-somebody-else")
    return BrokerScript{.ack = rts::test::ack_for_somebody_else};
  if (name == "oversized-acks") return BrokerScript{.ack = rts::test::oversized_ack};
  for (const auto& script : rts::test::broker_scripts()) {
    if (script.name == name) return script.script;
  }
  return std::nullopt;
}

void list_scripts(std::FILE* to) {
  for (const auto& script : rts::test::broker_scripts()) fmt::print(to, "{}\n", script.name);
  for (const char* name : {"pub-acks", "acks-for-somebody-else", "oversized-acks"}) {
    fmt::print(to, "{}\n", name);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const rts::chaos::UntilStopped stopped;
  const rts::chaos::Options options(
      "fake_broker: listens on a free port of 127.0.0.1, prints its URL, and treats every client "
      "by\n"
      "a script until Ctrl-C; then says how long each stayed.",
      {{"--script", "NAME", "one of --list"}, {"--list", "", "names the scripts"}}, argc, argv);
  if (options.has("--list")) {
    list_scripts(stdout);
    return 0;
  }
  const auto script = script_named(options.text("--script", "silent-after-info"));
  if (!script) {
    fmt::print(stderr, "fake_broker: no such script; there are\n");
    list_scripts(stderr);
    return 64;
  }
  const rts::test::FakeBroker broker(*script);
  fmt::print("{}\n", broker.url());
  std::fflush(stdout);
  stopped.wait();
  for (const auto& visit : broker.visits()) {
    fmt::print("{}\n", visit.stay ? fmt::format("stayed {} ms", visit.stay->count()) : "is here");
  }
  return 0;
}
