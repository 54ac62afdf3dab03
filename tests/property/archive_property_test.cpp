// Whatever the venue's archives hold, rows that are read become events that the engine evaluates:
// it drops and ignores none of them.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "property/property.hpp"
#include "research/archive.hpp"
#include "support/engine_run.hpp"

namespace rts::research {
namespace {

class ArchiveProperty : public test::Property {
 protected:
  // The header and the rows of an archive: spot or USD-M, ms or µs, dense or with gaps.
  std::vector<std::string> archive(ArchiveKind kind, int rows) {
    const bool is_spot = pick(2) == 0;
    const std::int64_t in_ms = pick(2) == 0 ? 1 : 1000;
    std::vector<std::string> lines{header(kind, is_spot)};
    std::int64_t at = 1'721'347'200'000;
    std::uint64_t id = pick(1'000'000'000'000);
    double price = log_uniform(0.001, 100'000);
    for (int i = 0; i < rows; ++i) {
      price *= uniform(0.99, 1.01);
      at += kind == ArchiveKind::klines ? 60'000 * between(1, pick(50) == 0 ? 100 : 1)
                                        : between(0, pick(50) == 0 ? 90'000 : 800);
      id += static_cast<std::uint64_t>(between(1, pick(10) == 0 ? 5 : 1));
      const std::string time = fmt::to_string(at * in_ms + between(0, in_ms - 1));
      const std::string flag = pick(2) == 0 ? "True" : "false";
      const std::string size = fmt::format("{:.8f}", log_uniform(0.001, 1000));
      const std::string last = is_spot ? ",True" : "";
      if (kind == ArchiveKind::klines) {
        lines.push_back(fmt::format("{},1,2,1,{:.8f},{},{},1,1,1,1,0", at * in_ms, price, size,
                                    (at + 60'000) * in_ms - 1));
      } else if (kind == ArchiveKind::trades) {
        lines.push_back(fmt::format("{},{:.8f},{},1,{},{}{}", id, price, size, time, flag, last));
      } else {
        lines.push_back(fmt::format("{},{:.8f},{},1,2,{},{}{}", id, price, size, time, flag, last));
      }
    }
    return lines;
  }

 private:
  static std::string header(ArchiveKind kind, bool is_spot) {
    switch (kind) {
      case ArchiveKind::klines:
        return "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
               "taker_buy_volume,taker_buy_quote_volume,ignore";
      case ArchiveKind::trades:
        return is_spot ? "id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch"
                       : "id,price,qty,quote_qty,time,is_buyer_maker";
      case ArchiveKind::aggtrades:
        return is_spot ? "a,p,q,f,l,T,m,M"
                       : "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,"
                         "is_buyer_maker";
    }
    return {};
  }
};

TEST_F(ArchiveProperty, EveryRowIsAnEventThatTheEngineEvaluates) {
  constexpr int kRows = 300;
  for (int round = 0; round < 60; ++round) {
    const ArchiveKind kind = all_of<ArchiveKind>[pick(count_of<ArchiveKind>)];
    const auto lines = archive(kind, kRows);
    const Columns columns = columns_of_header(split_row(lines.front())).value();
    ASSERT_EQ(columns.kind, kind);
    const auto guessed = columns_without_header(kind, columns.count);
    ASSERT_TRUE(guessed) << lines.front();
    test::EngineRun run(test::configured({}));
    ArchiveSequence sequence;
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const auto row = read_row(columns, std::nullopt, split_row(lines[i]));
      ASSERT_TRUE(row) << lines[i] << ": " << text_of(row.error());
      EXPECT_FALSE(sequence.repeats(row.value()));
      sequence.take(kind, row.value());
      std::string line;
      std::string same;
      append_recorded_line(line, *Symbol::from("BTCUSDT"), kind, row.value());
      append_recorded_line(same, *Symbol::from("BTCUSDT"), kind,
                           read_row(guessed.value(), std::nullopt, split_row(lines[i])).value());
      EXPECT_EQ(line, same) << "with and without the header";
      run.line(line);
    }
    for (const Reason reason : all_of<Reason>) {
      EXPECT_EQ(run.tally().count(reason), 0U) << to_string(reason) << " " << to_string(kind);
    }
    const StrategyId strategy =
        kind == ArchiveKind::klines ? StrategyId::ticker_velocity : StrategyId::trade_momentum;
    EXPECT_EQ(run.tally().events(strategy), static_cast<std::uint64_t>(kRows));
  }
}

}  // namespace
}  // namespace rts::research
