#include "page.h"

#include <limits>

namespace tidepool::metrics {

prometheus::ClientMetric& Family::add(Labels labels) {
  prometheus::ClientMetric& metric = family_->metric.emplace_back();
  for (const Label& label : labels)
    metric.label.push_back({label.first, label.second});
  return metric;
}

void Family::value(Labels labels, double value) {
  prometheus::ClientMetric& metric = add(labels);
  if (family_->type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void Family::histogram(Labels labels, const Histogram::Snapshot& snapshot) {
  prometheus::ClientMetric::Histogram& histogram = add(labels).histogram;
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

Family Page::add(const char* name, const char* help, prometheus::MetricType type) {
  prometheus::MetricFamily& family = families_.emplace_back();
  family.name = name;
  family.help = help;
  family.type = type;
  return Family(family);
}

Family Page::counter(const char* name, const char* help) {
  return add(name, help, prometheus::MetricType::Counter);
}

Family Page::gauge(const char* name, const char* help) {
  return add(name, help, prometheus::MetricType::Gauge);
}

Family Page::histogram(const char* name, const char* help) {
  return add(name, help, prometheus::MetricType::Histogram);
}

}  // namespace tidepool::metrics
