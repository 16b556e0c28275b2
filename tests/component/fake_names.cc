#include "fake_names.h"

#include <dlfcn.h>
#include <map>
#include <mutex>
#include <netdb.h>
#include <utility>

namespace tidepool::testing {
namespace {

using Resolve = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

struct Names {
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> addresses;  // under mutex
};

Names& names() {
  static Names all;
  return all;
}

// Nothing for a name that is not ours.
std::vector<std::string> addresses_of(const std::string& name) {
  const std::lock_guard lock(names().mutex);
  const auto found = names().addresses.find(name);
  return found == names().addresses.end() ? std::vector<std::string>() : found->second;
}

Resolve system_resolver() {
  static const auto kNext = reinterpret_cast<Resolve>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return kNext;
}

// The answers for the single addresses, chained: freeaddrinfo() of the C library frees them as one.
int resolve_all(const std::vector<std::string>& addresses, const char* service,
                const addrinfo* hints, addrinfo** found) {
  addrinfo** end = found;
  *found = nullptr;
  for (const std::string& address : addresses) {
    const int failure = system_resolver()(address.c_str(), service, hints, end);
    if (failure != 0) {
      *end = nullptr;
      if (*found != nullptr) ::freeaddrinfo(*found);
      return failure;
    }
    while (*end != nullptr)
      end = &(*end)->ai_next;
  }
  return 0;
}

}  // namespace

FakeName::FakeName(std::string name, std::vector<std::string> addresses) : name_(std::move(name)) {
  const std::lock_guard lock(names().mutex);
  names().addresses[name_] = std::move(addresses);
}

FakeName::~FakeName() {
  const std::lock_guard lock(names().mutex);
  names().addresses.erase(name_);
}

}  // namespace tidepool::testing

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using namespace tidepool::testing;
  const auto addresses = name == nullptr ? std::vector<std::string>() : addresses_of(name);
  if (addresses.empty()) return system_resolver()(name, service, hints, found);
  return resolve_all(addresses, service, hints, found);
}
