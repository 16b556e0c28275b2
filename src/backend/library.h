// Connector/C set up for this process. Private to the backend layer.
#pragma once

namespace tidepool::backend {

// Name of the authentication plugin of ours that forces the handshake's collation.
inline constexpr const char* kCollationPlugin = "tidepool_collation";

// Initialises the library once, before its first use; cheap afterwards. Any thread.
void initialize_library();

}  // namespace tidepool::backend
