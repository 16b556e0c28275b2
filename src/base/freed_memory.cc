#include "tidepool/base/freed_memory.h"

#include <cstdlib>
#include <malloc.h>
#include <new>

#include "tidepool/base/secret.h"

namespace tidepool {
namespace {

// How many of its thread live. All memory of `new` goes back through one function, which no object
// can be handed to.
thread_local unsigned wiping = 0;  // NOLINT(*-avoid-non-const-global-variables)

}  // namespace

WipesFreed::WipesFreed() {
  ++wiping;
}

WipesFreed::~WipesFreed() {
  --wiping;
}

namespace {

[[maybe_unused]] void give_back(void* memory) {
  if (wiping > 0 && memory != nullptr) wipe(memory, malloc_usable_size(memory));
  std::free(memory);  // NOLINT(*-no-malloc): what the standard library's `new` takes it from
}

}  // namespace
}  // namespace tidepool

#if defined(__has_feature)
#define TIDEPOOL_HAS_FEATURE(feature) __has_feature(feature)
#else
#define TIDEPOOL_HAS_FEATURE(feature) 0
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !TIDEPOOL_HAS_FEATURE(address_sanitizer) && !TIDEPOOL_HAS_FEATURE(thread_sanitizer)
// The library's other forms, of arrays and with a size, call these.
void operator delete(void* memory) noexcept {
  tidepool::give_back(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  tidepool::give_back(memory);
}
#endif
