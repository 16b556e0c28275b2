// The TiDB of tests/bench/counts.py: a fake one with TLS, whose point select is answered with one
// row of 120 bytes. Prints its port and the certificate to trust, and ends with its input.
#include <iostream>
#include <string>
#include <utility>

#include "certificates.h"
#include "fake_tidb.h"

namespace {

using namespace tidepool::testing;

const std::string kValue(120, 'v');

// As text_result() makes it, but with a row of the binary protocol: header, NULL bitmap, value.
std::string binary_result() {
  const std::string end = eof_packet(5);
  std::string bytes = text_result({"c"}, {{kValue}});
  const std::size_t row = 4 + 1 + kValue.size();
  bytes.resize(bytes.size() - row - end.size());
  return bytes + packet(4, std::string(2, '\0') + static_cast<char>(kValue.size()) + kValue) + end;
}

}  // namespace

int main() {
  CertificateAuthority authority;
  FakeMysql::Options options;
  options.tls = authority.issue({"127.0.0.1"});
  options.joins_answers = true;
  FakeTidb tidb(std::move(options));
  tidb.answer("SELECT c FROM sbtest1 WHERE id=5021", text_result({"c"}, {{kValue}}));
  tidb.answer("SELECT c FROM sbtest1 WHERE id=?", binary_result());
  std::cout << tidb.port() << ' ' << authority.file() << std::endl;
  while (std::cin.get() != std::char_traits<char>::eof()) {
  }
  return 0;
}
