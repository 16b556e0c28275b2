// Connector/C set up for this process. Private to the backend layer.
#pragma once

namespace tidepool::backend {

// Initialises the library once, before its first use; cheap afterwards. Any thread.
void initialize_library();

}  // namespace tidepool::backend
