// Waits for what another thread is about to bring; for tests with threads.
#pragma once

#include <chrono>
#include <functional>
#include <thread>
#include <type_traits>

#include <gtest/gtest.h>

namespace tidepool::testing {

// False: it was not so within a minute, which a loaded machine under sanitizers may come near.
inline bool eventually(const std::function<bool()>& so) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!so()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// The value that was the same at many looks in a row: whoever changes it has come to a stand.
template <class Value>
std::invoke_result_t<Value> settled(Value value) {
  constexpr int kLooks = 20;
  auto last = value();
  int same = 0;
  EXPECT_TRUE(eventually([&] {
    auto now = value();
    same = now == last ? same + 1 : 0;
    last = now;
    return same == kLooks;
  }));
  return last;
}

}  // namespace tidepool::testing
