#include "support/doctor_run.hpp"

#include <utility>

namespace rts::test {

RunResult doctor(const std::string& url, Environment environment,
                 std::vector<std::string> options) {
  options.insert(options.begin(), "doctor");
  environment.insert({"NATS_URL", url});
  environment.insert({"TRADING_SYMBOLS", "BTCUSDT"});
  environment.insert({"NATS_CONSUMER_GROUP", ""});
  environment.insert({"ORDER_DELIVERY", "jetstream"});
  return run_binary(options, with_test_defaults(std::move(environment)));
}

std::string rows_of(const RunResult& result, std::string_view state) {
  std::string found;
  bool is_wanted = false;
  for (std::size_t begin = 0; begin < result.out.size();) {
    const std::size_t end = result.out.find('\n', begin);
    const std::string line = result.out.substr(begin, end - begin);
    if (!line.starts_with(' ')) is_wanted = line.starts_with(state);
    if (is_wanted) found += line + '\n';
    begin = end == std::string::npos ? result.out.size() : end + 1;
  }
  return found;
}
std::string failed(const RunResult& result) { return rows_of(result, "failed"); }
std::string unknown(const RunResult& result) { return rows_of(result, "not looked at"); }

}  // namespace rts::test
