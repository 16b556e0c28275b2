#include "read_yaml.h"

#include <algorithm>
#include <exception>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "bind.h"
#include "interpolate.h"

namespace tidepool::config {
namespace {

Place place_of(const YAML::Node& node, std::string label) {
  const YAML::Mark mark = node.Mark();
  return {std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1, std::move(label)};
}

std::string kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  return node.IsNull() ? "nothing" : "text";
}

// yaml-cpp's own words, without what it quotes from the text: that may be a secret.
std::string syntax_error(const std::string& message) {
  const std::string text = "this is not YAML: " + message.substr(0, message.find(':'));
  const bool is_alias = message.find("anchor") != std::string::npos;
  return is_alias ? text + ", allowed: quotes around a value that begins with *" : text;
}

// Sees the start of documents and nothing else.
class DocumentCounter : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { last_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

  [[nodiscard]] const YAML::Mark& last() const { return last_; }

 private:
  YAML::Mark last_;
};

// Where a second document begins: YAML::Load would ignore it, and YAML::LoadAll never ends on some
// texts.
std::optional<Place> second_document(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentCounter counter;
  if (!parser.HandleNextDocument(counter) || !parser.HandleNextDocument(counter)) {
    return std::nullopt;
  }
  return Place{std::max(counter.last().line, 0) + 1, std::max(counter.last().column, 0) + 1, ""};
}

using Names = std::vector<std::string_view>;

// A key as it stands in its map, and what stands before it: "tls." and "mode".
struct Name {
  std::string prefix;
  std::string name;
};

class Reader {
 public:
  Reader(const Environment& environment, Findings& findings)
      : environment_(environment), findings_(findings) {}

  // Reads the keys of one map whose paths begin with `prefix`. `others` are names that somebody
  // else reads.
  void read_map(const YAML::Node& map, const std::string& prefix, const BoundKeys& keys,
                Section& section, const Names& others = {}) {
    for (const auto& item : map) {
      const Place at = place_of(item.first, section.place.label + prefix);
      if (!item.first.IsScalar()) {
        findings_.problem(at, "found " + kind_of(item.first) + " as a key, allowed: a name");
        continue;
      }
      const std::string name = item.first.Scalar();
      if (std::find(others.begin(), others.end(), name) == others.end()) {
        read_item(item.first, item.second, {prefix, name}, keys, section, others);
      } else if (!section.given.emplace(name, place_of(item.first, name)).second) {
        findings_.problem(place_of(item.first, name), "found twice");
      }
    }
  }

  template <class Element>
  void read_list(const YAML::Node& root, const std::string& name,
                 std::span<const Key<Element>> keys, std::optional<std::vector<Element>>& into) {
    const YAML::Node list = root[name];
    if (!list.IsDefined()) return;
    into.emplace();
    if (!list.IsSequence()) {
      findings_.problem(place_of(list, name),
                        "found " + kind_of(list) + ", allowed: a list of maps");
      return;
    }
    for (std::size_t index = 0; index < list.size(); ++index) {
      const YAML::Node element = list[index];
      const std::string label = name + "[" + std::to_string(index) + "]";
      if (!element.IsMap()) {
        findings_.problem(place_of(element, label),
                          "found " + kind_of(element) + ", allowed: a map of keys");
        continue;
      }
      Element& draft = into->emplace_back();
      draft.section.place = place_of(element, label + ".");
      read_map(element, "", bind(keys, draft), draft.section);
    }
  }

 private:
  void read_item(const YAML::Node& key, const YAML::Node& value, const Name& name,
                 const BoundKeys& keys, Section& section, const Names& others) {
    const std::string path = name.prefix + name.name;
    const bool is_group = std::any_of(keys.begin(), keys.end(), [&](const BoundKey& bound) {
      return bound.text->path.substr(0, path.size() + 1) == path + ".";
    });
    const Place key_at = place_of(key, section.place.label + path);
    if (is_group) {
      if (!section.given.emplace(path, key_at).second)
        return findings_.problem(key_at, "found twice");
      if (value.IsMap()) return read_map(value, path + ".", keys, section);
      return findings_.problem(key_at, "found " + kind_of(value) + ", allowed: a map of keys");
    }
    const auto bound = std::find_if(keys.begin(), keys.end(),
                                    [&](const BoundKey& row) { return row.text->path == path; });
    if (bound == keys.end()) return report_unknown(key_at, name, keys, others);
    Place at = place_of(value.IsNull() ? key : value, section.place.label + path);
    if (section.has(path)) return findings_.problem(at, "found twice");
    read_value(value, *bound, at);
    section.given.emplace(path, std::move(at));
  }

