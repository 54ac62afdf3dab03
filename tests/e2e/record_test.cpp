// `record` beside a real broker: what is heard is in the recording, whatever happens to the broker,
// the disk and the process; and a replay of it gives the orders that a service has sent meanwhile.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rts/trading/stream_plan.hpp>

#include "commands/recording_writer.hpp"
#include "support/daemon.hpp"
#include "support/deadline.hpp"
#include "support/fault_report.hpp"
#include "support/frames.hpp"
#include "support/known_orders.hpp"
#include "support/nats_server.hpp"
#include "support/order_service.hpp"
#include "support/orders.hpp"
#include "support/paths.hpp"
#include "support/peer.hpp"
#include "support/process.hpp"
#include "support/responder.hpp"
#include "support/scratch_files.hpp"

namespace rts::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kFrameSubject = "binance.websocket.data";
constexpr auto kSoon = loosened(15s);

using Lines = std::vector<std::string>;

Lines lines_in(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A book to buy at, of its own second, so that each is an order of the default cooldown's next one.
std::string book(int number, const std::string& symbol = "BTCUSDT") {
  return book_frame({.symbol = symbol,
                     .at_ms = kNoonMs + std::int64_t{number} * 1000,
                     .id = static_cast<std::uint64_t>(number)});
}

class Record : public testing::Test {
 protected:
  // Listens when this returns.
  [[nodiscard]] std::unique_ptr<Process> start(std::vector<std::string> options,
                                               bool is_subscribed = true) {
    options.insert(options.begin(), {binary(), "record"});
    auto process = std::make_unique<Process>(
        options, ProcessOptions{.env = settings_, .capture_stdout = true, .capture_stderr = true});
    if (is_subscribed) {
      EXPECT_TRUE(process->wait_for_err(" at nats://", kSoon)) << process->err();
    }
    return process;
  }
  static int stop(Process& process) {
    process.signal(SIGTERM);
    const auto ended = process.wait(kSoon);
    return ended && ended->exited ? ended->code : -1;
  }
  void publish(const Lines& frames) {
    for (const std::string& frame : frames) exchange_.publish(kFrameSubject, frame);
    ASSERT_TRUE(exchange_.flush());
  }
  void publish_books(int first, int last) {
    Lines frames;
    for (int number = first; number <= last; ++number) frames.push_back(book(number));
    publish(frames);
  }
  [[nodiscard]] RunResult replay(const Lines& recordings, const Lines& options = {}) const {
    Lines words{"replay"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), recordings.begin(), recordings.end());
    return run_binary(words, with_test_defaults(settings_));
  }
  // Waits until that many frames can be read of it.
  [[nodiscard]] bool holds(const std::string& recording, std::int64_t frames) const {
    const std::string said = fmt::format("\n{} frames, ", frames);
    return eventually(
        [&] { return ("\n" + replay({recording}).err).find(said) != std::string::npos; }, kSoon);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return files_.path(name); }
  // Of the folder of the recordings, sorted: by time.
  [[nodiscard]] Lines recordings() const {
    Lines paths;
    for (const auto& file : std::filesystem::directory_iterator(files_.directory())) {
      if (file.is_regular_file()) paths.push_back(file.path());
    }
    std::ranges::sort(paths);
    return paths;
  }

  NatsServer broker_{NatsServer::kJetStream};
  Environment settings_ = order_settings(broker_.url(), {{"CONTROL_BUCKET", ""}});
  Peer exchange_{broker_.url()};
  ScratchFiles files_;
};

// --- Frames -------------------------------------------------------------------------------------

