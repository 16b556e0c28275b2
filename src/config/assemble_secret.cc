#include "assemble.h"
#include "files.h"

namespace tidepool::config {
namespace {

Secret read_secret(const Place& place, const std::string& path, Findings& findings) {
  auto text = read_file(path);
  if (!text) {
    findings.problem(place, "found " + path + ", which cannot be read (" + text.error().message +
                                "), allowed: a file with the password");
    return "";
  }
  if (!text->empty() && text->back() == '\n') text->pop_back();
  if (!text->empty() && text->back() == '\r') text->pop_back();
  if (text->find_first_of(std::string_view("\0\n", 2)) != std::string::npos) {
    findings.problem(place,
                     "found more than one line in " + path + ", allowed: the password alone");
  }
  if (is_public(path)) findings.warning(place, "every user of this machine can read " + path);
  return *text;
}

}  // namespace

void check_file(const Place& place, const std::string& path, Findings& findings) {
  const auto readable = check_readable(path);
  if (readable) return;
  findings.problem(place, "found " + path + ", which cannot be read (" + readable.error().message +
                              "), allowed: the path of a PEM file");
}

Secret assemble_password(const Section& section, const Secret& password,
                         const std::string& password_file,
                         const std::vector<std::string>& alternatives, Findings& findings) {
  std::vector<std::string> given;
  std::string list;
  for (const std::string& key : alternatives) {
    if (section.has(key)) given.push_back(key);
    list += (list.empty() ? "" : ", ") + section.at(key).label;
  }
  if (given.empty()) {
    findings.problem(section.at(alternatives[0]),
                     "found nothing, allowed: one of " + list +
                         "; an empty text for an account without password");
    return "";
  }
  if (given.size() > 1) {
    findings.problem(section.at(given[1]),
                     "found beside " + section.at(given[0]).label + ", allowed: one of " + list);
  }
  if (given.front() == alternatives[1]) {
    return read_secret(section.at(alternatives[1]), password_file, findings);
  }
  return given.front() == alternatives[0] ? password : Secret();
}

}  // namespace tidepool::config
