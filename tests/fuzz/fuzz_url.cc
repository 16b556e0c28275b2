// Any text as TIDB_URL: an answer or problems, and what is accepted is usable.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tidepool/base/check.h"
#include "url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto url = tidepool::config::parse_url(text);
  if (!url) {
    TIDEPOOL_CHECK(!url.error().empty());
    return 0;
  }
  TIDEPOOL_CHECK(!url->host.empty() && !url->user.empty() && url->port != 0);
  for (const std::string& part :
       {url->user, url->password.value_or(""), url->database, url->host}) {
    TIDEPOOL_CHECK(part.find('\0') == std::string::npos);
  }
  return 0;
}
