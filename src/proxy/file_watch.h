// Notices that files have changed, also when another file takes the name or a link on the way leads
// elsewhere. Asks the file system each time; on one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tidepool::proxy {

class FileWatch {
 public:
  // These from now on. What one of them is like at this moment is no change, unless it was watched
  // before.
  void watch(const std::vector<std::string>& paths);
  // What they are like now is no change.
  void accept();

  // Whether a file has changed since the last time that this said so, and is the same as when it
  // was last asked: the writer is done.
  bool has_changed();

 private:
  struct Stamp {
    std::uint64_t device = 0;  // all 0: there is none
    std::uint64_t inode = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::int64_t bytes = 0;

    bool operator==(const Stamp&) const = default;
  };

  using Stamps = std::map<std::string, Stamp>;  // by path

  static Stamp look_at(const std::string& path);
  Stamps look() const;

  Stamps known_;
  Stamps last_;
};

}  // namespace tidepool::proxy