  // Marks the place as bad if anything is wrong with the value.
  void read_value(const YAML::Node& value, const BoundKey& bound, Place& at) {
    const Form& form = bound.text->form;
    if (form.kind != Kind::kAddresses || value.IsScalar()) return read_scalar(value, bound, at);
    if (!value.IsSequence() || value.size() == 0) return refuse(value, form, at);
    bool bad = false;
    for (const auto& element : value) {
      Place element_at = place_of(element, at.label);
      read_scalar(element, bound, element_at);
      bad = bad || element_at.bad;
    }
    at.bad = bad;
  }

  void read_scalar(const YAML::Node& value, const BoundKey& bound, Place& at) {
    const Form& form = bound.text->form;
    if (!value.IsScalar()) return refuse(value, form, at);
    const auto text = interpolate(value.Scalar(), environment_);
    if (!text) {
      findings_.problem(at, text.error().message);
      at.bad = true;
      return;
    }
    at.literal = !text->from_environment;
    if (bound.read(text->text)) return;
    findings_.problem(at, wrong_value(form, text->text));
    at.bad = true;
  }

  void refuse(const YAML::Node& value, const Form& form, Place& at) {
    findings_.problem(at, "found " + kind_of(value) + ", allowed: " + allowed(form));
    at.bad = true;
  }

  void report_unknown(const Place& at, const Name& name, const BoundKeys& keys,
                      const Names& others) {
    Names known = others;
    for (const BoundKey& bound : keys) {
      if (bound.text->path.substr(0, name.prefix.size()) != name.prefix) continue;
      std::string_view sibling = bound.text->path.substr(name.prefix.size());
      sibling = sibling.substr(0, sibling.find('.'));
      if (std::find(known.begin(), known.end(), sibling) == known.end()) known.push_back(sibling);
    }
    std::string list;
    for (const std::string_view word : known)
      list.append(list.empty() ? "" : ", ").append(word);
    std::string text = "unknown key, ";
    const std::string_view near = nearest(name.name, known);
    if (!near.empty()) text.append("did you mean ").append(near).append("? ");
    findings_.problem(at, text + "allowed: " + list);
  }

  const Environment& environment_;
  Findings& findings_;
};

Draft read_document(const YAML::Node& root, Reader& reader) {
  Draft draft;
  Names names;
  for (const ListText& list : lists())
    names.push_back(list.name);
  draft.section.place = {1, 1, ""};
  reader.read_map(root, "", bind(global_keys(), draft.config), draft.section, names);
  reader.read_list(root, "listeners", listener_keys(), draft.listeners);
  reader.read_list(root, "pools", pool_keys(), draft.pools);
  reader.read_list(root, "users", user_keys(), draft.users);
  return draft;
}

}  // namespace

std::optional<Draft> read_yaml(const std::string& text, const Environment& environment,
                               Findings& findings) {
  Reader reader(environment, findings);
  try {
    const YAML::Node root = YAML::Load(text);
    if (const auto second = second_document(text)) {
      findings.problem(*second, "found a second document, allowed: one");
    } else if (!root.IsMap()) {
      findings.problem({1, 1, ""}, "found " + kind_of(root) + ", allowed: a map of keys");
    } else {
      return read_document(root, reader);
    }
  } catch (const YAML::Exception& error) {
    const int line = std::max(error.mark.line, 0) + 1;
    const int column = std::max(error.mark.column, 0) + 1;
    findings.problem({line, column, ""}, syntax_error(error.msg));
  } catch (const std::exception& error) {
    findings.problem({1, 1, ""}, std::string("this cannot be read: ") + error.what());
  }
  return std::nullopt;
}

}  // namespace tidepool::config
