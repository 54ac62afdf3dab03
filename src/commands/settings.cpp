// `check` and `config`, and how settings are read from files.
#include "commands/settings.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

#include <rts/config/render.hpp>

#include "commands/output.hpp"

namespace rts::commands {
namespace {

ExitCode check(const Invocation& /*invocation*/, const config::Configuration& configuration) {
  print_warnings(configuration.warnings);
  print_warnings(configuration.delivery_warnings);
  const std::size_t count = configuration.warnings.size() + configuration.delivery_warnings.size();
  print_out("settings are valid{}\n",
            count == 0 ? "" : fmt::format(", {} warning{}", count, count == 1 ? "" : "s"));
  return ExitCode::ok;
}

ExitCode print_config(const Invocation& invocation, const config::Configuration& configuration) {
  const std::string name = invocation.option("format", invocation.has("json") ? "json" : "text");
  const auto format = from_string<config::Format>(name);
  if (!format) {
    throw CommandError(ExitCode::usage,
                       fmt::format("unknown format '{}'; see config --help", name));
  }
  write_out(config::render(configuration, *format));
  return ExitCode::ok;
}

constexpr std::array kConfigOptions{
    Option{"--format", "FORMAT", "text, json, env, markdown or configmap (default text)"},
    Option{"--json", "", "the same as --format json"}};

}  // namespace

constinit const Command kCheck{"check",
                               "",
                               "validate the settings; exit 78 with everything that is wrong",
                               "TRADING_LEVERAGE=0 realtime-strategies check",
                               {},
                               Needs::delivery,
                               check};
constinit const Command kConfig{"config",
                                "",
                                "print the effective settings and where each comes from",
                                "realtime-strategies config --format env",
                                kConfigOptions,
                                Needs::decisions,
                                print_config};

Result<std::string, std::string> read_settings_file(const std::string& path,
                                                    std::size_t max_bytes) {
  const auto unreadable = [](const std::error_code& error) {
    return Failure{fmt::format("cannot be read: {}", error.message())};
  };
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(path, error);
  if (error) return unreadable(error);
  if (!is_file) return Failure{std::string("is not a file")};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return unreadable({errno, std::generic_category()});
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_bytes) return Failure{fmt::format("is larger than {} bytes", max_bytes)};
  return text;
}

}  // namespace rts::commands
