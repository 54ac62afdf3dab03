#include "commands/settings_file.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <sstream>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <rts/base/text.hpp>

#include "commands/command_line.hpp"
#include "commands/input.hpp"

namespace rts::commands {
namespace {

// As Kubernetes takes them for keys.
bool is_name(std::string_view text) {
  const auto is_part = [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && std::ranges::all_of(text, is_part);
}

// What may be said of a text that is no name: behind a setting's name may be its secret.
std::string_view name_in(std::string_view text) {
  const std::string_view name = text.substr(0, text.find_first_of(" \t:="));
  return config::find(name) != nullptr ? name : "this line";
}

void add(FoundSettings& found, std::string_view name, std::string_view value, std::size_t line) {
  if (std::ranges::count(found.given, name, &config::Given::name) > 0) {
    found.problems.push_back({line, fmt::format("{}: is given twice; remove one.", name)});
    return;
  }
  found.given.push_back({std::string(name), std::string(value)});
  found.lines.push_back(line);
}

bool is_quoted(std::string_view value) {
  return value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
         value.back() == value.front();
}

// An env file, or a manifest, which is a part of a cluster's description: far more than settings
// take.
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 20U;

// --- YAML ---------------------------------------------------------------------------------------

constexpr std::string_view kUnquoted = "?";  // yaml-cpp's tag of a scalar without quotes and tag

// Reads documents and keeps nothing. Where yaml-cpp meets what begins none (","), it gives an empty
// document and stays where it is, up to 0.8.0 also in LoadAll(), for ever.
class Reading final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos <= last_) throw YAML::ParserException(mark, "no document begins so");
    last_ = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  int last_ = -1;
};

// Throws YAML::Exception.
std::vector<YAML::Node> load_all(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Reading reading;
  while (parser.HandleNextDocument(reading)) {
  }
  return YAML::LoadAll(text);
}

// Whether kubectl takes it for something else than a text, by YAML 1.1: true or false, or a number.
// A ConfigMap with that is refused.
bool is_no_text(std::string text) {
  constexpr std::array<std::string_view, 8> kWords{"true", "false", "yes", "no",
                                                   "on",   "off",   "y",   "n"};
  const auto is_text = [&](std::string_view word) { return same_but_for_case(text, word); };
  if (std::ranges::any_of(kWords, is_text)) return true;
  std::erase(text, '_');
  std::string_view number = text;
  if (number.starts_with('+') || number.starts_with('-')) number.remove_prefix(1);
  if (same_but_for_case(number, ".inf") || same_but_for_case(number, ".nan")) return true;
  if (number.starts_with("0x") || number.starts_with("0o") || number.starts_with("0b")) {
    return number.size() > 2 &&
           number.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
  }
  return !number.starts_with('-') && parse_as<double>(number).has_value();
}

std::size_t line_in(const YAML::Node& node) {
  return node.Mark().line < 0 ? 0 : static_cast<std::size_t>(node.Mark().line) + 1;
}

// Of a node that is not there nothing else may be asked.
bool is_map(const YAML::Node& node) { return node.IsDefined() && node.IsMap(); }
std::string text_of(const YAML::Node& node) {
  return node.IsDefined() && node.IsScalar() ? node.Scalar() : "";
}

FoundSettings settings_in(const YAML::Node& config_map) {
  const YAML::Node metadata = config_map["metadata"];
  const std::string name = is_map(metadata) ? text_of(metadata["name"]) : "";
  FoundSettings found{.name = fmt::format("ConfigMap {}", name.empty() ? "without a name" : name)};
  const YAML::Node data = config_map["data"];
  if (!data.IsDefined() || data.IsNull()) return found;
  if (!is_map(data)) {
    found.problems.push_back({line_in(data), "data: is no mapping of names to texts."});
    return found;
  }
  for (const auto& entry : data) {
    const std::string key = text_of(entry.first);
    const std::size_t line = line_in(entry.first);
    const YAML::Node& value = entry.second;
    const config::Setting* const setting = config::find_of_any_symbol(key);
    if (!is_name(key)) {
      found.problems.push_back(
          {line, fmt::format("{}: is no NAME: value; write it so.", name_in(key))});
      continue;
    }
    if (setting != nullptr && setting->is_secret() && !key.ends_with("_FILE")) {
      found.warnings.push_back(
          {line, fmt::format("{}: is a secret, and a ConfigMap is read by many; "
                             "put it into a Secret.",
                             key)});
    }
    if (!value.IsScalar() && !value.IsNull()) {
      found.problems.push_back({line, fmt::format("{}: is no text; write it on one line.", key)});
    } else if (value.IsScalar() && value.Tag() == kUnquoted && is_no_text(value.Scalar())) {
      found.problems.push_back(
          {line, fmt::format("{}: is a number or a truth value, and Kubernetes takes texts only; "
                             "put it in quotes.",
                             key)});
      add(found, key, value.Scalar(), line);
    } else {
      add(found, key, text_of(value), line);  // null is read as an empty text
    }
  }
  return found;
}

// The document, and what is in it: what `kubectl get -o yaml` prints of several, and what the
// cluster's API does, with no kinds but the list's.
template <typename Visit>
void visit_objects(const YAML::Node& document, Visit visit) {
  if (!is_map(document)) return;
  const std::string kind = text_of(document["kind"]);
  visit(document, kind);
  const YAML::Node items = document["items"];
  if (!items.IsDefined() || !items.IsSequence()) return;
  for (const YAML::Node& item : items) {
    if (!is_map(item)) continue;
    visit(item, kind == "ConfigMapList" ? "ConfigMap" : text_of(item["kind"]));
  }
}

template <typename Visit>
void visit_documents(const std::string& file, const std::string& text, Visit visit) {
  try {
    for (const YAML::Node& document : load_all(text)) visit_objects(document, visit);
  } catch (const YAML::Exception& error) {
    // Behind a colon is what stands there, which may be of a secret.
    throw CommandError(ExitCode::bad_input, "{}:{}: is no YAML: {}", file, error.mark.line + 1,
                       error.msg.substr(0, error.msg.find(':')));
  }
}

// The node at the end of the keys; not defined where one of them is not there.
YAML::Node node_at(YAML::Node node, std::initializer_list<const char*> keys) {
  for (const char* const key : keys) {
    if (!is_map(node)) return YAML::Node(YAML::NodeType::Undefined);
    node.reset(node[key]);
  }
  return node;
}

void append_texts(const YAML::Node& list, std::vector<std::string>& texts) {
  if (!list.IsDefined() || !list.IsSequence()) return;
  for (const YAML::Node& item : list) texts.push_back(text_of(item));
}

}  // namespace

