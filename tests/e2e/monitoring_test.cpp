// What operators look at, with what they look at it: a real Prometheus scrapes the real service,
// which trades through a real broker with the users and the streams of k8s/components; then every
// query of the dashboard and every alert is asked.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e2e/scene.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/rapidjson.hpp"
#include "support/responder.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr const char* kJob = "petrosa-realtime-strategies";

fs::path component(const char* file) { return fs::path(source_root()) / "k8s/components" / file; }

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

rapidjson::Document parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.c_str());
  if (document.HasParseError()) throw std::runtime_error("no JSON: " + text);
  return document;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
}

// Debian's Prometheus on a free port, scraping one service and evaluating the alerts twice a
// second.
class Prometheus {
 public:
  explicit Prometheus(std::uint16_t scraped)
      : process_({"prometheus", "--config.file=" + files_.write("prometheus.yml", config(scraped)),
                  "--storage.tsdb.path=" + files_.path("data"),
                  fmt::format("--web.listen-address=127.0.0.1:{}", port_), "--log.level=warn"},
                 {.env = {}, .capture_stdout = true, .capture_stderr = true}) {}

  // How many series a query returns; throws with Prometheus' words when it does not understand it.
  [[nodiscard]] std::size_t series(const std::string& query) const {
    const auto answer = get("/api/v1/query?query=" + url_encoded(query));
    if (std::string_view(answer["status"].GetString()) != "success") {
      throw std::runtime_error(fmt::format("{}: {}", query, answer["error"].GetString()));
    }
    return answer["data"]["result"].Size();
  }

  [[nodiscard]] bool wait_for(const std::string& query, std::chrono::milliseconds limit) const {
    return eventually([&] { return process_answers() && series(query) > 0; }, limit);
  }

  [[nodiscard]] rapidjson::Document get(const std::string& path) const {
    return parsed(http_get(port_, path).body);
  }
  [[nodiscard]] std::string log() const { return process_.err(); }

 private:
  [[nodiscard]] bool process_answers() const { return http_get(port_, "/-/ready").status == 200; }

  static std::string config(std::uint16_t scraped) {
    return fmt::format(
        "global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}\n"
        "rule_files: ['{}']\n"
        "scrape_configs:\n"
        "  - job_name: {}\n"
        "    static_configs: [{{targets: ['127.0.0.1:{}']}}]\n",
        component("monitoring/rules.yaml").string(), kJob, scraped);
  }

  ScratchFiles files_;
  std::uint16_t port_ = free_port();
  Process process_;
};

class Monitoring : public testing::Test {
 protected:
  static std::string broker_config() {
    return std::string(NatsServer::kJetStream) +
           "RTS_NATS_PASSWORD: s\nRTS_PROVISION_PASSWORD: p\nRTS_TRADEENGINE_PASSWORD: e\n"
           "RTS_RELAY_PASSWORD: r\nRTS_OPERATOR_PASSWORD: o\n" +
           read_file(component("nats/permissions.conf"));
  }
  // As the pods have it: who they are is in the files of a Secret.
  [[nodiscard]] Environment environment(const std::string& user, const char* password) const {
    Environment settings = environment_of(memoryless_settings(), broker_.url());
    settings["NATS_USER_FILE"] = secrets_.write(user + ".user", user);
    settings["NATS_PASSWORD_FILE"] = secrets_.write(user + ".password", password);
    settings["NATS_CONSUMER_GROUP"] = "";
    settings["ORDER_DELIVERY"] = "jetstream";
    return settings;
  }

  void SetUp() override {
    const RunResult provisioned =
        run_binary({"provision"}, environment("realtime-strategies-provision", "p"));
    ASSERT_EQ(provisioned.exit_code, 0) << provisioned.err;
    daemon_.emplace(environment("realtime-strategies", "s"));
    ASSERT_TRUE(daemon_->wait_ready()) << daemon_->get("/ready").body;
    prometheus_.emplace(daemon_->port());
    feed_.start();
    // Orders went out between two scrapes: from here on every rate has something to say.
    ASSERT_TRUE(prometheus_->wait_for(
        R"(sum(increase(rts_orders_total{result="confirmed"}[10s])) > 0)", loosened(30s)))
        << prometheus_->log();
  }
  void TearDown() override { EXPECT_TRUE(feed_.stop()); }

  ScratchFiles secrets_;
  NatsServer broker_{broker_config()};
  Responder engine_{broker_.url("tradeengine:e"), "tradeengine.orders",
                    always(R"({"status":"accepted"})")};
  Feed feed_{broker_.url("relay:r"), memoryless_feed(200)};
  std::optional<Daemon> daemon_;
  std::optional<Prometheus> prometheus_;
};

// The queries of all panels, with the dashboard's variables filled in.
std::vector<std::string> dashboard_queries() {
  const auto dashboard = parsed(read_file(component("monitoring/dashboard.json")));
  std::vector<std::string> queries;
  for (const auto& panel : dashboard["panels"].GetArray()) {
    if (!panel.HasMember("targets")) continue;
    for (const auto& target : panel["targets"].GetArray()) {
      std::string query = target["expr"].GetString();
      replace_all(query, "$job", kJob);
      replace_all(query, "$instance", ".*");
      replace_all(query, "$__rate_interval", "10s");
      queries.push_back(query);
    }
  }
  return queries;
}

TEST_F(Monitoring, TheDashboardsQueriesReturnSeriesAndTheAlertsAreEvaluated) {
  const auto queries = dashboard_queries();
  EXPECT_GE(queries.size(), 30U);
  for (const std::string& query : queries) {
    EXPECT_THAT(query, testing::Not(testing::HasSubstr("$"))) << "a variable we do not know";
    EXPECT_GT(prometheus_->series(query), 0U) << query;
  }
  EXPECT_EQ(prometheus_->series("rts_invented_total"), 0U);

  const std::regex selector(R"(\b(?:up\b|(?:rts|process)_\w+)(?:\{[^}]*\})?)");
  const auto rules = prometheus_->get("/api/v1/rules");
  std::size_t evaluated = 0;
  for (const auto& rule : rules["data"]["groups"][0]["rules"].GetArray()) {
    const std::string name = rule["name"].GetString();
    EXPECT_STREQ(rule["health"].GetString(), "ok") << name;
    ++evaluated;
    // A healthy service gives an alert nothing to say; what it looks at has to be there all the
    // same.
    const std::string query = rule["query"].GetString();
    for (std::sregex_iterator it(query.begin(), query.end(), selector), end; it != end; ++it) {
      EXPECT_GT(prometheus_->series(it->str()), 0U) << name << ": " << it->str();
    }
  }
  EXPECT_GE(evaluated, 14U);
  EXPECT_TRUE(eventually([&] { return prometheus_->series("ALERTS") == 0; }, loosened(20s)))
      << "a healthy service has an alert: " << http_get(daemon_->port(), "/ready").body;

  Peer person(broker_.url("operator:o"));
  person.publish("realtime-strategies.control", R"({"command":"pause"})");
  EXPECT_TRUE(prometheus_->wait_for(R"(ALERTS{alertname="RtsTradingPaused"})", loosened(20s)));

  // The broker goes: what fires within a minute is pending at once.
  broker_.kill();
  EXPECT_TRUE(prometheus_->wait_for(R"(ALERTS{alertname="RtsBrokerLost"})", loosened(20s)));
  EXPECT_TRUE(prometheus_->wait_for(R"(ALERTS{alertname="RtsOrderPathBroken"})", loosened(20s)));
  broker_.restart();
}

}  // namespace
}  // namespace rts::test
