// The table of keys: the one place that says which exist, where their values go, how they are
// written and what they mean. The reader, the environment, the sample file and the documentation
// all walk it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "draft.h"
#include "values.h"

namespace tidepool::config {

// What a user must know of a key.
struct KeyText {
  std::string_view path;  // within its section, such as "tls.mode"
  Form form;
  std::string_view meaning;  // a sentence without its full stop
  std::string_view example;  // what the sample shows in place of the default; may be empty
  bool commented = false;    // in the sample, as it excludes another key or names a file
  // A former path in the same map, which is accepted with a warning. Empty: none.
  std::string_view old_path = {};
};

template <class Owner>
struct Key {
  KeyText text;
  bool (*read)(const std::string& value, const Form& form, Owner& into);
  std::string (*show)(const Form& form, const Owner& from);
};

std::span<const Key<Config>> global_keys();
std::span<const Key<ListenerDraft>> listener_keys();
std::span<const Key<PoolDraft>> pool_keys();
std::span<const Key<UserDraft>> user_keys();

// The lists of the file, and what their elements are.
struct ListText {
  std::string_view name;
  std::string_view meaning;
};
std::span<const ListText> lists();

}  // namespace tidepool::config
