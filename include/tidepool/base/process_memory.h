// The memory of this process, as the kernel counts it. Any thread.
#pragma once

#include <cstdint>

namespace tidepool {

// Bytes in RAM; 0 if the kernel does not say.
std::uint64_t resident_memory();

// To be called first of all: large blocks, of 1 MiB and more, go back to the kernel as soon as they
// are freed. By itself the heap keeps up to 32 MiB of each kind for the next one.
void limit_heap();

// Gives the heap's unused pages back to the kernel. Takes milliseconds.
void trim_memory();

}  // namespace tidepool
