#include "support/order_schema.hpp"

#include <fstream>
#include <iterator>
#include <optional>

#include "support/paths.hpp"
#include "support/rapidjson.hpp"

namespace rts::test {
namespace {

std::string text_of(const rapidjson::Pointer& pointer) {
  rapidjson::StringBuffer buffer;
  pointer.Stringify(buffer);
  return {buffer.GetString(), buffer.GetSize()};
}

// A schema of docs/schemas, read once.
class Schema {
 public:
  explicit Schema(const std::string& name) : path_("docs/schemas/" + name) {
    std::ifstream file(source_root() + "/" + path_);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    rapidjson::Document document;
    document.Parse(text.data(), text.size());
    if (!document.HasParseError()) schema_.emplace(document);
  }

  [[nodiscard]] std::string error_in(std::string_view json) const {
    if (!schema_) return path_ + " is missing or no JSON";
    rapidjson::Document document;
    document.Parse(json.data(), json.size());
    if (document.HasParseError()) {
      return std::string("no JSON: ") + rapidjson::GetParseError_En(document.GetParseError());
    }
    rapidjson::SchemaValidator validator(*schema_);
    if (document.Accept(validator)) return {};
    return text_of(validator.GetInvalidDocumentPointer()) + ": breaks '" +
           validator.GetInvalidSchemaKeyword() + "' of #" +
           text_of(validator.GetInvalidSchemaPointer());
  }

 private:
  std::string path_;
  std::optional<rapidjson::SchemaDocument> schema_;
};

}  // namespace

std::string schema_error(std::string_view order_json, OrderFormat format) {
  static const Schema kTradeOrder("trade_order.v1.json");
  static const Schema kSignal("signal.v1.json");
  return (format == OrderFormat::trade_order ? kTradeOrder : kSignal).error_in(order_json);
}

}  // namespace rts::test
