// Secrets that are known to the test go into the program by every way there is, right and wrong
// ones, and must come out by none.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/certificates.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/nats_identity.hpp"
#include "support/nats_server.hpp"
#include "support/paths.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// What "config" and the error paths of every command print.
std::string printed(const Environment& settings) {
  std::string text;
  const std::vector<std::vector<std::string>> commands{{"check"},
                                                       {"check", "--json"},
                                                       {"help", "settings"},
                                                       {"help", "settings", "--json"},
                                                       {"help", "settings", "NATS_URL"},
                                                       {"config", "--format", "text"},
                                                       {"config", "--format", "json"},
                                                       {"config", "--format", "env"},
                                                       {"config", "--format", "markdown"},
                                                       {"config", "--format", "configmap"},
                                                       {"config", "--format", "nonsense"},
                                                       {"run", "--help"},
                                                       {"version", "--json"},
                                                       {"replay", "/does/not/exist"}};
  for (const auto& command : commands) {
    const RunResult result = run_binary(command, settings);
    text += result.out + result.err;
  }
  return text;
}

std::string shown_over_http(const Daemon& daemon) {
  std::string text;
  for (const char* path : {"/", "/info", "/ready", "/metrics", "/healthz", "/nothing"}) {
    text += daemon.get(path).body;
  }
  return text;
}

// All that a running service lets out, from its start to its end.
std::string let_out(Daemon& daemon) {
  const std::string port = std::to_string(daemon.port());
  const Environment settings{{"HEALTH_CHECK_HOST", "127.0.0.1"}, {"HEALTH_CHECK_PORT", port}};
  const RunResult health = run_binary({"health", "--ready", "--json"}, settings);
  std::string text = shown_over_http(daemon) + health.out + health.err;
  const std::string process = fmt::format("/proc/{}/", daemon.process().pid());
  for (const char* file : {"cmdline", "comm", "status"}) text += read_file(process + file);
  EXPECT_EQ(daemon.terminate(), 0);
  return text + daemon.log() + daemon.process().err();
}

struct Scenario {
  const char* name;
  std::string broker;  // its configuration
  Environment settings;
  std::vector<std::string> canaries;  // beside every text that holds "canary"
  bool lets_in;
};

void expect_no_canary(const std::string& text, const Scenario& scenario) {
  std::vector<std::string> canaries = scenario.canaries;
  canaries.emplace_back("canary");
  for (const std::string& canary : canaries) {
    const std::size_t found = text.find(canary);
    EXPECT_EQ(found, std::string::npos)
        << scenario.name << ": …" << text.substr(found < 200 ? 0 : found - 200, 400) << "…";
  }
}

void expect_kept(const Scenario& scenario) {
  NatsServer broker(scenario.broker);
  Environment settings = scenario.settings;
  settings["DEBUG_MODE"] = "true";
  const auto url = settings.find("NATS_URL");  // holds {} where the broker's address belongs
  const std::string address = fmt::format("127.0.0.1:{}", broker.port());
  settings["NATS_URL"] =
      fmt::format(fmt::runtime(url == settings.end() ? "nats://{}" : url->second), address);
  Daemon daemon(settings);
  if (scenario.lets_in) {
    ASSERT_TRUE(daemon.wait_ready()) << scenario.name << daemon.get("/ready").body;
    broker.kill();
  }
  ASSERT_TRUE(eventually([&] { return !daemon.log("nats_error").empty(); }, 10s)) << scenario.name;
  expect_no_canary(let_out(daemon), scenario);
  const std::string shown = printed(settings);
  expect_no_canary(shown, scenario);
  EXPECT_THAT(shown, HasSubstr("***")) << scenario.name;
}

std::string user_config(const char* password) {
  return fmt::format("authorization {{ users: [ {{ user: user-canary, password: \"{}\" }} ] }}",
                     password);
}

