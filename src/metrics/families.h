// Which metrics there are: the tables, each over the statistics of one layer. They are the one
// place that names the families.
#pragma once

#include "family_row.h"
#include "process_info.h"
#include "tidepool/metrics/exporter.h"
#include "tidepool/metrics/process_stats.h"
#include "tidepool/pool/pool_stats.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::metrics {

// By pool, and by pool and endpoint.
FamilyRows<pool::PoolStats> pool_families();
FamilyRows<pool::EndpointStats> endpoint_families();
FamilyRows<pool::PoolStats> backend_families();
FamilyRows<session::SessionStats> session_families();

// By a file of certificates.
FamilyRows<CertificateFile> certificate_families();

// Of the whole process.
FamilyRows<session::LoginStats> login_families();
FamilyRows<session::ProofStats> proof_families();
FamilyRows<session::CommandStats> command_families();
FamilyRows<ProcessInfo> build_families();
FamilyRows<ProcessStats> process_families();
FamilyRows<ProcessInfo> kernel_families();

}  // namespace tidepool::metrics