TEST_F(Record, KeepsEveryFrameOfWhateverBytes) {
  const Lines frames{book(1),
                     "{\n" + book(2).substr(1),
                     "",
                     "\n",
                     "# order {}",
                     "7 {}",
                     std::string("\0\xFF\n", 3),
                     book(3) + "\r\n",
                     "{\"broken\":\"te\nxt\"}",
                     std::string(900'000, '[')};
  for (const char* name : {"feed.ndjson", "feed.ndjson.zst"}) {
    const auto recorder = start({path(name)});
    publish(frames);
    ASSERT_TRUE(holds(path(name), std::ssize(frames))) << "it can be read while it is written";
    ASSERT_EQ(stop(*recorder), 0) << recorder->err();
    EXPECT_THAT(recorder->err(), HasSubstr(fmt::format("{} frames (", frames.size())));
    const RunResult result = replay({path(name)});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(lines_in(result.out).size(), 3U) << "of the three books";
    EXPECT_THAT(result.err, HasSubstr("dropped malformed                   7"));
  }
}

TEST_F(Record, CarriesTheTimeOfReceipt) {
  const auto recorder = start({"-"});
  const std::int64_t before = now_ns().time_since_epoch().count();
  publish({"{}"});
  ASSERT_TRUE(recorder->wait_for_out(" {}\n", kSoon));
  const std::int64_t after = now_ns().time_since_epoch().count();
  ASSERT_EQ(stop(*recorder), 0);
  const Lines lines = lines_in(recorder->out());
  EXPECT_THAT(lines.front(), HasSubstr("# binance.websocket.data, recorded by realtime-strat"));
  const std::int64_t at = std::stoll(lines.back());
  EXPECT_TRUE(before <= at && at <= after) << at;
  EXPECT_THAT(lines.back(), MatchesRegex("[0-9]{19} \\{\\}"));
}

TEST_F(Record, KeepsOnlyFramesOfTheSymbolsThatAreAskedFor) {
  const auto recorder = start({path("feed.ndjson"), "--symbols", "ethusdt,牛来USDT"});
  const Lines wanted{book(1, "ETHUSDT"),
                     trade({.symbol = "ETHUSDT"}),
                     combined("ethusdt@depth20@100ms", spot_book()),
                     combined("btcusdt@trade", trade({.symbol = "ETHUSDT"})),  // a conflict
                     combined("ethusdt@trade", trade({.symbol = "BTCUSDT"})),
                     array({ticker(), ticker({.symbol = "ETHUSDT"})}),
                     trade({.symbol = "牛来USDT"})};
  const Lines others{book(1),
                     trade(),
                     combined("btcusdt@depth20@100ms", spot_book()),
                     array({ticker()}),
                     trade({.symbol = "ETHUSDC"}),
                     R"({"e":"trade","x":"ETHUSDT"})",
                     R"({"note":"ETHUSDT"})",
                     "ETHUSDT",
                     R"({"result":null,"id":1})"};
  publish(others);
  publish(wanted);
  publish(others);
  ASSERT_EQ(stop(*recorder), 0) << recorder->err();
  Lines found;
  for (const std::string& line : lines_in(read_file(path("feed.ndjson")))) {
    if (!line.starts_with('#')) found.push_back(line.substr(line.find(' ') + 1));
  }
  EXPECT_EQ(found, wanted);
  EXPECT_THAT(recorder->err(),
              HasSubstr(fmt::format("{} frames of other symbols\n", 2 * others.size())));
}

// --- Files --------------------------------------------------------------------------------------

TEST_F(Record, MakesFilesThatTogetherHaveEveryFrame) {
  const auto recorder = start({"--directory", files_.directory(), "--rotate", "1d,1K"});
  int books = 0;
  ASSERT_TRUE(eventually(
      [&] {
        publish_books(books + 1, books + 100);
        books += 100;
        return recordings().size() > 3;
      },
      kSoon));
  ASSERT_EQ(stop(*recorder), 0) << recorder->err();
  const Lines files = recordings();
  for (const std::string& file : files) {
    EXPECT_THAT(file, ContainsRegex("/binance-20[0-9]{6}T[0-9]{6}Z\\.ndjson\\.zst$"));
  }
  EXPECT_THAT(recorder->err(), HasSubstr(fmt::format("to {} files", files.size())));
  const RunResult result = replay(files);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::ssize(lines_in(result.out)), books);
}

TEST_F(Record, EndsAfterTheDuration) {
  const Stopwatch watch;
  const auto recorder = start({path("feed.ndjson.zst"), "--duration", "2s"});
  publish_books(1, 10);
  const auto ended = recorder->wait(kSoon);
  ASSERT_TRUE(ended && ended->exited) << recorder->err();
  EXPECT_EQ(ended->code, 0) << recorder->err();
  EXPECT_GE(watch.passed(), 2s);
  EXPECT_EQ(lines_in(replay({path("feed.ndjson.zst")}).out).size(), 10U);
}

TEST_F(Record, OverwritesAFileOnlyWhenItIsToldTo) {
  files_.write("feed.ndjson", "dear\n");
  const RunResult refused = run_binary({"record", path("feed.ndjson")}, settings_);
  EXPECT_EQ(refused.exit_code, 64);
  EXPECT_THAT(refused.err, HasSubstr("exists; --force overwrites it"));
  EXPECT_EQ(read_file(path("feed.ndjson")), "dear\n");
  const RunResult forced =
      run_binary({"record", path("feed.ndjson"), "--force", "--duration", "1s"}, settings_);
  EXPECT_EQ(forced.exit_code, 0) << forced.err;
  EXPECT_THAT(read_file(path("feed.ndjson")), Not(HasSubstr("dear")));
}

TEST_F(Record, RefusesWhatMakesNoSense) {
  for (const auto& [words, because] : std::vector<std::pair<Lines, std::string>>{
           {{"a", "b"}, "one FILE is written"},
           {{"feed.gz"}, "call it feed.zst"},
           {{"feed/"}, "FILE is the name of a file"},
           {{"feed.zst", "--plain"}, "is the name of a zstd file"},
           {{"--rotate", "1x"}, "--rotate takes a time"},
           {{"-", "--rotate", "1h"}, "standard output is no file"},
           {{"-", "--directory", "x"}, "standard output is no file"},
           {{"/feed", "--directory", "x"}, "names a directory itself"},
           {{"--symbols", "BTCUSDT,,"}, "--symbols takes names"},
           {{"--symbols", "a b"}, "--symbols takes names"},
           {{"--duration", "soon"}, "--duration takes a time"}}) {
    Lines line{"record"};
    line.insert(line.end(), words.begin(), words.end());
    const RunResult result = run_binary(line, settings_);
    EXPECT_EQ(result.exit_code, 64) << because;
    EXPECT_THAT(result.err, HasSubstr(because));
  }
  EXPECT_TRUE(recordings().empty());
}

// --- The broker ---------------------------------------------------------------------------------

TEST_F(Record, SaysWhereTheBrokerWasAway) {
  const auto recorder = start({path("feed.ndjson")});
  publish_books(1, 5);
  ASSERT_TRUE(holds(path("feed.ndjson"), 5));
  broker_.kill();
  ASSERT_TRUE(recorder->wait_for_err("trying again", kSoon));
  broker_.restart();
  ASSERT_TRUE(recorder->wait_for_err("record: gap from ", kSoon)) << recorder->err();
  ASSERT_TRUE(eventually([&] { return exchange_.connected(); }, kSoon));
  publish_books(6, 10);
  ASSERT_TRUE(holds(path("feed.ndjson"), 10)) << recorder->err();
  ASSERT_EQ(stop(*recorder), 0);
  Lines kinds;
  for (const std::string& line : lines_in(read_file(path("feed.ndjson")))) {
    kinds.push_back(line.substr(0, line.starts_with('#') ? 5 : 1));
  }
  EXPECT_EQ(fmt::format("{}", fmt::join(kinds, " ")), "# bin 1 1 1 1 1 # gap 1 1 1 1 1");
  EXPECT_THAT(read_file(path("feed.ndjson")),
              ContainsRegex("\n# gap from 20[0-9T:.-]+Z to 20[0-9T:.-]+Z: .+\n"));
  EXPECT_THAT(recorder->err(), HasSubstr("\n1 gaps\n"));
}

TEST_F(Record, WaitsForABrokerAndSaysSo) {
  broker_.stop();
  const auto recorder = start({path("feed.ndjson")}, false);
  ASSERT_TRUE(recorder->wait_for_err("record: no frames yet: ", kSoon)) << recorder->err();
  broker_.restart();
  ASSERT_TRUE(recorder->wait_for_err(" at nats://", kSoon)) << recorder->err();
  EXPECT_EQ(stop(*recorder), 0);
}

TEST_F(Record, WithoutABrokerIsUnavailable) {
  broker_.stop();
  const RunResult result = run_binary({"record", path("feed"), "--duration", "1s"}, settings_);
  EXPECT_EQ(result.exit_code, 69);
  EXPECT_THAT(result.err, HasSubstr("the broker was never there"));
}

// Whose user may hear the feed and ask JetStream, and nothing else.
TEST_F(Record, GoesOnWhereTheBrokerRefusesHintsOfTheLogs) {
  NatsServer strict(std::string(NatsServer::kJetStream) +
                    "authorization { users: [ {user: all, password: p}, {user: few, password: p, "
                    "permissions: { publish: [\"$JS.API.>\", \"_INBOX.>\"], "
                    "subscribe: [\"binance.websocket.data\", \"_INBOX.>\"] } } ] }\n");
  Environment all = settings_;
  all["NATS_URL"] = strict.url("all:p");
  all["CONTROL_BUCKET"] = "realtime-strategies";
  ASSERT_EQ(run_binary({"provision"}, all).exit_code, 0);
  settings_ = with(all, {{"NATS_URL", strict.url("few:p")}});
  const auto recorder = start({path("feed.ndjson")});
  Peer exchange(strict.url("all:p"));
  exchange.publish(kFrameSubject, book(1));
  ASSERT_TRUE(exchange.flush());
  ASSERT_EQ(run_binary({"pause"}, all).exit_code, 0);
  ASSERT_TRUE(eventually(
      [&] {
        return read_file(path("feed.ndjson")).find("\n# pause {\"paused\":true") !=
               std::string::npos;
      },
      kSoon));
  exchange.publish(kFrameSubject, book(2));
  ASSERT_TRUE(exchange.flush());
  ASSERT_TRUE(holds(path("feed.ndjson"), 2));
  EXPECT_EQ(stop(*recorder), 0);
  EXPECT_THAT(recorder->err(), Not(HasSubstr("again")));
}

// --- The process and the disk -------------------------------------------------------------------

TEST_F(Record, ThatIsKilledIsReadableUpToItsLastSecond) {
  for (const char* name : {"feed.ndjson.zst", "feed.ndjson"}) {
    const bool is_plain = !std::string(name).ends_with(".zst");
    const auto recorder = start({path(name)});
    publish_books(1, 500);
    ASSERT_TRUE(holds(path(name), 500));
    recorder->signal(SIGKILL);
    ASSERT_TRUE(recorder->wait(kSoon));
    const RunResult result = replay({path(name)});
    EXPECT_EQ(result.exit_code, is_plain ? 0 : 65) << "what it ends in is missing";
    EXPECT_EQ(result.err.find("feed.ndjson.zst: is truncated\n") == std::string::npos, is_plain);
    EXPECT_EQ(lines_in(result.out).size(), 500U) << "all orders are given all the same";
  }
}

TEST_F(Record, OnAFullDiskEndsAndKeepsWhatItHas) {
  for (const char* name : {"feed.ndjson.zst", "feed.ndjson"}) {
    const std::string line = fmt::format("ulimit -f 128; exec \"$RTS\" record {}", path(name));
    Environment environment = settings_;
    environment["RTS"] = binary();
    Process recorder({"sh", "-c", line}, {.env = environment, .capture_stderr = true});
    ASSERT_TRUE(recorder.wait_for_err(" at nats://", kSoon)) << recorder.err();
    int books = 0;
    for (; books < 60'000 && recorder.running(); books += 200) {
      publish_books(books + 1, books + 200);
    }
    const auto ended = recorder.wait(kSoon);
    ASSERT_TRUE(ended && ended->exited) << recorder.err();
    EXPECT_EQ(ended->code, 74) << recorder.err();
    EXPECT_THAT(recorder.err(),
                HasSubstr(fmt::format("record: cannot write {}: File too large\n", path(name))));
    const RunResult result = replay({path(name)});
    const std::size_t orders = lines_in(result.out).size();
    EXPECT_GT(orders, 50U) << result.err;
    EXPECT_LT(orders, static_cast<std::size_t>(books));
  }
}

// A pipe that nobody reads for a while stands for a disk.
class OnASlowDisk : public Record {
 protected:
  OnASlowDisk() {
    EXPECT_EQ(::mkfifo(path("pipe.ndjson").c_str(), 0600), 0);
    pipe_ = ::open(path("pipe.ndjson").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    recorder_ = start({path("pipe.ndjson")});
  }
  ~OnASlowDisk() override { ::close(pipe_); }
  OnASlowDisk(const OnASlowDisk&) = delete;
  OnASlowDisk& operator=(const OnASlowDisk&) = delete;
  OnASlowDisk(OnASlowDisk&&) = delete;
  OnASlowDisk& operator=(OnASlowDisk&&) = delete;

  // Reads what there is.
  void read_pipe() {
    std::string part(1 << 20U, '\0');
    for (ssize_t n = 0; (n = ::read(pipe_, part.data(), part.size())) > 0;) {
      const std::string_view read(part.data(), static_cast<std::size_t>(n));
      if (read.front() != 'x' || read.back() != 'x')
        text_ += read;  // else of a long frame's middle
    }
  }
  [[nodiscard]] bool reads(const std::string& end) {
    return eventually(
        [&] {
          read_pipe();
          return text_.find(end) != std::string::npos;
        },
        kSoon);
  }

  int pipe_ = -1;
  std::unique_ptr<Process> recorder_;
  std::string text_;
};

TEST_F(OnASlowDisk, LosesNothingForAWhile) {
  constexpr int kBooks = 20'000;
  publish_books(1, kBooks);
  publish({R"({"the":"last"})"});
  ASSERT_TRUE(reads(R"({"the":"last"})"));
  recorder_->signal(SIGTERM);
  ASSERT_TRUE(eventually(
      [&] {
        read_pipe();
        return !recorder_->running();
      },
      kSoon));
  EXPECT_THAT(recorder_->err(), AllOf(HasSubstr(fmt::format("\n{} frames (", kBooks + 1)),
                                      Not(HasSubstr("gap")), Not(HasSubstr("again"))));
  const RunResult result = replay({files_.write("read.ndjson", text_)});
  EXPECT_EQ(lines_in(result.out).size(), static_cast<std::size_t>(kBooks));
}

TEST_F(OnASlowDisk, SaysHowManyFramesItHadNoRoomFor) {
  const std::string long_frame(1'000'000, 'x');
  ASSERT_TRUE(eventually(
      [&] {
        publish({long_frame});
        return recorder_->wait_for_err("frames are being lost: the disk", 1ms);
      },
      kSoon));
  // When there is room again is seen by what is kept again.
  ASSERT_TRUE(eventually(
      [&] {
        publish({R"({"the":"last"})"});
        read_pipe();
        return text_.find(R"({"the":"last"})") != std::string::npos;
      },
      kSoon));
  EXPECT_THAT(text_.substr(text_.find("\n# gap ")),
              ContainsRegex("^\n# gap from 20[0-9T:.-]+Z to 20[0-9T:.-]+Z: [0-9]+ frames were "
                            "lost: the disk does not take them in time\n"));
  EXPECT_THAT(recorder_->err(), Not(HasSubstr("again"))) << "the connection is the same";
}

TEST_F(OnASlowDisk, ASecondSignalEndsItAtOnce) {
  publish_books(1, 2'000);
  recorder_->signal(SIGTERM);
  EXPECT_TRUE(throughout(300ms, [&] { return recorder_->running(); }));
  recorder_->signal(SIGTERM);
  const auto ended = recorder_->wait(kSoon);
  ASSERT_TRUE(ended && ended->exited);
  EXPECT_EQ(ended->code, 128 + SIGTERM);
}

// --- What is said meanwhile ---------------------------------------------------------------------

TEST_F(Record, ShowsItsProgressOnATerminalOnly) {
  Environment environment = settings_;
  environment["RTS"] = binary();
  const auto on_terminal = [&](const std::string& options) {
    const std::string line =
        fmt::format("\"$RTS\" record {} --force {}", path("feed.ndjson.zst"), options);
    return Process({"script", "-qec", line, "/dev/null"},
                   {.env = environment, .capture_stdout = true});
  };
  Process watched = on_terminal("--duration 4s");
  EXPECT_TRUE(watched.wait_for_out(" at nats://", kSoon));
  publish_books(1, 30);
  EXPECT_TRUE(watched.wait_for_out("\r30 frames, ", kSoon));
  EXPECT_TRUE(watched.wait(kSoon));
  EXPECT_THAT(watched.out(), ContainsRegex("\r30 frames, [0-9]+ frames/s, [0-9.]+ k?B in .*feed"));
  Process quiet = on_terminal("--duration 1s --quiet");
  EXPECT_TRUE(quiet.wait(kSoon));
  EXPECT_EQ(quiet.out(), "");
  const auto recorder = start({path("other.ndjson")});
  publish_books(1, 30);
  ASSERT_TRUE(holds(path("other.ndjson"), 30));
  ASSERT_EQ(stop(*recorder), 0);
  EXPECT_THAT(recorder->err(),
              AllOf(Not(HasSubstr("frames/s")), Not(HasSubstr("\r")), HasSubstr("30 frames (")));
}

// --- The promise --------------------------------------------------------------------------------

// A service behind both logs, what it has delivered, and recordings beside it.
class RecordBesideAService : public Record {
 protected:
  void begin(const Environment& more) {
    settings_ = with_test_defaults(with(
        logged_settings(broker_.url(),
                        {{"NATS_CONSUMER_GROUP", ""}, {"CONTROL_BUCKET", "realtime-strategies"}}),
        more));
    ASSERT_NO_FATAL_FAILURE(run({"provision"}));
    service_ = std::make_unique<Daemon>(settings_);
    ASSERT_TRUE(service_->wait_ready()) << service_->get("/ready").body;
  }
  void run(const Lines& words) const {
    const RunResult result = run_binary(words, settings_);
    ASSERT_EQ(result.exit_code, 0) << words.front() << ": " << result.err;
  }
  // The next frames of the market: what comes of them is delivered when this returns.
  void play(std::size_t count) {
    Lines frames;
    while (frames.size() < count) frames.emplace_back(market_.next_frame(at_ += 5ms));
    const double before = service_->metric("rts_frames_received_total");
    publish(frames);
    ASSERT_TRUE(eventually(
        [&] {
          return service_->metric("rts_frames_received_total") ==
                 before + static_cast<double>(count);
        },
        kSoon));
    ASSERT_TRUE(service_->wait_settled(kSoon));
  }
  // A change of the control log, which service and recording have heard when this returns.
  void change(const Lines& words, const std::string& recording, const std::string& note) {
    const auto noted = [&] { return std::ssize(found(recording, note)); };
    const auto before = noted();
    const double heard = service_->metric("rts_trading_paused");
    ASSERT_NO_FATAL_FAILURE(run(words));
    ASSERT_TRUE(eventually([&] { return noted() > before; }, kSoon)) << words.front();
    const bool is_pause = words.front() != "set";
    ASSERT_TRUE(eventually(
        [&] { return !is_pause || service_->metric("rts_trading_paused") != heard; }, kSoon));
  }
  static Lines found(const std::string& recording, const std::string& note) {
    Lines lines = lines_in(read_file(recording));
    std::erase_if(lines, [&](const std::string& line) { return !line.starts_with("# " + note); });
    return lines;
  }
  [[nodiscard]] Lines delivered() const {
    Lines orders;
    for (const Request& order : engine_.received()) orders.push_back(order.payload);
    std::ranges::sort(orders);
    return orders;
  }
  [[nodiscard]] Lines replayed(const Lines& recordings) const {
    const RunResult result = replay(recordings);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    Lines orders = lines_in(result.out);
    std::ranges::sort(orders);
    return orders;
  }

  std::unique_ptr<Daemon> service_;
  Responder engine_{broker_.url(), "tradeengine.orders", always(R"({"status":"accepted"})")};
  simulation::Market market_{configured(std::vector<config::Given>{}).settings.engine.symbols, 7};
  UnixMs at_ = to_ms(now_ns()) - 20s;  // of the market
};

TEST_F(RecordBesideAService, ReplayGivesTheOrdersThatWereDelivered) {
  ASSERT_NO_FATAL_FAILURE(begin(lively_settings()));
  const std::string recording = path("feed.ndjson");
  const auto recorder = start({recording});
  ASSERT_NO_FATAL_FAILURE(play(1'500));
  const std::size_t before = delivered().size();
  ASSERT_NO_FATAL_FAILURE(change({"pause"}, recording, "pause {\"paused\":true"));
  ASSERT_NO_FATAL_FAILURE(play(300));
  EXPECT_EQ(delivered().size(), before) << "it was paused";
  ASSERT_NO_FATAL_FAILURE(change({"resume"}, recording, "pause {\"paused\":false"));
  ASSERT_NO_FATAL_FAILURE(play(500));
  at_ = to_ms(now_ns());
  ASSERT_NO_FATAL_FAILURE(change({"set", "SIGNAL_COOLDOWN_SECONDS=3", "TRADING_ORDER_NOTIONAL=300",
                                  "TRADE_MOMENTUM_WINDOW=15", "--in", "3"},
                                 recording, "settings {"));
  ASSERT_NO_FATAL_FAILURE(play(1'800));  // of 9 s, of which the last 6 are behind it
  ASSERT_EQ(stop(*recorder), 0) << recorder->err();

  const Lines orders = delivered();
  EXPECT_GT(before, 5U);
  EXPECT_GT(orders.size(), before + 5);
  EXPECT_EQ(found(recording, "order {").size(), orders.size()) << "the log's entries";
  EXPECT_EQ(replayed({recording}), orders);
  EXPECT_THAT(recorder->err(),
              HasSubstr(fmt::format("heard of the logs: {} orders, {} pauses and resumes, 1 "
                                    "revisions of the settings\n",
                                    orders.size(), found(recording, "pause {").size())));
}

// What is not in the recording, but counts: the day's orders, the cooldown that an order has begun,
// a revision and a pause. Books alone, for the windows of the other strategies begin empty.
TEST_F(RecordBesideAService, ReplayGivesThemAlsoWhereTheRecordingBeganLater) {
  Environment settings = lively_settings();
  settings["STRATEGY_ENABLED_TRADE_MOMENTUM"] = "false";
  settings["SIGNAL_COOLDOWN_SECONDS"] = "4";
  settings["RISK_MAX_DAILY_SIGNALS"] = "28";
  ASSERT_NO_FATAL_FAILURE(begin(settings));
  ASSERT_NO_FATAL_FAILURE(run({"set", "TRADING_ORDER_NOTIONAL=200", "--in", "1"}));
  ASSERT_NO_FATAL_FAILURE(run({"pause", "--strategy", "ticker_velocity"}));
  ASSERT_TRUE(eventually([&] { return service_->metric("rts_trading_paused") == 1; }, kSoon));
  ASSERT_NO_FATAL_FAILURE(play(1'500));
  const Lines earlier = delivered();
  ASSERT_GT(earlier.size(), 3U);

  // And it goes on in another file at each full second: also at the third part.
  const auto recorder = start({"--directory", files_.directory(), "--plain", "--rotate", "1s"});
  UnixNs third_part{};
  Lines before_third_part;
  for (int part = 1; part <= 5; ++part) {
    if (part == 3) before_third_part = delivered();
    if (part == 3) third_part = now_ns();
    ASSERT_NO_FATAL_FAILURE(play(500));
    const auto second = [] { return std::chrono::floor<std::chrono::seconds>(now_ns()); };
    ASSERT_TRUE(eventually([&, end = second()] { return second() > end; }, kSoon));
  }
  ASSERT_EQ(stop(*recorder), 0) << recorder->err();
  const Lines all = delivered();
  EXPECT_EQ(all.size(), 28U) << "the day's limit is part of it";
  const auto since = [&](const Lines& orders) {
    Lines later;
    std::ranges::set_difference(all, orders, std::back_inserter(later));
    return later;
  };
  EXPECT_GT(since(earlier).size(), 10U);
  const Lines files = recordings();
  EXPECT_EQ(replayed(files), since(earlier));

  const std::string name = commands::time_name(path("binance.ndjson"), third_part, 1);
  const Lines later(std::ranges::lower_bound(files, name), files.end());
  ASSERT_TRUE(!later.empty() && later.size() < files.size());
  EXPECT_GT(since(before_third_part).size(), 0U);
  EXPECT_EQ(replayed(later), since(before_third_part));
  EXPECT_EQ(found(files.back(), "order {").size(), all.size());
  EXPECT_EQ(found(files.back(), "settings {").size(), 1U);
  EXPECT_EQ(found(files.back(), "pause {").size(), 1U);
}

TEST_F(RecordBesideAService, KeepsWhatIsNonsenseInTheLogsAsComments) {
  ASSERT_NO_FATAL_FAILURE(begin({}));
  exchange_.publish(bucket_subject("realtime-strategies", "pause"), "nonsense");
  exchange_.publish(bucket_subject("realtime-strategies", "other"), "{}");
  exchange_.publish(bucket_subject("realtime-strategies", "settings"), "{\n}");
  exchange_.publish("orders.intents", "# order\n{}");
  ASSERT_TRUE(exchange_.flush());
  const auto recorder = start({path("feed.ndjson")});
  publish_books(1, 3);
  ASSERT_TRUE(holds(path("feed.ndjson"), 3));
  ASSERT_EQ(stop(*recorder), 0) << recorder->err();
  EXPECT_EQ(found(path("feed.ndjson"), "control log: entry").size(), 3U);
  EXPECT_EQ(found(path("feed.ndjson"), "order log: entry 1 is passed over").size(), 1U);
  const RunResult result = replay({path("feed.ndjson")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("entries of the logs")));
}

}  // namespace
}  // namespace rts::test
