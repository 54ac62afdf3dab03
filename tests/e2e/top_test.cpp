// `top` on a terminal, as somebody sees it who presses keys: in tmux, which says what is on the
// screen.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <rts/wire/json_compare.hpp>

#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/frames.hpp"
#include "support/http_stub.hpp"
#include "support/nats_server.hpp"
#include "support/orders.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/process.hpp"
#include "support/responder.hpp"
#include "support/scratch_files.hpp"
#include "support/status_text.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A terminal of tmux's of its own, without anybody's configuration.
class Tmux {
 public:
  // In it runs a shell.
  Tmux(int columns, int rows) {
    const std::string begin =
        fmt::format("new-session -d -x {} -y {} 'cd {}; PS1=ready: exec sh -i'", columns, rows,
                    files_.directory());
    EXPECT_TRUE(eventually([&] { return tmux(begin).exit_code == 0; }, 20s));
    EXPECT_TRUE(shows("ready:"));
  }

  // As tmux calls them: "Enter", "Down", "C-c".
  void press(std::string_view keys) const { tmux(fmt::format("send-keys {}", keys)); }
  void type(const std::string& line) const {
    files_.write("typed", line);
    tmux(fmt::format("load-buffer {}", files_.path("typed")));
    tmux("paste-buffer");
    press("Enter");
  }
  void resize(int columns, int rows) const {
    tmux(fmt::format("resize-window -x {} -y {}", columns, rows));
  }
  [[nodiscard]] std::string screen() const { return tmux("capture-pane -p").out; }
  [[nodiscard]] std::string colored_screen() const { return tmux("capture-pane -p -e").out; }
  // "1 0": there is a cursor, and the screen is the shell's.
  [[nodiscard]] std::string state() const {
    return tmux("display-message -p '#{cursor_flag} #{alternate_on}'").out;
  }
  [[nodiscard]] bool shows(std::string_view text) const {
    return eventually([&] { return screen().find(text) != std::string::npos; }, 20s);
  }
  [[nodiscard]] const ScratchFiles& files() const { return files_; }

 private:
  RunResult tmux(const std::string& command) const {
    return run_shell(fmt::format("exec tmux -N -u -S {} {}", files_.path("tmux"), command), kPlain);
  }

  static inline const Environment kPlain{{"LC_ALL", "C.UTF-8"}, {"TERM", "xterm-256color"},
                                         {"SHELL", "/bin/sh"},  {"NO_COLOR", ""},
                                         {"ENV", ""},           {"RTS", binary()}};
  ScratchFiles files_;
  Process server_{{"tmux", "-D", "-u", "-f", "/dev/null", "-S", files_.path("tmux")},
                  {.env = kPlain, .capture_stdout = true, .capture_stderr = true}};
};

class TopOnATerminal : public testing::Test {
 protected:
  // Types the command line, and keeps how the terminal was set before.
  void start(const Tmux& terminal) const {
    terminal.files().write("watch", fmt::format("echo $$ >pid; exec \"$RTS\" top --url {} --url {}",
                                                one.url(), other.url()));
    terminal.type(
        "clear; stty -g >before; echo this is from before; sh watch; echo ended with $?; "
        "stty -g >after; echo all is over");
    ASSERT_TRUE(terminal.shows("2 of 2 replicas answer")) << terminal.screen();
    EXPECT_EQ(terminal.state(), "0 1\n");
    EXPECT_THAT(terminal.screen(), Not(HasSubstr("from before")));
  }
  static void expect_restored(const Tmux& terminal) {
    ASSERT_TRUE(terminal.shows("\nall is over")) << terminal.screen();
    EXPECT_THAT(terminal.screen(),
                AllOf(StartsWith("this is from before\nended with 0\nall is over\n"),
                      Not(HasSubstr("replicas answer"))));
    EXPECT_EQ(terminal.state(), "1 0\n");
    EXPECT_EQ(read_file(terminal.files().path("after")),
              read_file(terminal.files().path("before")));
  }

  static std::string answer(const std::string& request, StatusText status) {
    if (request.starts_with("GET /decisions?")) return http_answer(200, kOrdersText);
    if (request.starts_with("GET /?symbol=ETHUSDT ")) status.symbol = "ETHUSDT";
    return http_answer(200, status.text());
  }

