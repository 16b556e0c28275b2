// One row of a table of families: what users read of it, and where its figure is. The exporter and
// the documentation both walk the tables.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "figures.h"
#include "page.h"

namespace tidepool::metrics {

// Whom statistics are about: a pool, an endpoint, the process.
template <class Stats>
struct Subject {
  Labels labels;  // that say who it is
  Parts<Stats> parts;
};

template <class Stats>
using Subjects = std::vector<Subject<Stats>>;

// What users must know of a family.
struct FamilyText {
  std::string_view name;
  std::string_view help;       // a sentence without its full stop
  std::string_view more = {};  // what docs/metrics.md says beyond the help; in Markdown
  // A former name, under which the family is shown too for one release. Empty: none.
  std::string_view old_name = {};
};

// The help of a family under its former name.
inline std::string deprecation_of(const FamilyText& text) {
  return "Deprecated: the old name of " + std::string(text.name);
}

constexpr std::size_t kMostLabels = 2;

template <class Stats>
struct FamilyRow {
  FamilyText text;
  prometheus::MetricType type;
  std::array<std::string_view, kMostLabels> labels;  // beyond the subject's; "": none
  std::array<std::string_view, 2> words;             // of two members, the values of the one label
  void (*write)(Family family, const FamilyRow& row, const Subjects<Stats>& subjects);
};

template <class Stats>
using FamilyRows = std::span<const FamilyRow<Stats>>;

template <class Stats>
void add(Page& page, std::type_identity_t<FamilyRows<Stats>> rows,
         const Subjects<Stats>& subjects) {
  for (const FamilyRow<Stats>& row : rows) {
    row.write(page.add(row.text.name, row.text.help, row.type), row, subjects);
    if (row.text.old_name.empty()) continue;
    row.write(page.add(row.text.old_name, deprecation_of(row.text), row.type), row, subjects);
  }
}

// What lies in a figure: its type, and how many labels it needs.
template <class T>
struct Inside {
  using Type = T;
  static constexpr std::size_t kLabels = 0;
};
template <class Enum, class T, std::size_t N>
struct Inside<EnumArray<Enum, T, N>> {
  using Type = typename Inside<T>::Type;
  static constexpr std::size_t kLabels = 1 + Inside<T>::kLabels;
};
template <>
struct Inside<session::Traffic> {
  using Type = Counter;
  static constexpr std::size_t kLabels = 1;
};
template <>
struct Inside<session::LoginsByUser> {
  using Type = Counter;
  static constexpr std::size_t kLabels = 2;
};
template <>
struct Inside<std::string> {
  using Type = double;
  static constexpr std::size_t kLabels = 1;
};

// Whether that is of this type for Prometheus; plain numbers are what the table says.
template <class T>
constexpr bool is_a(prometheus::MetricType type) {
  using prometheus::MetricType;
  using Type = typename Inside<T>::Type;
  if (std::is_same_v<Type, Counter>) return type == MetricType::Counter;
  if (std::is_same_v<Type, Gauge>) return type == MetricType::Gauge;
  if (std::is_same_v<Type, Histogram>) return type == MetricType::Histogram;
  return std::is_arithmetic_v<Type> && type != MetricType::Histogram;
}

template <auto Member>
struct MemberOf;
template <class Stats, class T, T Stats::*member>
struct MemberOf<member> {
  using Owner = Stats;
  using Figure = T;
};
template <auto Member>
using OwnerOf = typename MemberOf<Member>::Owner;
template <auto Member>
using FigureOf = typename MemberOf<Member>::Figure;

template <auto Member>
Parts<FigureOf<Member>> members(const Subject<OwnerOf<Member>>& subject) {
  return each(
      subject.parts, [](const OwnerOf<Member>& stats) -> const auto& { return stats.*Member; });
}

template <auto Member, prometheus::MetricType type, class... Names>
constexpr FamilyRow<OwnerOf<Member>> family(FamilyText text, Names... labels) {
  static_assert(is_a<FigureOf<Member>>(type));
  static_assert(Inside<FigureOf<Member>>::kLabels == sizeof...(labels));
  using Row = FamilyRow<OwnerOf<Member>>;
  return {text, type, {labels...}, {}, [](Family family, const Row& row, const auto& subjects) {
            for (const auto& subject : subjects)
              write(family, subject.labels, row.labels, members<Member>(subject));
          }};
}

template <auto Member, class... Names>
constexpr auto counter(FamilyText text, Names... labels) {
  return family<Member, prometheus::MetricType::Counter>(text, labels...);
}
template <auto Member, class... Names>
constexpr auto gauge(FamilyText text, Names... labels) {
  return family<Member, prometheus::MetricType::Gauge>(text, labels...);
}
template <auto Member>
constexpr auto histogram(FamilyText text) {
  return family<Member, prometheus::MetricType::Histogram>(text);
}

// Of two members that are one family: the label says which is which.
template <auto First, auto Second>
constexpr FamilyRow<OwnerOf<First>> counters(FamilyText text, std::string_view label,
                                             std::array<std::string_view, 2> words) {
  static_assert(std::is_same_v<FigureOf<First>, Counter>);
  using Row = FamilyRow<OwnerOf<First>>;
  return {text,
          prometheus::MetricType::Counter,
          {label},
          words,
          [](Family family, const Row& row, const auto& subjects) {
            for (const auto& subject : subjects)
              family.value(with(subject.labels, row.labels[0], row.words[0]),
                           sum(members<First>(subject)));
            for (const auto& subject : subjects)
              family.value(with(subject.labels, row.labels[0], row.words[1]),
                           sum(members<Second>(subject)));
          }};
}

}  // namespace tidepool::metrics
