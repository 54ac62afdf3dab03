// Names of environment variables that are no settings: whose slip is ours, which name was meant,
// what replaces a setting of the Python service, and who has nothing to do with us.
#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/config/names.hpp>
#include <rts/config/settings.hpp>

#include "support/engine_run.hpp"

namespace rts::config {
namespace {

using test::given;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Problems problems_of(const std::string& name, const std::string& value = "1") {
  const std::vector<Given> environment{{name, value}};
  const auto loaded = load(environment, {});
  return loaded ? Problems{} : loaded.error();
}

struct Slip {
  const char* name;
  const char* meant;
};

// Issue 11: "is taken for nobody's: a name within two letters of one of ours, or ours in another
// case, is an error with the nearest name, whatever its prefix".
constexpr Slip kSlips[] = {
    {"DRYRUN_MODE", "DRY_RUN_MODE"},
    {"TRADNG_SYMBOLS", "TRADING_SYMBOLS"},
    {"ORDERS_FORMAT", "ORDER_FORMAT"},
    {"dry_run_mode", "DRY_RUN_MODE"},
    {"Environment", "ENVIRONMENT"},
    {"log_level", "LOG_LEVEL"},
    {"nats_url", "NATS_URL"},
    {"NAT_URL", "NATS_URL"},
    {"NATSURL", "NATS_URL"},
    {"LOGLEVEL", "LOG_LEVEL"},
    {"ENVIROMENT", "ENVIRONMENT"},
    {"ENVIRONEMNT", "ENVIRONMENT"},
    {"TRAIDING_LEVERAGE", "TRADING_LEVERAGE"},
    {"RSIK_STOP_LOSS_PERCENT", "RISK_STOP_LOSS_PERCENT"},
    {"ALOW_UNKNOWN_ENV", "ALLOW_UNKNOWN_ENV"},
    {"HEALTH_CHEK_PORT", "HEALTH_CHECK_PORT"},
    {"CONTROLTOPIC", "CONTROL_TOPIC"},
};

TEST(SettingNames, WithinTwoLettersOrInAnotherCaseAreSlipsWhateverTheirPrefix) {
  for (const auto& [name, meant] : kSlips) {
    EXPECT_THAT(problems_of(name),
                ElementsAre(testing::AllOf(StartsWith(std::string(name) + ": unknown setting"),
                                           HasSubstr(std::string("did you mean ") + meant + "?"))))
        << name;
  }
}

TEST(SettingNames, OfEightLettersOrFewerAreSlipsWithinOne) {
  EXPECT_EQ(meaning_of("NATSURL", "").kind, NameKind::misspelt);
  EXPECT_EQ(meaning_of("XATS_URL", "").kind, NameKind::misspelt);
  EXPECT_EQ(meaning_of("NATURL", "").kind, NameKind::foreign);
  EXPECT_EQ(meaning_of("XXTS_URL", "").kind, NameKind::foreign);
  EXPECT_EQ(meaning_of("XXTS_USER", "").kind, NameKind::misspelt);
  EXPECT_EQ(meaning_of("XXXS_USER", "").kind, NameKind::foreign);
}

// Issue 11: "The hint today is the nearest by the table, not by letters
// (ORDERBOOK_SKEW_MIN_SPRED → TOP_LEVELS)".
constexpr Slip kPrefixed[] = {
    {"ORDERBOOK_SKEW_MIN_SPRED", "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT"},
    {"ORDERBOOK_SKEW_MINSPREAD", "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT"},
    {"ORDERBOOK_SKEW_LEVELS", "ORDERBOOK_SKEW_TOP_LEVELS"},
    {"TRADE_MOMENTUM_GAP", "TRADE_MOMENTUM_MAX_GAP_SECONDS"},
    {"TRADE_MOMENTUM_MULTIPLE", "TRADE_MOMENTUM_QUANTITY_MULTIPLE"},
    {"TRADING_MAX_SIZE", "TRADING_MAX_POSITION_SIZE"},
    {"TRADING_STEPS", "TRADING_QUANTITY_STEPS"},
    {"TRADING_QUANTITY", "TRADING_QUANTITY_STEP"},
    {"CIRCUIT_BREAKER_TIMEOUT", "CIRCUIT_BREAKER_RECOVERY_TIMEOUT"},
    {"CIRCUIT_BREAKER_THRESHOLD", "CIRCUIT_BREAKER_FAILURE_THRESHOLD"},
    {"RISK_DAILY_SIGNALS", "RISK_MAX_DAILY_SIGNALS"},
    {"RISK_TAKE_PROFIT", "RISK_TAKE_PROFIT_PERCENT"},
    {"SIGNAL_CONFIDENCE", "SIGNAL_MIN_CONFIDENCE"},
    {"NATS_PASS", "NATS_PASSWORD"},
    {"NATS_TOPIC", "NATS_CONSUMER_TOPIC"},
    {"STRATEGY_ENABLED_MOMENTUM", "STRATEGY_ENABLED_TRADE_MOMENTUM"},
    {"ORDER_TTL", "ORDER_TTL_SECONDS"},
    {"DRY_RUN", "DRY_RUN_MODE"},
};

TEST(SettingNames, WithOurPrefixAreLedToTheNearestByLetters) {
  for (const auto& [name, meant] : kPrefixed) {
    const NameMeaning finding = meaning_of(name, "1");
    EXPECT_EQ(finding.kind, NameKind::misspelt) << name;
    EXPECT_EQ(finding.text, meant) << name;
  }
}

TEST(SettingNames, OfEverySettingWithALetterLessOrMoreLeadToIt) {
  for (const Setting& setting : table()) {
    const std::string name(setting.name);
    for (const std::string& slip :
         {name.substr(1), name + "X", "X" + name, name.substr(0, 4) + name.substr(5)}) {
      if (find(slip) != nullptr) continue;  // TRADING_QUANTITY_STEP is STEPS with a letter less
      const NameMeaning finding = meaning_of(slip, "1");
      ASSERT_EQ(finding.kind, NameKind::misspelt) << slip;
      EXPECT_EQ(finding.text, name) << slip;
    }
  }
}

TEST(SettingNames, OfASymbolAreLedToTheNearestWithTheSymbol) {
  EXPECT_THAT(problems_of("TRADING_ORDER_NOTIONL__BTCUSDT"),
              ElementsAre(HasSubstr("did you mean TRADING_ORDER_NOTIONAL__BTCUSDT?")));
  EXPECT_THAT(problems_of("trading_order_notional__BTCUSDT"),
              ElementsAre(HasSubstr("did you mean TRADING_ORDER_NOTIONAL__BTCUSDT?")));
  EXPECT_THAT(problems_of("TRADING_LEVERGE__BTCUSDT"),
              ElementsAre(HasSubstr("did you mean TRADING_LEVERAGE?")));
}

TEST(SettingNames, ThatAreSlipsAreWarningsWhereUnknownNamesAreAllowed) {
  for (const char* name : {"DRYRUN_MODE", "dry_run_mode", "NATS_FOO", "TRADING_LEVERAGE__BTCUSDT",
                           "TRADING_ORDER_NOTIONAL__A B"}) {
    const auto configuration = test::configured({{name, "1"}, {"ALLOW_UNKNOWN_ENV", "true"}});
    EXPECT_THAT(configuration.warnings, ElementsAre(StartsWith(std::string(name) + ": ")));
  }
}

// Kubernetes writes the port of a Service as a URL; a bare number is somebody's slip.
TEST(SettingNames, ThatEndLikeAServicesPortAreServiceLinksByTheirValue) {
  EXPECT_THAT(problems_of("HEALTH_CHECKS_PORT", "tcp://10.0.0.1:8080"), IsEmpty());
  EXPECT_THAT(problems_of("HEALTH_CHECKS_PORT", "8080"),
              ElementsAre(HasSubstr("did you mean HEALTH_CHECK_PORT?")));
}

// What shells, desktops, languages, CI systems and containers set.
constexpr const char* kForeign[] = {"PATH",
                                    "HOME",
                                    "USER",
                                    "LOGNAME",
                                    "SHELL",
                                    "TERM",
                                    "LANG",
                                    "LANGUAGE",
                                    "LC_ALL",
                                    "LC_CTYPE",
                                    "LC_TIME",
                                    "PWD",
                                    "OLDPWD",
                                    "SHLVL",
                                    "_",
                                    "PS1",
                                    "PS4",
                                    "IFS",
                                    "EDITOR",
                                    "VISUAL",
                                    "PAGER",
                                    "LESS",
                                    "LESSOPEN",
                                    "LS_COLORS",
                                    "COLUMNS",
                                    "LINES",
                                    "TZ",
                                    "TMPDIR",
                                    "TEMP",
                                    "TMP",
                                    "DISPLAY",
                                    "WAYLAND_DISPLAY",
                                    "XAUTHORITY",
                                    "XDG_RUNTIME_DIR",
                                    "XDG_SESSION_ID",
                                    "XDG_DATA_DIRS",
                                    "XDG_CONFIG_HOME",
                                    "DBUS_SESSION_BUS_ADDRESS",
                                    "SSH_AUTH_SOCK",
                                    "SSH_CLIENT",
                                    "SSH_CONNECTION",
                                    "SSH_TTY",
                                    "SUDO_USER",
                                    "SUDO_UID",
                                    "SUDO_COMMAND",
                                    "MAIL",
                                    "HOSTNAME",
                                    "HOSTTYPE",
                                    "OSTYPE",
                                    "MACHTYPE",
                                    "HISTFILE",
                                    "HISTSIZE",
                                    "MANPATH",
                                    "INFOPATH",
                                    "COLORTERM",
                                    "NO_COLOR",
                                    "DEBUG",
                                    "VERBOSE",
                                    "LOG_DIR",
                                    "LOG_FILE",
                                    "LOG_PATH",
                                    "LOGFILE",
                                    "LOGS",
                                    "LOG",
                                    "NAT",
                                    "NATS",
                                    "ENV",
                                    "NODE_ENV",
                                    "APP_ENV",
                                    "RAILS_ENV",
                                    "FLASK_ENV",
                                    "BASH_ENV",
                                    "VIRTUAL_ENV",
                                    "CONDA_PREFIX",
                                    "PYTHONPATH",
                                    "PYTHONHOME",
                                    "PIP_INDEX_URL",
                                    "NODE_OPTIONS",
                                    "NPM_TOKEN",
                                    "NVM_DIR",
                                    "GOPATH",
                                    "GOROOT",
                                    "GOPROXY",
                                    "CARGO_HOME",
                                    "RUSTUP_HOME",
                                    "JAVA_HOME",
                                    "JAVA_OPTS",
                                    "MAVEN_OPTS",
                                    "CC",
                                    "CXX",
                                    "CFLAGS",
                                    "CXXFLAGS",
                                    "LDFLAGS",
                                    "MAKEFLAGS",
                                    "MAKELEVEL",
                                    "MAKE_TERMOUT",
                                    "MFLAGS",
                                    "LD_LIBRARY_PATH",
                                    "LD_PRELOAD",
                                    "PKG_CONFIG_PATH",
                                    "CCACHE_DIR",
                                    "GIT_AUTHOR_NAME",
                                    "GIT_DIR",
                                    "GIT_EDITOR",
                                    "GITHUB_TOKEN",
                                    "GITHUB_ACTIONS",
                                    "GITHUB_ENV",
                                    "GITHUB_WORKSPACE",
                                    "GITLAB_CI",
                                    "GITLAB_USER_EMAIL",
                                    "CI",
                                    "CI_JOB_TOKEN",
                                    "CI_COMMIT_SHA",
                                    "CI_ENVIRONMENT_NAME",
                                    "CI_ENVIRONMENT_SLUG",
                                    "RUNNER_OS",
                                    "RUNNER_TEMP",
                                    "RUNNER_DEBUG",
                                    "BUILD_ID",
                                    "BUILD_NUMBER",
                                    "BUILDKITE",
                                    "JENKINS_URL",
                                    "TRAVIS",
                                    "CIRCLECI",
                                    "TEAMCITY_VERSION",
                                    "AGENT_NAME",
                                    "DOCKER_HOST",
                                    "DOCKER_CONFIG",
                                    "CONTAINER_ENGINE",
                                    "IMAGE_TAG",
                                    "COMPOSE_PROJECT_NAME",
                                    "KUBECONFIG",
                                    "KUBERNETES_SERVICE_HOST",
                                    "KUBERNETES_PORT",
                                    "KUBERNETES_PORT_443_TCP",
                                    "POD_NAME",
                                    "POD_IP",
                                    "POD_NAMESPACE",
                                    "NODE_NAME",
                                    "HELM_HOME",
                                    "INVOCATION_ID",
                                    "JOURNAL_STREAM",
                                    "NOTIFY_SOCKET",
                                    "WATCHDOG_USEC",
                                    "WATCHDOG_PID",
                                    "LISTEN_FDS",
                                    "MAINPID",
                                    "MEMORY_PRESSURE_WATCH",
                                    "CREDENTIALS_DIRECTORY",
                                    "http_proxy",
                                    "https_proxy",
                                    "no_proxy",
                                    "HTTP_PROXY",
                                    "HTTPS_PROXY",
                                    "NO_PROXY",
                                    "SSL_CERT_FILE",
                                    "SSL_CERT_DIR",
                                    "CURL_CA_BUNDLE",
                                    "AWS_ACCESS_KEY_ID",
                                    "AWS_REGION",
                                    "AWS_PROFILE",
                                    "AWS_SHARED_CREDENTIALS_FILE",
                                    "GOOGLE_APPLICATION_CREDENTIALS",
                                    "AZURE_CLIENT_ID",
                                    "DATABASE_URL",
                                    "REDIS_URL",
                                    "MYSQL_USER",
                                    "MYSQL_PASSWORD",
                                    "PGUSER",
                                    "PGPASSWORD",
                                    "POSTGRES_USER",
                                    "POSTGRES_PASSWORD",
                                    "MQTT_URL",
                                    "MQTT_USER",
                                    "KAFKA_BROKERS",
                                    "RABBITMQ_URL",
                                    "SENTRY_DSN",
                                    "OTEL_SERVICE_NAME",
                                    "OTEL_EXPORTER_OTLP_ENDPOINT",
                                    "OTEL_RESOURCE_ATTRIBUTES",
                                    "OTEL_LOGS_EXPORTER",
                                    "OTEL_LOG_LEVEL",
                                    "RUST_LOG",
                                    "RUST_BACKTRACE",
                                    "BINANCE_API_KEY",
                                    "BINANCE_API_SECRET",
                                    "API_KEY",
                                    "API_URL",
                                    "API_TOKEN",
                                    "BASE_URL",
                                    "PORT",
                                    "HOST",
                                    "SYMBOLS",
                                    "STRATEGY",
                                    "RISK",
                                    "MODE",
                                    "TEST_MODE",
                                    "DRYRUN",
                                    "TIMEOUT",
                                    "TOPIC",
                                    "DEBIAN_FRONTEND",
                                    "ASAN_OPTIONS",
                                    "TSAN_OPTIONS",
                                    "UBSAN_OPTIONS",
                                    "GTEST_FILTER",
                                    "GTEST_COLOR",
                                    "TERM_PROGRAM",
                                    "TMUX",
                                    "STY",
                                    "VTE_VERSION",
                                    "WINDOWID",
                                    "SYSTEMD_EXEC_PID",
                                    "WSL_DISTRO_NAME",
                                    "SystemRoot",
                                    "ProgramFiles",
                                    "USERPROFILE",
                                    "APPDATA",
                                    "COMPUTERNAME",
                                    "OS",
                                    "npm_config_cache",
                                    "npm_lifecycle_event",
                                    "BASH_FUNC_which%%",
                                    "__CF_USER_TEXT_ENCODING",
                                    "natsurl",
                                    ""};

TEST(SettingNames, OfShellsAndPipelinesAreNobodysSlips) {
  for (const char* name : kForeign) {
    EXPECT_EQ(meaning_of(name, "tcp://x").kind, NameKind::foreign)
        << name << " is taken for " << meaning_of(name, "").text;
  }
}

// SPEC §5: "Names that only the Python service knew are warned of with what replaces them, not
// refused."
TEST(SettingNames, OfThePythonServiceAreWarnedOfWithWhatReplacesThem) {
  for (const auto& [name, instead] : retired_names()) {
    EXPECT_EQ(find(name), nullptr) << name << " is a setting";
    const auto configuration = test::configured({{name, "1"}});
    EXPECT_THAT(
        configuration.warnings,
        ElementsAre(std::string(name) + ": is of the Python service and does nothing here. " +
                    std::string(instead)));
  }
  const auto configuration = test::configured({{"NATS_TOPIC_INTENTS", "x"},
                                               {"TRADING_QUANTITY_PERCENT", "1"},
                                               {"SIMULATION_MODE", "true"}});
  EXPECT_THAT(configuration.warnings,
              testing::UnorderedElementsAre(HasSubstr("NATS_PUBLISHER_TOPIC"),
                                            HasSubstr("TRADING_ORDER_NOTIONAL"),
                                            HasSubstr("DRY_RUN_MODE")));
}

TEST(SettingNames, OfThePythonServiceThatWeHaveTooAreSettings) {
  for (const char* name : {"CIRCUIT_BREAKER_FAILURE_THRESHOLD", "MESSAGE_TTL_SECONDS",
                           "HEALTH_CHECK_PORT", "TRADING_MAX_POSITION_SIZE", "LOG_LEVEL"}) {
    EXPECT_NE(find(name), nullptr) << name;
    const auto retired = retired_names();
    EXPECT_TRUE(std::none_of(retired.begin(), retired.end(), [&](const RetiredName& row) {
      return row.name == name;
    })) << name;
  }
}

}  // namespace
}  // namespace rts::config
