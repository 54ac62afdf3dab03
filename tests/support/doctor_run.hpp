// `doctor` as a child process, and the rows of its table by their state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/daemon.hpp"

namespace rts::test {

// Of one replica of BTCUSDT that uses both logs, with the shortest look, unless told otherwise.
[[nodiscard]] RunResult doctor(const std::string& url, Environment environment = {},
                               std::vector<std::string> options = {"--seconds", "1"});

// The rows of one state, each with the fix that follows it.
[[nodiscard]] std::string rows_of(const RunResult& result, std::string_view state);
[[nodiscard]] std::string failed(const RunResult& result);
[[nodiscard]] std::string unknown(const RunResult& result);

}  // namespace rts::test
