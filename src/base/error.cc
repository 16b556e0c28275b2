#include "tidepool/base/error.h"

#include "tidepool/base/check.h"

namespace tidepool {

const char* to_string(Code code) {
  switch (code) {
    case Code::kTimeout: return "timeout";
    case Code::kClosed: return "closed";
    case Code::kRefused: return "refused";
    case Code::kTls: return "tls";
    case Code::kProtocol: return "protocol";
    case Code::kAuth: return "auth";
    case Code::kNotTidb: return "not_tidb";
    case Code::kBackend: return "backend";
    case Code::kBusy: return "busy";
    case Code::kConfig: return "config";
    case Code::kCanceled: return "canceled";
    case Code::kInternal: return "internal";
  }
  check_failed("a known Code", __FILE__, __LINE__);
}

}  // namespace tidepool
