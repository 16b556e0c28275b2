#include "resolve.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>

namespace tidepool::backend {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

std::string reason_of(int failure) {
  return failure == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(failure);
}

}  // namespace

std::string describe(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

Result<std::vector<std::string>> resolve(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failure = ::getaddrinfo(endpoint.host.c_str(), nullptr, &hints, &found)) {
    return fail(Code::kRefused,
                describe(endpoint) + ": the name does not resolve: " + reason_of(failure));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> all(found);
  std::vector<std::string> addresses;
  for (const addrinfo* one = all.get(); one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    const int failure = ::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(),
                                      nullptr, 0, NI_NUMERICHOST);
    const bool is_known =
        std::find(addresses.begin(), addresses.end(), text.data()) != addresses.end();
    if (failure == 0 && !is_known) addresses.emplace_back(text.data());
  }
  return addresses;
}

}  // namespace tidepool::backend
