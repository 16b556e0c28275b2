#include "tidepool/config/load.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <system_error>

#include "assemble.h"
#include "environment.h"
#include "files.h"
#include "read_yaml.h"
#include "tidepool/base/freed_memory.h"
#include "url.h"

namespace tidepool::config {
namespace {

// The first secret that the text itself holds; null if all come from elsewhere.
template <class Drafts, class HoldsUrl>
const Place* literal_secret(const Drafts& drafts, HoldsUrl holds_url) {
  if (!drafts) return nullptr;
  for (const auto& draft : *drafts) {
    for (const auto& [key, place] : draft.section.given) {
      const bool secret =
          key == "password" || key == "password_hash" || (key == "url" && holds_url(draft));
      if (secret && place.origin == Origin::kText) return &place;
    }
  }
  return nullptr;
}

void warn_if_public(const std::string& path, const Draft& draft, Findings& findings) {
  if (!is_public(path)) return;
  const Place* place = literal_secret(draft.pools, [](const PoolDraft& pool) {
    const auto url = parse_url(pool.url);
    return url && url->password && !url->password->empty();
  });
  if (place == nullptr) {
    place = literal_secret(draft.users, [](const UserDraft&) { return false; });
  }
  if (place == nullptr) return;
  findings.warning(*place, "a secret in a file that every user of this machine can read");
}

LoadResult result(Config config, const Findings& findings) {
  if (findings.failed()) return tl::unexpected(findings.problems());
  return Loaded{std::move(config), findings.warnings()};
}

LoadResult load(const std::string& name, const std::string& text, const Environment& environment,
                const std::string& path) {
  const WipesFreed wipes;  // the parser's and the drafts' copies of passwords
  Findings findings(name);
  std::optional<Draft> draft = read_yaml(text, environment, findings);
  if (!draft) return tl::unexpected(findings.problems());
  if (!path.empty()) warn_if_public(path, *draft, findings);
  return result(assemble(std::move(*draft), findings), findings);
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

LoadResult load_file(const std::string& path, const Environment& environment) {
  const WipesFreed wipes;  // the text
  const auto text = read_file(path);
  if (!text) return tl::unexpected(Problems{path + ": cannot be read: " + text.error().message});
  return load(path, *text, environment, path);
}

LoadResult load_text(const std::string& name, const std::string& text,
                     const Environment& environment) {
  return load(name, text, environment, "");
}

LoadResult from_environment(const Environment& environment) {
  const WipesFreed wipes;
  Findings findings("");
  std::optional<Draft> draft = read_environment(environment, findings);
  if (!draft) return tl::unexpected(findings.problems());
  return result(assemble(std::move(*draft), findings), findings);
}

}  // namespace tidepool::config
