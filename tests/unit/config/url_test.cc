#include "url.h"

#include "config_support.h"

namespace tidepool::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Accepted {
  std::string text;
  Url url;
};

Url url(std::string user, std::optional<std::string> password, std::string host,
        std::uint16_t port = 4000, std::string database = "") {
  return {
      std::move(user), std::move(password), std::move(host), port, std::move(database), {}, "", {}};
}

TEST(Url, IsUnderstoodInEveryFormThatApplicationsHave) {
  const Accepted all[] = {
      {"mysql://root:secret@h.example:3306/app", url("root", "secret", "h.example", 3306, "app")},
      {"mysql+pymysql://u:p@h/app", url("u", "p", "h", 4000, "app")},
      {"mysql+aiomysql://u:p@h/app", url("u", "p", "h", 4000, "app")},
      {"mysql+asyncmy://u:p@h/app", url("u", "p", "h", 4000, "app")},
      {"mysql+mysqldb://u:p@h/app", url("u", "p", "h", 4000, "app")},
      {"mysql+mysqlconnector://u:p@h/app", url("u", "p", "h", 4000, "app")},
      {"tidb://u:p@h/app", url("u", "p", "h", 4000, "app")},
      {"mysql2://u:p@h/app", url("u", "p", "h", 4000, "app")},
      {"mariadb+pymysql://u:p@h", url("u", "p", "h")},
      {"mysql://3pTAoNNegb47Uc8.root:p@h:4000/", url("3pTAoNNegb47Uc8.root", "p", "h")},
      {"mysql://u@h", url("u", std::nullopt, "h")},
      {"mysql://u:@h", url("u", "", "h")},
      {"mysql://u%40x:p%3A%2F%40%25%20%C3%A9@h/my%20db",
       url("u@x", "p:/@% \xC3\xA9", "h", 4000, "my db")},
      {"mysql://u:p+q@h", url("u", "p+q", "h")},
      {"mysql://u:p@[::1]:4001/app", url("u", "p", "::1", 4001, "app")},
      {"mysql://u:p@[2001:db8::1]", url("u", "p", "2001:db8::1")},
      {"mysql://u:p@10.0.0.7:4000", url("u", "p", "10.0.0.7")},
      {"mysql://u:p@tidb_server:4000/app", url("u", "p", "tidb_server", 4000, "app")},
      {"mysql://u:p@h/app?charset=utf8mb4", url("u", "p", "h", 4000, "app")},
      {"mysql://u:p@h/app?", url("u", "p", "h", 4000, "app")},
  };
  for (const auto& [text, wanted] : all) {
    const auto parsed = parse_url(text);
    ASSERT_TRUE(parsed) << text << ": " << lines(parsed.error());
    EXPECT_EQ(parsed->user, wanted.user) << text;
    EXPECT_EQ(parsed->password, wanted.password) << text;
    EXPECT_EQ(parsed->host, wanted.host) << text;
    EXPECT_EQ(parsed->port, wanted.port) << text;
    EXPECT_EQ(parsed->database, wanted.database) << text;
    EXPECT_EQ(parsed->tls_mode, std::nullopt) << text;
    EXPECT_THAT(parsed->warnings, ElementsAre()) << text;
  }
}

TEST(Url, PasswordNeedNotBeEncodedWhereSqlalchemyTakesItRaw) {
  for (const std::string password :
       {"a/b", "a?b", "a#b", "a:b", "a b", "a{b}", "a|^\"b", "100%", "a@b", "[x]"}) {
    const auto parsed = parse_url("mysql://u:" + password + "@h.example/app?ssl=true");
    ASSERT_TRUE(parsed) << password << ": " << lines(parsed.error());
    EXPECT_EQ(parsed->password, password);
    EXPECT_EQ(parsed->host, "h.example");
    EXPECT_EQ(parsed->database, "app");
  }
}

