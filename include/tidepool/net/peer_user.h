// Which user of this machine is at the other end of a Unix socket.
#pragma once

#include <optional>
#include <sys/types.h>

namespace tidepool::net {

// Who has connected, as the kernel saw it then (SO_PEERCRED); nothing for any other socket, and for
// a user that has no number here: the kernel gives one number for all of them (overflowuid,
// `nobody`), which identifies no user.
std::optional<uid_t> peer_user_of(int fd);

// The number of all users that have none in this process's user namespace (user_namespaces(7)).
uid_t overflow_user();

}  // namespace tidepool::net
