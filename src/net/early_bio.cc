#include "early_bio.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <sys/socket.h>

#include <openssl/bio.h>

namespace tidepool::net {
namespace {

struct EarlyBytes {
  int fd;
  std::string bytes;
  std::size_t used = 0;
};

EarlyBytes& of(BIO* bio) {
  return *static_cast<EarlyBytes*>(BIO_get_data(bio));
}

bool should_retry(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

int read_bio(BIO* bio, char* out, int size) noexcept {
  EarlyBytes& early = of(bio);
  BIO_clear_retry_flags(bio);
  if (early.used < early.bytes.size()) {
    const std::size_t count =
        std::min(early.bytes.size() - early.used, static_cast<std::size_t>(size));
    std::copy_n(early.bytes.data() + early.used, count, out);
    early.used += count;
    if (early.used == early.bytes.size()) early.bytes = {}, early.used = 0;
    return static_cast<int>(count);
  }
  const ssize_t got = ::recv(early.fd, out, static_cast<std::size_t>(size), 0);
  if (got < 0 && should_retry(errno)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

int write_bio(BIO* bio, const char* bytes, int size) noexcept {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(of(bio).fd, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && should_retry(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long control_bio(BIO* bio, int command, long, void*) noexcept {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default: return 0;
  }
}

int destroy_bio(BIO* bio) noexcept {
  const std::unique_ptr<EarlyBytes> early(static_cast<EarlyBytes*>(BIO_get_data(bio)));
  BIO_set_data(bio, nullptr);
  return 1;
}

struct MethodFree {
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
using Method = std::unique_ptr<BIO_METHOD, MethodFree>;

Method make_method() {
  Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tidepool socket"));
  BIO_meth_set_read(method.get(), read_bio);
  BIO_meth_set_write(method.get(), write_bio);
  BIO_meth_set_ctrl(method.get(), control_bio);
  BIO_meth_set_destroy(method.get(), destroy_bio);
  return method;
}

}  // namespace

bio_st* make_early_bio(int fd, std::string_view early) {
  static const Method method = make_method();
  BIO* bio = BIO_new(method.get());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, std::make_unique<EarlyBytes>(EarlyBytes{fd, std::string(early)}).release());
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace tidepool::net
