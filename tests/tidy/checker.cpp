#include "tidy/checker.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace rts::tidy {
namespace {

constexpr std::size_t kMaxColumns = 100;
constexpr std::size_t kMaxFunctionLines = 70;

struct Room {
  std::string_view name;
  int floor;
};
constexpr std::array kRooms{Room{"base", 1},      Room{"market", 2},  Room{"strategy", 3},
                            Room{"wire", 3},      Room{"trading", 3}, Room{"engine", 4},
                            Room{"config", 4},    Room{"nats", 5},    Room{"http", 5},
                            Room{"telemetry", 5}, Room{"service", 6}, Room{"simulation", 6},
                            Room{"research", 6},  Room{"commands", 7}};
constexpr int kCoreFloors = 4;
constexpr int kMainFloor = 8;

// Rooms of one floor that know nothing of each other, and where they meet.
struct Neighbours {
  std::string_view one, other, meet_in;
};
constexpr std::array kNeighbours{Neighbours{"nats", "http", "service"},
                                 Neighbours{"service", "simulation", "commands"},
                                 Neighbours{"service", "research", "commands"},
                                 Neighbours{"simulation", "research", "commands"}};

// Where a library may be included; the key begins the path in the angle brackets.
struct Library {
  std::string_view include;
  std::vector<std::string_view> rooms;
};
std::vector<Library> libraries() {
  return {{"simdjson", {"wire"}},         {"nats", {"nats"}},
          {"openssl/", {"nats", "http"}}, {"boost/asio", {"nats", "http", "service", "commands"}},
          {"boost/beast", {"http"}},      {"prometheus/", {"telemetry"}},
          {"spdlog/", {"telemetry"}},     {"minizip/", {"commands"}}};
}

std::optional<int> floor_of(std::string_view room) {
  for (const Room& known : kRooms) {
    if (known.name == room) return known.floor;
  }
  return std::nullopt;
}

// "src/wire/frame.cpp" and "include/rts/wire/frame.hpp" are in room wire.
std::string room_of(std::string_view path) {
  for (const std::string_view top : {"include/rts/", "src/"}) {
    if (!path.starts_with(top)) continue;
    path.remove_prefix(top.size());
    const std::size_t slash = path.find('/');
    return slash == std::string_view::npos ? "main" : std::string(path.substr(0, slash));
  }
  return {};
}

bool is_core(const SourceFile& file) {
  const auto floor = floor_of(room_of(file.path));
  return floor && *floor <= kCoreFloors;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || !is_word(text[at - 1]);
    if (begins && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

// Where what begins at `at` ends, when it is a comment, a text or a character; else `at` itself.
std::size_t end_of_no_code(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  const auto behind = [&](std::string_view closing, std::size_t from) {
    const std::size_t found = rest.find(closing, from);
    return found == std::string_view::npos ? text.size() : at + found + closing.size();
  };
  if (rest.starts_with("//"))
    return std::min(text.size(), at + std::min(rest.find('\n'), rest.size()));
  if (rest.starts_with("/*")) return behind("*/", 2);
  if (rest.starts_with("R\"")) {
    const std::size_t bracket = std::min(rest.find('('), rest.size());
    return behind(fmt::format("){}\"", rest.substr(2, bracket - 2)), bracket);
  }
  const char quote = rest.front();
  const bool separates_digits = at > 0 && is_word(text[at - 1]);
  if (quote != '"' && (quote != '\'' || separates_digits)) return at;
  for (std::size_t i = 1; i < rest.size() && rest[i] != '\n'; ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == quote) {
      return at + i + 1;
    }
  }
  return at + 1;
}

// Comments, texts and characters blanked out, line by line as before.
std::string code_of(const std::string& text) {
  std::string code;
  while (code.size() < text.size()) {
    const std::size_t end = end_of_no_code(text, code.size());
    if (end == code.size()) {
      code += text[end];
      continue;
    }
    while (code.size() < end) code += text[code.size()] == '\n' ? '\n' : ' ';
  }
  return code;
}

std::size_t line_at(const std::string& text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

struct Include {
  std::size_t line;
  bool angled;
  std::string path;
};
std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  std::size_t number = 0;
  for (const std::string& line : lines_of(file.text)) {
    ++number;
    constexpr std::string_view kInclude = "#include ";
    if (!line.starts_with(kInclude)) continue;
    const bool angled = line[kInclude.size()] == '<';
    const std::size_t begin = kInclude.size() + 1;
    includes.push_back(
        {number, angled, line.substr(begin, line.find(angled ? '>' : '"', begin) - begin)});
  }
  return includes;
}

// The room an include leads to; empty when it is none of ours.
std::string included_room(const Include& include, const std::string& from) {
  std::string_view path = include.path;
  if (include.angled) {
    if (!path.starts_with("rts/")) return {};
    path.remove_prefix(4);
  }
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? from : std::string(path.substr(0, slash));
}

using Graph = std::map<std::string, std::set<std::string>>;

// A path of rooms that leads from `room` back to it, or empty.
std::string circle_through(const Graph& graph, const std::string& room, const std::string& goal,
                           std::set<std::string>& seen) {
  const auto next = graph.find(room);
  if (next == graph.end()) return {};
  for (const std::string& other : next->second) {
    if (other == goal) return room + " → " + goal;
    if (!seen.insert(other).second) continue;
    const std::string found = circle_through(graph, other, goal, seen);
    if (!found.empty()) return room + " → " + found;
  }
  return {};
}

void check_library(const SourceFile& file, const Include& include,
                   std::vector<std::string>& offences) {
  const std::string room = room_of(file.path);
  for (const Library& library : libraries()) {
    if (!include.angled || !include.path.starts_with(library.include)) continue;
    if (std::find(library.rooms.begin(), library.rooms.end(), room) != library.rooms.end())
      continue;
    offences.push_back(
        fmt::format("{}:{}: <{}> does not belong here", file.path, include.line, include.path));
  }
}

void check_room(const SourceFile& file, const Include& include, Graph& graph,
                std::vector<std::string>& offences) {
  const std::string room = room_of(file.path);
  const std::string other = included_room(include, room);
  if (other.empty() || other == room) return;
  const int floor = room == "main" ? kMainFloor : floor_of(room).value_or(0);
  const int below = floor_of(other).value_or(kMainFloor);
  const auto offend = [&](std::string_view what) {
    offences.push_back(
        fmt::format("{}:{}: {} includes {}: {}", file.path, include.line, room, other, what));
  };
  if (below > floor) offend("that is a floor above");
  for (const auto& [one, another, meet_in] : kNeighbours) {
    if ((room == one && other == another) || (room == another && other == one)) {
      offend(fmt::format("they meet in {} only", meet_in));
    }
  }
  graph[room].insert(other);
}

// Walks over the code of a file and finds the functions: braces that follow a parameter list and
// lie in nothing but namespaces and classes.
class FunctionWalk {
 public:
  FunctionWalk(const std::string& path, const std::string& text)
      : path_(path), code_(code_of(text)) {}

  std::vector<std::string> too_long() {
    for (std::size_t i = 0; i < code_.size(); ++i) take(i);
    return std::move(offences_);
  }

 private:
  enum class Brace : char { scope, function, other };

  void take(std::size_t i) {
    const char c = code_[i];
    if (c == '{') {
      open(i);
    } else if (c == '}') {
      close(i);
    } else if (inside_ == 0 && (c == ';' || (c == ')' && header_.starts_with("BOOST_DE")))) {
      header_.clear();  // an enumeration's macro has no semicolon behind it
    } else if (inside_ == 0) {
      if (header_.empty() && std::isspace(static_cast<unsigned char>(c)) != 0) return;
      if (header_.empty()) begin_ = i;
      header_ += c;
    }
  }

  [[nodiscard]] bool opens_scope() const {
    constexpr std::array<std::string_view, 5> kScopes{"namespace", "class", "struct", "union",
                                                      "enum"};
    return std::any_of(kScopes.begin(), kScopes.end(),
                       [&](std::string_view word) { return has_word(header_, word); });
  }

  void open(std::size_t i) {
    const bool initializer = i > 0 && (is_word(code_[i - 1]) || code_[i - 1] == '>');
    Brace brace = Brace::other;
    if (inside_ == 0 && !initializer) {
      const bool has_parameters = header_.find(')') != std::string::npos;
      if (has_parameters) brace = Brace::function;
      if (!has_parameters && opens_scope()) brace = Brace::scope;
      if (brace == Brace::scope) header_.clear();
    }
    if (brace != Brace::scope) ++inside_;
    braces_.push_back(brace);
  }

  void close(std::size_t i) {
    if (braces_.empty()) return;
    const Brace brace = braces_.back();
    braces_.pop_back();
    if (brace != Brace::scope) --inside_;
    if (brace == Brace::function) {
      const std::size_t lines = line_at(code_, i) - line_at(code_, begin_) + 1;
      if (lines > kMaxFunctionLines) {
        offences_.push_back(
            fmt::format("{}:{}: a function of {} lines", path_, line_at(code_, begin_), lines));
      }
    }
    if (brace != Brace::other) header_.clear();
  }

  std::string path_;
  std::string code_;
  std::string header_;      // what stands before the next brace
  std::size_t begin_ = 0;   // of the header
  std::size_t inside_ = 0;  // braces that are no scopes
  std::vector<Brace> braces_;
  std::vector<std::string> offences_;
};

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not a continuation of UTF-8
  }));
}

}  // namespace

