#include "support/frames.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace rts::test {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }
std::string number(std::int64_t value) { return std::to_string(value); }

constexpr std::size_t kLeastLevels = 5;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace

std::string quote(std::string_view text) { return fmt::format("\"{}\"", text); }

Object& Object::set(std::string_view key, std::string raw) {
  for (auto& [name, value] : members_) {
    if (name != key) continue;
    value = std::move(raw);
    return *this;
  }
  return add(key, std::move(raw));
}

Object& Object::add(std::string_view key, std::string raw) {
  members_.emplace_back(key, std::move(raw));
  return *this;
}

Object& Object::without(std::string_view key) {
  std::erase_if(members_, [key](const auto& member) { return member.first == key; });
  return *this;
}

std::string Object::json() const {
  std::string out = "{";
  for (const auto& [name, value] : members_) {
    if (out.size() > 1) out += ',';
    out.append(quote(name)).append(":").append(value);
  }
  return out + "}";
}

std::string Object::reversed_json() const {
  Object reversed;
  reversed.members_.assign(members_.rbegin(), members_.rend());
  return reversed.json();
}

Object trade(const TradeParts& parts) {
  return Object()
      .add("e", quote("trade"))
      .add("E", number(parts.at_ms))
      .add("T", number(parts.at_ms))
      .add("s", quote(parts.symbol))
      .add("t", number(parts.id))
      .add("p", quote(parts.price))
      .add("q", quote(parts.quantity))
      .add("X", quote(parts.execution_type))
      .add("m", parts.buyer_is_maker ? "true" : "false");
}

Object agg_trade(const TradeParts& parts) {
  return Object()
      .add("e", quote("aggTrade"))
      .add("E", number(parts.at_ms))
      .add("a", number(parts.id))
      .add("s", quote(parts.symbol))
      .add("p", quote(parts.price))
      .add("q", quote(parts.quantity))
      .add("f", "11")
      .add("l", "12")
      .add("T", number(parts.at_ms))
      .add("m", parts.buyer_is_maker ? "true" : "false");
}

Object ticker(const TickerParts& parts) {
  Object frame;
  frame.add("e", quote(parts.event)).add("E", number(parts.at_ms)).add("s", quote(parts.symbol));
  if (parts.event == "24hrMiniTicker") {
    return frame.add("c", quote(parts.price))
        .add("o", quote("90"))
        .add("h", quote("110"))
        .add("l", quote("80"))
        .add("v", quote("1000"))
        .add("q", quote("100000"));
  }
  frame.add("p", quote("-2.5")).add("P", quote("-2.071")).add("w", quote("99.5"));
  if (parts.event == "24hrTicker") {  // spot's has the best bid and ask, under book letters
    frame.add("x", quote("102.5")).add("b", quote("99.9")).add("B", quote("4"));
    frame.add("a", quote("100.1")).add("A", quote("5")).add("Q", quote("0.2"));
  }
  return frame.add("o", quote("102.5"))
      .add("h", quote("110"))
      .add("l", quote("80"))
      .add("c", quote(parts.price))
      .add("v", quote("1000"))
      .add("q", quote("100000"))
      .add("O", number(parts.at_ms - 86'400'000))
      .add("C", number(parts.at_ms))
      .add("F", "-1")
      .add("L", "-1")
      .add("n", "0");
}

Levels ladder(int best, int step, int count) {
  Levels levels;
  for (int i = 0; i < count; ++i) levels.push_back({std::to_string(best + i * step), "1"});
  return levels;
}

Levels filled_bids(Levels levels) {
  if (levels.empty()) return levels;
  while (levels.size() < kLeastLevels) {
    levels.push_back({fmt::format("1e-{}", 300 + levels.size()), "1e-300"});
  }
  return levels;
}

Levels filled_asks(Levels levels) {
  if (levels.empty()) return levels;
  while (levels.size() < kLeastLevels) {
    levels.push_back({fmt::format("9{}e13", levels.size()), "1e-300"});
  }
  return levels;
}

std::string levels_json(const Levels& levels) {
  std::string out = "[";
  for (const auto& [price, quantity] : levels) {
    out += fmt::format("{}[\"{}\",\"{}\"]", out.size() > 1 ? "," : "", price, quantity);
  }
  return out + "]";
}

Object futures_book(const BookParts& parts) {
  return Object()
      .add("e", quote("depthUpdate"))
      .add("E", number(parts.at_ms))
      .add("T", number(parts.at_ms))
      .add("s", quote(parts.symbol))
      .add("U", number(parts.id))
      .add("u", number(parts.id))
      .add("pu", number(parts.id > 0 ? parts.id - 1 : 0))
      .add("b", levels_json(filled_bids(parts.bids)))
      .add("a", levels_json(filled_asks(parts.asks)));
}

Object spot_book(const BookParts& parts) {
  return Object()
      .add("lastUpdateId", number(parts.id))
      .add("bids", levels_json(filled_bids(parts.bids)))
      .add("asks", levels_json(filled_asks(parts.asks)));
}

std::string combined(std::string_view stream, const std::string& data) {
  return Object().add("stream", quote(stream)).add("data", data);
}

std::string book_frame(const BookParts& parts) {
  return combined(lower(parts.symbol) + "@depth20@100ms", futures_book(parts));
}

Object envelope(const EnvelopeParts& parts, const std::string& data) {
  return Object()
      .add("stream", quote(parts.stream))
      .add("data", data)
      .add("timestamp", quote(parts.timestamp))
      .add("message_id", quote(parts.message_id))
      .add("source", quote("binance-websocket"))
      .add("version", quote("1.0"))
      .add("_otel_trace_context", Object().add("traceparent", quote(parts.traceparent)));
}

std::string array(const std::vector<std::string>& elements) {
  std::string out = "[";
  for (const auto& element : elements) {
    if (out.size() > 1) out += ',';
    out += element;
  }
  return out + "]";
}

std::string nested_arrays(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace rts::test
