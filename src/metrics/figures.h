// Turns what the layers count into time series: a figure that several workers keep is added up, and
// one that is kept for each value of an enum, or in another such form, becomes as many series, told
// apart by a label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "page.h"
#include "tidepool/base/counter.h"
#include "tidepool/base/enum_array.h"
#include "tidepool/base/histogram.h"
#include "tidepool/session/session_stats.h"

namespace tidepool::metrics {

// The same statistics, or one figure of them, as several workers keep it; often it is just one.
template <class T>
using Parts = std::vector<const T*>;

// The names of the labels that a figure adds by itself, the outermost first.
using LabelNames = std::span<const std::string_view>;

// What `get` finds in each part.
template <class T, class Get>
auto each(const Parts<T>& parts, Get get) {
  Parts<std::remove_cvref_t<decltype(get(*parts.front()))>> found;
  for (const T* part : parts)
    found.push_back(&get(*part));
  return found;
}

inline double number(const Counter& counter) {
  return static_cast<double>(counter.value());
}
inline double number(const Gauge& gauge) {
  return static_cast<double>(gauge.value());
}
inline double number(double value) {
  return value;
}
inline double number(std::int64_t value) {
  return static_cast<double>(value);
}

template <class T>
double sum(const Parts<T>& parts) {
  double total = 0;
  for (const T* part : parts)
    total += number(*part);
  return total;
}

inline Labels with(Labels labels, std::string_view name, std::string_view value) {
  labels.push_back({std::string(name), std::string(value)});
  return labels;
}

// A number of any kind: one series.
template <class T>
void write(Family family, const Labels& labels, LabelNames, const Parts<T>& parts) {
  family.value(labels, sum(parts));
}

inline void write(Family family, const Labels& labels, LabelNames, const Parts<Histogram>& parts) {
  Histogram::Snapshot total;
  for (const Histogram* part : parts)
    total.add(part->snapshot());
  family.histogram(labels, total);
}

// A text is what the series is about, which is always 1.
inline void write(Family family, const Labels& labels, LabelNames names,
                  const Parts<std::string>& parts) {
  for (const std::string* text : parts)
    family.value(with(labels, names.front(), *text), 1);
}

inline void write(Family family, const Labels& labels, LabelNames names,
                  const Parts<session::Traffic>& parts) {
  using session::Traffic;
  const auto received = [](const Traffic& t) -> const Counter& { return t.received; };
  const auto sent = [](const Traffic& t) -> const Counter& { return t.sent; };
  family.value(with(labels, names.front(), "received"), sum(each(parts, received)));
  family.value(with(labels, names.front(), "sent"), sum(each(parts, sent)));
}

inline void write(Family family, const Labels& labels, LabelNames names,
                  const Parts<session::LoginsByUser>& parts) {
  for (const session::LoginsByUser* part : parts) {
    part->for_each([&](const std::string& user, protocol::Proof proof, const Counter& logins) {
      family.value(with(with(labels, names[0], user), names[1], to_string(proof)), number(logins));
    });
  }
}

template <class Enum, class T, std::size_t N>
void write(Family family, const Labels& labels, LabelNames names,
           const Parts<EnumArray<Enum, T, N>>& parts) {
  using Array = EnumArray<Enum, T, N>;
  for (std::size_t i = 0; i < N; ++i) {
    const Enum key = Array::key(i);
    const auto of_key = [key](const Array& array) -> const T& { return array[key]; };
    write(family, with(labels, names.front(), to_string(key)), names.subspan(1),
          each(parts, of_key));
  }
}

}  // namespace tidepool::metrics
