// Waits for what another thread is about to bring; for tests with threads.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

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

}  // namespace tidepool::testing
