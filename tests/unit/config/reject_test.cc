#include "config_support.h"

namespace tidepool::config {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kPool = "pools: [{host: h.example, user: u, password: hush}]\n";

// A pool with these further keys.
std::string pool(const std::string& more) {
  return "pools:\n  - {host: h.example, user: u, password: hush, " + more + "}\n";
}

std::string listener(const std::string& keys) {
  return kPool + "listeners:\n  - {" + keys + "}\n";
}

std::string user(const std::string& keys) {
  return kPool + "users:\n  - {" + keys + "}\n";
}

struct Case {
  std::string text;
  std::string problem;
};

void expect_rejected(std::initializer_list<Case> all) {
  for (const auto& [text, wanted] : all) {
    const std::string problems = problems_of(load(text));
    EXPECT_THAT(problems, HasSubstr(wanted)) << text;
    EXPECT_THAT(problems, Not(HasSubstr("hush"))) << text;
  }
}

// What follows from a first problem is not a second one.
void expect_rejected_once(std::initializer_list<Case> all) {
  for (const auto& [text, wanted] : all)
    EXPECT_EQ(problems_of(load(text)), wanted + "\n") << text;
}

TEST(Reject, TextThatIsNoMapOfKeys) {
  expect_rejected_once({
      {"", "t.yaml:1:1: found nothing, allowed: a map of keys"},
      {"- a", "t.yaml:1:1: found a list, allowed: a map of keys"},
      {"text", "t.yaml:1:1: found text, allowed: a map of keys"},
      {"a: 1\n---\nb: 2", "t.yaml:2:1: found a second document, allowed: one"},
  });
  expect_rejected({
      {kPool + "'workers' 1: 2", "t.yaml:2:"},  // what yaml-cpp would silently leave out
      {"a: [1", "t.yaml:1:1: this is not YAML"},
      {"a: b: c", "t.yaml:1:5: this is not YAML: illegal map value"},
      {"users: [{password_hash: *2470hush}]", "allowed: quotes around a value that begins with *"},
  });
}

// Each kind of value, with a secret that somebody put into the wrong key: nothing repeats it.
TEST(Reject, ValuesThatMayBeSecretsWithoutRepeatingThem) {
  const Variables variables = {{"DB_PASSWORD", "hush"}};
  for (const std::string value : {"'${DB_PASSWORD}'", "'mysql://u:hush@h:4000/db'"}) {
    for (const std::string key : {"workers", "memory_limit", "login_timeout", "reload_on_change",
                                  "drain_timeout", "max_clients"}) {
      const std::string problems = problems_of(load(kPool + key + ": " + value + "\n", variables));
      EXPECT_THAT(problems, HasSubstr(key + ": found something else")) << value;
      EXPECT_THAT(problems, Not(HasSubstr("hush"))) << key;
    }
    for (const std::string& text :
         {"pools: [{host: " + value + ", user: u, password: x}]\n", pool("size: " + value),
          pool("tls: {mode: " + value + "}"), pool("port: " + value),
          "pools: [{endpoints: [" + value + "], user: u, password: x}]\n",
          user("name: a, password: b, pool: " + value), listener("address: " + value),
          listener("socket_mode: " + value), kPool + "log: {level: " + value + "}\n",
          kPool + "http: {address: " + value + "}\n"}) {
      const std::string problems = problems_of(load(text, variables));
      if (problems == "no problem\n") continue;  // a word that may stand there
      EXPECT_THAT(problems, HasSubstr("found something else")) << text;
      EXPECT_THAT(problems, Not(HasSubstr("hush"))) << text;
    }
  }
  const auto url = from_environment(
      environment({{"TIDB_HOST", "mysql://u:hush@h"}, {"TIDB_USER", "u"}, {"TIDB_PASSWORD", "x"}}));
  EXPECT_THAT(problems_of(url), HasSubstr("TIDB_HOST: found something else"));
}

TEST(Reject, QuotesThatNothingCloses) {
  const std::string problem = "this is not YAML: nothing closes the quote that opens here";
  for (const std::string quote : {"'", "\""}) {
    for (const std::string end :
         {"", "\n", "\n\n", " ", "\r\n", "\nmax_clients: 5\n", "\n# end\n"}) {
      const std::string last = kPool + "workers: " + quote + "1" + end;
      EXPECT_EQ(problems_of(load(last)), "t.yaml:2:10: " + problem + "\n") << last;
      const std::string text =
          "pools:\n  - host: h\n    user: u\n    password: " + quote + "hush" + end;
      EXPECT_EQ(problems_of(load(text)), "t.yaml:4:15: " + problem + "\n") << text;
    }
  }
  EXPECT_TRUE(load(kPool + "workers: '1'\n")) << "that are closed";
}

TEST(Reject, WhatIsNoText) {
  const std::string problem = "found a byte that is no text, allowed: UTF-8";
  using std::string_literals::operator""s;
  for (const std::string& bytes :
       {"\0"s, "\x01"s, "\x1b"s, "\x80"s, "\xc0\xaf"s, "\xc3"s, "\xed\xa0\x80"s, "\xe0\x80\x80"s,
        "\xf4\x90\x80\x80"s, "\xff"s}) {
    EXPECT_THAT(problems_of(load("# é" + bytes + "\n" + kPool)),
                HasSubstr("t.yaml:1:4: " + problem));
    EXPECT_THAT(problems_of(load(kPool + "workers: 1" + bytes)),
                HasSubstr("t.yaml:2:11: " + problem));
  }
  EXPECT_TRUE(load("# é, \u20ac, \U0001f600\t\r\n" + kPool));
}

TEST(Reject, WhatGoesOnBehindTheEnd) {
  expect_rejected({
      {kPool + "]", "t.yaml:2:"},
      {kPool + "...\ngarbage", "t.yaml:3:1: found a second document, allowed: one"},
      {kPool + "---\n", "t.yaml:2:1: found a second document"},
      {kPool + "log: {level: info\n", "this is not YAML: end of map flow not found"},
      {kPool + "log:\n\tlevel: info\n", "t.yaml:3:"},
      {kPool + "workers: \"1\" 2\n", "t.yaml:2:14: this is not YAML"},
      {"pools: &a [*a]\n", "pools[0]: found"},
  });
}

TEST(Reject, WhatIsNestedTooDeeply) {
  std::string brackets;
  std::string braces;
  for (int i = 0; i < 100'000; ++i) {
    brackets += '[';
    braces += "{a: ";
  }
  for (const std::string& text :
       {brackets, braces, kPool + "workers: " + brackets, kPool + "workers: " + braces,
        kPool + "workers: " + brackets + std::string(brackets.size(), ']'),
        "a: &a " + brackets + std::string(brackets.size(), ']')}) {
    EXPECT_THAT(problems_of(load(text)), HasSubstr(": this is nested too deeply\n"));
  }
}

// Each doubles the one before it.
TEST(Reject, AliasesThatMultiply) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 60; ++i) {
    const std::string before = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i);
    bomb += " [*a" + before + ", *a" + before + "]\n";
  }
  expect_rejected({
      {bomb + kPool, "a0: unknown key"},
      {bomb + "pools: *a59\n", "pools[1]: found a list, allowed: a map of keys"},
      {bomb + kPool + "workers: *a59\n", "workers: found a list, allowed: a whole number"},
  });
}

