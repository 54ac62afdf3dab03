// Somebody who listens on a subject and answers as a test wants: the TradeEngine, a stream, or
// nobody who should be there. nats.c with its own threads, nothing of ours.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rts::test {

struct Request {
  std::size_t number = 0;  // of those this responder has received, from 1
  std::string subject;
  std::string payload;
  std::string reply_to;
  std::map<std::string, std::string> headers;
};

class Responder {
 public:
  // What is answered at once to a request; nothing: the test may do so later. On another thread.
  using Answers = std::function<std::vector<std::string>(const Request&)>;

  // Listens when this returns, and again when a broker that was gone is back. Throws
  // std::runtime_error when nobody is there.
  Responder(const std::string& url, const std::string& subject, Answers answers = {});
  ~Responder();
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  Responder(Responder&&) = delete;
  Responder& operator=(Responder&&) = delete;

  [[nodiscard]] std::vector<Request> received() const;
  [[nodiscard]] bool wait_for(std::size_t requests, std::chrono::milliseconds limit) const;

  // An answer to whatever address; the broker has it when this returns.
  void answer(const std::string& reply_to, std::string_view payload);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The answers of everybody that matters.
[[nodiscard]] inline Responder::Answers always(std::string answer) {
  return [answer = std::move(answer)](const Request&) { return std::vector{answer}; };
}

}  // namespace rts::test
