// Names that resolve to the addresses of the test's choice, in the order of its choice, for
// everything in this process that asks the system's resolver; every other name goes on to it.
//
// Linking fake_names.cc puts a getaddrinfo() of its own before that of the C library.
#pragma once

#include <string>
#include <vector>

namespace tidepool::testing {

// The name resolves as long as the object lives. The addresses are IPv4 or IPv6, at least one.
class FakeName {
 public:
  FakeName(std::string name, std::vector<std::string> addresses);
  FakeName(const FakeName&) = delete;
  FakeName& operator=(const FakeName&) = delete;
  ~FakeName();

 private:
  std::string name_;
};

}  // namespace tidepool::testing
