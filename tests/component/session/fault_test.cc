// The main exchanges, with the backend broken at every step in turn and in every way: the client
// gets an answer, an error or a close in time, the lease comes back or its backend goes, the next
// client is served, and nothing is left.
#include "session_fixture.h"

namespace tidepool::testing {
namespace {

// What a client does; ends early when it is told that something is the matter.
struct Script {
  const char* name;
  int steps;  // commands that reach the backend when nothing breaks
  std::function<std::vector<Reply>(RawClient&)> run;
  bool with_database = false;
  bool prepares_elsewhere = false;  // the statement is to be prepared on another backend first
};

std::vector<Reply> run_all(RawClient& client,
                           const std::vector<std::function<Reply(RawClient&)>>& actions) {
  std::vector<Reply> replies;
  for (const auto& action : actions) {
    replies.push_back(action(client));
    const Reply::Kind kind = replies.back().kind;
    if (kind == Reply::Kind::kClosed || kind == Reply::Kind::kTimeout) break;
  }
  return replies;
}

std::function<Reply(RawClient&)> query(const char* text) {
  return [text](RawClient& client) { return client.query(text); };
}

Reply send_file(RawClient& client) {
  Reply reply = client.query(kLoadFile);
  if (reply.kind != Reply::Kind::kFileRequest) return reply;
  client.send("one,", 2);
  client.send("", 3);
  return client.read_reply();
}

const std::vector<Script> kScripts = {
    {"login with a database", 1,
     [](RawClient& client) { return run_all(client, {query("SELECT 1")}); }, true},
    {"text query", 1, [](RawClient& client) { return run_all(client, {query("SELECT 1")}); }},
    {"query after a restore", 2,
     [](RawClient& client) {
       return run_all(client, {query("SET NAMES latin1"), query("SELECT 1")});
     }},
    {"write after a restore", 2,
     [](RawClient& client) {
       return run_all(client, {query("SET NAMES latin1"), query("INSERT INTO t VALUES (1)")});
     }},
    {"prepare and execute", 2,
     [](RawClient& client) {
       return run_all(client, {[](RawClient& one) { return one.prepare("SELECT 1"); },
                               [](RawClient& one) { return one.execute(1); }});
     }},
    {"execute after a reset of the backend", 4,
     [](RawClient& client) {
       return run_all(client, {[](RawClient& one) { return one.prepare("SELECT 1"); },
                               query("SELECT NEXTVAL(s)"), query("SELECT 1"),
                               [](RawClient& one) { return one.execute(1); }});
     }},
    {"transaction with an error", 5,
     [](RawClient& client) {
       return run_all(client, {query("BEGIN"), query("INSERT INTO t VALUES (1)"),
                               query("INSERT INTO broken VALUES (1)"), query("COMMIT")});
     }},
    {"error outside a transaction", 2,
     [](RawClient& client) { return run_all(client, {query("INSERT INTO broken VALUES (1)")}); }},
    {"LOCAL INFILE", 1, [](RawClient& client) { return run_all(client, {send_file}); }},
    {"pinned and reset", 2,
     [](RawClient& client) {
       return run_all(client,
                      {query("SET @a = 1"), [](RawClient& one) { return one.command("\x1f"); },
                       query("COMMIT")});
     }},
};

class FaultTest : public SessionTest, public ::testing::WithParamInterface<std::size_t> {
 protected:
  RawClient::Options client_options(const Script& script) const {
    RawClient::Options chosen = options();
    chosen.capabilities |= protocol::capability::kLocalFiles;
    if (script.with_database) chosen.database = "shop" + std::to_string(logins_);
    return chosen;
  }

  void run(const Script& script) {
    ++logins_;
    RawClient client(client_options(script));
    const Reply login = client.log_in();
    EXPECT_NE(login.kind, Reply::Kind::kTimeout);
    if (!login.is_ok()) return;
    for (const Reply& reply : script.run(client))
      EXPECT_NE(reply.kind, Reply::Kind::kTimeout) << "the client was left without an answer";
    client.close();
  }

  // Nothing of the script is left: no session, no lease, no waiter. What TiDB had to say is said,
  // and the proxy knows which connections are lost: a backend may break after its last answer.
  void expect_end() {
    EXPECT_TRUE(has_sessions(0));
    EXPECT_TRUE(is_idle()) << "a lease was not given back";
    EXPECT_TRUE(eventually([&] { return proxy_->counts().waiting == 0; }));
    EXPECT_TRUE(eventually([&] {
      return tidb_.server().is_quiet() &&
             proxy_->counts().total() == static_cast<unsigned>(tidb_.server().open_connections());
    }));
  }

  // A new client is served, and finds nothing of the one before.
  void expect_calm() {
    RawClient next(options());
    ASSERT_TRUE(next.log_in().is_ok());
    const Reply reply = next.query("SELECT 'service'");
    EXPECT_EQ(reply.kind, Reply::Kind::kRows) << describe(reply);
    EXPECT_EQ(reply.status & 1, 0) << "a transaction was left open";
    next.close();
    expect_end();
  }

  int logins_ = 0;
};

TEST_P(FaultTest, LeavesNothingBehindAtAnyStepOfAnyKind) {
  const Script& script = kScripts[GetParam()];
  tidb_.answer(kLoadFile, file_request());
  start();
  run(script);
  expect_end();
  expect_calm();
  int broken = 0;
  for (std::size_t kind = 0; kind < kFaults; ++kind) {
    for (int step = 0; step < script.steps + 2; ++step) {
      const auto fault = static_cast<Fault>(kind);
      SCOPED_TRACE(std::string(script.name) + ", step " + std::to_string(step) + ": " +
                   to_string(fault));
      tidb_.break_at(step, fault);
      run(script);
      expect_end();
      if (tidb_.has_broken()) ++broken;
      tidb_.break_at(-1, fault);
      expect_calm();
      if (HasFailure()) return;
    }
  }
  EXPECT_GE(broken, static_cast<int>(kFaults) * script.steps);
}

INSTANTIATE_TEST_SUITE_P(Scripts, FaultTest, ::testing::Range(std::size_t{0}, kScripts.size()),
                         [](const auto& test) {
                           std::string name = kScripts[test.param].name;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

}  // namespace
}  // namespace tidepool::testing
