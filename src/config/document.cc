#include "document.h"

#include <algorithm>

#include "environment.h"
#include "keys.h"

namespace tidepool::config {
namespace {

constexpr std::size_t kWidth = 100;

// A key and the text of its default; "" if it has none.
struct Row {
  const KeyText* text;
  std::string fallback;
};
using Rows = std::vector<Row>;

struct ListRows {
  const ListText* list;
  Rows rows;
};

template <class Owner>
Rows rows_of(std::span<const Key<Owner>> keys) {
  const Owner fresh{};
  Rows rows;
  for (const Key<Owner>& key : keys)
    rows.push_back({&key.text, key.show(key.text.form, fresh)});
  return rows;
}

std::vector<ListRows> list_rows() {
  const std::span<const ListText> all = lists();
  return {{&all[0], rows_of(listener_keys())},
          {&all[1], rows_of(pool_keys())},
          {&all[2], rows_of(user_keys())}};
}

// Meaning, default and what is allowed, as far as there is something to say.
std::string explained(const Row& row) {
  const Kind kind = row.text->form.kind;
  const bool free = kind == Kind::kText || kind == Kind::kSecret || kind == Kind::kPath;
  std::string facts = row.fallback.empty() ? "" : "default " + row.fallback;
  if (!free) facts += (facts.empty() ? "" : "; ") + allowed(row.text->form);
  return std::string(row.text->meaning) + (facts.empty() ? "." : " (" + facts + ").");
}

// `text` as comment lines with that indentation.
std::string comment(const std::string& text, const std::string& indent) {
  std::string result;
  std::string line = indent + "#";
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find(' ', from), text.size());
    if (line.size() + 1 + end - from > kWidth) {
      result += line + "\n";
      line = indent + "#";
    }
    line.append(" ").append(text, from, end - from);
    from = end + 1;
  }
  return result + line + "\n";
}

// Rows of one map as YAML; a group such as "tls.…" opens where its first key stands.
class SampleWriter {
 public:
  SampleWriter(std::string& out, std::string indent) : out_(out), indent_(std::move(indent)) {}

  void write(const Row& row) {
    const std::string path(row.text->path);
    const std::size_t dot = path.find('.');
    const std::string group = dot == std::string::npos ? "" : path.substr(0, dot);
    if (!out_.empty() && out_.substr(out_.size() - 2) != "-\n") out_ += "\n";
    if (group != group_ && !group.empty()) out_ += indent_ + group + ":\n";
    group_ = group;
    const std::string indent = indent_ + (group.empty() ? "" : "  ");
    const std::string name = group.empty() ? path : path.substr(dot + 1);
    out_ += comment(explained(row), indent);
    const bool exemplary = row.fallback.empty() || !row.text->example.empty();
    const std::string value = exemplary ? std::string(row.text->example) : row.fallback;
    out_ += indent + (row.text->commented ? "#" : "") + name + ": " + value + "\n";
  }

 private:
  std::string& out_;
  std::string indent_;
  std::string group_;
};

void write_list(const ListRows& list, std::string& out) {
  out += "\n" + comment(std::string(list.list->meaning) + ".", "");
  out += std::string(list.list->name) + ":\n  -\n";
  SampleWriter writer(out, "    ");
  for (const Row& row : list.rows)
    writer.write(row);
}

std::string table_cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, "\\");
  }
  return text;
}

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

void write_table(const std::string& intro, const Rows& rows, std::string& out) {
  out += "\n" + intro + "\n\n| Key | Default | Allowed | Meaning |\n| --- | --- | --- | --- |\n";
  for (const Row& row : rows) {
    out += "| " + code(row.text->path) + " | " + (row.fallback.empty() ? "" : code(row.fallback));
    out += " | " + table_cell(allowed(row.text->form));
    std::string meaning(row.text->meaning);
    if (!row.text->old_path.empty())
      meaning += ". Its old name " + code(row.text->old_path) + " is accepted with a warning";
    out += " | " + table_cell(meaning) + " |\n";
  }
}

constexpr std::string_view kSampleHead =
    R"(# Every key of Tidepool with its default. A key that is left out has its default, so keep only what differs;
# tidepool.minimal.yaml beside this file is a good start. Check a file with: tidepool --check-config --config FILE
#
# In values, ${NAME} and ${NAME:-default} are taken from the environment; $${ stands for the text ${.
# Durations carry a unit: ms, s, m or h. This file is generated from the program's table of keys.
)";

constexpr std::string_view kReferenceHead =
    R"(# Configuration

This page is generated from the table that the program reads its configuration by (`src/config/keys.cc`); a test keeps
them equal. [conf/tidepool.yaml](../conf/tidepool.yaml) shows the same keys as a file.

## Where it comes from

