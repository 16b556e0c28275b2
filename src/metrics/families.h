// Which metrics there are: three groups, each written from the statistics of one layer.
#pragma once

#include <string>
#include <vector>

#include "page.h"
#include "sums.h"
#include "tidepool/metrics/exporter.h"
#include "tidepool/metrics/process_stats.h"
#include "tidepool/pool/pool_stats.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::metrics {

void add_pool_families(Page& page, const AllParts<pool::PoolStats>& pools);

void add_session_families(Page& page, const AllParts<session::SessionStats>& pools);
void add_login_families(Page& page, const session::LoginStats& logins);
void add_proof_families(Page& page, const session::ProofStats& proofs);

void add_certificate_families(Page& page, const std::vector<CertificateFile>& certificates);
void add_command_families(Page& page, const session::CommandStats& commands);

// What the kernel says about this process, and since when it runs.
struct ProcessFacts {
  std::string version;
  double start_time_seconds = 0;  // Unix time
  double uptime_seconds = 0;
};
void add_process_families(Page& page, const ProcessStats& stats, const ProcessFacts& facts);

}  // namespace tidepool::metrics