  HttpStub one{[](const std::string& request) { return answer(request, {}); }};
  HttpStub other{[](const std::string& request) {
    return answer(request, {.id = "b2",
                            .trading = false,
                            .notices = R"({"what":"paused","text":"orders are paused by me"})",
                            .settings = "fedcba9876543210"});
  }};
};

TEST_F(TopOnATerminal, ShowsTheViewOnTheUsualScreen) {
  const Tmux terminal(80, 24);
  start(terminal);
  const std::string screen = terminal.screen();
  EXPECT_THAT(
      screen,
      AllOf(StartsWith("top  "),
            HasSubstr("\n REPLICA         STATE     FRAMES/S  BOOK TRADE TICKER P99 LAG ORDERS"
                      "  SETTINGS\n"),
            HasSubstr(fmt::format("\n>{:<15} Trading ", one.host())),
            HasSubstr(fmt::format("\n {:<15} Paused ", other.host())),
            HasSubstr(fmt::format("\n! {}: orders are paused by me\n", other.host())),
            HasSubstr("\norderbook_skew  600 events: spread_below_minimum 590 (98.3%)"),
            HasSubstr("\n  18:00:01 neutral: ratio 1.05: it buys above 1.2, 0.15 away\n"),
            HasSubstr("\n17:59:00 BTCUSDT BUY 0.002 at 63993 confirmed orderbook_skew: "),
            EndsWith("\n q quit   ↑↓ replica   s/S symbol   m minute/hour   p stop   ? help\n")));
  EXPECT_EQ(std::ranges::count(screen, '\n'), 24);
  terminal.press("q");
  expect_restored(terminal);
}

TEST_F(TopOnATerminal, ShowsMoreOnALargeOneAlsoWhenItGrows) {
  const Tmux terminal(200, 50);
  start(terminal);
  EXPECT_THAT(terminal.screen(), AllOf(HasSubstr("SETTINGS   BREAKER     UP          VERSION"),
                                       HasSubstr("neutral 9 (1.5%), signal_buy 1 (0.2%)\n")));
  EXPECT_EQ(std::ranges::count(terminal.screen(), '\n'), 50);
  terminal.resize(80, 24);
  ASSERT_TRUE(
      eventually([&] { return terminal.screen().find("BREAKER") == std::string::npos; }, 20s));
  ASSERT_TRUE(terminal.shows("? help"));
  terminal.resize(200, 50);
  ASSERT_TRUE(terminal.shows("BREAKER"));
  terminal.press("C-c");
  expect_restored(terminal);
}

TEST_F(TopOnATerminal, ObeysItsKeys) {
  const Tmux terminal(80, 24);
  start(terminal);
  const std::string other_is_selected = fmt::format("\n>{} ", other.host());
  const std::string one_is_selected = fmt::format("\n>{} ", one.host());
  struct Row {
    const char* key;
    std::string shows;
  };
  for (const auto& [key, shows] :
       {Row{"Down", other_is_selected}, Row{"Up", one_is_selected}, Row{"j", other_is_selected},
        Row{"k", one_is_selected}, Row{"s", "\nETHUSDT  the last minute, as "},
        Row{"S", "\nBTCUSDT  the last minute, as "}, Row{"S", "\nETHUSDT  the last minute, as "},
        Row{"m", "\nETHUSDT  the last hour, as "}, Row{"m", "  the last minute, as "},
        Row{"'?'", "another replica: funnels and orders are"}, Row{"'?'", "the last minute, as"},
        Row{"p", "  STOPPED"}}) {
    terminal.press(key);
    EXPECT_TRUE(terminal.shows(shows)) << key << '\n' << terminal.screen();
  }
  // The questions that were under way when it was stopped have been asked by now.
  std::string asked;
  ASSERT_TRUE(eventually(
      [&] {
        const std::string before = std::exchange(asked, one.asked());
        return before == asked;
      },
      20s));
  EXPECT_TRUE(throughout(2500ms, [&] { return one.asked() == asked; })) << "it is stopped";
  terminal.press("p");
  EXPECT_TRUE(eventually([&] { return one.asked().size() > asked.size() + 500; }, 20s))
      << "and asks";
  EXPECT_THAT(terminal.screen(), Not(HasSubstr("STOPPED")));
  terminal.press("q");
  expect_restored(terminal);
}

