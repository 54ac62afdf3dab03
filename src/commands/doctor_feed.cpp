// The feed, as `doctor` looks at it, and what follows from that.
#include <algorithm>

#include <fmt/format.h>

#include "commands/doctor.hpp"

namespace rts::commands {
namespace {

// Within seconds no market's ids go back so far; those of two markets lie further apart.
constexpr std::uint64_t kFarBack = 1'000'000;
// Once may be the exchange's reset.
constexpr int kLeastTimesBack = 2;
constexpr std::uint64_t kMicrosecondsFrom = 100'000'000'000'000;  // 10^14: SPEC §2 rule 3

// What to do about events that end so; of the others nothing.
struct Advice {
  Reason reason;
  std::string_view fix;
};
constexpr const char* kPublisherFix =
    "Find who publishes what is no frame on this subject, and let him publish elsewhere.";
constexpr const char* kLabelFix =
    "Correct the relay, which labels books with a symbol that is not theirs, and let it pass on "
    "trades or tickers of each symbol, too.";
constexpr const char* kBookFix = "Let the relay subscribe to partial books (depth5, 10 or 20).";
constexpr std::array kAdvice{
    Advice{Reason::diff_depth, kBookFix},
    Advice{
        Reason::simulated,
        "End the `simulate` that publishes here; production does not trade on a made-up market."},
    Advice{Reason::other_source,
           "Let the relay pass on one stream of a kind only; the others are left out."},
    Advice{Reason::too_large, kPublisherFix},
    Advice{Reason::malformed, kPublisherFix},
    Advice{Reason::symbol_conflict, kLabelFix},
    Advice{Reason::no_symbol, kLabelFix},
    Advice{Reason::bad_timestamp, kPublisherFix},
    Advice{Reason::stale, kClockFix},
    Advice{Reason::future, kClockFix},
    Advice{Reason::bad_number, kPublisherFix},
    Advice{Reason::empty_side, kBookFix},
    Advice{Reason::unsorted_book, kBookFix},
    Advice{Reason::crossed_book, kBookFix},
    Advice{Reason::unverified_symbol, kLabelFix},
    Advice{Reason::out_of_order,
           "Let one relay publish here: of a feed that comes twice, or of "
           "two markets under one name, only a part is used."},
    Advice{Reason::outlier,
           "Look whether two markets share the name; now and then it is a bad "
           "print, which is left out."},
};

// One kind of events, and the strategy that lives on it: symbol by symbol.
void say_kind(std::string_view kinds, EventKind kind, const config::Settings& settings,
              const FeedFacts& feed, Rows& rows) {
  const StrategyId strategy = *strategy_of(kind);
  std::vector<std::string> present, missing;
  for (const auto& [name, counts] : feed.accepted) {
    const auto symbol = Symbol::from(name);
    const SymbolParameters& parameters =
        symbol ? settings.engine.of(*symbol) : settings.engine.defaults;
    const std::uint64_t count = counts[index_of(kind)];
    if (count > 0) present.push_back(fmt::format("{} {}", name, count));
    if (count == 0 && parameters.enabled[index_of(strategy)] && parameters.traded) {
      missing.push_back(name);
    }
  }
  Finding row{kFeed, missing.empty() ? Health::ok : Health::warning,
              fmt::format("{}: {}", kinds, present.empty() ? "none" : listed(present))};
  if (!missing.empty()) {
    row.found += (present.empty() ? " of " : "; none of ") + listed(missing);
    row.fix = fmt::format(
        "Let the relay pass on {} of the symbols, or wait longer (--seconds) where they are rare; "
        "without them {} is silent.",
        kinds, to_string(strategy));
  }
  rows.push_back(row);
}

void say_refused(const FeedFacts& feed, Rows& rows) {
  for (const auto& [reason, fix] : kAdvice) {
    const std::uint64_t count = feed.refused[index_of(reason)];
    if (count == 0) continue;
    rows.push_back({kFeed, Health::warning,
                    fmt::format("{}: {} {}", to_string(reason), count, disposition(reason)),
                    std::string(fix)});
  }
  for (const std::string& name : feed.shared_names) {
    rows.push_back({kFeed, Health::failed,
                    fmt::format("two markets come under the name {}: its ids go back and forth "
                                "between two ranges",
                                name),
                    "Let the relay pass on one market, or each on a subject of its own "
                    "(NATS_CONSUMER_TOPIC): decisions would mix their prices."});
  }
}

bool is_market(EventKind kind) noexcept { return index_of(kind) < CountsByKind().size(); }

}  // namespace

FeedWatch::FeedWatch(const config::Settings& settings)
    : engine_(config::engine_parameters(settings, Clock::live)) {
  for (const Symbol& symbol : settings.engine.symbols) {
    facts_.accepted[std::string(symbol.text())] = {};
  }
}

void FeedWatch::take(std::string_view frame, UnixNs received_at) {
  ++facts_.frames;
  for (const EventRecord& record : engine_.step(frame, received_at).events) {
    if (const Reason* const reason = record.reason()) {
      ++facts_.refused[index_of(*reason)];
      continue;
    }
    const Symbol& symbol = engine_.symbols().at(record.decision()->symbol_index);
    ++facts_.accepted[std::string(symbol.text())][index_of(record.kind)];
  }
  if (reader_.open(frame)) return;
  while (const wire::WireEvent* const event = reader_.next()) {
    if (is_market(event->kind)) look_at(*event, received_at);
  }
}

FeedFacts FeedWatch::facts() const {
  FeedFacts facts = facts_;
  if (auto lags = lags_; !lags.empty()) {
    const auto middle = lags.begin() + static_cast<std::ptrdiff_t>(lags.size() / 2);
    std::ranges::nth_element(lags, middle);
    facts.lag = *middle;
  }
  return facts;
}

void FeedWatch::look_at(const wire::WireEvent& event, UnixNs received_at) {
  const std::string_view own = event.symbol.value;
  const std::string name = to_upper(own.empty() ? reader_.envelope().symbol_prefix() : own);
  if (name.empty()) return;
  if (!engine_.symbols().find(name)) {
    if (facts_.others.size() < kMaxOthers || facts_.others.contains(name)) ++facts_.others[name];
    return;
  }
  if (event.event_time.valid()) {
    const std::uint64_t sent = event.event_time.value;
    const std::chrono::milliseconds at(sent >= kMicrosecondsFrom ? sent / 1000 : sent);
    const auto lag = to_ms(received_at).time_since_epoch() - at;
    if (lags_.size() < kMaxLags) lags_.push_back(lag);
  }
  if (!event.id.valid()) return;
  Ids& ids = ids_[{name, event.sequence}];
  if (event.id.value + kFarBack < ids.last && ++ids.far_back >= kLeastTimesBack) {
    facts_.shared_names.insert(name);
  }
  ids.last = event.id.value;
}

void say_feed(const config::Settings& settings, const DoctorFacts& facts, Rows& rows) {
  if (!facts.feed) {
    const bool is_refused = facts.feed_problem.find("ermission") != std::string::npos;
    rows.push_back({kFeed, Health::not_looked_at, facts.feed_problem,
                    !is_refused ? "Look at what is said of the broker above."
                    : settings.broker.queue_group.empty()
                        ? kPermissionsFix
                        : "Let the user subscribe to the feed without the queue group, too; in the "
                          "group the doctor would take frames from the service."});
    return;
  }
  if (!facts.feed_problem.empty()) {
    rows.push_back({kFeed, Health::warning, facts.feed_problem,
                    "Look whether the broker, or what is between here and it, stands still."});
  }
  const FeedFacts& feed = *facts.feed;
  const std::string what = fmt::format("{} frames on {} in {} s", feed.frames,
                                       settings.broker.subject, facts.listened.count());
  if (feed.frames == 0) {
    rows.push_back({kFeed, Health::failed, what,
                    "Start the relay, or set NATS_CONSUMER_TOPIC to where it publishes."});
    return;
  }
  const bool any = std::ranges::any_of(
      feed.accepted, [](const auto& entry) { return entry.second != CountsByKind{}; });
  std::vector<std::string> others;
  for (const auto& [name, count] : feed.others) others.push_back(fmt::format("{} {}", name, count));
  rows.push_back({kFeed, any ? Health::ok : Health::failed,
                  what + (any ? "" : ", none of which can be used") +
                      (others.empty() ? "" : "; not traded: " + listed(others)),
                  any ? "" : "Set TRADING_SYMBOLS to what comes, or correct what is said below."});
  if (any) {
    say_kind("books", EventKind::book, settings, feed, rows);
    say_kind("trades", EventKind::trade, settings, feed, rows);
    say_kind("tickers", EventKind::ticker, settings, feed, rows);
  }
  say_refused(feed, rows);
}

}  // namespace rts::commands
