// Logging in at a real broker in every way there is, what is said when that fails, and that it
// heals by itself when the cause is gone.
#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/daemon.hpp"
#include "support/nats_identity.hpp"
#include "support/nats_server.hpp"
#include "support/readiness.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kRefused = "Authorization Violation";

std::string password_config(const std::string& password) {
  return fmt::format("authorization {{ users: [ {{ user: trader, password: \"{}\" }} ] }}",
                     password);
}

std::string token_config(const std::string& token) {
  return fmt::format("authorization {{ token: \"{}\" }}", token);
}

std::string nkey_config(const NatsKey& key) {
  return fmt::format("authorization {{ users: [ {{ nkey: {} }} ] }}", key.public_key());
}

struct Login {
  const char* name;
  std::string broker;
  Environment settings;
};

TEST(Credentials, OfEveryKindLogIn) {
  const ScratchFiles files;
  const NatsKey key('U');
  const NatsOperator authority;
  const std::string odd = "p {}'$%&<>[]";
  const std::vector<Login> rows{
      {"user and password",
       password_config(odd),
       {{"NATS_USER", "trader"}, {"NATS_PASSWORD", odd}}},
      {"user and password in files",
       password_config(odd),
       {{"NATS_USER_FILE", files.write("user", "trader\n")},
        {"NATS_PASSWORD_FILE", files.write("password", odd + "\n")}}},
      {"token", token_config("canary"), {{"NATS_TOKEN", "canary"}}},
      {"token in a file",
       token_config("canary"),
       {{"NATS_TOKEN_FILE", files.write("token", "canary")}}},
      {"nkey", nkey_config(key), {{"NATS_NKEY_SEED_FILE", files.write("seed", key.seed())}}},
      {"creds",
       authority.server_config(),
       {{"NATS_CREDS_FILE", files.write("creds", authority.creds(key))}}}};
  for (const Login& row : rows) {
    SCOPED_TRACE(row.name);
    NatsServer broker(row.broker);
    Environment settings = row.settings;
    settings["NATS_URL"] = broker.url();
    Daemon daemon(settings);
    EXPECT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
    // Without them the broker lets nobody in.
    Daemon stranger({{"NATS_URL", broker.url()}});
    EXPECT_TRUE(eventually(
        [&] { return stranger.get("/ready").body.find(kRefused) != std::string::npos; }, 5s))
        << stranger.get("/ready").body;
  }
}

TEST(Credentials, InTheUrlBeatTheSettingsThere) {
  NatsServer broker(password_config("right"));
  Daemon daemon({{"NATS_URL", broker.url("trader:right")},
                 {"NATS_USER", "trader"},
                 {"NATS_PASSWORD", "wrong"}});
  EXPECT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
  NatsServer by_token(token_config("right"));
  Daemon with_token({{"NATS_URL", by_token.url("right")}, {"NATS_TOKEN", "wrong"}});
  EXPECT_TRUE(with_token.wait_ready()) << with_token.get("/ready").body;
}

