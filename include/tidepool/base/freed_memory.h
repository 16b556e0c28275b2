// WipesFreed: while one lives, its thread wipes all memory of `new` that it gives back. For work
// that leaves copies of secrets out of reach, as a parser does.
//
// Only memory of `new`, and not what is on the stack: texts of up to 15 bytes may be there. Does
// nothing under sanitizers, which have a heap of their own.
#pragma once

namespace tidepool {

class WipesFreed {
 public:
  WipesFreed();
  WipesFreed(const WipesFreed&) = delete;
  WipesFreed& operator=(const WipesFreed&) = delete;
  ~WipesFreed();
};

}  // namespace tidepool
