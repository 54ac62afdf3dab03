// The real binary as a child process, asked over HTTP. For integration and end-to-end tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/process.hpp"

namespace rts::test {

struct HttpAnswer {
  unsigned status = 0;  // 0: nobody answered
  std::string body;
};
// One GET on 127.0.0.1, with a deadline of 5 s.
// `fields`: more of the request's head, each with its line end.
[[nodiscard]] HttpAnswer http_get(std::uint16_t port, std::string_view path,
                                  std::string_view fields = {});

// A histogram's cumulative counts: how many observations were at most `bound` seconds.
struct Bucket {
  double bound;
  double count;
};
// The quantile `q` of what was observed between two readings of a histogram, in seconds, as
// Prometheus' histogram_quantile estimates it: evenly spread within a bucket. 0 when nothing was.
[[nodiscard]] double quantile(double q, const std::vector<Bucket>& earlier,
                              const std::vector<Bucket>& later);

// One answer of /metrics: numbers of one moment, which is what the identities of SPEC §1 hold for.
class Scrape {
 public:
  explicit Scrape(std::uint16_t port);

  // The sum over all series of a metric whose labels contain `labels`: sum("rts_orders_total"),
  // sum("rts_events_dropped_total", R"(reason="stale")").
  [[nodiscard]] double sum(std::string_view name, std::string_view labels = "") const;
  // The buckets of a histogram without labels, ascending, the last of them infinite; empty when
  // there is none of that name.
  [[nodiscard]] std::vector<Bucket> histogram(std::string_view name) const;
  // What is wrong with the accounts; empty when they balance.
  [[nodiscard]] std::string accounts_problem() const;

 private:
  std::string text_;
};

// How one run of the binary to its end went.
struct RunResult {
  int exit_code = -1;  // -1: it did not end by itself within a minute
  std::string out;
  std::string err;
};
using Environment = std::map<std::string, std::string>;
[[nodiscard]] RunResult run_binary(const std::vector<std::string>& arguments,
                                   const Environment& environment = {});

// The same for a line of sh, in which "$RTS" is the binary.
[[nodiscard]] RunResult run_shell(const std::string& line, const Environment& environment = {});

// The settings of a Daemon: those that are given, and what a test wants where it does not say
// otherwise: a free port; an environment in which a made-up market is traded; and no price band,
// for what a test sends is seldom a whole market, and a book without a trade before it has no
// reference price.
[[nodiscard]] Environment with_test_defaults(Environment environment);

// `run`, on a free port, with JSON logs. The constructor returns when it serves HTTP, and throws
// with its log when it does not.
class Daemon {
 public:
  // `wrapper` is a command that runs the one behind it (prlimit, setpriv …) in its own process.
  explicit Daemon(Environment environment, std::vector<std::string> wrapper = {});

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] HttpAnswer get(std::string_view path) const { return http_get(port_, path); }
  // The status document.
  [[nodiscard]] std::string status(std::string_view query = {}) const {
    return http_get(port_, std::string("/").append(query), "Accept: application/json\r\n").body;
  }
  [[nodiscard]] bool ready() const { return get("/ready").status == 200; }
  [[nodiscard]] bool wait_ready(std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

  // See Scrape::sum.
  [[nodiscard]] double metric(std::string_view name, std::string_view labels = "") const;

  // Until no order is in flight.
  [[nodiscard]] bool wait_settled(std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

  // Every frame that was received has ended, and every order has or is in flight: SPEC §1's
  // identities, read from /metrics.
  void expect_accounts_balance() const;

  [[nodiscard]] Process& process() noexcept { return process_; }
  // Log lines of one event, oldest first; waits for so many of them, for a thread of its own writes
  // them, later than what HTTP answers.
  [[nodiscard]] std::vector<std::string> log(std::string_view event, std::size_t awaited = 0) const;
  [[nodiscard]] std::string log() const { return process_.out(); }
  // SIGTERM; the exit code, or -1 when it did not end within the limit.
  int terminate(std::chrono::milliseconds limit = std::chrono::seconds(10));

 private:
  Process process_;
  std::uint16_t port_ = 0;
};

}  // namespace rts::test
