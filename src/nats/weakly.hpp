// Handlers for Asio that do nothing once their object is gone. Private to this room.
#pragma once

#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace rts::nats {

// Self is owned by a shared_ptr and derives from enable_shared_from_this<Self>.
template <typename Self, typename... Arguments>
auto weakly(Self* self, void (Self::*method)(Arguments...)) {
  return [weak = self->weak_from_this(), method](Arguments... arguments) {
    if (const auto alive = weak.lock()) ((*alive).*method)(std::move(arguments)...);
  };
}

// Replaces what the timer was waiting for.
template <typename Self>
void call_at(boost::asio::steady_timer& timer, std::chrono::steady_clock::time_point time,
             Self* self, void (Self::*method)()) {
  timer.expires_at(time);
  timer.async_wait([run = weakly(self, method)](boost::system::error_code error) {
    if (!error) run();
  });
}

template <typename Self>
void call_after(boost::asio::steady_timer& timer, std::chrono::steady_clock::duration delay,
                Self* self, void (Self::*method)()) {
  call_at(timer, std::chrono::steady_clock::now() + delay, self, method);
}

}  // namespace rts::nats