// A password without quotes is one, and would be nothing.
TEST(Reject, TagsThatMeanNothingHere) {
  const std::string problem = "found a tag, allowed: quotes around a value that begins with !";
  expect_rejected_once({
      {"!foo\n" + kPool, "t.yaml:1:1: " + problem},
      {kPool + "workers: !foo 5\n", "t.yaml:2:10: " + problem},
      {kPool + "workers: !hush\n", "t.yaml:2:10: " + problem},
      {kPool + "!!binary workers: 5\n", "t.yaml:2:1: " + problem},
      {kPool + "workers: !!python/object/apply:os.system ['hush']\n", "t.yaml:2:10: " + problem},
      {kPool + "log: !<x> {level: info}\n", "t.yaml:2:6: " + problem},
  });
  EXPECT_TRUE(load(kPool + "workers: !!int 5\nlog: !!map {level: !!str info, format: ! text}\n"));
  EXPECT_TRUE(load("pools: [{host: h, user: u, password: '!hush'}]\n"));
}

TEST(Reject, UnknownKeyWithWhatWasMeant) {
  expect_rejected({
      {"worker: 1\n" + kPool, "t.yaml:1:1: worker: unknown key, did you mean workers? allowed: "},
      {"pool: []\n" + kPool, "pool: unknown key, did you mean pools?"},
      {"log: {levle: info}\n" + kPool,
       "t.yaml:1:7: log.levle: unknown key, did you mean level? allowed: level, format"},
      {pool("sizes: 1"), "t.yaml:2:48: pools[0].sizes: unknown key, did you mean size?"},
      {pool("tls: {modus: x}"), "pools[0].tls.modus: unknown key, did you mean mode?"},
      {pool("quux: 1"), "pools[0].quux: unknown key, allowed: name, url, host"},
      {user("passwort: hush"), "users[0].passwort: unknown key, did you mean password?"},
      {kPool + "<<: {workers: 1}", "<<: unknown key"},
      {kPool + "{a: 1}: 1", "found a map as a key"},
  });
}

