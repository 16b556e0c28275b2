#include "files.h"

#include <cerrno>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace tidepool::config {
namespace {

tl::unexpected<Error> system_failure(int error) {
  return fail(Code::kConfig, std::generic_category().message(error));
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  constexpr std::size_t kLongest = 1U << 20U;
  if (const auto readable = check_readable(path); !readable) {
    return tl::unexpected(readable.error());
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(kLongest + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return system_failure(EIO);
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLongest) return system_failure(EFBIG);
  return text;
}

Result<void> check_readable(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_failure(errno);
  if (S_ISDIR(status.st_mode)) return system_failure(EISDIR);
  if (::access(path.c_str(), R_OK) != 0) return system_failure(errno);
  return {};
}

bool is_public(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

}  // namespace tidepool::config