TEST(Canary, OfCredentialsThatLogInIsNowhereSeen) {
  const ScratchFiles files;
  const NatsKey key('U');
  const NatsOperator authority;
  const std::string creds = authority.creds(key);
  const std::string jwt = creds.substr(creds.find("eyJ"), 200);
  const std::string in_user_file = files.write("path-canary-1", "user-canary");
  const std::string in_password_file = files.write("path-canary-2", "password-canary");
  const std::string in_token_file = files.write("path-canary-3", "token-canary");
  const std::string token = "authorization { token: token-canary }";
  const std::vector<Scenario> scenarios{
      {"user and password",
       user_config("password-canary"),
       {{"NATS_USER", "user-canary"}, {"NATS_PASSWORD", "password-canary"}},
       {},
       true},
      {"files with user and password",
       user_config("password-canary"),
       {{"NATS_USER_FILE", in_user_file}, {"NATS_PASSWORD_FILE", in_password_file}},
       {},
       true},
      {"url with user and password",
       user_config("password-canary"),
       {{"NATS_URL", "nats://user-canary:password-canary@{}"}},
       {},
       true},
      {"url with a token", token, {{"NATS_URL", "token-canary@{}"}}, {}, true},
      {"token", token, {{"NATS_TOKEN", "token-canary"}}, {}, true},
      {"file with a token", token, {{"NATS_TOKEN_FILE", in_token_file}}, {}, true},
      {"NKey",
       fmt::format("authorization {{ users: [ {{ nkey: {} }} ] }}", key.public_key()),
       {{"NATS_NKEY_SEED_FILE", files.write("path-canary-4", key.seed())}},
       {key.seed()},
       true},
      {"creds",
       authority.server_config(),
       {{"NATS_CREDS_FILE", files.write("path-canary-5", creds)}},
       {key.seed(), jwt},
       true}};
  for (const Scenario& scenario : scenarios) expect_kept(scenario);
}

TEST(Canary, OfCredentialsThatAreWrongIsNowhereSeen) {
  const ScratchFiles files;
  const NatsKey key('U');
  const std::string creds = NatsOperator().creds(key);
  const std::string garbage = files.write("path-canary-1", "garbage-canary\n\"canary\n");
  const std::string seed = files.write("path-canary-2", key.seed());
  const std::string missing = files.path("path-canary-3");
  const std::string broker = user_config("another");
  const std::vector<Scenario> scenarios{
      {"wrong password",
       broker,
       {{"NATS_USER", "user-canary"}, {"NATS_PASSWORD", "password-canary"}},
       {},
       false},
      {"wrong password in the url",
       broker,
       {{"NATS_URL", "nats://user-canary:password-canary@{}"}},
       {},
       false},
      {"wrong token", broker, {{"NATS_TOKEN", "token-canary"}}, {}, false},
      {"garbage for a token", broker, {{"NATS_TOKEN_FILE", garbage}}, {}, false},
      {"garbage for a password",
       broker,
       {{"NATS_USER", "user-canary"}, {"NATS_PASSWORD_FILE", garbage}},
       {},
       false},
      {"no file for a user",
       broker,
       {{"NATS_USER_FILE", missing}, {"NATS_PASSWORD", "password-canary"}},
       {},
       false},
      {"garbage for a seed", broker, {{"NATS_NKEY_SEED_FILE", garbage}}, {}, false},
      {"seed of a stranger", broker, {{"NATS_NKEY_SEED_FILE", seed}}, {key.seed()}, false},
      {"garbage for creds", broker, {{"NATS_CREDS_FILE", garbage}}, {}, false},
      {"creds of a stranger",
       broker,
       {{"NATS_CREDS_FILE", files.write("path-canary-4", creds)}},
       {key.seed(), creds.substr(creds.find("eyJ"), 200)},
       false},
      {"no file for creds", broker, {{"NATS_CREDS_FILE", missing}}, {}, false}};
  for (const Scenario& scenario : scenarios) expect_kept(scenario);
}

TEST(Canary, OfTlsFilesIsNowhereSeen) {
  const ScratchFiles files;
  const Authority authority;
  const Issued issued = authority.issue();
  const std::string ca = files.write("path-canary-1", authority.certificate());
  const std::string certificate = files.write("path-canary-2", issued.certificate);
  const std::string key = files.write("path-canary-3", issued.key);
  const std::string garbage = files.write("path-canary-4", "garbage-canary");
  const std::string key_line = issued.key.substr(issued.key.find('\n') + 1, 64);
  const std::string broker =
      fmt::format("tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}",
                  certificate, key, ca);
  const std::vector<Scenario> scenarios{
      {"client certificate",
       broker,
       {{"NATS_TLS_CA_FILE", ca}, {"NATS_TLS_CERT_FILE", certificate}, {"NATS_TLS_KEY_FILE", key}},
       {key_line},
       true},
      {"garbage for an authority", broker, {{"NATS_TLS_CA_FILE", garbage}}, {}, false},
      {"garbage for a key",
       broker,
       {{"NATS_TLS_CERT_FILE", certificate}, {"NATS_TLS_KEY_FILE", garbage}},
       {},
       false},
      {"no key",
       broker,
       {{"NATS_TLS_CERT_FILE", certificate}, {"NATS_TLS_KEY_FILE", files.path("path-canary-5")}},
       {},
       false},
      {"garbage for a certificate",
       broker,
       {{"NATS_TLS_CERT_FILE", garbage}, {"NATS_TLS_KEY_FILE", key}},
       {key_line},
       false}};
  for (const Scenario& scenario : scenarios) expect_kept(scenario);
}

