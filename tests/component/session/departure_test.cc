// Clients that leave: what they had sent whole is executed in order, as at TiDB, and nothing of
// them is left.
#include <thread>

#include "certificates.h"
#include "session_fixture.h"
#include "tidepool/protocol/auth.h"
#include "tidepool/protocol/codec.h"
#include "tidepool/protocol/packet.h"

namespace tidepool::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

std::string framed(std::string_view payload, std::uint8_t sequence = 0) {
  std::string bytes;
  protocol::append_packet(bytes, sequence, payload);
  return bytes;
}
std::string query(std::string_view text) {
  return framed('\x03' + std::string(text));
}
const std::string kQuit = framed("\x01");
constexpr const char* kInsert = "INSERT INTO t VALUES (1)";
constexpr const char* kAnother = "INSERT INTO t VALUES (2)";

class DepartureTest : public SessionTest {
 protected:
  void kill_at_once() {
    config_.disconnect_grace = std::chrono::milliseconds(0);
    pool().size = 2;
  }
  void answer_as_killed(const std::string& text) {
    tidb_.answer(text, err_packet(1317, "70100", "Query execution was interrupted"));
  }
  bool has_come(const std::string& what) {
    return eventually([&] {
      const Words all = tidb_.commands();
      return std::find(all.begin(), all.end(), what) != all.end();
    });
  }
  // Who asks later is answered by a proxy that has seen what came before.
  bool client_is_known_to_be_gone() { return client().ping().is_ok(); }
  // Nothing of the client is left, and its backend is kept.
  void expect_end() {
    EXPECT_TRUE(has_sessions(0));
    EXPECT_TRUE(is_idle());
    EXPECT_EQ(tidb_.server().connections(), 1);
  }
};

TEST_F(DepartureTest, ExecutesTheStatementOfAClientThatClosesAtOnce) {
  start();
  RawClient client = this->client();
  tidb_.hold(kInsert);
  client.send_bytes(query(kInsert));
  ASSERT_TRUE(holds(1));

  client.close();
  EXPECT_TRUE(client_is_known_to_be_gone());
  tidb_.let_go();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre(kInsert));
}

TEST_F(DepartureTest, ExecutesWhatWasSentInOneWriteAlthoughNobodyTakesTheAnswers) {
  start();
  RawClient client = this->client();
  std::string all;
  Words wanted;
  for (int i = 0; i < 50; ++i) {
    wanted.push_back("INSERT INTO t VALUES (" + std::to_string(i) + ")");
    all += query(wanted.back());
  }
  tidb_.hold(wanted[0]);
  client.send_bytes(all);
  client.close();
  ASSERT_TRUE(holds(1));
  tidb_.let_go();

  expect_end();
  EXPECT_EQ(tidb_.commands(), wanted);
}

TEST_F(DepartureTest, ExecutesATransactionThatWasSentInOneWrite) {
  start();
  RawClient client = this->client();
  client.send_bytes(query("BEGIN") + query(kInsert) + query("COMMIT"));
  client.close();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", kInsert, "COMMIT"));
}

TEST_F(DepartureTest, RollsBackATransactionThatIsOpenAtTheEnd) {
  start();
  RawClient client = this->client();
  client.send_bytes(query("BEGIN") + query(kInsert));
  client.close();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", kInsert, "RESET"));
}

TEST_F(DepartureTest, ExecutesWhatComesBeforeAQuitAndNothingBehindIt) {
  start();
  RawClient client = this->client();
  client.send_bytes(query(kInsert) + kQuit + query(kAnother));
  client.close();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre(kInsert));
}

TEST_F(DepartureTest, DoesNotExecuteHalfACommand) {
  start();
  RawClient client = this->client();
  client.send_bytes(query(kInsert) + query(kAnother).substr(0, 20));
  client.close();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre(kInsert));
}

TEST_F(DepartureTest, AnswersAClientThatOnlySendsNoMore) {
  start();
  RawClient client = this->client();
  client.send_bytes(query(kInsert) + query("SELECT 1"));
  client.end_input();

  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_EQ(client.read_reply().rows, Words{"0"});
  EXPECT_TRUE(client.is_closed());
  expect_end();
}

