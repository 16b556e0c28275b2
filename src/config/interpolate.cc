#include "interpolate.h"

#include <algorithm>
#include <cctype>

namespace tidepool::config {
namespace {

bool is_name(std::string_view name) {
  const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), is_word);
}

// What stands for NAME or NAME:-default. As in a shell, the default also replaces an empty value.
Result<std::string> value_of(std::string_view expression, const Environment& environment) {
  const std::size_t dash = expression.find(":-");
  const std::string_view name = expression.substr(0, dash);
  if (!is_name(name)) {
    return fail(Code::kConfig, "found ${…} without a name, allowed: ${NAME} or ${NAME:-default}");
  }
  std::optional<std::string> value = environment(name);
  if (dash != std::string_view::npos) {
    return value && !value->empty() ? *value : std::string(expression.substr(dash + 2));
  }
  if (!value) {
    const std::string text(name);
    return fail(Code::kConfig, "the environment variable " + text +
                                   " is not set, allowed: setting it, or ${" + text + ":-default}");
  }
  return *value;
}

}  // namespace

Result<Interpolated> interpolate(const std::string& text, const Environment& environment) {
  Interpolated result;
  std::size_t from = 0;
  for (;;) {
    const std::size_t start = text.find("${", from);
    if (start == std::string::npos) break;
    if (start > from && text[start - 1] == '$') {
      result.text.append(text, from, start - from).append("{");
      from = start + 2;
      continue;
    }
    const std::size_t end = text.find('}', start);
    if (end == std::string::npos) {
      return fail(Code::kConfig, "found ${ without }, allowed: ${NAME}, or $${ for the text ${");
    }
    const auto value =
        value_of(std::string_view(text).substr(start + 2, end - start - 2), environment);
    if (!value) return tl::unexpected(value.error());
    result.text.append(text, from, start - from).append(*value);
    result.from_environment = true;
    from = end + 1;
  }
  result.text.append(text, from);
  return result;
}

}  // namespace tidepool::config
