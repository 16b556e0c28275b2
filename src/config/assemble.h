// From a draft to a Config: fills in what follows from other keys, reads the files that keys name,
// and checks all that one key alone cannot tell. What is returned is of use only if no problem was
// found.
#pragma once

#include "draft.h"

namespace tidepool::config {

Config assemble(Draft draft, Findings& findings);

// The parts of it.
Listener assemble_listener(ListenerDraft draft, Findings& findings);
Pool assemble_pool(PoolDraft draft, Findings& findings);
User assemble_user(UserDraft draft, const Config& config, Findings& findings);

// The password of a pool or a user: given as a key or in a file. Exactly one of the keys in
// `alternatives` is needed: the first is the password's, the second the file's, the others are the
// caller's. Empty if there is a problem.
Secret assemble_password(const Section& section, const Secret& password,
                         const std::string& password_file,
                         const std::vector<std::string>& alternatives, Findings& findings);

// Reports a file that cannot be read.
void check_file(const Place& place, const std::string& path, Findings& findings);

// The account of a pool as a client's user, with and without its cluster prefix.
std::vector<User> users_of(const Pool& pool);

}  // namespace tidepool::config
