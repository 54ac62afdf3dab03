// `import`: the venue's public archives, merged by time, as one recording.
//
// A file is read row by row. Those that do not cover the time that has been reached are closed, so
// that memory depends on how many files cover one moment, and not on how many there are.
#include <algorithm>
#include <cassert>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/input.hpp"
#include "commands/packed_file.hpp"
#include "research/archive.hpp"

namespace rts::commands {
namespace {

using research::ArchiveKind;
using research::ArchiveRow;
using research::ColumnsFault;
using research::RowFault;
using std::chrono::milliseconds;

constexpr std::size_t kMaxShownRows = 10;   // of the bad ones
constexpr std::size_t kMaxOpenFiles = 128;  // each has 1.5 MB of buffers

// What the options say of all files.
struct Wanted {
  std::optional<Symbol> symbol;
  std::optional<ArchiveKind> kind;
  std::optional<milliseconds> interval;
};

Wanted parse_wanted(const Invocation& invocation) {
  Wanted wanted;
  if (const auto text = invocation.option("symbol")) {
    wanted.symbol = research::parse_archive_symbol(*text);
    require(wanted.symbol.has_value(), "--symbol takes a name as BTCUSDT, not '{}'", *text);
  }
  if (const auto text = invocation.option("kind")) {
    wanted.kind = from_string<ArchiveKind>(*text);
  }
  if (const auto text = invocation.option("interval")) {
    wanted.interval = research::parse_interval(*text);
    require(wanted.interval.has_value(), "--interval takes one as 1m, 4h or 1d, not '{}'", *text);
  }
  return wanted;
}

bool is_regular_file(const std::string& path) {
  struct stat status {};
  return path != "-" && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::string text_of(milliseconds interval) {
  return fmt::format("{} s", interval / std::chrono::seconds(1));
}
std::string text_of(const Symbol& symbol) { return std::string(symbol.text()); }
std::string text_of(ArchiveKind kind) { return std::string(to_string(kind)); }

// One file, row by row.
class Source {
 public:
  // Reads up to the first row. Throws CommandError where the file cannot be read, or where it is
  // not clear what it is.
  Source(std::string path, const Wanted& wanted) : path_(std::move(path)), wanted_(wanted) {
    open();
    // A pipe cannot be read twice.
    if (is_regular_file(path_)) reader_.reset();
  }

  // Where it is closed, opens it again, at its first row.
  void resume() {
    if (reader_ == nullptr) open();
  }

  void next() {
    row_.reset();
    while (!row_) {
      const auto line = reader_->next();
      if (!line) return;
      if (!line->empty()) take(research::split_row(*line));
    }
    last_at_ = row_->at;
  }

  // Leaves out the row that it is at.
  void refuse(RowFault fault) {
    if (++bad_rows_ > kMaxShownRows) return;
    shown_.push_back(
        fmt::format("{} line {} {}", reader_->name(), reader_->line_number(), text_of(fault)));
  }

  // Empty at the end. Its texts live until next().
  [[nodiscard]] const std::optional<ArchiveRow>& row() const noexcept { return row_; }
  [[nodiscard]] std::optional<UnixMs> first_at() const noexcept { return first_at_; }
  // Of a file with rows.
  [[nodiscard]] const Symbol& symbol() const noexcept { return *symbol_; }
  [[nodiscard]] ArchiveKind kind() const noexcept { return columns_->kind; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // Why reading ended early, or empty.
  [[nodiscard]] const std::string& error() const noexcept { return reader_->error(); }
  [[nodiscard]] std::uint64_t bad_rows() const noexcept { return bad_rows_; }
  [[nodiscard]] const std::vector<std::string>& shown() const noexcept { return shown_; }

 private:
  void open() {
    reader_ = std::make_unique<LineReader>(path_);
    name_ = reader_->name();
    if (!reader_->error().empty()) {
      throw CommandError(ExitCode::bad_input, "{}", reader_->error());
    }
    columns_.reset();
    first_at_.reset();
    last_at_ = UnixMs::min();
    bad_rows_ = 0;
    shown_.clear();
    identify();
    next();
    first_at_ = row_ ? std::optional(row_->at) : std::nullopt;
    if (row_ && kind() == ArchiveKind::klines) agree("interval", interval_, row_->interval());
  }

  // What its name, the options and its rows say of it has to be the same.
  template <class Value>
  void agree(std::string_view what, std::optional<Value>& known,
             const std::optional<std::type_identity_t<Value>>& said) const {
    require(!known || !said || *known == *said,
            "{}: its {} is {} here and {} there; name, options and rows have to agree", name_, what,
            known ? text_of(*known) : "", said ? text_of(*said) : "");
    if (!known) known = said;
  }

  // What its names and the options say: its own, and those of the files in it.
  void identify() {
    symbol_ = wanted_.symbol;
    kind_ = wanted_.kind;
    interval_ = wanted_.interval;
    std::vector<std::string> names = reader_->members();
    names.insert(names.begin(), path_);
    for (const std::string& name : names) {
      const research::ArchiveName said = research::read_archive_name(name);
      agree("symbol", symbol_, said.symbol);
      agree("kind", kind_, said.kind);
      agree("interval", interval_, said.interval);
    }
    require(symbol_.has_value(),
            "{}: its name does not say of which symbol it is, as BTCUSDT-1m-2024-07.zip does; "
            "--symbol says it",
            name_);
  }

  // A header, or a row of values.
  void take(const research::Fields& fields) {
    if (research::is_header(fields)) return take_header(fields);
    if (!columns_) use(research::columns_without_header(kind_, fields.count));
    const auto row = read_row(*columns_, interval_, fields);
    if (!row) return refuse(row.error());
    if (row.value().at < last_at_) return refuse(RowFault::earlier);
    const bool is_later_kline = first_at_ && kind() == ArchiveKind::klines;
    if (is_later_kline && row.value().interval() != *interval_) return refuse(RowFault::interval);
    row_ = row.value();
  }

  // Also one further down: files are put together with `cat`, and archives have several files.
  void take_header(const research::Fields& fields) {
    const auto columns = research::columns_of_header(fields);
    if (!columns_) return use(columns);
    if (!columns || columns.value().kind != columns_->kind) return refuse(RowFault::header);
    columns_ = columns.value();
  }

  // The first columns of the file say what it is.
  void use(const Result<research::Columns, ColumnsFault>& columns) {
    if (!columns) say(columns.error());
    columns_ = columns.value();
    require(!kind_ || *kind_ == columns_->kind, "{}: by its header it is of {}, not {}", name_,
            text_of(columns_->kind), text_of(kind_.value_or(columns_->kind)));
    require(columns_->kind != ArchiveKind::klines || columns_->close_time != columns_->kNone ||
                interval_.has_value(),
            "{}: nothing says how long its klines last; --interval 1m does", name_);
  }

  [[noreturn]] void say(ColumnsFault fault) const {
    require(fault != ColumnsFault::ambiguous,
            "{}: 7 columns without a header are trades of spot or aggTrades of USD-M; "
            "--kind trades or --kind aggtrades says which",
            name_);
    throw CommandError(ExitCode::bad_input, "{} line {}: {}", name_, reader_->line_number(),
                       fault == ColumnsFault::coin_margined
                           ? "COIN-M is not traded: its quantities are contracts"
                           : "these are not the columns of klines, trades or aggTrades; "
                             "docs/INPUT.md has them");
  }

  std::string path_, name_;
  Wanted wanted_;
  std::unique_ptr<LineReader> reader_;  // null: closed
  std::optional<Symbol> symbol_;
  std::optional<ArchiveKind> kind_;           // by name or option
  std::optional<milliseconds> interval_;      // of klines
  std::optional<research::Columns> columns_;  // empty before the first line
  std::optional<ArchiveRow> row_;
  std::optional<UnixMs> first_at_;
  UnixMs last_at_ = UnixMs::min();
  std::uint64_t bad_rows_ = 0;
  std::vector<std::string> shown_;
};

// Those of one symbol and kind.
struct Stream {
  research::ArchiveSequence sequence;
  std::uint64_t frames = 0, gaps = 0, missing = 0;
  UnixMs first_at{}, last_at{};
  milliseconds interval{};  // of klines
};
using StreamKey = std::pair<std::string, ArchiveKind>;

std::string count_of_rows(std::uint64_t count) {
  return fmt::format("{} row{}", count, count == 1 ? "" : "s");
}

class Import {
 public:
  // Looks at every file. Throws CommandError.
  explicit Import(const Invocation& invocation)
      : shows_progress_(!invocation.has("quiet") && ::isatty(STDERR_FILENO) == 1) {
    const Wanted wanted = parse_wanted(invocation);
    for (const std::string& path : invocation.arguments) {
      auto source = std::make_unique<Source>(path, wanted);
      Stream* const stream = source->first_at() ? &stream_of(*source) : nullptr;
      waiting_.push_back({std::move(source), stream, waiting_.size()});
    }
    // Those without a row come first, and are done with at once.
    std::ranges::stable_sort(waiting_, std::greater(), [](const Input& input) {
      return input.source->first_at().value_or(UnixMs::min());
    });
  }

  void write_to(PackedFile& file) {
    while (!file.failed() && (!waiting_.empty() || !reading_.empty())) {
      resume_those_that_are_due();
      if (reading_.empty()) break;
      std::ranges::pop_heap(reading_, is_later);
      Input input = std::move(reading_.back());
      reading_.pop_back();
      write_row(input, file);
      input.source->next();
      take_back(std::move(input));
    }
    if (shows_progress_) write_error(fmt::format("\r{:60}\r", ""));
  }

  void print_summary() const {
    for (const auto& [key, stream] : streams_) {
      if (stream.frames == 0) continue;
      print_error("{} {}: {} from {} to {}", key.first, to_string(key.second),
                  count_of_rows(stream.frames), rfc3339(stream.first_at), rfc3339(stream.last_at));
      if (stream.gaps > 0) {
        print_error(", {} gap{} of {}", stream.gaps, stream.gaps == 1 ? "" : "s",
                    count_of_rows(stream.missing));
      }
      print_error("\n");
    }
    print_what_they_cannot_tell();
  }

  void print_bad_rows() const {
    if (bad_rows_ > 0) print_error("import: {} left out\n", count_of_rows(bad_rows_));
  }

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bad_rows() const noexcept { return bad_rows_; }
  [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }

 private:
  struct Input {
    std::unique_ptr<Source> source;
    Stream* stream;     // null: it has no rows
    std::size_t place;  // among the arguments
  };

  static bool is_later(const Input& a, const Input& b) noexcept {
    const auto when = [](const Input& input) {
      const ArchiveRow& row = *input.source->row();
      return std::tuple(row.at, row.id, input.place);
    };
    return when(a) > when(b);
  }

  // Klines of two intervals would be two tickers of one symbol, each with the other's gaps.
  Stream& stream_of(const Source& source) {
    Stream& stream = streams_[{std::string(source.symbol().text()), source.kind()}];
    if (source.kind() != ArchiveKind::klines) return stream;
    const milliseconds interval = source.row()->interval();
    require(stream.interval.count() == 0 || stream.interval == interval,
            "{}: {} has klines of {} s in it and of {} s in another file; import one of them",
            source.name(), source.symbol().text(), interval / std::chrono::seconds(1),
            stream.interval / std::chrono::seconds(1));
    stream.interval = interval;
    return stream;
  }

  // Opens the files that begin before or at the next row.
  void resume_those_that_are_due() {
    while (!waiting_.empty()) {
      const auto first_at = waiting_.back().source->first_at();
      if (first_at && !reading_.empty() && *first_at > next_at()) return;
      if (reading_.size() == kMaxOpenFiles) {
        throw CommandError(ExitCode::bad_input, "more than {} files cover {}; import them in parts",
                           kMaxOpenFiles, rfc3339(next_at()));
      }
      Input input = std::move(waiting_.back());
      waiting_.pop_back();
      input.source->resume();
      take_back(std::move(input));
    }
  }

  // Precondition: a file is being read.
  [[nodiscard]] UnixMs next_at() const { return reading_.front().source->row()->at; }

  // Among those that are read, or, at its end, away.
  void take_back(Input input) {
    if (input.source->row()) {
      reading_.push_back(std::move(input));
      std::ranges::push_heap(reading_, is_later);
      return;
    }
    const Source& source = *input.source;
    for (const std::string& line : source.shown()) {
      if (shown_rows_++ < kMaxShownRows) print_error("import: {}\n", line);
    }
    bad_rows_ += source.bad_rows();
    if (source.error().empty()) return;
    print_error("import: {}\n", source.error());
    is_complete_ = false;
  }

  void write_row(const Input& input, PackedFile& file) {
    Source& source = *input.source;
    Stream& stream = *input.stream;
    const ArchiveRow& row = *source.row();
    if (stream.sequence.repeats(row)) return source.refuse(RowFault::repeated);
    line_.clear();
    if (const auto gap = stream.sequence.take(source.kind(), row)) {
      ++stream.gaps;
      stream.missing += gap->missing;
      line_ = fmt::format("# gap {} {} {} {}: {} missing\n", source.symbol().text(),
                          to_string(source.kind()), rfc3339(gap->from), rfc3339(gap->to),
                          count_of_rows(gap->missing));
    }
    append_recorded_line(line_, source.symbol(), source.kind(), row);
    file.write(line_);
    if (stream.frames++ == 0) stream.first_at = row.at;
    stream.last_at = row.at;
    constexpr std::uint64_t kFramesBetweenProgress = 1 << 16;
    if (++frames_ % kFramesBetweenProgress == 0 && shows_progress_) {
      write_error(fmt::format("\r{} frames, up to {}\r", frames_, rfc3339(row.at)));
    }
  }

  [[nodiscard]] bool has(ArchiveKind kind) const {
    return std::ranges::any_of(streams_,
                               [&](const auto& stream) { return stream.first.second == kind; });
  }

  // Whoever replays it must not take silence for a verdict.
  void print_what_they_cannot_tell() const {
    print_error("what archives cannot tell:\n");
    print_error("  no books, so orderbook_skew sees nothing\n");
    if (!has(ArchiveKind::trades) && !has(ArchiveKind::aggtrades)) {
      print_error("  no trades among these, so trade_momentum sees nothing\n");
    }
    if (!has(ArchiveKind::klines)) {
      print_error("  no tickers (klines) among these, so ticker_velocity sees nothing\n");
    }
    if (has(ArchiveKind::aggtrades)) {
      print_error("  an aggTrade counts as one trade, however many it puts together\n");
    }
    std::map<milliseconds, std::string> symbols;
    for (const auto& [key, stream] : streams_) {
      if (key.second != ArchiveKind::klines) continue;
      std::string& names = symbols[stream.interval];
      names += (names.empty() ? "" : ", ") + key.first;
    }
    for (const auto& [interval, names] : symbols) print_limits_of_klines(interval, names);
  }

  static void print_limits_of_klines(milliseconds interval, const std::string& symbols) {
    const auto seconds = interval / std::chrono::seconds(1);
    print_error("  {}: one price in {} s, the close; ", symbols, seconds);
    constexpr auto kLongestWindow = std::chrono::hours(1);
    if (interval > kLongestWindow) {
      return print_error("no window is as long, so ticker_velocity only warms up\n");
    }
    print_error("TICKER_VELOCITY_TIME_WINDOW has to be a multiple of it, else it only warms up\n");
    if (interval > std::chrono::seconds(60)) {
      print_error(
          "  and no price is fresh when the next one comes: RISK_PRICE_BAND_PERCENT=0, or every "
          "signal ends as no_reference\n");
    }
  }

  bool shows_progress_;
  std::map<StreamKey, Stream> streams_;
  std::vector<Input> waiting_;  // the one that begins first is the last
  std::vector<Input> reading_;  // a heap, with the next row in front
  std::string line_;
  std::uint64_t frames_ = 0, bad_rows_ = 0, shown_rows_ = 0;
  bool is_complete_ = true;
};

ExitCode import_archives(const Invocation& invocation, const config::Configuration& /*none*/) {
  require(!invocation.arguments.empty(),
          "give archives, or - for standard input; see `realtime-strategies import --help`");
  const std::string output = invocation.option("output").value_or("-");
  require(!output.ends_with(".gz"),
          "--output: {} would not be gzip; give a name that ends in .zst, or a plain one", output);
  Outputs outputs(invocation);
  for (const std::string& path : invocation.arguments) outputs.keep(path);
  Import run(invocation);
  PackedFile file(outputs.open("--output", output), output);
  run.write_to(file);
  run.print_bad_rows();
  if (run.frames() == 0 && !file.failed()) {
    print_error("import: there is no row that can be used\n");
    return ExitCode::bad_input;
  }
  if (!invocation.has("quiet")) run.print_summary();
  if (!file.finish()) return ExitCode::output_lost;
  const bool is_refused = invocation.has("strict") && run.bad_rows() > 0;
  return run.is_complete() && !is_refused ? ExitCode::ok : ExitCode::bad_input;
}

constexpr std::array kOptions{
    Option{"--output", "FILE", "write there; zstd where its name ends in .zst"},
    Option{"--symbol", "NAME", "of which symbol the files are, where their names do not say it"},
    Option{"--kind", "klines|trades|aggtrades", "what they hold, where no header says it"},
    Option{"--interval", "1m", "how long a kline lasts, where nothing says it"},
    Option{"--strict", "", "exit 65 when a row was left out"},
    Option{"--force", "", "overwrite the file of --output where it exists"},
    Option{"--quiet", "", "no summary and no progress"}};

}  // namespace

constinit const Command kImport{
    {"import", "make a recording of Binance's archives (CSV, gzip, zip)",
     "realtime-strategies import --output july.zst BTCUSDT-1m-2024-07.csv", "FILE…|-"},
    Needs::nothing,
    import_archives,
    kOptions};

}  // namespace rts::commands
