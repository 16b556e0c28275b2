// The families of one scrape as they are put together: thin words over prometheus-cpp's plain
// structs.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include "tidepool/base/histogram.h"

namespace tidepool::metrics {

using Label = std::pair<const char*, std::string>;
using Labels = std::initializer_list<Label>;

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
  Family counter(const char* name, const char* help);
  Family gauge(const char* name, const char* help);
  Family histogram(const char* name, const char* help);

  std::vector<prometheus::MetricFamily> take() { return std::move(families_); }

 private:
  Family add(const char* name, const char* help, prometheus::MetricType type);

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace tidepool::metrics
