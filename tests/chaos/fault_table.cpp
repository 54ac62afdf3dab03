// fault_table FILE: prints what the fault tests have reported (support/fault_report.hpp) as one
// table. Exits 1 when a row was not held or there is none, 65 when the file is not what it should
// be.
#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <rapidjson/document.h>

namespace {

constexpr std::array<std::string_view, 5> kColumns{"fault", "promise", "figure", "measured",
                                                   "held"};
constexpr std::array<std::size_t, 5> kWidths{32, 28, 28, 44, 4};
using Row = std::array<std::string, kColumns.size()>;

struct Table {
  std::vector<Row> rows;
  std::size_t broken = 0;  // promises
  bool readable = true;
};

Table read_table(const char* path) {
  std::ifstream file(path);
  Table table;
  for (std::string line; std::getline(file, line);) {
    rapidjson::Document json;
    json.Parse(line.data(), line.size());
    const bool is_row = json.IsObject() && json.HasMember("held") && json["held"].IsBool();
    table.readable = table.readable && is_row;
    if (!is_row) continue;
    Row row;
    for (std::size_t i = 0; i + 1 < kColumns.size(); ++i) {
      const char* name = kColumns[i].data();
      if (json.HasMember(name) && json[name].IsString()) row[i] = json[name].GetString();
    }
    const bool held = json["held"].GetBool();
    row.back() = held ? "yes" : "NO";
    table.broken += held ? 0 : 1;
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Columns on a screen, of UTF-8.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

// Lines of whole words; a word that is wider stands alone.
std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines{""};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (width(line) + 1 + width(word) <= columns) {
      line.append(" ").append(word);
    } else {
      lines.emplace_back(word);
    }
  }
  return lines;
}

void print(const Row& row) {
  std::array<std::vector<std::string>, kColumns.size()> cells;
  std::size_t height = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    cells[i] = wrap(row[i], kWidths[i]);
    height = std::max(height, cells[i].size());
  }
  for (std::size_t line = 0; line < height; ++line) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = line < cells[i].size() ? cells[i][line] : "";
      const std::size_t missing = kWidths[i] > width(cell) ? kWidths[i] - width(cell) : 0;
      text += fmt::format("{}{}{}", i == 0 ? "" : " | ", cell, std::string(missing, ' '));
    }
    fmt::print("{}\n", text);
  }
}

void print_rule() {
  std::string text;
  for (std::size_t i = 0; i < kWidths.size(); ++i) {
    text += (i == 0 ? "" : "-+-") + std::string(kWidths[i], '-');
  }
  fmt::print("{}\n", text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: fault_table FILE\n");
    return 64;
  }
  const Table table = read_table(argv[1]);
  Row head;
  std::copy(kColumns.begin(), kColumns.end(), head.begin());
  print(head);
  for (const Row& row : table.rows) {
    print_rule();
    print(row);
  }
  fmt::print("\n{} rows, {} not held\n", table.rows.size(), table.broken);
  if (!table.readable) {
    fmt::print(stderr, "fault_table: {} has lines that are no rows\n", argv[1]);
    return 65;
  }
  return table.rows.empty() || table.broken > 0 ? 1 : 0;
}
