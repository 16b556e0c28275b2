// A table of keys tied to the draft that it fills, for readers that need not know the draft's type.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "keys.h"

namespace tidepool::config {

struct BoundKey {
  const KeyText* text;
  std::function<bool(const std::string& value)> read;  // false: not what allowed(text->form) says
};
using BoundKeys = std::vector<BoundKey>;

// The draft must outlive the result.
template <class Owner>
BoundKeys bind(std::span<const Key<Owner>> keys, Owner& owner) {
  BoundKeys bound;
  bound.reserve(keys.size());
  for (const Key<Owner>& key : keys) {
    bound.push_back({&key.text, [&key, &owner](const std::string& value) {
                       return key.read(value, key.text.form, owner);
                     }});
  }
  return bound;
}

}  // namespace tidepool::config
