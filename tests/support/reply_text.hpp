// How a request ended, as text. For tests of the client and of its table of requests.
#pragma once

#include <string_view>

#include "nats/client.hpp"

namespace rts::test {

[[nodiscard]] inline std::string_view name_of(nats::Reply::Kind kind) {
  switch (kind) {
    case nats::Reply::Kind::answered:
      return "answered";
    case nats::Reply::Kind::no_responders:
      return "no_responders";
    case nats::Reply::Kind::timed_out:
      return "timed_out";
    case nats::Reply::Kind::connection_lost:
      return "connection_lost";
    case nats::Reply::Kind::denied:
      return "denied";
  }
  return "?";
}

}  // namespace rts::test
