#include "read_yaml.h"

#include <algorithm>
#include <array>
#include <exception>
#include <sstream>

#include <yaml-cpp/depthguard.h>
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

Place place_at(const YAML::Mark& mark) {
  return {std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1, ""};
}

// Those that say no more than the text itself: YAML's own, or none.
bool is_usual_tag(std::string_view tag) {
  constexpr std::string_view kOwn = "tag:yaml.org,2002:";
  constexpr auto kNames =
      std::to_array<std::string_view>({"str", "int", "float", "bool", "null", "seq", "map"});
  if (tag.empty() || tag == "?" || tag == "!") return true;
  if (!tag.starts_with(kOwn)) return false;
  return std::find(kNames.begin(), kNames.end(), tag.substr(kOwn.size())) != kNames.end();
}

// Sees where documents and scalars begin, which tags there are, and nothing else.
class Marks : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override { document_ = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string&) override {
    scalar_ = mark;
    look_at(tag, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    look_at(tag, mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    look_at(tag, mark);
  }
  void OnMapEnd() override {}

  [[nodiscard]] const YAML::Mark& last_document() const { return document_; }
  [[nodiscard]] const YAML::Mark& last_scalar() const { return scalar_; }
  [[nodiscard]] const std::optional<YAML::Mark>& first_strange_tag() const { return strange_tag_; }

 private:
  void look_at(const std::string& tag, const YAML::Mark& mark) {
    if (!strange_tag_ && !is_usual_tag(tag)) strange_tag_ = mark;
  }

  YAML::Mark document_;
  YAML::Mark scalar_;
  std::optional<YAML::Mark> strange_tag_;
};

// What YAML::Load would ignore: a second document (YAML::LoadAll never ends on some texts), and a
// tag, which is what an unquoted password that begins with ! is taken for. Returns whether there is
// neither.
bool is_taken_whole(const std::string& text, Findings& findings) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Marks marks;
  const bool has_first = parser.HandleNextDocument(marks);
  if (has_first && marks.first_strange_tag()) {
    findings.problem(place_at(*marks.first_strange_tag()),
                     "found a tag, allowed: quotes around a value that begins with !");
    return false;
  }
  if (!has_first || !parser.HandleNextDocument(marks)) return true;
  findings.problem(place_at(marks.last_document()), "found a second document, allowed: one");
  return false;
}

// Empty: there is nothing wrong with the first document.
std::string error_of(const std::string& text, Marks& marks) {
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(marks);
  } catch (const YAML::Exception& error) {
    return error.msg;
  }
  return "";
}

// Where a quote opens that nothing closes. yaml-cpp closes it by itself where white space ends the
// text, and nowhere else.
std::optional<Place> open_quote(const std::string& text) {
  Marks ignored;
  const std::string trimmed = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  if (error_of(trimmed, ignored) != YAML::ErrorMsg::EOF_IN_SCALAR) return std::nullopt;
  Marks marks;
  (void)error_of(trimmed + '\n', marks);
  return place_at(marks.last_scalar());
}

// The bytes of the character that begins `text`; 0: it is none of UTF-8 that YAML allows.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0U) != 0x80U) return 0;
  }
  const bool is_overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool is_no_character =
      (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return is_overlong || is_no_character ? 0 : length;
}

// Where something stands that is no text: yaml-cpp would keep it, or replace it.
std::optional<Place> no_text(std::string_view text) {
  Place at{1, 1, ""};
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) return at;
    at.column = text.front() == '\n' ? 1 : at.column + 1;
    if (text.front() == '\n') ++at.line;
    text.remove_prefix(length);
  }
  return std::nullopt;
}

// What YAML::Load lets through although it is wrong. Returns whether there is nothing.
bool is_well_formed(const std::string& text, Findings& findings) {
  if (const auto place = no_text(text)) {
    findings.problem(*place,
                     "found a byte that is no text, allowed: UTF-8 without control characters");
    return false;
  }
  if (const auto place = open_quote(text)) {
    findings.problem(*place, "this is not YAML: nothing closes the quote that opens here");
    return false;
  }
  return true;
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

  // Reads the keys of one map whose paths begin with `prefix`. `others`: names that are read
  // elsewhere.
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
    const auto bound = find(keys, path);
    if (bound == keys.end()) return report_unknown(key_at, name, keys, others);
    const std::string known(bound->text->path);
    if (known != path) findings_.warning(key_at, "deprecated, now called " + known);
    Place at = place_of(value.IsNull() ? key : value, section.place.label + path);
    if (section.has(known)) return findings_.problem(at, "found twice");
    read_value(value, *bound, at);
    section.given.emplace(known, std::move(at));
  }

  // The key of that path, be it a former one.
  static BoundKeys::const_iterator find(const BoundKeys& keys, const std::string& path) {
    return std::find_if(keys.begin(), keys.end(), [&](const BoundKey& row) {
      return row.text->path == path || row.text->old_path == path;
    });
  }

  // Marks the place as bad if anything is wrong with the value.
  void read_value(const YAML::Node& value, const BoundKey& bound, Place& at) {
    const Form& form = bound.text->form;
    if (!is_list(form) || value.IsScalar()) return read_scalar(value, bound, at);
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
    at.origin = text->from_environment ? Origin::kReference : Origin::kText;
    if (bound.read(text->text)) return;
    findings_.problem(at, wrong_value(form, text->text, at.origin));
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
  if (!is_well_formed(text, findings)) return std::nullopt;
  try {
    const YAML::Node root = YAML::Load(text);
    if (!is_taken_whole(text, findings)) return std::nullopt;
    if (root.IsMap()) return read_document(root, reader);
    findings.problem({1, 1, ""}, "found " + kind_of(root) + ", allowed: a map of keys");
  } catch (const YAML::DeepRecursion& error) {
    findings.problem(place_at(error.mark), "this is nested too deeply");
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
