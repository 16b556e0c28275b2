#include "early_bio.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

namespace tidepool::net {
namespace {

// Looks at the messages of a handshake that are not encrypted yet: OpenSSL makes room for as much
// as one announces, up to 175 KiB, before it has come. A client's are a tenth of what is allowed
// here.
class AnnouncedSizes {
 public:
  explicit AnnouncedSizes(const SSL* tls) : tls_(tls) {}

  // Returns false if one is too large.
  bool allow(std::string_view bytes) {
    while (!bytes.empty() && !is_over_) {
      if (left_ == 0) {
        if (!collect(record_, kRecordHeader, bytes)) return true;
        begin_record();
        continue;
      }
      const std::string_view payload = bytes.substr(0, left_);
      left_ -= payload.size();
      bytes.remove_prefix(payload.size());
      if (is_handshake_ && !allow_messages(payload)) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kRecordHeader = 5;
  static constexpr std::size_t kMessageHeader = 4;
  static constexpr unsigned char kChangeCipherRecord = 20;
  static constexpr unsigned char kHandshakeRecord = 22;
  static constexpr unsigned char kDataRecord = 23;
  static constexpr std::size_t kMost = std::size_t{16} << 10U;

  // What follows is encrypted once there is data, and after a change of ciphers, which in TLS 1.3
  // is only for show: there another hello may come.
  void begin_record() {
    const auto type = static_cast<unsigned char>(record_[0]);
    left_ = number(std::string_view(record_).substr(3, 2));
    record_.clear();
    is_handshake_ = type == kHandshakeRecord;
    is_over_ =
        type == kDataRecord || (type == kChangeCipherRecord && SSL_version(tls_) != TLS1_3_VERSION);
  }

  bool allow_messages(std::string_view payload) {
    while (!payload.empty()) {
      const std::size_t skipped = std::min(message_left_, payload.size());
      message_left_ -= skipped;
      payload.remove_prefix(skipped);
      if (message_left_ > 0 || !collect(message_, kMessageHeader, payload)) return true;
      message_left_ = number(std::string_view(message_).substr(1));
      message_.clear();
      if (message_left_ > kMost) return false;
    }
    return true;
  }

  // Returns true once `header` is whole.
  static bool collect(std::string& header, std::size_t size, std::string_view& bytes) {
    const std::string_view part = bytes.substr(0, size - header.size());
    header += part;
    bytes.remove_prefix(part.size());
    return header.size() == size;
  }
  static std::size_t number(std::string_view bytes) {
    std::size_t value = 0;
    for (const char byte : bytes)
      value = value << 8U | static_cast<unsigned char>(byte);
    return value;
  }

  const SSL* tls_;
  bool is_over_ = false;
  bool is_handshake_ = false;  // the record
  std::string record_;         // a header that is not whole yet
  std::size_t left_ = 0;       // of the record
  std::string message_;
  std::size_t message_left_ = 0;
};

struct EarlyBytes {
  int fd;
  std::string bytes;
  AnnouncedSizes announced;
  std::size_t used = 0;
};

// As a read that fails, unless the bytes may go on to OpenSSL.
int checked(EarlyBytes& early, const char* bytes, std::size_t count) {
  if (early.announced.allow({bytes, count})) return static_cast<int>(count);
  errno = EPROTO;
  return -1;
}

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
    return checked(early, out, count);
  }
  const ssize_t got = ::recv(early.fd, out, static_cast<std::size_t>(size), 0);
  if (got < 0 && should_retry(errno)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return got > 0 ? checked(early, out, static_cast<std::size_t>(got)) : static_cast<int>(got);
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

bio_st* make_early_bio(const ssl_st* tls, int fd, std::string_view early) {
  static const Method method = make_method();
  BIO* bio = BIO_new(method.get());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio,
               std::make_unique<EarlyBytes>(EarlyBytes{fd, std::string(early), AnnouncedSizes(tls)})
                   .release());
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace tidepool::net
