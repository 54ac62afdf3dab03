#include "telemetry/metrics.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include <prometheus/text_serializer.h>

namespace rts::telemetry {

Histogram::Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {
  assert(std::ranges::is_sorted(bounds));
}

void Histogram::observe(std::chrono::nanoseconds duration) noexcept {
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), seconds);
  ++counts_[static_cast<std::size_t>(bound - bounds_.begin())];
  sum_ += seconds;
}

prometheus::ClientMetric::Histogram Histogram::read() const {
  prometheus::ClientMetric::Histogram read{.sample_count = 0, .sample_sum = sum_, .bucket = {}};
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    read.sample_count += counts_[i];
    const bool last = i == bounds_.size();
    read.bucket.push_back(
        {read.sample_count, last ? std::numeric_limits<double>::infinity() : bounds_[i]});
  }
  return read;
}

Series::Series(std::string_view name, MetricType type, std::string_view help,
               const LabelNames& labels, Shown& shown)
    : labels_(labels), shown_(shown) {
  constexpr std::array<prometheus::MetricType, count_of<MetricType>> kTypes{
      prometheus::MetricType::Counter, prometheus::MetricType::Gauge,
      prometheus::MetricType::Histogram};
  family_ = {std::string(name), std::string(help), kTypes[index_of(type)], {}};
}

prometheus::ClientMetric& Series::add_labels(std::initializer_list<std::string_view> labels) {
  prometheus::ClientMetric& added = family_.metric.emplace_back();
  auto name = labels_.begin();
  for (const std::string_view value : labels) {
    assert(name != labels_.end() && !name->empty());
    added.label.push_back({std::string(*name++), std::string(value)});
  }
  std::sort(added.label.begin(), added.label.end());
  return added;
}

// A counter that falls looks like a restart to Prometheus. Some are kept by libraries, which may
// forget them: then the last value stays.
void Series::add_number(std::initializer_list<std::string_view> labels, double value) {
  prometheus::ClientMetric& added = add_labels(labels);
  if (family_.type == prometheus::MetricType::Gauge) {
    added.gauge.value = value;
  } else {
    shown_.resize(std::max(shown_.size(), family_.metric.size()));
    double& shown = shown_[family_.metric.size() - 1];
    added.counter.value = shown = std::max(shown, value);
  }
}

std::string to_text(const prometheus::Collectable& metrics) {
  return prometheus::TextSerializer{}.Serialize(metrics.Collect());
}

}  // namespace rts::telemetry