// Whoever ends it gets the terminal back as it was.
TEST_F(TopOnATerminal, RestoresItWhenItIsKilled) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
    const Tmux terminal(80, 24);
    start(terminal);
    const std::string pid = read_file(terminal.files().path("pid"));
    ASSERT_EQ(::kill(std::stoi(pid), signal), 0) << pid;
    expect_restored(terminal);
  }
}

TEST_F(TopOnATerminal, EndsWithIt) {
  std::string pid;
  {
    const Tmux terminal(80, 24);
    start(terminal);
    pid = read_file(terminal.files().path("pid"));
  }
  const std::string path = fmt::format("/proc/{}/cmdline", std::stoi(pid));
  EXPECT_TRUE(eventually([&] { return read_file(path).empty(); }, 20s)) << path;
}

TEST_F(TopOnATerminal, StopsAndGoesOnAsTheShellWants) {
  const Tmux terminal(80, 24);
  start(terminal);
  terminal.press("C-z");
  ASSERT_TRUE(terminal.shows("from before"));
  EXPECT_EQ(terminal.state(), "1 0\n");
  terminal.type("stty -g >stopped; cmp before stopped && echo just as before");
  EXPECT_TRUE(terminal.shows("\njust as before")) << terminal.screen();
  terminal.type("fg");
  ASSERT_TRUE(terminal.shows("2 of 2 replicas answer"));
  EXPECT_EQ(terminal.state(), "0 1\n");
  terminal.press("Down");
  EXPECT_TRUE(terminal.shows(fmt::format("\n>{} ", other.host())));
  terminal.press("q");
  ASSERT_TRUE(eventually([&] { return terminal.state() == "1 0\n"; }, 20s));
}

// The shell wakes what it kills, in the background: who sets the terminal there is stopped again.
TEST_F(TopOnATerminal, EndsInTheBackgroundAndDrawsNothingThere) {
  const Tmux terminal(80, 24);
  start(terminal);
  terminal.press("C-z");
  ASSERT_TRUE(terminal.shows("from before"));
  terminal.type("bg; sleep 3; echo after three seconds");
  ASSERT_TRUE(terminal.shows("\nafter three seconds")) << terminal.screen();
  EXPECT_EQ(terminal.state(), "1 0\n") << "the screen is the shell's";
  terminal.type("fg");
  ASSERT_TRUE(terminal.shows("2 of 2 replicas answer"));
  terminal.press("C-z");
  ASSERT_TRUE(terminal.shows("after three seconds"));
  terminal.type("kill %1; kill -CONT %1");
  const std::string pid = read_file(terminal.files().path("pid"));
  const std::string path = fmt::format("/proc/{}/cmdline", std::stoi(pid));
  EXPECT_TRUE(eventually([&] { return read_file(path).empty(); }, 20s)) << terminal.screen();
  terminal.type("stty -g >ended; cmp before ended && echo just as before");
  EXPECT_TRUE(terminal.shows("\njust as before")) << terminal.screen();
}

// Colours on a terminal, unless somebody wants none.
TEST_F(TopOnATerminal, HasColoursWhereTheyAreWanted) {
  struct Row {
    const char* environment;
    const char* option;
    bool has_colors;
  };
  for (const auto& [environment, option, has_colors] :
       {Row{"NO_COLOR=", "--color=auto", true}, Row{"NO_COLOR=1", "--color=auto", false},
        Row{"NO_COLOR=1", "--color=always", true}, Row{"NO_COLOR=", "--color=never", false}}) {
    const Tmux terminal(80, 24);
    terminal.type(fmt::format("{} \"$RTS\" top --url {} {}", environment, other.url(), option));
    ASSERT_TRUE(terminal.shows("? help")) << terminal.screen();
    EXPECT_EQ(terminal.colored_screen().find("\x1b[1;33m") != std::string::npos ||
                  terminal.colored_screen().find("\x1b[1m") != std::string::npos,
              has_colors)
        << environment << option << terminal.colored_screen();
    terminal.press("q");
  }
}

