// The terminal as a screen of its own: keys as they are pressed, frames that replace one another,
// and the terminal as it was before on every way out. Thread: one.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <termios.h>

#include "commands/top_view.hpp"

namespace rts::commands {

// Of standard output; 80 × 24 where it is no terminal.
[[nodiscard]] ScreenSize screen_size();

// The line, in its colour where there are colours.
[[nodiscard]] std::string colored(const TopLine& line, bool has_colors);

// What replaces the frame before. No line may reach the last column: clearing what is behind it
// would clear its end.
[[nodiscard]] std::string frame_of(const std::vector<TopLine>& lines, bool has_colors);

// Characters as they are typed → keys. Arrows up and down are k and j; other keys that send several
// characters are passed over.
class Keys {
 public:
  // The key that ends with this character; '\0': none does.
  [[nodiscard]] char take(char c) noexcept;

 private:
  enum class Inside : char { nothing, escape, sequence };
  Inside inside_ = Inside::nothing;
};

class Terminal {
 public:
  static constexpr char kQuit = 'q';  // also: a signal ends the process, or the terminal has gone
  static constexpr char kRedraw = '\f';  // also: the screen has another size, or is ours again

  // Throws CommandError where keys cannot be read. `on_key` is called from the loop.
  Terminal(boost::asio::io_context& loop, std::function<void(char)> on_key);
  ~Terminal() { leave(); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  Terminal(Terminal&&) = delete;
  Terminal& operator=(Terminal&&) = delete;

  // False while a shell has the screen.
  [[nodiscard]] bool is_ours() const noexcept { return is_ours_; }

 private:
  void enter() noexcept;
  void leave() noexcept;
  void await_keys();
  void await_signals();
  void take_signal(int number);

  std::function<void(char)> on_key_;
  boost::asio::posix::stream_descriptor keys_;
  boost::asio::signal_set signals_;
  termios before_{};
  bool is_ours_ = false;
  std::array<char, 64> typed_{};
  Keys typing_;
};

}  // namespace rts::commands