std::string settings_text(const std::string& path) {
  LineReader reader(path);
  std::string text;
  while (const auto line = reader.next()) {
    text.append(*line).append("\n");
    if (text.size() > kMaxFileBytes) {
      throw CommandError(ExitCode::bad_input, "{}: is larger than {} bytes", reader.name(),
                         kMaxFileBytes);
    }
  }
  if (reader.error().empty()) return text;
  throw CommandError(ExitCode::bad_input, "{}; give an env file, or a manifest with --from",
                     reader.error());
}

std::size_t FoundSettings::line_of(std::string_view said) const {
  const std::string_view asked = said.substr(0, said.find_first_of("=:, "));
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (same_but_for_case(given[i].name, asked)) return lines[i];
  }
  return 0;
}

bool FoundSettings::has_settings() const {
  return std::ranges::any_of(given, [](const config::Given& item) {
    return config::find_of_any_symbol(item.name) != nullptr;
  });
}

FoundSettings parse_env_file(std::string_view text) {
  FoundSettings found{.name = ""};
  std::size_t line = 0;
  for (std::string_view rest : split(text, '\n')) {
    ++line;
    while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
    if (trimmed(rest).empty() || rest.starts_with('#')) continue;
    const std::size_t equals = rest.find('=');
    const std::string_view name = rest.substr(0, equals);
    if (equals == std::string_view::npos || !is_name(name)) {
      found.problems.push_back(
          {line, fmt::format("{}: is no NAME=value, without blanks around =; write it so.",
                             name_in(rest))});
      continue;
    }
    const std::string_view value = rest.substr(equals + 1);
    if (config::find_of_any_symbol(name) != nullptr && is_quoted(value)) {
      found.warnings.push_back(
          {line, fmt::format("{}: the quotes are part of the value for docker and Kubernetes, and "
                             "not for systemd; remove them.",
                             name)});
    }
    add(found, name, value, line);
  }
  return found;
}

std::vector<FoundSettings> parse_config_maps(const std::string& file, const std::string& text) {
  std::vector<FoundSettings> found;
  visit_documents(file, text, [&](const YAML::Node& object, std::string_view kind) {
    if (kind == "ConfigMap") found.push_back(settings_in(object));
  });
  if (found.empty()) {
    throw CommandError(ExitCode::bad_input,
                       "{}: has no ConfigMap; give a manifest with one, or an env file without "
                       "--from",
                       file);
  }
  return found;
}

std::vector<std::string> provision_arguments(const std::string& file, const std::string& text) {
  std::vector<std::string> found;
  visit_documents(file, text, [&](const YAML::Node& object, std::string_view kind) {
    const bool is_pod = kind == "Pod";
    if (!found.empty() || (!is_pod && kind != "Job")) return;
    const YAML::Node containers = is_pod
                                      ? node_at(object, {"spec", "containers"})
                                      : node_at(object, {"spec", "template", "spec", "containers"});
    if (!containers.IsDefined() || !containers.IsSequence()) return;
    for (const YAML::Node& container : containers) {
      std::vector<std::string> words;
      append_texts(node_at(container, {"command"}), words);
      append_texts(node_at(container, {"args"}), words);
      const auto command = std::ranges::find(words, "provision");
      if (command != words.end()) return found.assign(command + 1, words.end());
    }
  });
  return found;
}

}  // namespace rts::commands
