#include "tidepool/base/secret.h"

#include <openssl/crypto.h>

namespace tidepool {

void wipe(void* memory, std::size_t size) {
  OPENSSL_cleanse(memory, size);
}

void wipe(std::string_view bytes) {
  wipe(const_cast<char*>(bytes.data()),
       bytes.size());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

void wipe(std::string& text) {
  text.resize(text.capacity());
  wipe(text.data(), text.size());
  text.clear();
}

}  // namespace tidepool
