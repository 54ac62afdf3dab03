// What the names of environment variables that are no settings are to us. Pure functions, any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rts::config {

// foreign: not meant for us · retired: a setting of the Python service of this name that has none
// here · misspelt: meant for us, and not known.
enum class NameKind : std::uint8_t { foreign, retired, misspelt };

struct NameMeaning {
  NameKind kind = NameKind::foreign;
  std::string text;  // retired: what to do instead; misspelt: the nearest name of ours
};

// Misspelt is a name with one of our prefixes, one within two letters of one of ours (one letter,
// where ours has eight or fewer), and ours in another case. `value` tells what Kubernetes sets for
// a Service, which is foreign (NATS_PORT=tcp://10.0.0.1:4222), from a slip (HEALTH_CHEK_PORT=8080).
// Precondition: the name is no setting.
[[nodiscard]] NameMeaning meaning_of(std::string_view name, std::string_view value);

struct RetiredName {
  std::string_view name;
  std::string_view instead;  // a sentence
};
// What the Python service read and this one does not.
[[nodiscard]] std::vector<RetiredName> retired_names();

}  // namespace rts::config
