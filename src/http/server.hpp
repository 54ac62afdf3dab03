// The HTTP server of probes, scrapes and the status page: a handful of fixed paths, each a function
// of what is asked. It serves GET and HEAD and takes no request bodies, so there is nothing to
// smuggle; every byte, wait and connection is bounded by Limits.
//
// Everything here, the routes included, runs on the thread that runs the io_context.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace rts::http {

/// What a route returns. `status` is a final one that allows a body (not 1xx, 204, 304); a content
/// type without a charset is completed with utf-8, for all our text is.
struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string policy{};  // of a page: its Content-Security-Policy, see page_policy()
  /// Where there is one, the response goes on: what it returns follows the body at once and then
  /// again and again, each a Limits::next after the client has taken what came before. It may throw
  /// as a route may; then the response ends.
  std::function<std::string()> next{};
};

/// {"error":"…","status":404}.
Response error_response(unsigned status, std::string_view why);

/// "style-src 'sha256-…'; script-src 'sha256-…'": the one <style> and the one <script> that a page
/// carries, each by its hash. Of what is missing nothing is allowed.
std::string own_sources(std::string_view page);

/// The policy under which a page may run and wear the one <style> and the one <script> that it
/// carries, and nothing else; it may fetch from where it came. Of what is missing nothing is
/// allowed.
std::string page_policy(std::string_view page);

/// What a route is given of a request, as sent. The views live until it returns.
struct Query {
  std::string_view text{};    // what stands behind the '?'
  std::string_view accept{};  // the field of that name; of several the first
};

/// Builds the response on the loop thread, so it must be quick. If it throws, the client gets a 500
/// and `ServerOptions::on_problem` the text.
using Route = std::function<Response(const Query& query)>;

/// By path, as it is written in the request: "/ready" matches "/ready?x=1", but neither "/ready/"
/// nor "/%72eady".
using Routes = std::map<std::string, Route, std::less<>>;

/// The parameters of a query in their order: "symbol=%C3%84USDT&last=5" → {symbol, ÄUSDT},
/// {last, 5}; a name without '=' has an empty value. Empty when an escape is broken.
using Parameters = std::vector<std::pair<std::string, std::string>>;
std::optional<Parameters> parameters_of(std::string_view query);

/// The size of a request from its first byte to the empty line, in bytes.
inline constexpr std::size_t kHeaderBytes = 8192;

struct Limits {
  std::size_t connections = 256;            // one more evicts the one that has waited longest
  std::size_t unsent_bytes = 4'194'304;     // of responses not yet read; then only small ones
  std::chrono::milliseconds idle{30'000};   // from accept, or a response, to the first byte
  std::chrono::milliseconds header{5'000};  // from the first byte to the empty line
  std::chrono::milliseconds write{5'000};   // for a whole response, or the next part of one
  std::size_t streams = 16;                 // responses that go on; one more is refused
  std::chrono::milliseconds next{1'000};    // from one part of such a response to the next
  std::chrono::milliseconds linger{1'000};  // for the client to read the last response and leave
  std::chrono::milliseconds accept_retry{100};  // after accept failed, e.g. for want of descriptors
};

struct ServerOptions {
  std::string host;        // an IPv4 or IPv6 address; names are not looked up
  std::uint16_t port = 0;  // 0: any free one, see Server::port()
  Limits limits{};
  /// Told what only an operator can mend: a route that threw, an accept that failed. Called at
  /// most once a request or an accept_retry; it must not throw.
  std::function<void(std::string_view)> on_problem{};
};

/// Counted since construction.
struct Stats {
  std::size_t open = 0;     // connections now
  std::size_t streams = 0;  // of these with a response that goes on
  std::uint64_t accepted = 0;
  std::uint64_t evicted = 0;    // to make room for a new one
  std::uint64_t timed_out = 0;  // cut off by idle, header, write or linger
  std::uint64_t shed = 0;       // answered 503 because of unsent_bytes
  std::uint64_t accept_failures = 0;
  std::array<std::uint64_t, 6> responses{};  // by status / 100, counted when the response begins
};

class Server {
 public:
  /// Opens nothing yet. The loop and what the routes refer to must outlive the server.
  Server(boost::asio::io_context& loop, ServerOptions options, Routes routes);
  ~Server();  // stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  /// Binds and listens; call it once. On failure: the reason, naming the address.
  [[nodiscard]] std::optional<std::string> start();

  /// The port listened on; 0 before start() succeeded.
  std::uint16_t port() const noexcept;

  Stats stats() const noexcept;

  /// Closes the acceptor and all connections, answered or not; no route is called afterwards.
  void stop() noexcept;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the handlers that are still queued after stop()
};

}  // namespace rts::http
