#include "commands/service_client.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <rts/base/text.hpp>

namespace rts::commands {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Error = boost::system::error_code;

constexpr std::string_view kScheme = "http://";
constexpr std::size_t kMaxAnswerBytes = std::size_t{8} << 20U;
// Less than the 3 s after which the image's HEALTHCHECK is killed, and can no longer say why.
constexpr std::chrono::seconds kLimit{2};

ServiceAddress parse_url(const std::string& url) {
  std::string_view rest = url;
  const bool is_http = rest.starts_with(kScheme);
  rest.remove_prefix(is_http ? kScheme.size() : 0);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  auto address = parse_host_and_port(rest);
  require(is_http && address, "--url takes http://HOST:PORT, not '{}'", url);
  address->is_by_option = true;
  return *address;
}

// What was written until the connection was closed.
ServiceAnswer answer_in(std::string_view text) {
  constexpr std::string_view kEndOfHead = "\r\n\r\n";
  ServiceAnswer answer;
  const std::size_t end = text.find(kEndOfHead);
  const auto lines = split(text.substr(0, end), '\n');
  const auto words = split(trimmed(lines.front()), ' ');  // "HTTP/1.1 200 OK"
  if (words.size() > 1) answer.status = parse_as<int>(words[1], 1).value_or(kNoAnswer);
  if (answer.status == kNoAnswer) return answer;
  if (end == std::string_view::npos) return {.status = kPartOfAnswer};
  answer.body = text.substr(end + kEndOfHead.size());
  std::size_t length = 0;
  for (const std::string_view field : lines) {
    const std::size_t colon = std::min(field.find(':'), field.size());
    if (!same_but_for_case(field.substr(0, colon), "content-length")) continue;
    length = parse_as<std::size_t>(trimmed(field.substr(colon + 1))).value_or(0);
  }
  return answer.body.size() >= length ? answer : ServiceAnswer{.status = kPartOfAnswer};
}

// One question and its connection; what waits keeps it alive.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(asio::io_context& loop, std::string request, std::function<void(ServiceAnswer)> then)
      : resolver_(loop),
        socket_(loop),
        deadline_(loop),
        request_(std::move(request)),
        then_(std::move(then)) {}

  void start(const ServiceAddress& address) {
    deadline_.expires_after(kLimit);
    deadline_.async_wait([self = shared_from_this()](const Error& error) {
      if (!error) self->finish();
    });
    // Names are looked up one after the other, and a slow one must not hold the addresses up.
    Error no_address;
    const auto ip = asio::ip::make_address(address.host, no_address);
    if (!no_address) return connect(std::vector{Tcp::endpoint(ip, address.port)});
    resolver_.async_resolve(
        address.host, std::to_string(address.port),
        [self = shared_from_this()](const Error& error, const Tcp::resolver::results_type& found) {
          if (self->goes_on(error)) self->connect({found.begin(), found.end()});
        });
  }

 private:
  void connect(const std::vector<Tcp::endpoint>& endpoints) {
    asio::async_connect(socket_, endpoints,
                        [self = shared_from_this()](const Error& error, const Tcp::endpoint&) {
                          if (self->goes_on(error)) self->write();
                        });
  }
  void write() {
    asio::async_write(socket_, asio::buffer(request_),
                      [self = shared_from_this()](const Error& error, std::size_t) {
                        if (self->goes_on(error)) self->read();
                      });
  }
  void read() {
    asio::async_read(socket_, asio::dynamic_buffer(text_, kMaxAnswerBytes),
                     [self = shared_from_this()](const Error&, std::size_t) { self->finish(); });
  }
  [[nodiscard]] bool goes_on(const Error& error) {
    if (error) finish();
    return !error && then_;
  }
  void finish() {
    if (!then_) return;
    deadline_.cancel();
    resolver_.cancel();
    Error ignored;
    socket_.close(ignored);
    std::exchange(then_, nullptr)(answer_in(text_));
  }

  Tcp::resolver resolver_;
  Tcp::socket socket_;
  asio::steady_timer deadline_;
  std::string request_, text_;
  std::function<void(ServiceAnswer)> then_;  // empty: it was called
};

}  // namespace

std::string ServiceAddress::name() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}

std::optional<ServiceAddress> parse_host_and_port(std::string_view text) {
  const std::size_t colon = std::min(text.rfind(':'), text.size());
  std::string_view host = text.substr(0, colon);
  const auto port = parse_as<std::uint16_t>(text.substr(std::min(colon + 1, text.size())), 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!port || host.empty() || host.find_first_of("/@ ") != std::string_view::npos) {
    return std::nullopt;
  }
  return ServiceAddress{std::string(host), *port};
}

ServiceAddress service_address(const Invocation& invocation, const config::Settings& settings) {
  return service_addresses(invocation, settings).back();
}

std::vector<ServiceAddress> service_addresses(const Invocation& invocation,
                                              const config::Settings& settings) {
  std::vector<ServiceAddress> addresses;
  for (const std::string& url : invocation.all_of_option("url"))
    addresses.push_back(parse_url(url));
  if (!addresses.empty()) return addresses;
  // The service may listen on all addresses; the one next to us is asked.
  const std::string& host = settings.server.host;
  addresses.push_back({host == "0.0.0.0" ? "127.0.0.1"
                       : host == "::"    ? "::1"
                                         : host,
                       settings.server.port});
  return addresses;
}

std::string url_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
    out += is_plain || c == '_' ? std::string(1, c)
                                : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

void ask_service(asio::io_context& loop, const ServiceAddress& address,
                 const ServiceQuestion& question, std::function<void(ServiceAnswer)> then) {
  std::string request =
      fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\nAccept: {}\r\nConnection: close\r\n\r\n",
                  question.path, address.name(), question.accept);
  const auto exchange = std::make_shared<Exchange>(loop, std::move(request), std::move(then));
  exchange->start(address);
}

ServiceAnswer ask_service(const ServiceAddress& address, const std::string& path) {
  asio::io_context loop{1};
  std::optional<ServiceAnswer> answer;
  ask_service(loop, address, {.path = path},
              [&](ServiceAnswer given) { answer = std::move(given); });
  while (!answer) loop.run_one();
  if (answer->status > kNoAnswer) return *std::move(answer);
  const std::string where = address.url() + path.substr(0, path.find('?'));
  if (answer->status == kPartOfAnswer) {
    throw CommandError(ExitCode::unavailable,
                       "the answer of {} ended before it was whole; ask again", where);
  }
  throw CommandError(
      ExitCode::unavailable,
      "nobody answers at {}; is the service running there? {} where it is asked", where,
      address.is_by_option ? "--url says" : "HEALTH_CHECK_HOST and HEALTH_CHECK_PORT say");
}

}  // namespace rts::commands
