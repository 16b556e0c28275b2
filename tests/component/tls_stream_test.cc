#include <cstdlib>
#include <ctime>
#include <fstream>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "certificates.h"
#include "loop_run.h"
#include "stream_pair.h"
#include "tidepool/net/tls_context.h"

namespace tidepool::net {
namespace {

using testing::CertificateAuthority;
using testing::CertificateFiles;
using testing::RecordingSink;
using testing::run_until;
using testing::SocketPair;

// A blocking TLS client on a thread of its own: what it is given to do, on an established session.
class TlsClient {
 public:
  TlsClient(int fd, std::function<void(SSL*)> then)
      : thread_([fd, then = std::move(then)] {
          SSL_CTX* context = SSL_CTX_new(TLS_client_method());
          SSL* tls = SSL_new(context);
          SSL_set_fd(tls, fd);
          if (SSL_connect(tls) == 1) then(tls);
          SSL_free(tls);
          SSL_CTX_free(context);
        }) {}
  ~TlsClient() { thread_.join(); }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

 private:
  std::thread thread_;
};

std::string read_all(SSL* tls, std::size_t size) {
  std::string all;
  std::string buffer(65536, '\0');
  while (all.size() < size) {
    const int got = SSL_read(tls, buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) break;
    all.append(buffer, 0, static_cast<std::size_t>(got));
  }
  return all;
}

class TlsStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const CertificateFiles files = authority_.issue({"localhost"});
    auto context = TlsContext::load(files.certificate, files.key);
    ASSERT_TRUE(context) << context.error().message;
    context_ = std::move(*context);
    stream_ = Stream::own(loop_, std::move(pair_.near), &sink_);
    sink_.stream = stream_.get();
  }

  CertificateAuthority authority_;
  std::unique_ptr<TlsContext> context_;
  Loop loop_;
  SocketPair pair_;
  RecordingSink sink_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(TlsStreamTest, ShakesHandsAndCarriesBytesBothWays) {
  ASSERT_TRUE(stream_->start_tls(*context_));
  std::promise<std::string> answer;
  const TlsClient client(pair_.far.get(), [&](SSL* tls) {
    SSL_write(tls, "question", 8);
    answer.set_value(read_all(tls, 6));
  });
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "question"; }));
  EXPECT_EQ(sink_.established, 1);
  EXPECT_TRUE(stream_->write("answer"));
  EXPECT_EQ(answer.get_future().get(), "answer");
}

TEST_F(TlsStreamTest, UsesBytesOfTheHelloThatWereReadBefore) {
  const TlsClient client(pair_.far.get(), [&](SSL* tls) { SSL_write(tls, "hi", 2); });
  sink_.instead_of_reading = [&] {  // as a session does, when the hello came with the SSLRequest
    sink_.read_once(100);
    const std::string early = std::exchange(sink_.received, {});
    EXPECT_EQ(early.size(), 100U);
    EXPECT_TRUE(stream_->start_tls(*context_, early));
    sink_.instead_of_reading = nullptr;
  };
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "hi"; }));
}

TEST_F(TlsStreamTest, LeavesNothingBehindInOpenssl) {
  // The sink reads three bytes a call: the socket is empty after the first, poll is silent, and
  // still all must arrive.
  sink_.instead_of_reading = [&] { sink_.read_once(3); };
  ASSERT_TRUE(stream_->start_tls(*context_));
  const TlsClient client(pair_.far.get(), [&](SSL* tls) { SSL_write(tls, "0123456789", 10); });
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "0123456789"; }));
}

TEST_F(TlsStreamTest, DeliversAfterAPauseWhatOpensslHolds) {
  sink_.instead_of_reading = [&] {
    sink_.read_once(3);
    stream_->pause(PauseReason::kPeerFull);
  };
  ASSERT_TRUE(stream_->start_tls(*context_));
  const TlsClient client(pair_.far.get(), [&](SSL* tls) { SSL_write(tls, "012345", 6); });
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "012"; }));
  EXPECT_TRUE(stream_->has_buffered());
  stream_->resume(PauseReason::kPeerFull);
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.received == "012345"; }));
  EXPECT_FALSE(stream_->has_buffered());
}

TEST_F(TlsStreamTest, QueuesLargeAnswers) {
  ASSERT_TRUE(stream_->start_tls(*context_));
  std::string sent;
  for (int i = 0; i < 40; ++i)
    sent += std::string(100'000, static_cast<char>('a' + i % 26));
  std::promise<std::string> received;
  const TlsClient client(pair_.far.get(),
                         [&](SSL* tls) { received.set_value(read_all(tls, sent.size())); });
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.established == 1; }));
  EXPECT_TRUE(stream_->write(sent));
  EXPECT_TRUE(run_until(loop_, [&] { return stream_->queued_bytes() == 0; }));
  EXPECT_TRUE(received.get_future().get() == sent);
  EXPECT_EQ(sink_.drained, 1);
}

TEST_F(TlsStreamTest, SeesTheEndWithAndWithoutCloseNotify) {
  ASSERT_TRUE(stream_->start_tls(*context_));
  const TlsClient client(pair_.far.get(), [&](SSL* tls) {
    SSL_write(tls, "bye", 3);
    ::shutdown(pair_.far.get(), SHUT_RDWR);
  });
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.ended; }));
  EXPECT_EQ(sink_.received, "bye");
}