TEST_F(DepartureTest, AnswersAClientWithTlsThatOnlySendsNoMore) {
  CertificateAuthority authority;
  const CertificateFiles files = authority.issue({"localhost"});
  config_.listeners[0].tls = {config::ClientTlsMode::kOptional, files.certificate, files.key};
  start();
  RawClient::Options with_tls = options();
  with_tls.tls = true;
  RawClient client = this->client(with_tls);
  client.send_bytes(query(kInsert) + query("SELECT 1"));
  client.end_input();

  EXPECT_TRUE(client.read_reply().is_ok());
  EXPECT_EQ(client.read_reply().rows, Words{"0"});
  expect_end();
}

// More than is kept of a client that is ahead of its turn: the rest waits in the kernel. The client
// does not close, since its own kernel would throw away what it has not yet sent.
TEST_F(DepartureTest, ExecutesMoreThanIsReadAheadOfItsTurn) {
  start();
  RawClient client = this->client();
  std::string all;
  constexpr int kCount = 300;
  for (int i = 0; i < kCount; ++i)
    all += query(kInsert + std::string(20'000, ' '));
  tidb_.hold(kInsert);
  client.send_bytes(query(kInsert));
  ASSERT_TRUE(holds(1));
  std::thread sender([&] {
    client.send_bytes(all);
    client.end_input();
  });
  tidb_.let_go();
  sender.join();

  for (int i = 0; i <= kCount; ++i)
    ASSERT_TRUE(client.read_reply().is_ok()) << i;
  EXPECT_TRUE(client.is_closed());
  expect_end();
  EXPECT_EQ(tidb_.commands().size(), kCount + 1U);
}

TEST_F(DepartureTest, LeavesNothingOfAClientThatResetsItsConnection) {
  start();
  RawClient client = this->client();
  tidb_.hold(kInsert);
  client.send_bytes(query(kInsert) + query(kAnother));
  ASSERT_TRUE(holds(1));

  client.close_with_reset();
  EXPECT_TRUE(client_is_known_to_be_gone());
  tidb_.let_go();

  expect_end();
  expect_service();
}

TEST_F(DepartureTest, ExecutesALoadWhoseFileIsWhole) {
  start();
  RawClient::Options with_files = options();
  with_files.capabilities |= protocol::capability::kLocalFiles;
  RawClient client = this->client(with_files);
  const std::string load = "LOAD DATA LOCAL INFILE 'f' INTO TABLE t";
  tidb_.answer(load, FakeMysql::Answer{.bytes = packet(1,
                                                       "\xfb"
                                                       "f"),
                                       .takes_file = true});
  ASSERT_EQ(client.query(load).kind, Reply::Kind::kFileRequest);
  tidb_.forget();
  client.send_bytes(framed("one", 2) + framed("", 3) + query(kInsert));
  client.close();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(is_idle());
  EXPECT_THAT(tidb_.server().files(), ElementsAre("one"));
  EXPECT_THAT(tidb_.commands(), ElementsAre(kInsert));
}

TEST_F(DepartureTest, ExecutesAPreparedStatementWithLongData) {
  start();
  RawClient client = this->client();
  const Reply prepared = client.prepare("INSERT INTO t VALUES (?)");
  std::string data("\x18");
  protocol::Writer(data).u32(prepared.statement).u16(0).bytes("long");
  std::string execute("\x17");
  protocol::Writer(execute).u32(prepared.statement).u8(0).u32(1).u8(0).u8(1).u16(0xfd);
  client.send_bytes(framed(data) + framed(execute));
  client.close();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(is_idle());
  const Words all = tidb_.commands();
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const std::string& one) {
    return one.starts_with("EXECUTE");
  })) << ::testing::PrintToString(all);
}

TEST_F(DepartureTest, ExecutesWhatComesBehindAChangeOfUser) {
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.change_user("app", "pw").is_ok());
  client.send_bytes(framed("\x1f") + query(kInsert));
  client.close();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre(kInsert));
}

