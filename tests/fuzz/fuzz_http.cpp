// Arbitrary bytes as what a client sends, all at once and in pieces whose size the first byte says:
// every answer is a whole one with a status that we give, a route runs once for each answer it
// makes, the pieces change nothing but when a request is refused before its end, and a session ends
// with its connection.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/_experimental/test/stream.hpp>

#include "fuzz.hpp"
#include "http/replies.hpp"
#include "http/session.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one
using Stream = boost::beast::test::stream;
using Session = http::Session<Stream>;

// The loop is one for all, for it holds nothing when a session has ended, and making one opens
// three descriptors.
class Conversation {
 public:
  explicit Conversation(std::size_t bytes_per_read) {
    Stream stream = boost::beast::test::connect(client_);
    stream.read_size(bytes_per_read);
    const auto session = std::make_shared<Session>(std::move(stream), shared_);
    session_ = session;
    session->start();
  }

  // What the client has heard when it leaves.
  std::string answer_to(std::string_view bytes) {
    boost::system::error_code ignored;
    if (!bytes.empty()) {
      boost::asio::write(client_, boost::asio::buffer(bytes.data(), bytes.size()), ignored);
    }
    run();
    const auto sent = client_.str();
    const std::string heard(sent.data(), sent.size());
    client_.close();
    run();
    fuzz::require(session_.expired(), "a session ends with its connection");
    fuzz::require(loop_.stopped(), "and its loop has nothing to wait for");
    fuzz::require(shared_.stats.open == 0 && shared_.unsent_bytes == 0, "and leaves nothing");
    return heard;
  }

  void check(const std::string& heard) const {
    const http::Replies replies = http::parse_replies(heard);
    fuzz::require(replies.rest.empty(), "answers are whole");
    std::uint64_t by_routes = 0;
    for (const http::Reply& reply : replies.all) {
      constexpr std::array kStatuses{200U, 400U, 404U, 405U, 431U, 500U};
      fuzz::require(std::ranges::find(kStatuses, reply.status) != kStatuses.end(),
                    "a status that we give");
      by_routes += reply.status == 200 || reply.status == 500 ? 1 : 0;
    }
    fuzz::require(by_routes == calls_, "a route runs once for each answer it makes");
    const auto& counted = shared_.stats.responses;
    fuzz::require(
        std::accumulate(counted.begin(), counted.end(), std::uint64_t{0}) == replies.all.size(),
        "answers are counted");
  }

 private:
  void run() {
    loop_.restart();
    loop_.poll();
  }

  std::uint64_t calls_ = 0;
  http::Shared shared_{{{"/healthz",
                         [this](auto&) {
                           ++calls_;
                           return http::Response{.body = R"({"status":"ok"})"};
                         }},
                        {"/echo",
                         [this](const http::Query& query) {
                           ++calls_;
                           const auto parameters = http::parameters_of(query.text);
                           return http::Response{.content_type = "text/plain",
                                                 .body = std::string(parameters ? "" : "broken ") +
                                                         std::string(query.accept)};
                         }},
                        {"/throws",
                         [this](auto&) -> http::Response {
                           ++calls_;
                           throw std::runtime_error("no");
                         }}},
                       {},
                       {},
                       0};
  static inline boost::asio::io_context loop_;
  Stream client_{loop_};
  std::weak_ptr<Session> session_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = fuzz::as_text(data + 1, size - 1);
  Conversation at_once(std::numeric_limits<std::size_t>::max());
  const std::string heard = at_once.answer_to(bytes);
  at_once.check(heard);
  Conversation in_pieces(std::size_t{1} + *data);
  // Of a request that is not whole, Beast looks for an error in the first piece only.
  const std::string heard_in_pieces = in_pieces.answer_to(bytes);
  const http::Replies more =
      http::parse_replies(heard.substr(std::min(heard.size(), heard_in_pieces.size())));
  const bool is_only_refused = more.all.size() == 1 && more.all.front().status == 400;
  fuzz::require_equal(heard_in_pieces, heard.substr(0, heard_in_pieces.size()),
                      "pieces change nothing");
  fuzz::require(more.all.empty() || is_only_refused, "but when something is refused");
  return 0;
}
