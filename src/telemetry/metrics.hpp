// Metrics as a table: each row describes one family and says where its values are; a scrape walks
// the rows. What is measured is kept in plain numbers, so counting costs an increment. Thread: the
// loop's. The only room that knows prometheus-cpp.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <rts/base/enum_names.hpp>

namespace rts::telemetry {

BOOST_DEFINE_FIXED_ENUM_CLASS(MetricType, std::uint8_t, counter, gauge, histogram)

// Durations by bucket. Observing is two additions.
class Histogram {
 public:
  // `bounds`: upper bounds of the buckets in seconds, ascending. They must outlive the histogram.
  explicit Histogram(std::span<const double> bounds);

  void observe(std::chrono::nanoseconds duration) noexcept;
  [[nodiscard]] prometheus::ClientMetric::Histogram read() const;
  // Upper bounds in seconds; by bucket how many were observed, one more for those above the last.
  [[nodiscard]] std::span<const double> bounds() const noexcept { return bounds_; }
  [[nodiscard]] std::span<const std::uint64_t> counts() const noexcept { return counts_; }
  // Of all that was observed.
  [[nodiscard]] std::chrono::nanoseconds total() const {
    return std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(sum_));
  }

 private:
  std::span<const double> bounds_;
  std::vector<std::uint64_t> counts_;  // by bucket; the last one has no bound
  double sum_ = 0;                     // in seconds
};

using LabelNames = std::array<std::string_view, 2>;  // unused ones are empty

// Takes the series of one family during a scrape.
class Series {
 public:
  // What the counters of the family have shown so far: a row adds its counters in one order.
  using Shown = std::vector<double>;

  Series(std::string_view name, MetricType type, std::string_view help, const LabelNames& labels,
         Shown& shown);

  // `labels`: a value for each label name of the row, in the same order.
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
  void add(std::initializer_list<std::string_view> labels, Number value) {
    add_number(labels, static_cast<double>(value));
  }
  void add(std::initializer_list<std::string_view> labels, const Histogram& histogram) {
    add_labels(labels).histogram = histogram.read();
  }

  [[nodiscard]] bool empty() const noexcept { return family_.metric.empty(); }
  [[nodiscard]] prometheus::MetricFamily take() { return std::move(family_); }

 private:
  prometheus::ClientMetric& add_labels(std::initializer_list<std::string_view> labels);
  void add_number(std::initializer_list<std::string_view> labels, double value);

  prometheus::MetricFamily family_;
  const LabelNames& labels_;
  Shown& shown_;
};

// One family. `Source` is what its values are read from.
template <class Source>
struct Metric {
  std::string_view name;
  MetricType type;
  LabelNames labels;
  std::string_view help;
  void (*read)(const Source& source, Series& series);  // adds every series, also those at 0
};

// Walks a table. `source` is called once a scrape.
template <class Source>
class Collector final : public prometheus::Collectable {
 public:
  Collector(std::span<const Metric<Source>> table, std::function<Source()> source)
      : table_(table), source_(std::move(source)), shown_(table.size()) {}

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    const Source source = source_();
    std::vector<prometheus::MetricFamily> families;
    families.reserve(table_.size());
    for (std::size_t i = 0; i < table_.size(); ++i) {
      const Metric<Source>& row = table_[i];
      Series series(row.name, row.type, row.help, row.labels, shown_[i]);
      row.read(source, series);
      if (!series.empty()) families.push_back(series.take());
    }
    return families;
  }

 private:
  std::span<const Metric<Source>> table_;
  std::function<Source()> source_;
  mutable std::vector<Series::Shown> shown_;  // by row
};

// Prometheus' text format 0.0.4.
[[nodiscard]] std::string to_text(const prometheus::Collectable& metrics);

}  // namespace rts::telemetry
