#include "http/response.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/text.hpp>

namespace rts::http {
namespace {

namespace beast = boost::beast;

// Our pages carry their style and script inline and fetch from where they came; nothing else may
// be loaded, submitted to, or frame them.
constexpr std::string_view kPagePolicy =
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n";

constexpr std::string_view kAllow = "Allow: GET, HEAD\r\n";

RenderedResponse render(const Request& request, Response response,
                        std::string_view extra_fields = {}) {
  const bool has_charset = response.content_type.find("charset=") != std::string::npos;
  const bool is_page = response.content_type.starts_with("text/html");
  const beast::string_view reason =
      beast::http::obsolete_reason(beast::http::int_to_status(response.status));
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}{}\r\nContent-Length: {}\r\n"
      "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n{}{}Connection: {}\r\n\r\n",
      response.status, std::string_view(reason.data(), reason.size()), response.content_type,
      has_charset ? "" : "; charset=utf-8", response.body.size(), is_page ? kPagePolicy : "",
      extra_fields, request.keep_alive ? "keep-alive" : "close");
  if (request.method == "HEAD") response.body.clear();
  return {response.status, std::move(head), std::move(response.body), !request.keep_alive};
}

struct Target {
  std::string_view path, query;
};

/// "/ready?x=1" and "http://any.host/ready?x=1" are "/ready" and "x=1"; anything else has no path.
std::optional<Target> parse_target(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (same_but_for_case(target.substr(0, kScheme.size()), kScheme)) {
    target.remove_prefix(kScheme.size());
    const std::size_t authority = std::min(target.find_first_of("/?"), target.size());
    if (authority == 0) return std::nullopt;
    target.remove_prefix(authority);
    if (target.empty()) return Target{"/", {}};
    if (target.front() == '?') return Target{"/", target.substr(1)};
  }
  if (!target.starts_with('/')) return std::nullopt;
  const std::size_t mark = std::min(target.find('?'), target.size());
  return Target{target.substr(0, mark), target.substr(std::min(mark + 1, target.size()))};
}

Response call(const Target& target, const Route& route,
              const std::function<void(std::string_view)>& on_problem) {
  std::string problem;
  try {
    Response response = route(target.query);
    if (response.status >= 200 && response.status <= 599) return response;
    problem = fmt::format("route {} answered with status {}", target.path, response.status);
  } catch (const std::exception& thrown) {
    problem = fmt::format("route {} threw: {}", target.path, thrown.what());
  } catch (...) {
    problem = fmt::format("route {} threw something that is no std::exception", target.path);
  }
  if (on_problem) on_problem(problem);
  return error_response(500, "internal error");
}

}  // namespace

Response error_response(unsigned status, std::string_view why) {
  Response response{.status = status, .body = {}};
  JsonWriter(response.body)
      .begin_object()
      .key("error")
      .string(why)
      .key("status")
      .unsigned_integer(status)
      .end_object();
  return response;
}

std::optional<Parameters> parameters_of(std::string_view query) {
  Parameters parameters;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = percent_decoded(part.substr(0, equals));
    auto value = percent_decoded(part.substr(std::min(equals + 1, part.size())));
    if (!name || !value) return std::nullopt;
    parameters.emplace_back(*std::move(name), *std::move(value));
  }
  return parameters;
}

RenderedResponse refuse(const Request& request, unsigned status, std::string_view why) {
  Request last = request;
  last.keep_alive = false;
  return render(last, error_response(status, why));
}

RenderedResponse response_to(const Request& request, const Routes& routes,
                             const std::function<void(std::string_view)>& on_problem) {
  // First what could make two readers of the same bytes disagree where the request ends.
  if (request.announces_body) return refuse(request, 400, "request bodies are not accepted");
  if (request.host_fields > 1 || (request.host_fields == 0 && !request.is_http_1_0)) {
    return refuse(request, 400, "exactly one Host field is required");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return render(request, error_response(405, "method not allowed"), kAllow);
  }
  const std::optional<Target> target = parse_target(request.target);
  if (!target) return refuse(request, 400, "the target must be a path");
  const auto route = routes.find(target->path);
  if (route == routes.end()) return render(request, error_response(404, "not found"));
  return render(request, call(*target, route->second, on_problem));
}

}  // namespace rts::http
