#include <algorithm>
#include <cstdint>
#include <span>

#include <fmt/format.h>

#include <rts/base/text.hpp>
#include <rts/base/utf8.hpp>
#include <rts/wire/funding.hpp>

#include "wire/json_dom.hpp"

namespace rts::wire {
namespace {

constexpr std::int64_t kLastMs = 99'999'999'999'999;  // of the year 5138: more are microseconds

// What an entry says, as it is written.
struct EntryText {
  std::string_view symbol, at, rate;
};

// Appends the entry. What is wrong with it, as a sentence's end; empty: nothing.
std::string_view append(std::vector<FundingEntry>& entries, const EntryText& text,
                        const std::optional<Symbol>& file_symbol) {
  const auto symbol = text.symbol.empty() ? file_symbol : Symbol::from(text.symbol);
  if (!symbol || !Symbol::may_name(symbol->text())) {
    return "names no symbol, and neither does the file's name";
  }
  const auto ms = parse_as<std::int64_t>(text.at, 0, kLastMs);
  if (!ms) return "has no time in milliseconds";
  const auto rate = parse_as<double>(text.rate, -1, 1);
  if (!rate) return "has no rate between −1 and 1";
  entries.push_back({*symbol, UnixMs{std::chrono::milliseconds{*ms}}, *rate});
  return {};
}

// Where the columns stand; npos: there is none of the name.
class Columns {
 public:
  explicit Columns(std::string_view header) {
    const auto names = split(header, ',');
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string name = to_lower(trimmed(names[i]));
      if (name == "symbol") symbol_ = i;
      if (name == "calc_time" || name == "fundingtime") at_ = i;
      if (name == "last_funding_rate" || name == "fundingrate") rate_ = i;
    }
  }

  [[nodiscard]] bool are_complete() const noexcept { return at_ != kNone && rate_ != kNone; }
  [[nodiscard]] EntryText read(std::string_view line) const {
    const auto cells = split(line, ',');
    const auto cell = [&](std::size_t column) {
      return column < cells.size() ? trimmed(cells[column]) : std::string_view{};
    };
    return {cell(symbol_), cell(at_), cell(rate_)};
  }

 private:
  static constexpr std::size_t kNone = std::string_view::npos;
  std::size_t symbol_ = kNone, at_ = kNone, rate_ = kNone;
};

Result<std::vector<FundingEntry>, std::string> parse_csv(std::string_view text,
                                                         const std::optional<Symbol>& file_symbol) {
  const auto lines = split(text, '\n');
  const Columns columns(lines.front());
  if (!columns.are_complete()) {
    return Failure{
        std::string("is no file of funding rates: its first line does not name the "
                    "columns calc_time and last_funding_rate, or fundingTime and "
                    "fundingRate")};
  }
  std::vector<FundingEntry> entries;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (trimmed(lines[i]).empty()) continue;
    const auto fault = append(entries, columns.read(lines[i]), file_symbol);
    if (!fault.empty()) return Failure{fmt::format("line {} {}", i + 1, fault)};
  }
  return entries;
}

// As it is written, for a number may be sent as one or as a text.
std::string text_of(const dom::object& entry, std::string_view name) {
  const auto value = value_at<dom::element>(entry, name);
  if (!value) return {};
  const auto text = as<std::string_view>(*value);
  return text ? std::string(*text) : simdjson::minify(*value);
}

Result<std::vector<FundingEntry>, std::string> parse_json(
    std::string_view text, const std::optional<Symbol>& file_symbol) {
  dom::parser parser;
  const auto array = parse_as_json<dom::array>(parser, text, kMaxFundingBytes);
  if (!array) return Failure{std::string("is not JSON")};
  std::vector<FundingEntry> entries;
  std::size_t number = 0;
  for (const dom::element element : *array) {
    ++number;
    const auto entry = as<dom::object>(element);
    if (!entry) return Failure{fmt::format("entry {} is no object", number)};
    const std::string at = text_of(*entry, "fundingTime"), rate = text_of(*entry, "fundingRate");
    const auto fault = append(entries, {text_at(*entry, "symbol"), at, rate}, file_symbol);
    if (!fault.empty()) return Failure{fmt::format("entry {} {}", number, fault)};
  }
  return entries;
}

}  // namespace

std::optional<Symbol> symbol_of_file_name(std::string_view path) {
  const std::size_t folder = path.rfind('/');
  if (folder != std::string_view::npos) path.remove_prefix(folder + 1);
  const std::string_view name = path.substr(0, path.find_first_of("-."));
  return Symbol::may_name(name) ? Symbol::from(name) : std::nullopt;
}

Result<std::vector<FundingEntry>, std::string> parse_funding(
    std::string_view text, const std::optional<Symbol>& file_symbol) {
  if (text.size() > kMaxFundingBytes) return Failure{std::string("is larger than 16 MiB")};
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text = trimmed(text);
  auto entries =
      text.starts_with('[') ? parse_json(text, file_symbol) : parse_csv(text, file_symbol);
  if (entries && entries.value().empty()) return Failure{std::string("holds no funding rates")};
  return entries;
}

}  // namespace rts::wire
