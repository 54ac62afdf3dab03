#include "commands/settings_file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <tuple>

#include <fmt/format.h>

namespace rts::commands {
namespace {

struct Closer {
  void operator()(std::FILE* file) const noexcept { std::ignore = std::fclose(file); }
};

Failure<std::string> unreadable(const std::error_code& error) {
  return Failure{fmt::format("cannot be read: {}", error.message())};
}
std::error_code last_error() {
  return {errno, std::generic_category()};
}

}  // namespace

Result<std::string, std::string> read_settings_file(const std::string& path,
                                                    std::size_t max_bytes) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  if (error) return unreadable(error);
  if (!is_file) return Failure{std::string("is not a file")};
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return unreadable(last_error());
  std::string text;
  std::array<char, std::size_t{64} << 10U> part{};
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part.data(), got);
    if (text.size() > max_bytes) {
      return Failure{fmt::format("is larger than {} bytes", max_bytes)};
    }
  }
  if (std::ferror(file.get()) != 0) return unreadable(last_error());
  return text;
}

std::vector<std::string> warnings_for(std::string_view command,
                                      const config::Configuration& configuration) {
  std::vector<std::string> warnings = configuration.warnings;
  if (command == "run" || command == "check") {
    warnings.insert(warnings.end(), configuration.delivery_warnings.begin(),
                    configuration.delivery_warnings.end());
  }
  return warnings;
}

std::string verdict(const config::Configuration& configuration) {
  const std::size_t count = configuration.warnings.size() + configuration.delivery_warnings.size();
  if (count == 0) return "settings are valid";
  return fmt::format("settings are valid, {} warning{}", count, count == 1 ? "" : "s");
}

}  // namespace rts::commands