TEST(Credentials, AreUsedBySimulateToo) {
  NatsServer broker(password_config("right"));
  const RunResult result =
      run_binary({"simulate", "--frames", "5"}, {{"NATS_URL", broker.url()},
                                                 {"NATS_USER", "trader"},
                                                 {"NATS_PASSWORD", "right"},
                                                 {"SIMULATE_ON_REAL_BROKER", "yes"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_NE(result.err.find("5 frames published, 0 missed"), std::string::npos) << result.err;
}

// --- What is wrong is said, and heals -----------------------------------------------------------

TEST(Credentials, AWrongPasswordIsSaidAndHealsWhenTheBrokerTakesIt) {
  NatsServer broker(password_config("another"));
  Daemon daemon({{"NATS_URL", broker.url()}, {"NATS_USER", "trader"}, {"NATS_PASSWORD", "mine"}});
  expect_noticed_and_mended(daemon, {"wrong password", kRefused},
                            [&] { broker.reload(password_config("mine")); });
}

TEST(Credentials, AFileThatIsNotThereIsSaidAndHealsWhenItIs) {
  const ScratchFiles files;
  NatsServer broker(token_config("right"));
  Daemon daemon({{"NATS_URL", broker.url()}, {"NATS_TOKEN_FILE", files.path("token")}});
  expect_noticed_and_mended(
      daemon, {"missing file", "NATS_TOKEN_FILE: cannot be read: No such file or directory"},
      [&] { files.write("token", "right\n"); });
}

struct BadFile {
  const char* name;
  const char* setting;
  std::string content;
  std::string reason;
};

TEST(Credentials, AFileOfNoUseIsSaidAndHealsWhenItIsReplaced) {
  const NatsKey key('U');
  const NatsOperator authority;
  const std::string nkey_broker = nkey_config(key);
  const std::vector<BadFile> rows{
      {"empty token file", "NATS_TOKEN_FILE", "\n", "NATS_TOKEN_FILE: is empty"},
      {"token file of two lines", "NATS_TOKEN_FILE", "right\nright\n",
       "NATS_TOKEN_FILE: holds quotes, a backslash or control characters"},
      {"wrong token file", "NATS_TOKEN_FILE", "wrong", kRefused},
      {"bad NKey seed", "NATS_NKEY_SEED_FILE", "S" + key.public_key(),
       "NATS_NKEY_SEED_FILE: does not hold a user's seed"},
      {"NKey seed of an account", "NATS_NKEY_SEED_FILE", NatsKey('A').seed(),
       "NATS_NKEY_SEED_FILE: does not hold a user's seed"},
      {"NKey of a stranger", "NATS_NKEY_SEED_FILE", NatsKey('U').seed(), kRefused},
      {"creds without a JWT", "NATS_CREDS_FILE", key.seed(),
       "NATS_CREDS_FILE: does not hold a user JWT and a user's seed"},
      {"creds of another operator", "NATS_CREDS_FILE", NatsOperator().creds(key), kRefused}};
  for (const BadFile& row : rows) {
    const std::string setting = row.setting;
    const bool token = setting == "NATS_TOKEN_FILE";
    const bool nkey = setting == "NATS_NKEY_SEED_FILE";
    const ScratchFiles files;
    NatsServer broker(token  ? token_config("right")
                      : nkey ? nkey_broker
                             : authority.server_config());
    Daemon daemon({{"NATS_URL", broker.url()}, {setting, files.write("secret", row.content)}});
    expect_noticed_and_mended(daemon, {row.name, row.reason}, [&] {
      files.write("secret", token ? "right" : nkey ? key.seed() : authority.creds(key));
    });
    EXPECT_EQ(daemon.log().find(files.directory()), std::string::npos) << row.name;
  }
}

// nats.c asks for a signature of nothing then, and gives a null pointer for it.
TEST(Credentials, ThatTheBrokerDoesNotKnowOfAreSaidAndHealWhenItDoes) {
  const ScratchFiles files;
  const NatsKey key('U');
  const NatsOperator authority;
  const std::vector<Login> rows{
      {"NKey", nkey_config(key), {{"NATS_NKEY_SEED_FILE", files.write("seed", key.seed())}}},
      {"creds",
       authority.server_config(),
       {{"NATS_CREDS_FILE", files.write("creds", authority.creds(key))}}}};
  for (const Login& row : rows) {
    SCOPED_TRACE(row.name);
    NatsServer broker(password_config("some"));
    Environment settings = row.settings;
    settings["NATS_URL"] = broker.url();
    Daemon daemon(settings);
    expect_noticed_and_mended(
        daemon, {"broker without NKeys", "the broker does not take NKeys or user JWTs"}, [&] {
          broker.kill();
          broker.reload(row.broker);
          broker.restart();
        });
  }
}

TEST(Credentials, APasswordThatIsChangedAtTheBrokerAndInTheFileIsUsed) {
  const ScratchFiles files;
  NatsServer broker(password_config("old"));
  Daemon daemon({{"NATS_URL", broker.url()},
                 {"NATS_USER", "trader"},
                 {"NATS_PASSWORD_FILE", files.write("password", "old")}});
  ASSERT_TRUE(daemon.wait_ready());
  broker.reload(password_config("new"));
  expect_noticed_and_mended(daemon, {"password changed", kRefused},
                            [&] { files.write("password", "new"); });
}

struct Revoked {
  Login login;
  std::string broker_without;  // its configuration then
  const char* reason;
};

TEST(Credentials, ThatAreRevokedWhileRunningAreSaidAndHealWhenTheyAreRestored) {
  const NatsKey key('U');
  const NatsOperator authority;
  const ScratchFiles files;
  const std::string nobody = "authorization { users: [ { user: other, password: other } ] }";
  const std::vector<Revoked> rows{
      {{"user revoked",
        password_config("mine"),
        {{"NATS_USER", "trader"}, {"NATS_PASSWORD", "mine"}}},
       nobody,
       kRefused},
      {{"NKey revoked",
        nkey_config(key),
        {{"NATS_NKEY_SEED_FILE", files.write("seed", key.seed())}}},
       nkey_config(NatsKey('U')),
       kRefused},
      {{"user JWT revoked",
        authority.server_config(),
        {{"NATS_CREDS_FILE", files.write("creds", authority.creds(key))}}},
       authority.server_config(key.public_key()),
       "User Authentication Revoked"}};
  for (const Revoked& row : rows) {
    const Login& login = row.login;
    SCOPED_TRACE(login.name);
    NatsServer broker(login.broker);
    Environment settings = login.settings;
    settings["NATS_URL"] = broker.url();
    Daemon daemon(settings);
    ASSERT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
    broker.reload(row.broker_without);
    expect_noticed_and_mended(daemon, {login.name, row.reason},
                              [&] { broker.reload(login.broker); });
  }
}

TEST(Credentials, APermissionThatIsLostWhileRunningIsSaidAndHealsWhenItIsRestored) {
  const auto permissions = [](const char* subscribe) {
    return fmt::format(
        R"(authorization {{ users: [ {{ user: u, password: p, permissions: {{
           publish: ">", subscribe: [ "_INBOX.>", "realtime-strategies.control"{} ] }} }} ] }})",
        subscribe);
  };
  NatsServer broker(permissions(R"(, "binance.>")"));
  Daemon daemon({{"NATS_URL", broker.url()},
                 {"NATS_USER", "u"},
                 {"NATS_PASSWORD", "p"},
                 {"CONTROL_BUCKET", ""}});
  ASSERT_TRUE(daemon.wait_ready()) << daemon.get("/ready").body;
  broker.reload(permissions(""));
  expect_noticed_and_mended(daemon, {"permission lost", "Permissions Violation"},
                            [&] { broker.reload(permissions(R"(, "binance.>")")); });
}

}  // namespace
}  // namespace rts::test
