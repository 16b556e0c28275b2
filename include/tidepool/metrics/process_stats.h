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
  Counter memory_trims;  // times that the heap was gone through for pages to give back
  Counter reloads;       // of the configuration, that were right
  Counter failed_reloads;
  Gauge last_reload_time;    // Unix time in seconds, of either; 0: none
  Gauge last_reload_ok;      // 1 also if there was none
  Counter takeovers;         // 1: this process took over from another one
  Counter failed_takeovers;  // by another process, which this one outlived
  Gauge ready;               // 1 while /readyz says yes, else 0
};

}  // namespace tidepool::metrics
