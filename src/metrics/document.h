// The tables of docs/metrics.md, written from the tables by which the exporter names the families,
// so that they cannot say anything else. A test compares the page with them.
#pragma once

#include <string>

namespace tidepool::metrics {

// The page with each table in its place, which lies between "<!-- families: NAME -->" and
// "<!-- end -->"; the names are pool, sessions and process. A table that has no place comes last.
std::string with_tables(std::string page);

}  // namespace tidepool::metrics
