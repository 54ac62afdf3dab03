// Arbitrary text as an archive of the venue: reading ends in rows or in faults, and what is a row
// becomes a line that the engine takes for the event it is, with a time of its own.
#include <string>

#include <rts/config/settings.hpp>
#include <rts/engine/engine.hpp>
#include <rts/engine/intake.hpp>
#include <rts/wire/frame.hpp>

#include "fuzz.hpp"
#include "research/archive.hpp"

namespace {

using namespace rts;  // NOLINT(google-build-using-namespace): a fuzz target is all about one
using research::ArchiveRow;
using research::Columns;

// Nothing but its place in the sequence keeps a row out: each is read as the first of its symbol.
void check_line(const std::string& line, const ArchiveRow& row) {
  static const EngineParameters kParameters =
      config::engine_parameters(config::load({}, {}).value().settings, Clock::replay);
  static wire::FrameReader reader;
  const auto recorded =
      wire::parse_recorded_line(std::string_view(line).substr(0, line.size() - 1));
  fuzz::require(recorded && recorded->received_at, "a line has a time of receipt");
  fuzz::require(to_ms(*recorded->received_at) == row.at, "which is that of the row");
  fuzz::require(line.find('\n') == line.size() - 1, "a row is one line");
  fuzz::require(!reader.open(recorded->frame), "a row is a frame");
  const wire::WireEvent* const event = reader.next();
  fuzz::require(event != nullptr && !refusal_of(event->kind), "a row is an event of the market");
  Schedule schedule(kParameters);
  Intake intake(kParameters, schedule);
  intake.begin_frame();
  const auto admitted = intake.admit(*event, reader.envelope(), recorded->received_at);
  fuzz::require(admitted.ok() && admitted.value()->at == row.at, "which the engine evaluates");
  fuzz::require(reader.next() == nullptr, "a row is one event");
}

void read_rows(std::string_view text, Columns columns) {
  const Symbol symbol = *Symbol::from("BTCUSDT");
  research::ArchiveSequence sequence;
  for (const std::string_view line : split(text, '\n')) {
    const research::Fields fields = research::split_row(line);
    if (research::is_header(fields)) {
      const auto named = research::columns_of_header(fields);
      if (named) columns = named.value();
      continue;
    }
    const auto row = read_row(columns, std::chrono::minutes(1), fields);
    if (!row) {
      fuzz::require(!research::text_of(row.error()).empty(), "a fault has words");
      continue;
    }
    if (sequence.repeats(row.value())) continue;
    const auto gap = sequence.take(columns.kind, row.value());
    fuzz::require(!gap || gap->missing > 0, "a gap is of rows");
    std::string recorded;
    append_recorded_line(recorded, symbol, columns.kind, row.value());
    check_line(recorded, row.value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::as_text(data, size);
  const research::ArchiveName name = research::read_archive_name(text.substr(0, text.find('\n')));
  fuzz::require(!name.symbol || Symbol::may_name(name.symbol->text()), "a symbol may be one");
  const std::size_t count = research::split_row(text.substr(0, text.find('\n'))).count;
  for (const research::ArchiveKind kind : all_of<research::ArchiveKind>) {
    const auto columns = research::columns_without_header(kind, count);
    read_rows(text, columns ? columns.value()
                            : Columns{.kind = kind,
                                      .time = 0,
                                      .price = 0,
                                      .id = 0,
                                      .quantity = 0,
                                      .is_buyer_maker = 0});
  }
  return 0;
}
