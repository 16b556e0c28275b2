#include "tidepool/base/process_memory.h"

#include <fstream>
#include <malloc.h>
#include <unistd.h>

namespace tidepool {

std::uint64_t resident_memory() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void limit_heap() {
  constexpr int kLarge = 1 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
  ::mallopt(M_TRIM_THRESHOLD, kLarge);
}

void trim_memory() {
  ::malloc_trim(0);
}

}  // namespace tidepool