TEST(Canary, OfSettingsThatAreRefusedIsNowhereSeen) {
  const std::vector<Environment> refused{
      {{"NATS_URL", "nats://user-canary:password-canary@host:99999"}},
      {{"NATS_URL", "nats://host, user-canary:password,canary@host"}},
      {{"NATS_URL", "http://user-canary:password-canary@host"}},
      {{"NATS_USER", "user-canary"}},
      {{"NATS_PASSWORD", "password-canary"}},
      {{"NATS_PASSWORD", "password\"canary"}, {"NATS_USER", "user\\canary"}},
      {{"NATS_TOKEN", "token-canary"}, {"NATS_TOKEN_FILE", "/path/canary"}},
      {{"NATS_TOKEN", "token\ncanary"}},
      {{"NATS_TOKEN", "token-canary"}, {"NATS_CREDS_FILE", "/path/canary"}},
      {{"NATS_TLS_KEY_FILE", "/path/canary"}},
      {{"NATS_TOKEN", "token-canary"}, {"TRADING_LEVERAGE", "0"}},
      {{"NATS_PASWORD", "password-canary"}}};
  for (const Environment& settings : refused) {
    SCOPED_TRACE(settings.begin()->first);
    for (const char* command : {"run", "check", "config", "simulate", "replay"}) {
      const RunResult result = run_binary({command}, settings);
      EXPECT_EQ(result.exit_code, 78);
      EXPECT_NE(result.err, "");
      EXPECT_EQ((result.out + result.err).find("canary"), std::string::npos) << result.err;
    }
  }
}

TEST(Canary, OnTheCommandLineIsRefusedAndNotRepeated) {
  for (const char* flag :
       {"--nats-password=canary", "--nats-token=canary", "--nats-creds-file=canary"}) {
    const RunResult result = run_binary({"run", flag});
    EXPECT_EQ(result.exit_code, 64);
    EXPECT_EQ((result.out + result.err).find("canary"), std::string::npos) << result.err;
  }
}

// --- Our memory ---------------------------------------------------------------------------------

#ifndef RTS_SANITIZED
uid_t owner_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_uid;
}

// The command as a user who is not root.
std::vector<std::string> unprivileged(std::vector<std::string> command) {
  if (::getuid() != 0) return command;
  const std::vector<std::string> prefix{"setpriv", "--reuid=65534", "--regid=65534",
                                        "--clear-groups"};
  command.insert(command.begin(), prefix.begin(), prefix.end());
  return command;
}

// What is not dumpable belongs to root in /proc, whoever runs it: another process of the same user
// can neither read it nor attach to it, and it leaves no core.
TEST(Memory, OfTheServiceIsClosedToItsOwnUser) {
  const ScratchFiles files;
  const std::string program = files.path("realtime-strategies");
  std::filesystem::copy_file(binary(), program);
  std::filesystem::permissions(files.directory(), std::filesystem::perms(0755));
  const uid_t user = ::getuid() != 0 ? ::getuid() : 65534;
  const auto environment_of = [](Process& process) {
    return fmt::format("/proc/{}/environ", process.pid());
  };

  Process ordinary(unprivileged({"sh", "-c", "echo here; exec sleep 60"}),
                   {.env = {}, .capture_stdout = true});
  if (!ordinary.wait_for_out("here", 5s)) GTEST_SKIP() << "cannot become another user here";
  EXPECT_EQ(owner_of(environment_of(ordinary)), user);

  Process service(unprivileged({program, "run"}), {.env = {{"NATS_URL", "nats://127.0.0.1:1"},
                                                           {"HEALTH_CHECK_HOST", "127.0.0.1"},
                                                           {"HEALTH_CHECK_PORT", "0"}},
                                                   .capture_stdout = true});
  ASSERT_TRUE(service.wait_for_out("\"http_port\":", 20s)) << service.out();
  EXPECT_EQ(owner_of(fmt::format("/proc/{}", service.pid())), user);
  EXPECT_EQ(owner_of(environment_of(service)), 0U);

  // It still finds its own descriptors: the attempts to connect are watched by them.
  const std::string out = service.out();
  const std::size_t key = out.find("\"http_port\":") + std::string_view("\"http_port\":").size();
  const auto port = static_cast<std::uint16_t>(std::strtoul(out.c_str() + key, nullptr, 10));
  EXPECT_THAT(http_get(port, "/metrics").body, testing::ContainsRegex("process_open_fds [1-9]"));
}
#endif

}  // namespace
}  // namespace rts::test
