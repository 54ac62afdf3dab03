#include "commands/terminal.hpp"

#include <csignal>
#include <string_view>
#include <tuple>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands/command_line.hpp"
#include "commands/output.hpp"

namespace rts::commands {
namespace {

using Error = boost::system::error_code;

// Another screen without a cursor, whose lines are cut where they are wider than we know; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

}  // namespace

ScreenSize screen_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    return {};
  }
  return {size.ws_col, size.ws_row};
}

std::string colored(const TopLine& line, bool has_colors) {
  constexpr std::array<std::string_view, 5> kCodes{"", "1", "2", "1;33", "1;31"};  // by Mood
  const std::string_view code = kCodes[static_cast<std::size_t>(line.mood)];
  if (!has_colors || code.empty()) return line.text;
  return fmt::format("\x1b[{}m{}\x1b[0m", code, line.text);
}

std::string frame_of(const std::vector<TopLine>& lines, bool has_colors) {
  std::string frame = "\x1b[H";
  for (const TopLine& line : lines) {
    if (&line != &lines.front()) frame += "\r\n";
    frame += colored(line, has_colors) + "\x1b[K";
  }
  return frame + "\x1b[J";
}

char Keys::take(char c) noexcept {
  switch (std::exchange(inside_, Inside::nothing)) {
    case Inside::nothing: break;
    case Inside::escape:
      if (c == '[' || c == 'O') inside_ = Inside::sequence;
      if (c == '[' || c == 'O') return '\0';
      break;
    case Inside::sequence:
      if (c < '@' || c > '~') inside_ = Inside::sequence;
      return c == 'A' ? 'k' : c == 'B' ? 'j' : '\0';
  }
  if (c == '\x1b') inside_ = Inside::escape;
  return c == '\x1b' ? '\0' : c;
}

// A description of its own: the loop reads it without waiting, which the shell, too, would have to
// do were it standard input's.
Terminal::Terminal(boost::asio::io_context& loop, std::function<void(char)> on_key)
    : on_key_(std::move(on_key)), keys_(loop), signals_(loop) {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0 || ::tcgetattr(terminal, &before_) != 0) {
    throw CommandError(ExitCode::unavailable,
                       "there is no terminal to read keys from; --once prints the view once");
  }
  keys_.assign(terminal);
  for (const int number :
       {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCONT, SIGWINCH}) {
    signals_.add(number);
  }
  await_signals();
  await_keys();
  enter();
}

// Only in the foreground: who sets the terminal from behind is stopped.
void Terminal::enter() noexcept {
  const int terminal = keys_.native_handle();
  if (is_ours_ || ::tcgetpgrp(terminal) != ::getpgrp()) return;
  is_ours_ = true;
  ::tcgetattr(terminal, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C and Ctrl-Z stay signals
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(terminal, TCSANOW, &raw);
  std::ignore = write_at_once(kEnter);
}

void Terminal::leave() noexcept {
  if (!std::exchange(is_ours_, false)) return;
  std::ignore = write_at_once(kLeave);
  ::tcsetattr(keys_.native_handle(), TCSANOW, &before_);
}

void Terminal::await_keys() {
  keys_.async_read_some(boost::asio::buffer(typed_), [this](const Error& error, std::size_t size) {
    if (error) return on_key_(kQuit);
    for (std::size_t i = 0; i < size; ++i) {
      if (const char key = typing_.take(typed_[i]); key != '\0') on_key_(key);
    }
    await_keys();
  });
}

void Terminal::await_signals() {
  signals_.async_wait([this](const Error& error, int number) {
    if (error) return;
    take_signal(number);
    await_signals();
  });
}

void Terminal::take_signal(int number) {
  if (number == SIGTSTP) {
    // As if we had not asked for it, so that the kernel decides whether a shell is there to go on.
    leave();
    signals_.remove(SIGTSTP);
    ::raise(SIGTSTP);
    signals_.add(SIGTSTP);
  }
  if (number == SIGTSTP || number == SIGCONT) enter();
  const bool ends = number != SIGTSTP && number != SIGCONT && number != SIGWINCH;
  on_key_(ends ? kQuit : kRedraw);
}

}  // namespace rts::commands
