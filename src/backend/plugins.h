// Authentication plugins of ours within Connector/C. Private to the backend layer.
#pragma once

namespace tidepool::backend {

// Name of the one that forces the handshake's collation.
inline constexpr const char* kCollationPlugin = "tidepool_collation";

// Makes them known to the library, before its first use. Returns false if it does not take them.
bool register_plugins();

}  // namespace tidepool::backend
