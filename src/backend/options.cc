#include "tidepool/backend/options.h"

#include "mariadb.h"

namespace tidepool::backend {

std::uint32_t client_flags(const ConnectionProfile& profile) {
  std::uint32_t flags = 0;
  if (profile.found_rows) flags |= CLIENT_FOUND_ROWS;
  if (profile.interactive) flags |= CLIENT_INTERACTIVE;
  if (profile.local_files) flags |= CLIENT_LOCAL_FILES;
  if (profile.multi_statements) flags |= CLIENT_MULTI_STATEMENTS;
  return flags;
}

const char* to_string(TlsMode mode) {
  switch (mode) {
    case TlsMode::kVerifyIdentity: return "verify_identity";
    case TlsMode::kVerifyCa: return "verify_ca";
    case TlsMode::kRequired: return "required";
    case TlsMode::kDisabled: return "disabled";
  }
  return "?";
}

}  // namespace tidepool::backend