TEST(Reject, ValueThatIsNotWhatTheKeyTakes) {
  expect_rejected({
      {"workers: five\n" + kPool,
       "t.yaml:1:10: workers: found \"five\", allowed: a whole number from 1 to 256, or auto"},
      {"workers: 0\n" + kPool, "workers: found \"0\", allowed: a whole number from 1"},
      {"workers: 1.5\n" + kPool, "workers: found \"1.5\""},
      {"workers: [1]\n" + kPool, "workers: found a list, allowed: a whole number"},
      {"workers: {}\n" + kPool, "workers: found a map"},
      {"workers:\n" + kPool, "t.yaml:1:1: workers: found nothing"},
      {"max_clients: 99999999999999999999\n" + kPool, "max_clients: found"},
      {"login_timeout: 10\n" + kPool, "login_timeout: found \"10\", allowed: a duration such as"},
      {"login_timeout: -1s\n" + kPool, "login_timeout: found \"-1s\""},
      {"login_timeout: 1d\n" + kPool, "login_timeout: found \"1d\""},
      {"login_timeout: s\n" + kPool, "login_timeout: found \"s\""},
      {"login_timeout: 0\n" + kPool,
       "login_timeout: found \"0\", allowed: a duration such as 500ms or 5m, from 100ms "
       "to 10m"},
      {"drain_timeout: 9223372036854775807h\n" + kPool, "drain_timeout: found"},
      {"log: {level: loud}\n" + kPool,
       "log.level: found \"loud\", allowed: one of trace, debug, info, warn, error"},
      {"log: text\n" + kPool, "log: found text, allowed: a map of keys"},
      {"log:\n" + kPool, "log: found nothing, allowed: a map of keys"},
      {"http: {address: nowhere:x}\n" + kPool,
       "http.address: found \"nowhere:x\", allowed: host:port"},
      {"http: {address: 'h:65536'}\n" + kPool, "http.address: found"},
      {"http: {address: '[::1'}\n" + kPool, "http.address: found"},
      {"http: {address: '[h]:1'}\n" + kPool, "http.address: found"},
      {"http: {address: 'h:'}\n" + kPool, "http.address: found"},
      {"http: {address: '6034'}\n" + kPool, "http.address: found"},
      {"http: {hosts: ['a:1']}\n" + kPool,
       "http.hosts: found \"a:1\", allowed: a list of host names, without ports"},
      {"http: {hosts: []}\n" + kPool, "http.hosts: found a list"},
      {"http: {hosts: 'a, ,b'}\n" + kPool, "http.hosts: found"},
      {"http: {hosts: '*'}\n" + kPool, "http.hosts: found"},
      {listener("socket: /s, socket_mode: rw"), "socket_mode: found \"rw\", allowed: octal"},
      {listener("socket: /s, socket_mode: 1777"), "socket_mode: found \"1777\""},
      {pool("recycle_jitter: 1"), "recycle_jitter: found \"1\", allowed: a number from 0 to 0.9"},
      {pool("tls: {allow_plaintext: maybe}"), "allowed: true or false"},
      {pool("password: [hush]"), "found twice"},
      {"pools: [{host: h, user: u, password: [hush]}]", "password: found a list, allowed: text"},
      {"pools: [{endpoints: [h, 'x y'], user: u, password: p}]", "endpoints: found \"x y\""},
      {"pools: [{endpoints: [], user: u, password: p}]",
       "endpoints: found a list, allowed: a list of host:port"},
      {"pools: [{endpoints: {a: b}, user: u, password: p}]", "endpoints: found a map"},
      {"pools: {a: b}", "t.yaml:1:8: pools: found a map, allowed: a list of maps"},
      {"pools: [text]", "t.yaml:1:9: pools[0]: found text, allowed: a map of keys"},
      {"workers: \"a\\u0001" + std::string(100, 'x') + "\"\n" + kPool, "found \"a?xxx"},
  });
}

TEST(Reject, SameKeyTwice) {
  expect_rejected({
      {"workers: 1\nworkers: 2\n" + kPool, "t.yaml:2:10: workers: found twice"},
      {"log: {level: info}\nlog: {level: warn}\n" + kPool, "t.yaml:2:1: log: found twice"},
      {kPool + kPool, "t.yaml:2:1: pools: found twice"},
  });
}

