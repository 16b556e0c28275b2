#include "file_watch.h"

#include <sys/stat.h>
#include <utility>

namespace tidepool::proxy {

void FileWatch::watch(const std::vector<std::string>& paths) {
  Stamps known;
  Stamps last;
  for (const std::string& path : paths) {
    const auto before = known_.find(path);
    known[path] = before != known_.end() ? before->second : look_at(path);
    last[path] = before != known_.end() ? last_.at(path) : known[path];
  }
  known_ = std::move(known);
  last_ = std::move(last);
}

void FileWatch::accept() {
  known_ = look();
  last_ = known_;
}

bool FileWatch::has_changed() {
  Stamps now = look();
  const bool is_settled = now == last_;
  last_ = std::move(now);
  if (!is_settled || last_ == known_) return false;
  known_ = last_;
  return true;
}

FileWatch::Stamp FileWatch::look_at(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {static_cast<std::uint64_t>(found.st_dev), static_cast<std::uint64_t>(found.st_ino),
          found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size};
}

FileWatch::Stamps FileWatch::look() const {
  Stamps stamps;
  for (const auto& [path, stamp] : known_)
    stamps[path] = look_at(path);
  return stamps;
}

}  // namespace tidepool::proxy
