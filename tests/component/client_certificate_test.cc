// Certificates that clients show: who is let in by TLS, and under which names.
#include "tidepool/net/client_certificate.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "certificates.h"
#include "eventually.h"
#include "loop_run.h"
#include "stream_pair.h"
#include "tidepool/net/tls_context.h"

namespace tidepool::net {
namespace {

using testing::CertificateAuthority;
using testing::CertificateFiles;
using testing::ClientCertificate;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::IsEmpty;
using testing::RecordingSink;
using testing::run_until;
using testing::SocketPair;

struct SessionFree {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using TlsSession = std::unique_ptr<SSL_SESSION, SessionFree>;

// What came of one connection.
struct Visit {
  bool is_let_in = false;
  bool is_resumed = false;
  std::vector<std::string> names;
  TlsSession session;  // to be resumed
};

class ClientCertificateTest : public ::testing::Test {
 protected:
  std::unique_ptr<TlsContext> listener(const CertificateAuthority& clients, bool are_required) {
    auto context = TlsContext::load(server_.certificate, server_.key,
                                    {.ca_file = clients.file(), .are_required = are_required});
    EXPECT_TRUE(context) << context.error().message;
    return std::move(*context);
  }

  // `own`: nothing to show if its files have no name.
  Visit visit(TlsContext& context, const CertificateFiles& own, SSL_SESSION* resume = nullptr) {
    SocketPair pair;
    RecordingSink sink;
    const std::unique_ptr<Stream> stream = Stream::own(loop_, std::move(pair.near), &sink);
    sink.stream = stream.get();
    EXPECT_TRUE(stream->start_tls(context));
    Visit visit;
    std::thread client([&] { visit.session = talk(pair.far.get(), own, resume); });
    EXPECT_TRUE(run_until(loop_, [&] { return sink.error != nullptr || sink.established == 1; }));
    if (sink.established == 1) {
      visit.is_let_in = true;
      visit.is_resumed = SSL_session_reused(stream->tls()) == 1;
      visit.names = certificate_names_of(stream->tls());
      EXPECT_TRUE(stream->write("!"));
    } else {
      ::shutdown(stream->fd(), SHUT_RDWR);
    }
    client.join();
    return visit;
  }

  CertificateAuthority authority_;
  CertificateAuthority stranger_{"Somebody else's CA"};
  const CertificateFiles server_ = authority_.issue({"localhost"});
  int version_ = TLS1_3_VERSION;
  Loop loop_;

