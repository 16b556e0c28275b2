// LOAD DATA LOCAL: the client's next packets are its file, and only then; and the answers that a
// client which is gone does not take.
#include <string>
#include <utility>

#include "session_fixture.h"

namespace tidepool::testing {
namespace {

using ::testing::IsEmpty;

const std::string kLoad = "LOAD DATA LOCAL INFILE 'f' INTO TABLE t";

std::string file_request() {
  return packet(1, "\xfb/etc/passwd");
}

class LocalInfileTest : public SessionTest {
 protected:
  LocalInfileTest() { pool().retry_budget = std::chrono::milliseconds(50); }
  RawClient client_with_files() {
    RawClient::Options with_files = options();
    with_files.capabilities |= protocol::capability::kLocalFiles;
    return client(with_files);
  }
  void answer_with_request(const std::string& statement) {
    tidb_.answer(statement, FakeMysql::Answer{.bytes = file_request(), .takes_file = true});
  }
  // The next client finds a backend as if nothing had been.
  void expect_untouched() {
    EXPECT_TRUE(is_idle());
    expect_service();
  }
};

TEST_F(LocalInfileTest, EndsTheSessionOfAClientThatSendsACommandInThePlaceOfItsFile) {
  start();
  answer_with_request(kLoad);
  const std::string others[] = {"\x0e", "\x01", "\x03SELECT 1", std::string("\x19\0\0\0\0", 5)};
  for (const std::string& behind : others) {
    RawClient client = client_with_files();

    client.send_bytes(packet(0, '\x03' + kLoad) + packet(0, behind));

    EXPECT_EQ(client.read_reply().kind, Reply::Kind::kFileRequest);
    EXPECT_TRUE(client.is_closed());
    EXPECT_TRUE(has_sessions(0));
    expect_untouched();
  }
  EXPECT_THAT(tidb_.server().files(), IsEmpty());
}

TEST_F(LocalInfileTest, DiscardsABackendThatAsksForAFileThatTheStatementDoesNotOffer) {
  start();
  answer_with_request("SELECT 1");
  answer_with_request("INSERT INTO t VALUES (1)");
  for (const std::string text : {"SELECT 1", "INSERT INTO t VALUES (1)"}) {
    RawClient client = client_with_files();

    const Reply reply = client.query(text);

    EXPECT_EQ(reply.kind, Reply::Kind::kError) << describe(reply);
    EXPECT_TRUE(client.query("SELECT 2").kind == Reply::Kind::kRows) << "the session lives on";
    client.close();
    EXPECT_TRUE(has_sessions(0));
    expect_untouched();
  }
}

TEST_F(LocalInfileTest, DiscardsABackendThatAsksAClientWithoutTheCapability) {
  start();
  answer_with_request(kLoad);
  RawClient client = this->client();

  const Reply reply = client.query(kLoad);

  EXPECT_EQ(reply.kind, Reply::Kind::kError) << describe(reply);
  EXPECT_EQ(client.query("SELECT 1").kind, Reply::Kind::kRows);
}

TEST_F(LocalInfileTest, DiscardsABackendThatAnswersTheProxysOwnStatementsWithARequest) {
  start();
  answer_with_request("USE `shop`");
  RawClient::Options with_database = options();
  with_database.capabilities |=
      protocol::capability::kLocalFiles | protocol::capability::kConnectWithDb;
  with_database.database = "shop";
  RawClient client(with_database);

  const Reply reply = client.log_in();

  EXPECT_EQ(reply.kind, Reply::Kind::kError) << describe(reply);
  EXPECT_TRUE(has_sessions(0));
  expect_untouched();
}

TEST_F(LocalInfileTest, DiscardsABackendThatGoesOnSpeakingWhileItAwaitsTheFile) {
  start();
  for (const std::string& more : {std::string("x"), ok_packet(2)}) {
    tidb_.answer(kLoad, FakeMysql::Answer{.bytes = file_request() + more});
    RawClient client = client_with_files();

    client.send('\x03' + kLoad);

    EXPECT_EQ(client.read_reply().kind, Reply::Kind::kFileRequest);
    EXPECT_TRUE(client.read_reply().kind == Reply::Kind::kError || client.is_closed());
    client.close();
    EXPECT_TRUE(has_sessions(0));
    expect_untouched();
  }
}

// Its socket breaks in the middle of what it has sent: each answer finds it gone.
TEST_F(LocalInfileTest, SurvivesAClientThatResetsBehindManyCommands) {
  start();
  std::string many;
  for (int i = 0; i < 4000; ++i)
    many += packet(0, "\x0e") + packet(0, "\x03SET autocommit = 1") + packet(0, "\x03COMMIT");
  for (int round = 0; round < 10; ++round) {
    RawClient client = this->client();
    client.send_some(many);

    client.close_with_reset();

    EXPECT_TRUE(has_sessions(0));
  }
  expect_untouched();
}

}  // namespace
}  // namespace tidepool::testing
