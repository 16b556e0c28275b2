// Waits for what another thread is about to bring; for tests with threads.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace tidepool::testing {

// False: it was not so within ten seconds.
inline bool eventually(const std::function<bool()>& so) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!so()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace tidepool::testing
