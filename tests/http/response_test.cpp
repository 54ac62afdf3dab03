// Routing and rendering: from a request head to the bytes of its response.
#include "http/response.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "replies.hpp"

namespace rts::http {
namespace {

const Routes all_routes{
    {"/",
     [](auto&) {
       constexpr const char* kPage = "<style>p{}</style><p><script>f()</script>";
       return Response{200, "text/html", kPage, page_policy(kPage)};
     }},
    {"/events",
     [](auto&) {
       return Response{200, "text/event-stream", "data: 1\n\n", {}, [] { return "data: 2\n\n"; }};
     }},
    {"/accept",
     [](auto& query) {
       return Response{200, "text/plain", "accepts " + std::string(query.accept)};
     }},
    {"/healthz",
     [](auto&) {
       return Response{200, "application/json", R"({"status":"ok"})"};
     }},
    {"/metrics",
     [](auto&) {
       return Response{200, "text/plain; version=0.0.4", "a 1\n"};
     }},
    {"/ready",
     [](auto&) {
       return Response{503, "application/json", "{}"};
     }},
    {"/latin",
     [](auto&) {
       return Response{200, "text/plain; charset=iso-8859-1", "x"};
     }},
    {"/throws", [](auto&) -> Response { throw std::runtime_error("secret detail"); }},
    {"/throws-int", [](auto&) -> Response { throw 7; }},
    {"/echo",
     [](auto& query) {
       return Response{200, "text/plain", "?" + std::string(query.text)};
     }},
    {"/odd",
     [](auto&) {
       return Response{42, "text/plain", "x"};
     }},
};

Request get(std::string_view target) {
  return {.method = "GET", .target = target, .host_fields = 1};
}

RenderedResponse rendered(const Request& request) { return response_to(request, all_routes, {}); }

Reply reply_to(const Request& request) {
  const RenderedResponse made = rendered(request);
  const auto replies = parse_replies(made.head + made.body);
  EXPECT_EQ(replies.rest, "");
  EXPECT_EQ(replies.all.size(), 1U);
  return replies.all.empty() ? Reply{} : replies.all.front();
}

TEST(HttpResponse, FindsTheRouteByTheExactPath) {
  struct Row {
    std::string_view target;
    unsigned status;
  };
  const std::vector<Row> rows{
      {"/", 200},
      {"/?", 200},
      {"/healthz", 200},
      {"/healthz?verbose=1", 200},
      {"/healthz?a?/ready", 200},
      {"/ready", 503},
      {"/healthz/", 404},
      {"//healthz", 404},
      {"/%68ealthz", 404},
      {"/Healthz", 404},
      {"/healthz#top", 404},
      {"/../healthz", 404},
      {"/unknown", 404},
      {"http://any.host/healthz", 200},
      {"HTTP://any.host:8080/healthz?x", 200},
      {"http://any.host", 200},
      {"http://any.host?x=/y", 200},
      {"http://any.host/unknown", 404},
      {"http:///healthz", 400},
      {"http://", 400},
      {"https://any.host/healthz", 400},
      {"ftp://any.host/healthz", 400},
      {"healthz", 400},
      {"*", 400},
      {"?", 400},
      {"", 400},
  };
  for (const Row& row : rows) EXPECT_EQ(reply_to(get(row.target)).status, row.status) << row.target;
}

TEST(HttpResponse, GivesTheRouteItsQueryAsItWasSent) {
  struct Row {
    std::string_view target, query;
  };
  const std::vector<Row> rows{{"/echo", ""},
                              {"/echo?", ""},
                              {"/echo?a=1&b=%20?c", "a=1&b=%20?c"},
                              {"http://any.host/echo?last=5", "last=5"}};
  for (const Row& row : rows) {
    EXPECT_EQ(reply_to(get(row.target)).body, "?" + std::string(row.query)) << row.target;
  }
}

TEST(HttpQuery, HasParametersInTheirOrder) {
  EXPECT_EQ(parameters_of(""), Parameters{});
  EXPECT_EQ(parameters_of("&&"), Parameters{});
  EXPECT_EQ(parameters_of("symbol=%C3%84USDT&last=5&flag&a=b=c&=x&last=6"),
            (Parameters{{"symbol", "ÄUSDT"},
                        {"last", "5"},
                        {"flag", ""},
                        {"a", "b=c"},
                        {"", "x"},
                        {"last", "6"}}));
  for (const char* broken : {"a=%", "a=%4", "a=%4g", "%zz=1"}) {
    EXPECT_EQ(parameters_of(broken), std::nullopt) << broken;
  }
}

TEST(HttpResponse, CarriesTheFieldsOfEveryAnswer) {
  for (const std::string_view target : {"/healthz", "/unknown", "/throws", "*", "/"}) {
    const Reply reply = reply_to(get(target));
    EXPECT_EQ(reply.field("X-Content-Type-Options"), "nosniff") << target;
    EXPECT_EQ(reply.field("Cache-Control"), "no-store") << target;
    EXPECT_EQ(reply.field("Content-Length"), std::to_string(reply.body.size())) << target;
    EXPECT_EQ(reply.field("Server"), "(absent)") << target;
  }
}

TEST(HttpResponse, CompletesTheContentTypeWithItsCharset) {
  EXPECT_EQ(reply_to(get("/healthz")).field("Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(reply_to(get("/metrics")).field("Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply_to(get("/latin")).field("Content-Type"), "text/plain; charset=iso-8859-1");
}

// The hashes are those that `openssl dgst -sha256 -binary | base64` gives.
TEST(HttpResponse, LetsAPageRunOnlyWhatItCarriesAndFetchOnlyFromHere) {
  EXPECT_EQ(reply_to(get("/")).field("Content-Security-Policy"),
            "default-src 'none'; style-src 'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='; "
            "script-src 'sha256-GcEEE0IkDzIP5EQ6DXZaDPORqT5RTBELX8Fyzyg9yvo='; "
            "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'");
  EXPECT_EQ(reply_to(get("/healthz")).field("Content-Security-Policy"), "(absent)");
}

TEST(HttpResponse, AllowsNothingOfWhatAPageDoesNotHave) {
  for (const std::string_view page :
       {"", "<style>", "</style><style>", "<script src=x></script>"}) {
    const std::string policy = page_policy(page);
    EXPECT_NE(policy.find("style-src 'none'; script-src 'none'"), std::string::npos) << policy;
  }
}

TEST(HttpResponse, TellsTheRouteWhatIsAccepted) {
  Request request = get("/accept");
  EXPECT_EQ(reply_to(request).body, "accepts ");
  request.accept = "application/json";
  EXPECT_EQ(reply_to(request).body, "accepts application/json");
}

TEST(HttpResponse, EndsTheConnectionBehindAResponseThatGoesOn) {
  Request request = get("/events");
  request.keep_alive = true;
  const RenderedResponse made = rendered(request);
  EXPECT_EQ(made.head.find("Content-Length"), std::string::npos) << made.head;
  EXPECT_NE(made.head.find("Connection: close\r\n"), std::string::npos) << made.head;
  EXPECT_TRUE(made.close);
  EXPECT_EQ(made.body, "data: 1\n\n");
  EXPECT_EQ(next_part(made, {}), "data: 2\n\n");
  request.method = "HEAD";
  const RenderedResponse head = rendered(request);
  EXPECT_EQ(head.head, made.head);
  EXPECT_EQ(head.next, nullptr);
}

TEST(HttpResponse, EndsAResponseThatGoesOnWhenItThrows) {
  std::string problem;
  RenderedResponse made;
  made.next = []() -> std::string { throw std::runtime_error("secret detail"); };
  EXPECT_EQ(next_part(made, [&](auto text) { problem = text; }), std::nullopt);
  EXPECT_EQ(problem, "a response that goes on threw: secret detail");
}

TEST(HttpResponse, GivesHeadTheHeadOfGetAndNoBody) {
  for (const auto& [path, route] : all_routes) {
    Request request = get(path);
    const RenderedResponse full = rendered(request);
    request.method = "HEAD";
    const RenderedResponse head = rendered(request);
    EXPECT_EQ(head.head, full.head) << path;
    EXPECT_NE(full.body, "") << path;
    EXPECT_EQ(head.body, "") << path;
  }
}

TEST(HttpResponse, RefusesOtherMethodsAndSaysWhichItKnows) {
  for (const std::string_view method :
       {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "Head", "BREW"}) {
    const Reply reply =
        reply_to({.method = method, .target = "/healthz", .host_fields = 1, .keep_alive = true});
    EXPECT_EQ(reply.status, 405U) << method;
    EXPECT_EQ(reply.field("Allow"), "GET, HEAD") << method;
    EXPECT_EQ(reply.field("Connection"), "keep-alive") << method;
    EXPECT_EQ(reply.body, R"({"error":"method not allowed","status":405})") << method;
  }
  EXPECT_EQ(reply_to(get("/healthz")).field("Allow"), "(absent)");
}

TEST(HttpResponse, SaysWhatIsWrongInJson) {
  EXPECT_EQ(reply_to(get("/x")).body, R"({"error":"not found","status":404})");
  EXPECT_EQ(reply_to(get("/x")).field("Content-Type"), "application/json; charset=utf-8");
}

TEST(HttpResponse, RefusesABodyBeforeAnythingElseAndCloses) {
  for (const std::string_view method : {"GET", "HEAD", "POST"}) {
    const RenderedResponse made = rendered(
        {.method = method, .target = "/healthz", .host_fields = 1, .announces_body = true});
    EXPECT_EQ(made.status, 400U) << method;
    EXPECT_TRUE(made.close) << method;
    EXPECT_EQ(made.body.empty(), method == "HEAD") << method;
  }
}

TEST(HttpResponse, WantsOneHostAndOfHttp10AtMostOne) {
  Request request = get("/healthz");
  for (const bool is_http_1_0 : {false, true}) {
    request.is_http_1_0 = is_http_1_0;
    request.host_fields = 0;
    EXPECT_EQ(rendered(request).status, is_http_1_0 ? 200U : 400U);
    request.host_fields = 1;
    EXPECT_EQ(rendered(request).status, 200U);
    request.host_fields = 2;
    EXPECT_EQ(rendered(request).status, 400U);
  }
}

TEST(HttpResponse, ClosesWhenTheClientAsksForIt) {
  Request request = get("/healthz");
  EXPECT_FALSE(rendered(request).close);
  EXPECT_EQ(reply_to(request).field("Connection"), "keep-alive");
  request.keep_alive = false;
  EXPECT_TRUE(rendered(request).close);
  EXPECT_EQ(reply_to(request).field("Connection"), "close");
}

TEST(HttpResponse, TurnsAThrowingRouteIntoA500AndTellsOnlyTheOperatorWhy) {
  struct Row {
    std::string_view path, problem;
  };
  for (const Row& row : {Row{"/throws", "route /throws threw: secret detail"},
                         Row{"/throws-int",
                             "route /throws-int threw something that is no "
                             "std::exception"},
                         Row{"/odd", "route /odd answered with status 42"}}) {
    std::vector<std::string> problems;
    const RenderedResponse made = response_to(
        get(row.path), all_routes, [&](std::string_view text) { problems.emplace_back(text); });
    EXPECT_EQ(made.status, 500U) << row.path;
    EXPECT_FALSE(made.close) << row.path;
    EXPECT_EQ(made.body, R"({"error":"internal error","status":500})") << row.path;
    EXPECT_EQ(problems, std::vector<std::string>{std::string(row.problem)});
  }
}

}  // namespace
}  // namespace rts::http