std::vector<std::string> include_offences(const std::vector<SourceFile>& files) {
  std::vector<std::string> offences;
  Graph graph;
  for (const SourceFile& file : files) {
    if (room_of(file.path).empty()) continue;
    for (const Include& include : includes_of(file)) {
      check_library(file, include, offences);
      check_room(file, include, graph, offences);
    }
  }
  for (const auto& [room, others] : graph) {
    std::set<std::string> seen;
    const std::string circle = circle_through(graph, room, room, seen);
    if (!circle.empty()) offences.push_back("a circle of rooms: " + circle);
  }
  return offences;
}

std::vector<std::string> core_offences(const std::vector<SourceFile>& files) {
  constexpr std::array<std::string_view, 5> kForbidden{"throw", "std::thread", "std::jthread",
                                                       "getenv", "environ"};
  std::vector<std::string> offences;
  for (const SourceFile& file : files) {
    if (!is_core(file)) continue;
    std::size_t number = 0;
    for (const std::string& line : lines_of(code_of(file.text))) {
      ++number;
      const auto offend = [&](std::string_view what) {
        offences.push_back(fmt::format("{}:{}: {} in the core", file.path, number, what));
      };
      for (const std::string_view word : kForbidden) {
        if (has_word(line, word)) offend(word);
      }
      if (line.find("_clock::now") != std::string::npos) offend("a clock");
    }
  }
  return offences;
}

