#include "document.h"

#include "families.h"

namespace tidepool::metrics {
namespace {

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

std::string_view name_of(prometheus::MetricType type) {
  if (type == prometheus::MetricType::Counter) return "counter";
  return type == prometheus::MetricType::Gauge ? "gauge" : "histogram";
}

std::string meaning_of(const FamilyText& text) {
  const std::string help(text.help);
  return text.more.empty() ? help : help + ". " + std::string(text.more);
}

// A table under way. The labels by which the subjects of rows are told apart are in Markdown.
class Table {
 public:
  template <class Stats>
  void add(std::string_view subject_labels, FamilyRows<Stats> rows) {
    for (const FamilyRow<Stats>& row : rows) {
      std::string labels(subject_labels);
      for (const std::string_view label : row.labels)
        if (!label.empty()) labels += (labels.empty() ? "" : ", ") + code(label);
      const std::string shape =
          std::string(name_of(row.type)) + " | " + (labels.empty() ? "–" : labels);
      add_row(row.text.name, shape, meaning_of(row.text));
      if (!row.text.old_name.empty()) add_row(row.text.old_name, shape, deprecation_of(row.text));
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void add_row(std::string_view name, const std::string& shape, const std::string& meaning) {
    text_ += "| " + code(name) + " | " + shape + " | " + meaning + " |\n";
  }

  std::string text_ = "| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n";
};

std::string pool_table() {
  Table table;
  table.add("`pool`", pool_families());
  table.add("`pool`, `endpoint`", endpoint_families());
  table.add("`pool`", backend_families());
  return table.take();
}

std::string session_table() {
  Table table;
  table.add("`pool`", session_families());
  table.add("", login_families());
  table.add("", proof_families());
  return table.take();
}

std::string process_table() {
  Table table;
  table.add("", build_families());
  table.add("", process_families());
  table.add("", command_families());
  table.add("`listener` or `pool`, `key`", certificate_families());
  table.add("", kernel_families());
  return table.take();
}

void place(std::string& page, const std::string& name, const std::string& table) {
  const std::string begin = "<!-- families: " + name + " -->\n";
  const std::string end = "<!-- end -->\n";
  const std::size_t found = page.find(begin);
  const std::size_t from = found + begin.size();
  const std::size_t to = found == std::string::npos ? found : page.find(end, from);
  if (to == std::string::npos) {
    page += "\n" + begin + table + end;
  } else {
    page.replace(from, to - from, table);
  }
}

}  // namespace

std::string with_tables(std::string page) {
  place(page, "pool", pool_table());
  place(page, "sessions", session_table());
  place(page, "process", process_table());
  return page;
}

}  // namespace tidepool::metrics
