#include "tidepool/base/freed_memory.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tidepool {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kHasOwnHeap = true;
#else
constexpr bool kHasOwnHeap = false;
#endif

constexpr std::size_t kSize = 200;
constexpr std::string_view kCanary = "a canary that nobody else has";

// What is found in memory that a text of that size has given back: the heap lends it again at once.
bool leaves_a_canary() {
  auto text = std::make_unique<std::vector<char>>(kSize, 'x');
  volatile char* at = text->data() + kSize / 2;  // else nobody would need it before it goes
  for (const char c : kCanary)
    *at++ = c;
  const void* const lent = text->data();
  text.reset();
  const std::unique_ptr<char, decltype(&std::free)> again(static_cast<char*>(std::malloc(kSize)),
                                                          &std::free);
  EXPECT_EQ(again.get(), lent);
  const std::string_view found(again.get(), kSize);
  return found.find(kCanary) != std::string_view::npos;
}

TEST(WipesFreed, NothingIsLeftOfWhatIsGivenBackWhileOneLives) {
  if (kHasOwnHeap) GTEST_SKIP() << "sanitizers have a heap of their own";
  {
    const WipesFreed outer;
    { const WipesFreed inner; }
    EXPECT_FALSE(leaves_a_canary());
  }
  EXPECT_TRUE(leaves_a_canary()) << "else this test shows nothing";
}

}  // namespace
}  // namespace tidepool