- `tidepool --config FILE` reads YAML. No variable is looked at then, except where the file says `${NAME}` or
  `${NAME:-default}` in a value (the default also stands in for an empty variable; `$${` is the text `${`).
- `tidepool` alone reads the environment: `TIDB_URL`, or `TIDB_HOST` and its companions. That makes one pool, `default`,
  and clients log in with the very user and password of the URL; the user's cluster prefix (`3pTAoNNegb47Uc8.root`) may be
  left out (`root`).
- `tidepool --check-config` only says whether either of them is right, and what is wrong with it.

Whatever is wrong ends the start, all of it at once, as `file:line:column: key: what was found, what is allowed`. What is
right but doubtful (a certificate that is not fully verified, a secret that everybody on the machine can read) is a warning.
Exit codes: 0 all is well, 1 the proxy could not run or `--check-config` found problems, 2 the command line or the
configuration does not allow a start.

## Changing it while Tidepool runs

SIGHUP, or a change of the file or of a listener's certificate or key (looked at twice a second, unless `reload_on_change` is
`false`), makes Tidepool read the file again. What is wrong changes nothing at all: the log says what, in the words of a start. What
only a new process can change keeps its value, and the log names the key: `workers`, `http.address`, addresses, sockets and number
of the `listeners` (then all of them stay), `endpoints` (or `host` and `port`) and `prepare_cache_ttl` of a pool. To move to another TiDB, give its
pool another name. Everything else counts at once:

- pools come, go and change their limits; another account or another TLS means new backends, one after the other as the old
  ones are given back;
- users come, go and change; a new password counts from the next login. A session whose user is gone, or has another pool, ends
  with error 3169 as soon as it is between two statements and in no transaction; all others go on;
- certificates count for the clients that come from then on.

Variables in the file keep the values that they had at the start.

## Secrets

A password stands in the file, in a variable that the file names, or in a file of its own (`password_file`, where one
newline at the end does not count). An account without a password says so: `password: ""`.

## TLS to TiDB

Certificate and host name are verified unless `tls.mode` says otherwise. Plaintext is accepted to this machine when
`tls.mode` is `disabled`, to another one only if `tls.allow_plaintext` is `true` as well.

## TIDB_URL and `url`

`mysql://user:password@host:4000/database?parameters`, as SQLAlchemy and other libraries take it: `mysql`, `mariadb` or
`tidb`, with or without a driver (`mysql+pymysql`, `mysql+aiomysql`, …); user, password and database percent-encoded where
they need it; an IPv6 host in brackets; port 4000 unless named.

| Parameter | Effect |
| --- | --- |
| `ssl=true`, `false` | `tls.mode` `verify_identity`, `disabled` |
| `ssl_ca=FILE` | `tls.ca` |
| `ssl_mode=VERIFY_IDENTITY`, `VERIFY_CA`, `REQUIRED`, `DISABLED` | `tls.mode` |
| `ssl_verify_cert=false` | `tls.mode` `required` |
| `ssl_verify_identity=false` | `tls.mode` `verify_ca` |
| `charset`, `use_unicode` | none: each client says its own |
| `connect_timeout`, `autocommit`, `local_infile` and other parameters of drivers | none, with a warning |

Other spellings of the TLS parameters (`sslMode`, `useSSL`, `ssl_disabled`, `sslaccept=strict`, `tls=true`,
`ssl={"rejectUnauthorized":true}`) are understood; any other parameter is an error.
)";

}  // namespace

std::string sample_file() {
  std::string out(kSampleHead);
  SampleWriter writer(out, "");
  for (const Row& row : rows_of(global_keys()))
    writer.write(row);
  for (const ListRows& list : list_rows())
    write_list(list, out);
  return out;
}

std::string reference() {
  std::string out(kReferenceHead);
  out +=
      "\n## Variables of a start without a file\n\n| Variable | Key | Meaning |\n| --- | --- | --- "
      "|\n";
  for (const Variable& variable : variables()) {
    const std::string_view list = variable.of == Variable::Of::kPool       ? "pools[]."
                                  : variable.of == Variable::Of::kListener ? "listeners[]."
                                                                           : "";
    out += "| " + code(variable.name) + " | " +
           code(std::string(list) + std::string(variable.key)) + " | " +
           table_cell(std::string(variable.meaning)) + " |\n";
  }
  out +=
      "\n## Keys\n\nA dot stands for a map within a map: `log.level` is `level` in the map "
      "`log`.\n";
  write_table("### Top level", rows_of(global_keys()), out);
  for (const ListRows& list : list_rows()) {
    const std::string name(list.list->name);
    write_table("### A list: `" + name + "`\n\n" + std::string(list.list->meaning) + ".", list.rows,
                out);
  }
  return out;
}

}  // namespace tidepool::config
