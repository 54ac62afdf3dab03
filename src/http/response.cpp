#include "http/response.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <rts/base/json_writer.hpp>
#include <rts/base/text.hpp>

namespace rts::http {
namespace {

namespace beast = boost::beast;

constexpr std::string_view kAllow = "Allow: GET, HEAD\r\n";

RenderedResponse render(const Request& request, Response response,
                        std::string_view extra_fields = {}) {
  const bool has_charset = response.content_type.find("charset=") != std::string::npos;
  const bool goes_on = response.next != nullptr;
  const bool keeps_alive = request.keep_alive && !goes_on;
  const beast::string_view reason =
      beast::http::obsolete_reason(beast::http::int_to_status(response.status));
  const std::string policy = response.policy.empty()
                                 ? ""
                                 : fmt::format("Content-Security-Policy: {}\r\n", response.policy);
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}{}\r\n{}{}X-Content-Type-Options: nosniff\r\n"
      "Cache-Control: no-store\r\n{}Connection: {}\r\n\r\n",
      response.status, std::string_view(reason.data(), reason.size()), response.content_type,
      has_charset ? "" : "; charset=utf-8",
      // Proxies that know it pass each part on at once.
      goes_on ? "X-Accel-Buffering: no\r\n"
              : fmt::format("Content-Length: {}\r\n", response.body.size()),
      policy, extra_fields, keeps_alive ? "keep-alive" : "close");
  if (request.method == "HEAD") {
    response.body.clear();
    response.next = {};
  }
  return {response.status, std::move(head), std::move(response.body), !keeps_alive,
          std::move(response.next)};
}

/// 'sha256-…' of the text between the tags of this element.
std::string hash_of(std::string_view page, std::string_view element) {
  const std::string begin = fmt::format("<{}>", element), end = fmt::format("</{}>", element);
  const std::size_t at = page.find(begin);
  const std::size_t to = page.find(end, std::min(at, page.size()));
  if (to == std::string_view::npos) return "'none'";
  const std::size_t from = at + begin.size();
  const std::string_view text = page.substr(from, to - from);
  std::array<unsigned char, 32> hash{};
  std::array<unsigned char, 45> base64{};  // with the 0 at its end
  if (::EVP_Digest(text.data(), text.size(), hash.data(), nullptr, ::EVP_sha256(), nullptr) != 1) {
    return "'none'";
  }
  ::EVP_EncodeBlock(base64.data(), hash.data(), static_cast<int>(hash.size()));
  return fmt::format("'sha256-{}'", reinterpret_cast<const char*>(base64.data()));
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

/// What the call returns; empty when it has thrown, of which `on_problem` hears.
template <class Call>
auto result_of(const Call& call, std::string_view what,
               const std::function<void(std::string_view)>& on_problem)
    -> std::optional<decltype(call())> {
  std::string problem;
  try {
    return call();
  } catch (const std::exception& thrown) {
    problem = fmt::format("{} threw: {}", what, thrown.what());
  } catch (...) {
    problem = fmt::format("{} threw something that is no std::exception", what);
  }
  if (on_problem) on_problem(problem);
  return std::nullopt;
}

Response call(std::string_view path, const Query& query, const Route& route,
              const std::function<void(std::string_view)>& on_problem) {
  const std::string what = fmt::format("route {}", path);
  auto response = result_of([&] { return route(query); }, what, on_problem);
  if (response && response->status >= 200 && response->status <= 599) return *std::move(response);
  if (response && on_problem) {
    on_problem(fmt::format("{} answered with status {}", what, response->status));
  }
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

std::string own_sources(std::string_view page) {
  return fmt::format("style-src {}; script-src {}", hash_of(page, "style"),
                     hash_of(page, "script"));
}

std::string page_policy(std::string_view page) {
  return fmt::format(
      "default-src 'none'; {}; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
      "form-action 'none'; frame-ancestors 'none'",
      own_sources(page));
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

std::optional<std::string> next_part(const RenderedResponse& response,
                                     const std::function<void(std::string_view)>& on_problem) {
  return result_of(response.next, "a response that goes on", on_problem);
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
  return render(request,
                call(target->path, {target->query, request.accept}, route->second, on_problem));
}

}  // namespace rts::http