TEST_F(DepartureTest, KeepsTheDeadlineOfACommandThatWaitsForALease) {
  pool().timeout = std::chrono::milliseconds(200);
  start();
  RawClient holder = client();
  ASSERT_TRUE(holder.query("BEGIN").is_ok());
  RawClient waits = client();
  waits.send_bytes(query(kInsert));
  ASSERT_TRUE(eventually([&] { return proxy_->counts().waiting == 1; }));

  waits.close();

  EXPECT_TRUE(has_sessions(1));
  EXPECT_EQ(proxy_->pool_stats().lease_timeouts.value(), 1U);
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN"));
}

TEST_F(DepartureTest, DoesNotWaitOnceMoreForEachCommandOfAClientThatIsGone) {
  pool().timeout = std::chrono::milliseconds(200);
  start();
  RawClient holder = client();
  ASSERT_TRUE(holder.query("BEGIN").is_ok());
  RawClient waits = client();
  waits.send_bytes(query("BEGIN") + query(kInsert) + query("COMMIT"));
  ASSERT_TRUE(eventually([&] { return proxy_->counts().waiting == 1; }));

  waits.close();

  EXPECT_TRUE(has_sessions(1));
  EXPECT_EQ(proxy_->pool_stats().lease_timeouts.value(), 1U);
  EXPECT_TRUE(holder.query("COMMIT").is_ok());
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", "COMMIT"));
}

// By the answer to the first statement the socket has learnt that nobody is there.
TEST_F(DepartureTest, ChangesTheUserInItsTurnAlthoughNobodyTakesTheAnswer) {
  start();
  RawClient client = this->client();
  protocol::ChangeUser request;
  request.user = "app";
  request.auth_plugin = "mysql_native_password";
  request.auth_response = protocol::native_scramble("pw", client.greeting().salt);
  constexpr const char* kHeld = "INSERT INTO t VALUES (3)";
  tidb_.hold(kHeld);
  client.send_bytes(query(kInsert) + query(kHeld) +
                    framed(protocol::encode_change_user(request, RawClient::kUsual)) +
                    query(kAnother));
  client.close();
  ASSERT_TRUE(holds(1));
  EXPECT_TRUE(client_is_known_to_be_gone());
  tidb_.let_go();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre(kInsert, kHeld, kAnother));
}

TEST_F(DepartureTest, ExecutesInADrainWhatAClientHadSentThatIsGone) {
  start();
  RawClient client = this->client();
  tidb_.hold(kInsert);
  client.send_bytes(query(kInsert) + query(kAnother));
  ASSERT_TRUE(holds(1));
  client.close();
  ASSERT_TRUE(client_is_known_to_be_gone());

  proxy_->drain();
  tidb_.let_go();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_THAT(tidb_.commands(), ElementsAre(kInsert, kAnother));
}

TEST_F(DepartureTest, GoesOnAfterAKillOutsideATransaction) {
  kill_at_once();
  start();
  RawClient client = this->client();
  tidb_.hold(kInsert);
  answer_as_killed(kInsert);
  client.send_bytes(query(kInsert) + query("SELECT 'next'"));
  client.close();

  ASSERT_TRUE(has_come("KILL QUERY 1000"));
  tidb_.let_go();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_THAT(tidb_.commands(), Contains("SELECT 'next'"));
}

TEST_F(DepartureTest, CommitsNothingAfterAKillInATransaction) {
  kill_at_once();
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  tidb_.hold(kInsert);
  answer_as_killed(kInsert);
  client.send_bytes(query(kInsert) + query("COMMIT"));
  client.close();

  ASSERT_TRUE(has_come("KILL QUERY 1000"));
  tidb_.let_go();

  EXPECT_TRUE(has_sessions(0));
  EXPECT_TRUE(has_come("RESET"));
  EXPECT_THAT(tidb_.commands(), Not(Contains("COMMIT")));
}

TEST_F(DepartureTest, NeverKillsACommit) {
  kill_at_once();
  start();
  RawClient client = this->client();
  ASSERT_TRUE(client.query("BEGIN").is_ok());
  tidb_.hold("COMMIT");
  client.send_bytes(query("COMMIT"));
  ASSERT_TRUE(holds(1));
  client.close();
  ASSERT_TRUE(client_is_known_to_be_gone());

  tidb_.let_go();

  expect_end();
  EXPECT_THAT(tidb_.commands(), ElementsAre("BEGIN", "COMMIT"));
}

}  // namespace
}  // namespace tidepool::testing
