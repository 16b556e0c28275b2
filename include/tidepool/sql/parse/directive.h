// What a statement's comments tell the proxy: /* tidepool: retry=off */.
#pragma once

#include <string_view>

namespace tidepool::sql {

// Whether a comment of the text asks not to run it again. A string that looks like such a comment
// counts as one: that errs on the safe side.
bool forbids_retry(std::string_view text);

}  // namespace tidepool::sql