TEST(Reject, VariablesThatAreNotSetOrNotWellFormed) {
  expect_rejected_once({
      {"workers: ${N}\n" + kPool,
       "t.yaml:1:10: workers: the environment variable N is not set, allowed: setting it, "
       "or ${N:-default}"},
      {"pools: [{host: \"${H}\", user: u, password: p}]",
       "t.yaml:1:16: pools[0].host: the environment variable H is not set, allowed: setting it, or "
       "${H:-default}"},
      {"pools: [{url: \"${U}\"}]",
       "t.yaml:1:15: pools[0].url: the environment variable U is not set, allowed: setting it, or "
       "${U:-default}"},
  });
  expect_rejected({
      {"workers: ${N\n" + kPool, "found ${ without }"},
      {"workers: ${1N}\n" + kPool, "found ${…} without a name"},
      {"workers: ${}\n" + kPool, "found ${…} without a name"},
  });
}

TEST(Reject, PoolsThatAreIncompleteOrContradictThemselves) {
  expect_rejected({
      {"workers: 1", "t.yaml:1:1: pools: found none, allowed: one or more"},
      {"pools: []", "pools: found none, allowed: one or more"},
      {"pools: [{user: u, password: p}]",
       "pools[0].host: found nothing, allowed: pools[0].host, or endpoints, or pools[0].url"},
      {"pools: [{host: h, password: p}]", "pools[0].user: found nothing"},
      {"pools: [{host: h, user: u}]",
       "pools[0].password: found nothing, allowed: one of pools[0].password, "
       "pools[0].password_file"},
      {"pools: [{host: h, user: u, password_file: /no/such}]",
       "pools[0].password_file: found /no/such, which cannot be read (No such file or directory)"},
      {"pools: [{host: h, user: u, password_file: /tmp}]", "(Is a directory)"},
      {pool("password_file: /x"), "password_file: found beside pools[0].password, allowed: one of"},
      {pool("endpoints: [a, b]"), "t.yaml:2:12: pools[0].host: found beside endpoints"},
      {pool("url: 'mysql://u:p@h'"), "pools[0].host: found although pools[0].url says the same"},
      {"pools: [{url: 'mysql://u:hush@h', password: hush}]",
       "pools[0].password: found although pools[0].url"},
      {"pools: [{url: 'mysql://u:hush@h/d', database: e}]", "pools[0].database: found although"},
      {"pools: [{url: 'mysql://u:hush@h?ssl=true', tls: {mode: required}}]",
       "pools[0].tls.mode: found although"},
      {"pools: [{url: 'mysql://u:hush@h?ssl=maybe'}]",
       "t.yaml:1:15: pools[0].url: parameter ssl: found \"maybe\""},
      {"pools: [{url: 'mysql://u@h.example'}]", "pools[0].password: found nothing"},
      {pool("size: 0"), "pools[0].size: found \"0\", allowed: a whole number from 1"},
      {pool("size: 2, min_idle: 3"), "pools[0].min_idle: found 3, allowed: at most size, 2"},
      {pool("backoff: {initial: 1m}"),
       "pools[0].backoff.initial: found 1m, allowed: at most backoff.max, 10s"},
      {pool("tls: {ca: /no/such.pem}"),
       "pools[0].tls.ca: found /no/such.pem, which cannot be read"},
      {pool("tls: {ca: /dev/null, mode: disabled, allow_plaintext: true}"),
       "found a CA although TLS is disabled"},
      {pool("tls: {mode: disabled}"),
       "pools[0].tls.mode: found TLS disabled for h.example, allowed:"},
      {"pools: [{host: h, user: u, password: p}, {host: h, user: u, password: p}]\nusers: [{name: "
       "a, password: b, pool: default}]",
       "t.yaml:1:42: pools[1].name: found default a second time"},
      {"pools: [{name: a, host: h, user: u, password: p}, {name: b, host: h, user: u, password: "
       "p}]",
       "users: found none, allowed: one or more, if there are several pools"},
      {"pools: [{name: '', host: h, user: u, password: p}]", "pools[0].name: found nothing"},
      {"pools: [{host: 'h:4000', user: u, password: p}]", "pools[0].host: found \"h:4000\""},
  });
}

TEST(Reject, UsersThatAreIncompleteOrContradictThemselves) {
  expect_rejected({
      {kPool + "users: []", "users: found an empty list"},
      {user("password: hush"), "users[0].name: found nothing"},
      {user("name: a"),
       "users[0].password: found nothing, allowed: one of users[0].password, "
       "users[0].password_file, "
       "users[0].password_hash"},
      {user("name: a, password: hush, password_hash: x"), "found beside users[0].password"},
      {user("name: a, password_hash: hush"),
       "t.yaml:3:30: users[0].password_hash: found something else"},
      {user("name: a, password: hush, pool: b"),
       "users[0].pool: found \"b\", allowed: one of default"},
      {user("name: a, password: hush}\n  - {name: a, password: hush"),
       "t.yaml:4:12: users[1].name: found a a second time"},
  });
}

