// From a parsed request head to the bytes of the one response to it. Text in, text out: no stream.
// Used by Session on the loop thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "http/server.hpp"

namespace rts::http {

/// What routing needs of a request; the views die with the parser.
struct Request {
  std::string_view method;  // as sent; methods are case-sensitive
  std::string_view target;  // as sent, with the query
  std::string_view accept{};
  bool is_http_1_0 = false;
  std::size_t host_fields = 0;
  bool announces_body = false;  // any Transfer-Encoding, or a Content-Length other than 0
  bool keep_alive = true;       // what the client asked for
};

struct RenderedResponse {
  unsigned status = 0;
  std::string head;  // status line and fields, with the empty line
  std::string body;  // empty for HEAD, whose head is that of GET
  bool close = false;
  std::function<std::string()> next{};  // of a response that goes on; close is true, too
};

/// Finds and calls the route, or says why not. `on_problem` hears of a route that threw.
RenderedResponse response_to(const Request& request, const Routes& routes,
                             const std::function<void(std::string_view)>& on_problem);

/// What follows of a response that goes on; empty when it has thrown, and ends.
/// Precondition: there is a `next`.
std::optional<std::string> next_part(const RenderedResponse& response,
                                     const std::function<void(std::string_view)>& on_problem);

/// An error for a request that could not be understood; the connection closes after it. Of the
/// request only `method` is looked at.
RenderedResponse refuse(const Request& request, unsigned status, std::string_view why);

}  // namespace rts::http