TEST_F(TlsStreamTest, RefusesWhatIsNoTls) {
  ASSERT_TRUE(stream_->start_tls(*context_));
  ASSERT_GT(::send(pair_.far.get(), "GET / HTTP/1.0\r\n\r\n", 18, 0), 0);
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.error != nullptr; }));
  EXPECT_EQ(sink_.error->code, Code::kTls);
}

// OpenSSL makes room for a message when it is announced: 128 KiB and more for a hello.
TEST_F(TlsStreamTest, RefusesAHelloThatIsLongerThanAnyClients) {
  ASSERT_TRUE(stream_->start_tls(*context_));
  using namespace std::string_view_literals;
  const std::string_view bytes =
      "\x16\x03\x01\x00\x02\x01\x02"  // its header in two records
      "\x16\x03\x01\x01\x00\x00\x00"sv;
  ASSERT_GT(::send(pair_.far.get(), bytes.data(), bytes.size(), 0), 0);
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.error != nullptr; }));
}

struct Offer {
  int version;
  const char* ciphers;  // of TLS 1.2
  const char* groups;
  bool is_taken;
};

class TlsOfferTest : public TlsStreamTest, public ::testing::WithParamInterface<Offer> {};

TEST_P(TlsOfferTest, IsTakenOnlyWhereNobodyCanReadItLater) {
  ASSERT_TRUE(stream_->start_tls(*context_));
  std::thread client([&] {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, GetParam().version);
    EXPECT_EQ(SSL_CTX_set_cipher_list(context, GetParam().ciphers), 1);
    EXPECT_EQ(SSL_CTX_set1_groups_list(context, GetParam().groups), 1);
    SSL* tls = SSL_new(context);
    SSL_set_fd(tls, pair_.far.get());
    EXPECT_EQ(SSL_connect(tls) == 1, GetParam().is_taken);
    SSL_free(tls);
    SSL_CTX_free(context);
  });
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.error != nullptr || sink_.established == 1; }));
  EXPECT_EQ(sink_.established == 1, GetParam().is_taken);
  client.join();
}

INSTANTIATE_TEST_SUITE_P(
    Offers, TlsOfferTest,
    ::testing::Values(Offer{TLS1_2_VERSION, "ECDHE+AESGCM", "X25519:P-256", true},
                      Offer{TLS1_2_VERSION, "ECDHE+AESGCM", "P-256", true},
                      Offer{TLS1_2_VERSION, "ECDHE+CHACHA20", "X25519:P-256", true},
                      Offer{TLS1_3_VERSION, "ECDHE+AESGCM", "X25519", true},
                      Offer{TLS1_3_VERSION, "ECDHE+AESGCM", "P-521", false},
                      // CBC:
                      Offer{TLS1_2_VERSION, "ECDHE+AES+SHA1", "X25519:P-256", false},
                      Offer{TLS1_2_VERSION, "ECDHE+AES+SHA256", "X25519:P-256", false}));

TEST_F(TlsStreamTest, RefusesOldVersions) {
  ASSERT_TRUE(stream_->start_tls(*context_));
  std::thread old([&] {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    SSL* tls = SSL_new(context);
    SSL_set_fd(tls, pair_.far.get());
    EXPECT_NE(SSL_connect(tls), 1);
    SSL_free(tls);
    SSL_CTX_free(context);
  });
  EXPECT_TRUE(run_until(loop_, [&] { return sink_.error != nullptr; }));
  old.join();
}

TEST(TlsContext, SaysWhichFileIsWrong) {
  CertificateAuthority authority;
  const CertificateFiles one = authority.issue({"one"});
  const CertificateFiles two = authority.issue({"two"});

  const auto missing = TlsContext::load("/nowhere/tls.pem", one.key);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message.find("'/nowhere/tls.pem'"), std::string::npos)
      << missing.error().message;
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos)
      << missing.error().message;

  const auto mixed = TlsContext::load(one.certificate, two.key);
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().message.find(two.key), std::string::npos) << mixed.error().message;
}

TEST(TlsContext, SaysWhenTheFirstOfItsCertificatesExpires) {
  CertificateAuthority authority;
  const CertificateFiles later = authority.issue({"one"}, -1, 20);
  const CertificateFiles sooner = authority.issue({"two"}, -1, 10);
  constexpr std::int64_t kDay = 86400;
  const std::int64_t now = std::time(nullptr);

  const auto alone = TlsContext::load(later.certificate, later.key);
  ASSERT_TRUE(alone);
  EXPECT_LE(std::abs((*alone)->expires() - (now + 20 * kDay)), 600);

  std::ofstream(later.certificate, std::ios::app) << std::ifstream(sooner.certificate).rdbuf();
  const auto with_chain = TlsContext::load(later.certificate, later.key);
  ASSERT_TRUE(with_chain);
  EXPECT_LE(std::abs((*with_chain)->expires() - (now + 10 * kDay)), 600);
}

}  // namespace
}  // namespace tidepool::net
