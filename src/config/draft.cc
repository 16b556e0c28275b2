#include "draft.h"

#include <algorithm>
#include <tuple>

namespace tidepool::config {

Place Section::at(std::string_view key) const {
  if (const auto found = given.find(key); found != given.end()) return found->second;
  Place missing = place;
  const auto variable = variables.find(key);
  missing.label = variable != variables.end() ? variable->second : place.label + std::string(key);
  return missing;
}

void Findings::add(std::vector<Finding>& to, const Place& place, const std::string& text) const {
  std::string line;
  if (!file_.empty()) line += file_ + ":";
  if (place.line > 0) {
    line += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
  }
  if (!line.empty()) line += " ";
  if (!place.label.empty()) line += place.label + ": ";
  to.push_back({place.line, place.column, line + text});
}

std::vector<std::string> Findings::sorted(std::vector<Finding> findings) {
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  std::vector<std::string> lines;
  lines.reserve(findings.size());
  for (Finding& finding : findings)
    lines.push_back(std::move(finding.text));
  return lines;
}

}  // namespace tidepool::config
