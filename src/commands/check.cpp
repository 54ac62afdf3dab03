// `check`: the settings of this environment, or those of files before they are deployed.
#include <algorithm>
#include <array>

#include <unistd.h>

#include "commands/input.hpp"
#include "commands/output.hpp"
#include "commands/provision.hpp"
#include "commands/settings_file.hpp"

namespace rts::commands {
namespace {

// What was checked, and what is to be said of it.
struct Checked {
  std::string name;  // "prod.env", "prod.yaml: ConfigMap petrosa"; empty: the environment
  // What is around a line's number: "prod.yaml" and "ConfigMap petrosa: ".
  std::string file, prefix;
  std::vector<Complaint> problems{}, warnings{};
};

using Loaded = Result<config::Configuration, config::Problems>;

void append(std::vector<Complaint>& complaints, const std::vector<std::string>& said,
            const FoundSettings& found) {
  for (const std::string& text : said) complaints.push_back({found.line_of(text), text});
}

void judge(Checked& checked, const FoundSettings& found, const Loaded& loaded) {
  checked.problems = found.problems;
  checked.warnings = found.warnings;
  if (!loaded) return append(checked.problems, loaded.error(), found);
  append(checked.warnings, loaded.value().warnings, found);
  append(checked.warnings, loaded.value().delivery_warnings, found);
}

std::string shown_path(const std::string& path) { return path == "-" ? "standard input" : path; }

// A file is for a machine that has other files: what it names is read where it is here, too.
Checked check_file(const Invocation& invocation, const std::string& file,
                   const FoundSettings& found) {
  Checked checked{.name = found.name.empty() ? file : fmt::format("{}: {}", file, found.name),
                  .file = file,
                  .prefix = found.name.empty() ? "" : found.name + ": "};
  auto loaded = config::load(found.given, invocation.settings);
  const std::string listed = loaded ? loaded.value().settings.instruments_file : "";
  const bool is_here = !listed.empty() && ::access(listed.c_str(), R_OK) == 0;
  if (is_here) loaded = config::load(found.given, invocation.settings, read_settings_file);
  judge(checked, found, loaded);
  if (!found.has_settings()) {
    checked.warnings = {{0, "has no setting of this service; all have their defaults."}};
  } else if (!listed.empty() && !is_here) {
    const std::string text =
        fmt::format("TRADING_INSTRUMENTS_FILE={}: is not here, so it was not looked at.", listed);
    checked.warnings.push_back({found.line_of(text), text});
  }
  std::ranges::stable_sort(checked.problems, {}, &Complaint::line);
  std::ranges::stable_sort(checked.warnings, {}, &Complaint::line);
  return checked;
}

// What its arguments would end the provisioning Job with.
void check_job(const std::string& file, const std::string& manifest, std::vector<Checked>& all) {
  try {
    static_cast<void>(with_arguments_of_job({}, file, manifest));
  } catch (const CommandError& error) {
    all.push_back({.name = file + ": provision",
                   .file = file,
                   .prefix = "",
                   .problems = {{0, error.what()}}});
  }
}

std::vector<Checked> check_all(const Invocation& invocation) {
  std::vector<Checked> all;
  for (const std::string& path : invocation.arguments) {
    all.push_back(check_file(invocation, shown_path(path), parse_env_file(settings_text(path))));
  }
  if (const auto path = invocation.option("from")) {
    const std::string file = shown_path(*path);
    const std::string manifest = settings_text(*path);
    for (const FoundSettings& found : parse_config_maps(file, manifest)) {
      all.push_back(check_file(invocation, file, found));
    }
    check_job(file, manifest, all);
  }
  if (!all.empty()) return all;
  Checked& environment = all.emplace_back();
  judge(environment, {},
        config::load(invocation.environment, invocation.settings, read_settings_file));
  return all;
}

std::string located(const Checked& checked, const Complaint& complaint) {
  if (checked.name.empty()) return complaint.text;
  const std::string line = complaint.line == 0 ? "" : fmt::format(":{}", complaint.line);
  return fmt::format("{}{}: {}{}", checked.file, line, checked.prefix, complaint.text);
}

void print(const Invocation& invocation, const Checked& checked) {
  const auto said = [&](const std::vector<Complaint>& complaints) {
    std::vector<std::string> lines;
    lines.reserve(complaints.size());
    for (const Complaint& complaint : complaints) lines.push_back(located(checked, complaint));
    return lines;
  };
  for (const std::string& problem : said(checked.problems)) print_problem(invocation, problem);
  print_warnings(invocation, said(checked.warnings));
  if (!checked.problems.empty()) return;
  const std::size_t count = checked.warnings.size();
  print_out("{}{}settings are valid{}\n", checked.name, checked.name.empty() ? "" : ": ",
            count == 0 ? "" : fmt::format(", {} warning{}", count, count == 1 ? "" : "s"));
}

void write(JsonWriter& json, const std::vector<Complaint>& complaints) {
  json.begin_array();
  for (const auto& [line, text] : complaints) {
    json.begin_object().key("line");
    line == 0 ? json.null() : json.unsigned_integer(line);
    json.key("text").string(text).end_object();
  }
  json.end_array();
}

ExitCode check(const Invocation& invocation, const config::Configuration& /*configuration*/) {
  const std::vector<Checked> all = check_all(invocation);
  const bool is_valid =
      std::ranges::all_of(all, [](const Checked& checked) { return checked.problems.empty(); });
  if (invocation.has("json")) {
    print_json([&](JsonWriter& json) {
      json.key("valid").boolean(is_valid).key("checked").begin_array();
      for (const Checked& checked : all) {
        json.begin_object().key("name").string(checked.name.empty() ? "environment" : checked.name);
        json.key("valid").boolean(checked.problems.empty());
        write(json.key("problems"), checked.problems);
        write(json.key("warnings"), checked.warnings);
        json.end_object();
      }
      json.end_array();
    });
  } else {
    for (const Checked& checked : all) print(invocation, checked);
  }
  return is_valid ? ExitCode::ok : ExitCode::configuration;
}

constexpr std::array kOptions{
    Option{"--from", "FILE", "check the ConfigMaps of a Kubernetes manifest, - for standard input"},
    kJsonOption};

}  // namespace

constinit const Command kCheck{
    {"check", "validate the settings, or those of files before they are deployed",
     "realtime-strategies check production.env", "[FILE.env…|-]"},
    Needs::itself,
    check,
    kOptions};

}  // namespace rts::commands
