// Loses answers on their way: takes a share of the messages below a prefix of subjects out of what
// a NATS server says to a client, byte for byte, and lets everything else pass. Messages with an
// empty payload (heartbeats, "no responders") always pass. Not thread-safe.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace rts::test {

struct AckEaterOptions {
  double share = 0;  // 0 … 1
  std::uint64_t seed = 1;
  std::string prefix = "_INBOX.";
  bool only_pub_acks = false;  // only payloads that begin {"stream":
};

class AckEater {
 public:
  explicit AckEater(AckEaterOptions options);

  // What is left of the next bytes of the stream; keeps what is not yet a whole message.
  [[nodiscard]] std::string pass(std::string_view bytes);
  [[nodiscard]] std::uint64_t eaten() const { return eaten_; }

 private:
  [[nodiscard]] bool eats(std::string_view subject, std::string_view payload);

  AckEaterOptions options_;
  std::mt19937_64 random_;
  std::string waiting_;
  std::uint64_t eaten_ = 0;
};

}  // namespace rts::test
