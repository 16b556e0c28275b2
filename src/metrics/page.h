// The families of one scrape as they are put together: thin words over prometheus-cpp's plain
// structs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "tidepool/base/histogram.h"

namespace tidepool::metrics {

using Label = prometheus::ClientMetric::Label;
using Labels = std::vector<Label>;

// One metric name with its time series. Valid until the page gets its next family.
class Family {
 public:
  explicit Family(prometheus::MetricFamily& family) : family_(&family) {}

  void value(Labels labels, double value);
  void histogram(Labels labels, const Histogram::Snapshot& snapshot);

 private:
  prometheus::ClientMetric& add(Labels labels);

  prometheus::MetricFamily* family_;
};

class Page {
 public:
  // The help is a sentence, whose full stop is added.
  Family add(std::string_view name, std::string_view help, prometheus::MetricType type);

  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace tidepool::metrics