 private:
  TlsSession talk(int fd, const CertificateFiles& own, SSL_SESSION* resume) const {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version_);
    if (!own.certificate.empty()) {
      SSL_CTX_use_certificate_file(context, own.certificate.c_str(), SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context, own.key.c_str(), SSL_FILETYPE_PEM);
    }
    SSL* tls = SSL_new(context);
    if (resume != nullptr) SSL_set_session(tls, resume);
    SSL_set_fd(tls, fd);
    char byte = 0;
    TlsSession session;
    if (SSL_connect(tls) == 1 && SSL_read(tls, &byte, 1) == 1) session.reset(SSL_get1_session(tls));
    SSL_shutdown(tls);
    SSL_free(tls);
    SSL_CTX_free(context);
    return session;
  }
};

TEST_F(ClientCertificateTest, ShowsTheNamesThatMeanAUser) {
  const auto context = listener(authority_, true);
  const CertificateFiles files = authority_.issue_client(
      "app", {.alternatives = "DNS:app.example.com,email:app@example.com,URI:spiffe://prod/app,"
                              "IP:10.0.0.1"});

  const Visit seen = visit(*context, files);

  EXPECT_TRUE(seen.is_let_in);
  EXPECT_THAT(seen.names,
              ElementsAre("app", "app.example.com", "app@example.com", "spiffe://prod/app"));
}

TEST_F(ClientCertificateTest, WhatIsNotGoodIsRefused) {
  const CertificateFiles none;
  const CertificateFiles bad[] = {
      stranger_.issue_client("app"),
      authority_.issue_client("app", {.usage = "serverAuth"}),
      authority_.issue_client("app", {.to_seconds = -60}),
      authority_.issue_client("app", {.from_seconds = 3600}),
  };
  for (const bool are_required : {true, false}) {
    const auto context = listener(authority_, are_required);
    for (version_ = TLS1_2_VERSION; version_ <= TLS1_3_VERSION; ++version_) {
      for (const CertificateFiles& files : bad)
        EXPECT_FALSE(visit(*context, files).is_let_in) << files.certificate;
      const Visit without = visit(*context, none);
      EXPECT_EQ(without.is_let_in, !are_required);
      EXPECT_THAT(without.names, IsEmpty());
    }
  }
}

// OpenSSL itself takes 100 KiB from whoever comes.
TEST_F(ClientCertificateTest, AChainThatIsTooLongIsRefused) {
  const auto context = listener(authority_, true);
  std::string names = "DNS:app.example.com";
  for (int i = 0; i < 1500; ++i)
    names += ",DNS:name" + std::to_string(i) + ".example.com";
  const CertificateFiles long_one = authority_.issue_client("app", {.alternatives = names});
  for (version_ = TLS1_2_VERSION; version_ <= TLS1_3_VERSION; ++version_)
    EXPECT_FALSE(visit(*context, long_one).is_let_in);
}

// A CA that reads names as texts of C has looked at the first part only.
TEST_F(ClientCertificateTest, ANameWithANulInsideIsNone) {
  const auto context = listener(authority_, true);
  const Visit seen =
      visit(*context, authority_.issue_client(std::string("app\0.evil.example", 17)));
  EXPECT_TRUE(seen.is_let_in);
  EXPECT_THAT(seen.names, IsEmpty());
}

TEST_F(ClientCertificateTest, AListenerThatDoesNotAskKnowsNobody) {
  auto context = TlsContext::load(server_.certificate, server_.key);
  ASSERT_TRUE(context);
  const Visit seen = visit(**context, authority_.issue_client("app"));
  EXPECT_TRUE(seen.is_let_in);
  EXPECT_THAT(seen.names, IsEmpty());
}

TEST_F(ClientCertificateTest, AResumedSessionIsStillItsClients) {
  const auto context = listener(authority_, true);
  const CertificateFiles files = authority_.issue_client("app");
  for (version_ = TLS1_2_VERSION; version_ <= TLS1_3_VERSION; ++version_) {
    const Visit first = visit(*context, files);
    ASSERT_TRUE(first.session);
    const Visit second = visit(*context, {}, first.session.get());
    EXPECT_TRUE(second.is_let_in);
    EXPECT_TRUE(second.is_resumed) << version_;
    EXPECT_THAT(second.names, ElementsAre("app")) << "though it showed nothing this time";
  }
}

TEST_F(ClientCertificateTest, ASessionIsNotResumedWhereItsClientWouldNotBeLetIn) {
  const auto open = listener(authority_, false);
  const auto strict = listener(authority_, true);
  const auto after_reload = listener(stranger_, true);
  const CertificateFiles files = authority_.issue_client("app");
  for (version_ = TLS1_2_VERSION; version_ <= TLS1_3_VERSION; ++version_) {
    const Visit known = visit(*strict, files);
    ASSERT_TRUE(known.session);
    EXPECT_FALSE(visit(*after_reload, files, known.session.get()).is_let_in);
    const Visit anonymous = visit(*open, {});
    ASSERT_TRUE(anonymous.session);
    EXPECT_FALSE(visit(*strict, {}, anonymous.session.get()).is_let_in);
    const Visit elsewhere = visit(*open, {}, known.session.get());
    EXPECT_FALSE(elsewhere.is_resumed);
    EXPECT_THAT(elsewhere.names, IsEmpty());
  }
}

// OpenSSL looks at the dates in a whole handshake only.
TEST_F(ClientCertificateTest, ASessionIsNotResumedAfterItsCertificateHasExpired) {
  const auto context = listener(authority_, true);
  const Visit first = visit(*context, authority_.issue_client("app", {.to_seconds = 3}));
  ASSERT_TRUE(first.session);
  EXPECT_TRUE(eventually([&] { return !visit(*context, {}, first.session.get()).is_let_in; }));
}

TEST_F(ClientCertificateTest, AFileWithoutAuthoritiesIsNamed) {
  for (const std::string& file : {std::string("/nowhere/ca.pem"), server_.key}) {
    const auto context =
        TlsContext::load(server_.certificate, server_.key, {.ca_file = file, .are_required = true});
    ASSERT_FALSE(context);
    EXPECT_THAT(context.error().message,
                ::testing::HasSubstr("cannot use the client CA file '" + file + "'"));
  }
}

}  // namespace
}  // namespace tidepool::net