std::vector<std::string> output_offences(const std::vector<SourceFile>& files) {
  constexpr std::array<std::string_view, 9> kPrinters{
      "fmt::print", "printf", "fprintf", "puts", "fputs", "perror", "cout", "cerr", "fwrite"};
  std::vector<std::string> offences;
  for (const SourceFile& file : files) {
    if (file.path.starts_with("src/commands/output.")) continue;
    std::size_t number = 0;
    for (const std::string& line : lines_of(code_of(file.text))) {
      ++number;
      for (const std::string_view word : kPrinters) {
        if (!has_word(line, word)) continue;
        offences.push_back(
            fmt::format("{}:{}: {}: commands/output prints", file.path, number, word));
      }
    }
  }
  return offences;
}

std::vector<std::string> text_offences(const std::vector<SourceFile>& files) {
  constexpr std::array<std::string_view, 3> kNotes{
      "TO"
      "DO",
      "FIX"
      "ME",
      "X"
      "XX"};
  std::vector<std::string> offences;
  for (const SourceFile& file : files) {
    std::size_t number = 0;
    for (const std::string& line : lines_of(file.text)) {
      ++number;
      const auto offend = [&](const std::string& what) {
        offences.push_back(fmt::format("{}:{}: {}", file.path, number, what));
      };
      if (columns(line) > kMaxColumns) offend(fmt::format("{} columns", columns(line)));
      for (const std::string_view note : kNotes) {
        if (has_word(line, note)) offend("a note to self");
      }
    }
    if (!file.path.ends_with(".hpp")) continue;
    if (file.text.find("\n#pragma once\n") == std::string::npos) {
      offences.push_back(file.path + ": no #pragma once");
    }
    if (!file.text.starts_with("//")) offences.push_back(file.path + ": no opening comment");
  }
  return offences;
}

std::vector<std::string> length_offences(const std::vector<SourceFile>& files) {
  std::vector<std::string> offences;
  for (const SourceFile& file : files) {
    for (std::string& offence : FunctionWalk(file.path, file.text).too_long()) {
      offences.push_back(std::move(offence));
    }
  }
  return offences;
}

}  // namespace rts::tidy
