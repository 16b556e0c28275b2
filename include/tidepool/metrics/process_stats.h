// What the process as a whole reports beside its pools. Owned and written by the proxy, read by the
// exporter.
#pragma once

#include "tidepool/base/counter.h"

namespace tidepool::metrics {

struct ProcessStats {
  Gauge clients;      // connections open now, those in their login included
  Gauge max_clients;  // set once, or by a reload
  Gauge workers;      // set once
  Gauge accepting;    // 1 unless new clients wait for memory
  Counter accept_pauses;
  Gauge ready;  // 1 while /readyz says yes, else 0
};

}  // namespace tidepool::metrics