TEST(Url, ParametersChooseHowTlsIsVerified) {
  struct Case {
    std::string parameters;
    std::optional<TlsMode> mode;
    std::string ca;
  };
  const Case all[] = {
      {"ssl=true", TlsMode::kVerifyIdentity, ""},
      {"ssl=1", TlsMode::kVerifyIdentity, ""},
      {"ssl=false", TlsMode::kDisabled, ""},
      {"ssl=YES", TlsMode::kVerifyIdentity, ""},
      {"ssl=on", TlsMode::kVerifyIdentity, ""},
      {"ssl=0", TlsMode::kDisabled, ""},
      {"ssl=no", TlsMode::kDisabled, ""},
      {"ssl=Off", TlsMode::kDisabled, ""},
      {"useSSL=true", TlsMode::kVerifyIdentity, ""},
      {"requireSSL=true", TlsMode::kVerifyIdentity, ""},
      {"sslcert=/ca", TlsMode::kVerifyIdentity, "/ca"},
      {"ssl-ca=/ca", TlsMode::kVerifyIdentity, "/ca"},
      {"sslmode=verify_ca", TlsMode::kVerifyCa, ""},
      {"ssl_ca=/etc/ca.pem", TlsMode::kVerifyIdentity, "/etc/ca.pem"},
      {"ssl_ca=%2Fetc%2Fca.pem&charset=utf8", TlsMode::kVerifyIdentity, "/etc/ca.pem"},
      {"ssl_mode=VERIFY_IDENTITY", TlsMode::kVerifyIdentity, ""},
      {"ssl_mode=verify_ca&ssl_ca=/ca", TlsMode::kVerifyCa, "/ca"},
      {"ssl-mode=REQUIRED", TlsMode::kRequired, ""},
      {"sslMode=DISABLED", TlsMode::kDisabled, ""},
      {"ssl_verify_cert=true&ssl_verify_identity=true", TlsMode::kVerifyIdentity, ""},
      {"ssl_verify_cert=true", TlsMode::kVerifyIdentity, ""},
      {"ssl_verify_cert=true&ssl_verify_identity=false", TlsMode::kVerifyCa, ""},
      {"ssl_verify_cert=false", TlsMode::kRequired, ""},
      {"ssl_disabled=true", TlsMode::kDisabled, ""},
      {"ssl_disabled=false", TlsMode::kVerifyIdentity, ""},
      {"sslaccept=strict", TlsMode::kVerifyIdentity, ""},
      {"tls=true&parseTime=true", TlsMode::kVerifyIdentity, ""},
      {"ssl={\"minVersion\":\"TLSv1.2\",\"rejectUnauthorized\":true}", TlsMode::kVerifyIdentity,
       ""},
  };
  for (const auto& [parameters, mode, ca] : all) {
    const auto parsed = parse_url("mysql://u:p@h/app?" + parameters);
    ASSERT_TRUE(parsed) << parameters << ": " << lines(parsed.error());
    EXPECT_EQ(parsed->tls_mode, mode) << parameters;
    EXPECT_EQ(parsed->ca, ca) << parameters;
  }
}

TEST(Url, ParametersOfDriversAreIgnoredWithAWarning) {
  const auto parsed = parse_url("mysql://u:p@h/?connect_timeout=5&charset=utf8mb4&autocommit=true");
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->warnings, ElementsAre(HasSubstr("connect_timeout"), HasSubstr("autocommit")));
}

TEST(Url, ProblemsSayWhatIsAllowedAndNeverThePassword) {
  const std::pair<std::string, std::string> all[] = {
      {"", "scheme"},
      {"u:hush@h/app", "scheme"},
      {"postgres://u:hush@h/app", "scheme"},
      {"mysql+://u:hush@h/app", "scheme"},
      {"mysql+Driver://u:hush@h/app", "scheme"},
      {"mysql+a-b://u:hush@h/app", "scheme"},
      {"mysql://h:4000/app", "no user"},
      {"mysql://:hush@h/app", "no user"},
      {"mysql://u:hush@/app", "no host"},
      {"mysql://u:hush@:4000/app", "no host"},
      {"mysql://u:hush@h%20x/app", "no host"},
      {"mysql://u:hush@h:0/app", "out of range"},
      {"mysql://u:hush@h:70000/app", "out of range"},
      {"mysql://u:hush@h:port/app", "host:port"},
      {"mysql://u:hush@h1:4000,h2:4000/app", "host:port"},
      {"mysql://u:hush@[::zz]/app", "host:port"},
      {"mysql://u:hush@h/app/more", "database"},
      {"mysql://u:hush@h/app%00", "database"},
      {"mysql://u:hush%00@h/app", "zero byte"},
      {"mysql://u:hush@h/app#part", "%23"},
      {"mysql://u:hush@h/app?ssl_mode=PREFERRED", "found \"PREFERRED\", allowed: VERIFY_IDENTITY"},
      {"mysql://u:hush@h/app?ssl=maybe", "ssl: found \"maybe\", allowed: true or false"},
      {"mysql://u:hush@h/app?ssl={\"rejectUnauthorized\":false}", "allowed: true or false"},
      {"mysql://u:hush@h/app?ssl_verify_cert=perhaps", "true or false"},
      {"mysql://u:hush@h/app?sslaccept=accept_invalid_certs", "strict"},
      {"mysql://u:hush@h/app?ssl_ca=", "the path of a file"},
      {"mysql://u:hush@h/app?ssl=false&ssl_ca=/ca", "both off and on"},
      {"mysql://u:hush@h/app?ssl_verify_cert=false&ssl_verify_identity=true",
       "needs ssl_verify_cert"},
      {"mysql://u:hush@h/app?ssl_mod=REQUIRED",
       "unknown parameter ssl_mod, did you mean ssl_mode?"},
      {"mysql://u:hush@h/app?quux=1", "unknown parameter quux, allowed: ssl"},
  };
  for (const auto& [text, wanted] : all) {
    const auto parsed = parse_url(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(lines(parsed.error()), HasSubstr(wanted)) << text;
    EXPECT_THAT(lines(parsed.error()), testing::Not(HasSubstr("hush"))) << text;
  }
}

TEST(Url, AllProblemsAreSaidAtOnce) {
  const auto parsed = parse_url("mysql://@h:0/app/more?ssl=maybe&quux=1");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().size(), 5U) << lines(parsed.error());
}

}  // namespace
}  // namespace tidepool::config
