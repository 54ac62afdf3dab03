// What commands ask a running service: one GET a call. Blocking, at most 2 s.
#pragma once

#include <string>

#include <rts/config/settings.hpp>

namespace rts::commands {

struct ServiceAnswer {
  int status = 0;
  std::string body;
};

// Throws CommandError(unavailable) when there is no answer in time.
[[nodiscard]] ServiceAnswer ask_service(const config::Settings& settings, const std::string& path);

}  // namespace rts::commands