TEST_F(TopOnATerminal, PrintsOnceWhereTheTerminalCanDoNoMore) {
  const Tmux terminal(80, 24);
  terminal.type(fmt::format("TERM=dumb \"$RTS\" top --url {}; echo ended with $?", one.url()));
  EXPECT_TRUE(terminal.shows("\nended with 0")) << terminal.screen();
  EXPECT_THAT(terminal.screen(), HasSubstr("1 of 1 replicas answer"));
  terminal.type(fmt::format("clear; \"$RTS\" top --url {} | cat; echo piped", one.url()));
  EXPECT_TRUE(terminal.shows("\npiped")) << terminal.screen();
  EXPECT_THAT(terminal.screen(), HasSubstr("1 of 1 replicas answer"));
}

// Two replicas of the real service, as they trade, are paused and go away.
TEST(TopOfReplicas, SeesWhatTheyDo) {
  NatsServer broker;
  const Responder engine(broker.url(), "tradeengine.orders", always(R"({"status":"ok"})"));
  const Environment environment{{"NATS_URL", broker.url()}, {"NATS_CONSUMER_GROUP", ""}};
  Daemon one(environment);
  Environment others = environment;
  others["SIGNAL_COOLDOWN_SECONDS"] = "60";
  Daemon other(others);
  ASSERT_TRUE(one.wait_ready() && other.wait_ready());
  Peer peer(broker.url());
  peer.publish("binance.websocket.data", book_frame({.at_ms = now_ms(), .id = 1}));
  peer.publish("binance.websocket.data", trade({.symbol = "ETHUSDT", .at_ms = now_ms()}).json());
  ASSERT_TRUE(eventually([&] { return other.metric("rts_frames_received_total") == 2; }, 10s));
  ASSERT_TRUE(one.wait_settled() && other.wait_settled());

  const auto top = [&](std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"top", "--url", fmt::format("http://127.0.0.1:{}", one.port()),
                               "--url", fmt::format("http://127.0.0.1:{}", other.port())});
    return run_binary(more);
  };
  const RunResult trading = top();
  EXPECT_EQ(trading.exit_code, 0) << trading.out;
  EXPECT_THAT(trading.out,
              AllOf(HasSubstr("2 of 2 replicas answer"),
                    ContainsRegex(fmt::format("\n>127.0.0.1:{} +Trading .* 1 ≠", one.port())),
                    HasSubstr("\n! all: has settings that others do not have"),
                    HasSubstr("BTCUSDT  the last minute, as "),
                    HasSubstr("\norderbook_skew  1 events: signal_buy 1 (100.0%)\n"),
                    ContainsRegex("\n..:..:.. BTCUSDT BUY 0.999 at 100.2 confirmed orderbook_skew: "
                                  "ratio 1.5 is abov…")));
  EXPECT_THAT(top({"--symbol", "ETHUSDT"}).out,
              HasSubstr("\ntrade_momentum  1 events: warming_up 1 (100.0%)\n"));
  EXPECT_THAT(top({"--symbol", "XRPUSDT"}).out, HasSubstr("answers 400: "));
  const RunResult json = top({"--json"});
  EXPECT_TRUE(wire::json_differences(json.out, json.out).empty()) << json.out;
  EXPECT_THAT(json.out, StartsWith(fmt::format(R"([{{"url":"http://127.0.0.1:{}")", one.port())));
  EXPECT_THAT(json.out, HasSubstr(R"("trading":)"));

  one.process().signal(SIGUSR1);
  ASSERT_FALSE(one.log("trading_paused", 1).empty());
  EXPECT_THAT(top().out, AllOf(ContainsRegex(fmt::format("\n>127.0.0.1:{} +Paused ", one.port())),
                               HasSubstr("paused by SIGUSR1; 1 events")));
  ASSERT_EQ(other.terminate(), 0);
  const RunResult alone = top();
  EXPECT_EQ(alone.exit_code, 69);
  EXPECT_THAT(alone.out, ContainsRegex(fmt::format("\n 127.0.0.1:{} +No answer ", other.port())));
}

}  // namespace
}  // namespace rts::test
