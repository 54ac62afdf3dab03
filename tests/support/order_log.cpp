#include "support/order_log.hpp"

#include <chrono>
#include <stdexcept>

#include <fmt/format.h>
#include <nats/nats.h>
#include <rapidjson/document.h>

#include "support/deadline.hpp"
#include "support/nats_options.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kName = "ORDERS";
constexpr const char* kBucket = "KV_realtime-strategies";
constexpr auto kLimit = 30s;

std::string header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : "";
}

}  // namespace

std::map<std::string, std::string> order_results(const Daemon& daemon) {
  std::map<std::string, std::string> results;
  for (const std::string& line : daemon.log("order")) {
    results.emplace(text_at(line, "order_id"), text_at(line, "result"));
  }
  return results;
}

struct OrderLogAdmin::State {
  natsOptions* options = nullptr;
  natsConnection* connection = nullptr;
  jsCtx* jetstream = nullptr;
};

OrderLogAdmin::OrderLogAdmin(const std::string& url) : state_(std::make_unique<State>()) {
  natsOptions_Create(&state_->options);
  set_addresses(state_->options, url);
  natsOptions_SetMaxReconnect(state_->options, -1);
  natsOptions_SetReconnectWait(state_->options, 20);
  if (natsConnection_Connect(&state_->connection, state_->options) != NATS_OK ||
      natsConnection_JetStream(&state_->jetstream, state_->connection, nullptr) != NATS_OK) {
    natsOptions_Destroy(state_->options);
    throw std::runtime_error("no broker at " + url);
  }
}

OrderLogAdmin::~OrderLogAdmin() {
  jsCtx_Destroy(state_->jetstream);
  natsConnection_Destroy(state_->connection);
  natsOptions_Destroy(state_->options);
}

// The answer, or nothing when there was none.
std::string OrderLogAdmin::ask(const std::string& verb, std::string_view payload,
                               std::string_view stream) {
  natsMsg* answer = nullptr;
  const std::string subject = fmt::format("$JS.API.STREAM.{}.{}", verb, stream);
  if (natsConnection_Request(&answer, state_->connection, subject.c_str(), payload.data(),
                             static_cast<int>(payload.size()), 500) != NATS_OK) {
    return "";
  }
  std::string text(natsMsg_GetData(answer),
                   static_cast<std::size_t>(natsMsg_GetDataLength(answer)));
  natsMsg_Destroy(answer);
  return text;
}

void OrderLogAdmin::demand(const std::string& verb, std::string_view payload,
                           std::string_view stream) {
  std::string answer;
  const auto done = [&] {
    answer = ask(verb, payload, stream);
    return !answer.empty() && answer.find(R"("error":)") == std::string::npos;
  };
  if (!eventually(done, kLimit))
    throw std::runtime_error(fmt::format("{} {}: {}", verb, stream, answer));
}

void OrderLogAdmin::make(const OrderLogOptions& options) {
  demand("CREATE",
         fmt::format(R"({{"name":"{0}","subjects":["{1}"],"retention":"limits","storage":"file",)"
                     R"("discard":"new","max_msgs":{2},"num_replicas":{3},)"
                     R"("max_age":86400000000000,"duplicate_window":7200000000000,)"
                     R"("republish":{{"src":"{1}","dest":"{1}.stored"}}}})",
                     kName, kOrderLogTopic, options.max_messages, options.replicas),
         kName);
  demand("CREATE",
         fmt::format(R"({{"name":"{}","subjects":["$KV.realtime-strategies.>"],"storage":"file",)"
                     R"("retention":"limits","discard":"new","max_msgs_per_subject":64,)"
                     R"("allow_rollup_hdrs":true,"deny_delete":true,"num_replicas":{}}})",
                     kBucket, options.replicas),
         kBucket);
}

void OrderLogAdmin::remove() { demand("DELETE", "", kName); }
void OrderLogAdmin::purge() { demand("PURGE", "", kName); }
void OrderLogAdmin::step_down() { demand("LEADER.STEPDOWN", "", kName); }

std::vector<StoredOrder> OrderLogAdmin::orders() {
  std::vector<StoredOrder> orders;
  jsStreamInfo* info = nullptr;
  const auto looked = [&] {
    return js_GetStreamInfo(&info, state_->jetstream, kName, nullptr, nullptr) == NATS_OK;
  };
  if (!eventually(looked, kLimit)) throw std::runtime_error("no answer about the order log");
  for (auto at = std::max<std::uint64_t>(info->State.FirstSeq, 1); at <= info->State.LastSeq;
       ++at) {
    natsMsg* message = nullptr;
    if (js_GetMsg(&message, state_->jetstream, kName, at, nullptr, nullptr) != NATS_OK) {
      throw std::runtime_error(fmt::format("no entry {} in the order log", at));
    }
    const std::string_view payload(natsMsg_GetData(message),
                                   static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    const auto stored = UnixNs(std::chrono::nanoseconds(natsMsg_GetTime(message)));
    orders.push_back({.sequence = at,
                      .sender = header_of(message, "Rts-Sender"),
                      .order = read_order(payload, to_ms(stored))});
    ArrivedOrder& order = orders.back().order;
    order.valid = order.valid && header_of(message, "Nats-Msg-Id") == order.id;
    natsMsg_Destroy(message);
  }
  jsStreamInfo_Destroy(info);
  return orders;
}

std::string OrderLogAdmin::leader() {
  rapidjson::Document info;
  info.Parse(ask("INFO", "", kName).c_str());
  if (!info.IsObject() || !info.HasMember("cluster")) return "";
  const auto& cluster = info["cluster"];
  return cluster.HasMember("leader") ? cluster["leader"].GetString() : "";
}

bool OrderLogAdmin::is_whole() {
  rapidjson::Document info;
  info.Parse(ask("INFO", "", kName).c_str());
  if (!info.IsObject() || !info.HasMember("cluster")) return false;
  const auto& cluster = info["cluster"];
  if (!cluster.HasMember("leader") || !cluster.HasMember("replicas")) return false;
  for (const auto& copy : cluster["replicas"].GetArray()) {
    const bool offline = copy.HasMember("offline") && copy["offline"].GetBool();
    if (offline || !copy["current"].GetBool()) return false;
  }
  return true;
}

}  // namespace rts::test
