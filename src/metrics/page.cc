#include "page.h"

#include <limits>

namespace tidepool::metrics {

prometheus::ClientMetric& Family::add(Labels labels) {
  prometheus::ClientMetric& metric = family_->metric.emplace_back();
  metric.label = std::move(labels);
  return metric;
}

void Family::value(Labels labels, double value) {
  prometheus::ClientMetric& metric = add(std::move(labels));
  if (family_->type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void Family::histogram(Labels labels, const Histogram::Snapshot& snapshot) {
  prometheus::ClientMetric::Histogram& histogram = add(std::move(labels)).histogram;
  histogram.sample_count = snapshot.count;
  histogram.sample_sum = snapshot.sum_seconds;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < snapshot.counts.size(); ++i) {
    cumulative += snapshot.counts[i];
    const bool last = i == snapshot.upper_seconds.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : snapshot.upper_seconds[i];
    histogram.bucket.push_back({cumulative, bound});
  }
}

Family Page::add(std::string_view name, std::string_view help, prometheus::MetricType type) {
  prometheus::MetricFamily& family = families_.emplace_back();
  family.name = name;
  family.help = std::string(help) + ".";
  family.type = type;
  return Family(family);
}

}  // namespace tidepool::metrics