TEST(Reject, ListenersThatContradictThemselves) {
  expect_rejected({
      {kPool + "listeners: []", "listeners: found an empty list"},
      {listener("socket: /s, address: 'h:1'"), "listeners[0].socket: found beside address"},
      {listener("socket: ''"), "allowed: 1 to 107"},
      {listener("socket: /" + std::string(107, 'x')),
       "found a path of 108 bytes, allowed: 1 to 107"},
      {listener("socket_mode: 0600"), "socket_mode: found without socket"},
      {listener("address: 'h:1', tls: {mode: required}"),
       "tls.certificate: found nothing, allowed: the path of a PEM file"},
      {listener("tls: {mode: optional, certificate: /no/such, key: /no/such}"),
       "tls.key: found /no/such, which cannot be read"},
      {listener("tls: {certificate: /dev/null}"), "tls.certificate: found while tls.mode is off"},
      {listener("socket: /s, tls: {mode: optional, certificate: /dev/null, key: /dev/null}"),
       "found TLS on a Unix socket"},
      {listener("address: 'h:1'}\n  - {address: 'h:1'"),
       "t.yaml:4:15: listeners[1].address: found h:1 a second time"},
  });
}

TEST(Reject, AllProblemsOfAFileAtOnceInItsOrder) {
  EXPECT_EQ(problems_of(load(R"(workers: many
pools:
  - host: h.example
    size: 0
    min_idel: 1
users:
  - name: a
    password: "${SECRET}"
    pool: other
)")),
            R"(t.yaml:1:10: workers: found "many", allowed: a whole number from 1 to 256, or auto
t.yaml:3:5: pools[0].user: found nothing, allowed: the name of a TiDB account
t.yaml:3:5: pools[0].password: found nothing, allowed: one of pools[0].password, pools[0].password_file; an empty text for an account without password
t.yaml:4:11: pools[0].size: found "0", allowed: a whole number from 1 to 100000
t.yaml:5:5: pools[0].min_idel: unknown key, did you mean min_idle? allowed: name, url, host, port, endpoints, user, password, password_file, database, tls, size, max_overflow, timeout, recycle, recycle_jitter, idle_timeout, min_idle, ping_interval, connect_timeout, max_dials, dial_rate, max_waiters, max_leases_per_database, max_sessions_per_database, backoff, retry_budget, control_timeout, max_prepared, prepare_cache_ttl, max_prepared_memory, passthrough, max_passthrough_users, passthrough_lifetime
t.yaml:8:15: users[0].password: the environment variable SECRET is not set, allowed: setting it, or ${SECRET:-default}
t.yaml:9:11: users[0].pool: found "other", allowed: one of default
)");
}

TEST(Reject, AUserWhoMayMeanAnyOfSeveralPools) {
  EXPECT_EQ(problems_of(load(R"(
pools:
  - {name: a, host: h, user: u, password: hush}
  - {name: b, host: h, user: u, password: hush}
users:
  - {name: x, password: hush}
)")),
            "t.yaml:6:5: users[0].pool: found nothing, allowed: one of a, b\n");
}

TEST(Reject, AKeyUnderBothItsNames) {
  EXPECT_EQ(problems_of(load(R"(
pools:
  - host: h.example
    user: u
    password: hush
    prepare_cache_ttl: 1s
    prepare_memory: 2s
)")),
            "t.yaml:7:21: pools[0].prepare_memory: found twice\n");
}

TEST(Reject, ACaBesideTheOneOfTheUrl) {
  const TemporaryFile pem("PEM");
  expect_rejected({
      {"pools: [{url: 'mysql://u:hush@h/?ssl_ca=" + pem.path() + "', tls: {ca: " + pem.path() +
           "}}]",
       "pools[0].tls.ca: found although pools[0].url says the same"},
      {"pools: [{url: 'mysql://u:hush@h/?ssl_ca=/no/such'}]", "which cannot be read"},
  });
}

TEST(Reject, AFileThatIsTooLong) {
  const TemporaryFile large(std::string((1U << 20U) + 1, '#'));
  EXPECT_EQ(problems_of(load_file(large.path(), environment({}))),
            large.path() + ": cannot be read: File too large\n");
}

}  // namespace
}  // namespace tidepool::config
