// The memory of this process, as the kernel counts it. Any thread.
#pragma once

#include <cstdint>

namespace tidepool {

// Bytes in RAM; 0 if the kernel does not say.
std::uint64_t resident_memory();

// Gives the heap's unused pages back to the kernel. Takes milliseconds.
void trim_memory();

}  // namespace tidepool
