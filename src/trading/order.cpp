#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

#include <rts/base/json_writer.hpp>
#include <rts/trading/order.hpp>

namespace rts {
namespace {

char* write_event_id(char* out, const EventId& id) noexcept {  // 22 characters at most
  const fmt::format_int number(id.number);
  *out++ = id.letter;
  *out++ = ':';
  return std::copy_n(number.data(), number.size(), out);
}

std::string_view strength(Confidence confidence) noexcept {
  if (confidence.value() >= 0.9) return "extreme";
  if (confidence.value() >= 0.7) return "strong";
  return confidence.value() >= 0.5 ? "medium" : "weak";
}

// The keys that both formats spell alike, as far as they stand together in both.
class OrderWriter {
 public:
  OrderWriter(std::string& out, const Order& order)
      : out_(out), json_(out), order_(order), id_text_(to_text(order.id)) {}

  void trade_order() {
    const auto& [side, price, current_price, confidence] = order_.signal;
    const bool opens_short = side == Side::sell && !order_.reduce_only;
    json_.begin_object();
    json_.key("order_id").string(id_).key("signal_id").string(id_);
    json_.key("symbol").string(order_.symbol).key("side").string(to_string(side));
    json_.key("order_type").string("MARKET");
    json_.key("quantity").decimal(order_.quantity);
    json_.key("price").number(price).key("current_price").number(current_price);
    json_.key("time_in_force").string("GTC");
    json_.key("position_type").string(opens_short ? "SHORT" : "LONG");
    json_.key("leverage").integer(order_.leverage);
    json_.key("reduce_only").boolean(order_.reduce_only).key("close_on_trigger").boolean(false);
    json_.key("strategy_name").string(to_string(order_.strategy));
    json_.key("confidence_score").number(confidence);
    protection();
    time("timestamp", order_.at);
    time("valid_until", order_.valid_until);
    metadata("trade_order.v1");
    json_.end_object();
  }

  void signal() {
    assert(!order_.reduce_only);  // "sell" would open what it may only close
    const auto& [side, price, current_price, confidence] = order_.signal;
    const std::string_view strategy = to_string(order_.strategy);
    json_.begin_object();
    json_.key("id").string(id_).key("signal_id").string(id_);
    json_.key("strategy_id").string(strategy).key("strategy").string(strategy);
    json_.key("strategy_mode").string("deterministic");
    json_.key("symbol").string(order_.symbol);
    json_.key("action").string(side == Side::buy ? "buy" : "sell");
    json_.key("confidence").number(confidence);
    json_.key("strength").string(strength(confidence));
    json_.key("price").number(price);
    json_.key("quantity").decimal(order_.quantity);
    json_.key("current_price").number(current_price);
    json_.key("source").string("realtime-strategies").key("timeframe").string("tick");
    json_.key("order_type").string("market").key("time_in_force").string("GTC");
    protection();
    time("timestamp", order_.at);
    metadata("signal.v1");
    if (is_traceparent(order_.traceparent)) {
      json_.key("_otel_trace_context").begin_object();
      json_.key("traceparent").string(order_.traceparent).end_object();
    }
    json_.end_object();
  }

 private:
  void protection() {
    if (!order_.protection) return;
    json_.key("stop_loss").number(order_.protection->stop_loss);
    json_.key("take_profit").number(order_.protection->take_profit);
  }

  void time(std::string_view key, UnixMs at) {
    json_.key(key).raw("\"");
    append_iso8601(out_, at);
    out_ += "+00:00\"";
  }

  void metadata(std::string_view schema) {
    std::array<char, 22> text;
    const auto* const end = write_event_id(text.data(), order_.event_id);
    json_.key("metadata").begin_object();
    json_.key("schema").string(schema);
    json_.key("event_id").string({text.data(), static_cast<std::size_t>(end - text.data())});
    if (!order_.correlation_id.empty()) json_.key("correlation_id").string(order_.correlation_id);
    json_.key("indicators").begin_object();
    const auto names = indicator_names(order_.strategy);
    for (std::size_t i = 0; i < names.size(); ++i) {
      json_.key(names[i]).number(order_.indicators[i]);
    }
    json_.end_object().end_object();
  }

  std::string& out_;
  JsonWriter json_;
  const Order& order_;
  UuidText id_text_;
  std::string_view id_{id_text_.data(), id_text_.size()};  // of id_text_
};

}  // namespace

Uuid order_id(const OrderName& name, std::chrono::milliseconds cooldown) noexcept {
  std::array<char, 160> text;  // 16 + 63 + 4 + 20 characters and separators at most
  auto* end = fmt::format_to(text.data(), "{}|{}|{}|", to_string(name.strategy), name.symbol,
                             to_string(name.side));
  if (cooldown.count() > 0) {
    const auto bucket = name.at.time_since_epoch() / cooldown;
    end = fmt::format_to(end, "{}", bucket * cooldown.count());
  } else {
    end = write_event_id(end, name.event_id);
  }
  return make_order_id({text.data(), static_cast<std::size_t>(end - text.data())});
}

Order make_order(const OrderTerms& terms, const OrderSource& source) noexcept {
  const bool reduce_only = is_reduce_only(terms, source.signal.side);
  assert(source.protection.has_value() != reduce_only);
  const UnixMs valid_until = source.aged_at + (reduce_only ? terms.reduce_only_ttl : terms.ttl);
  return {source, reduce_only, terms.leverage, valid_until};
}

bool is_traceparent(std::string_view text) noexcept {
  constexpr std::string_view kForm = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(), [](char c, char form) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    return form == '-' ? c == '-' : hex;
  });
}

void append_json(std::string& out, const Order& order, OrderFormat format) {
  OrderWriter writer(out, order);
  format == OrderFormat::signal ? writer.signal() : writer.trade_order();
}

}  // namespace rts
