#include "command_line.h"

#include <sstream>

#include "config_support.h"

namespace tidepool {
namespace {

using config::TemporaryFile;
using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int code;
  std::string out;
  std::string err;
  int runs;
  int releases;  // of the signals
};

Outcome run(std::vector<const char*> arguments, config::Variables variables = {}) {
  arguments.insert(arguments.begin(), "tidepool");
  std::ostringstream out;
  std::ostringstream err;
  int runs = 0;
  int releases = 0;
  const auto proxy = [&](const config::Config& config, const config::Source&) {
    ++runs;
    return config.pools.front().size;
  };
  const World world{config::environment(std::move(variables)), proxy, [&] { ++releases; }, out,
                    err};
  const int code = command_line(static_cast<int>(arguments.size()), arguments.data(), world);
  return {code, out.str(), err.str(), runs, releases};
}

TEST(CommandLine, RunsTheProxyAndReturnsItsExitCode) {
  const Outcome outcome =
      run({}, {{"TIDB_URL", "mysql://u:p@h.example"}, {"TIDEPOOL_POOL_SIZE", "42"}});
  EXPECT_EQ(outcome.code, 42);
  EXPECT_EQ(outcome.runs, 1);
  EXPECT_EQ(outcome.releases, 0) << "signals wait for the proxy";
}

TEST(CommandLine, ReadsTheFileThatIsNamed) {
  const TemporaryFile file("pools: [{host: h, user: u, password: p, size: 7}]");
  EXPECT_EQ(run({"--config", file.path().c_str()}).code, 7);
  EXPECT_EQ(run({"-c", file.path().c_str()}).code, 7);
}

TEST(CommandLine, ChecksTheConfigurationWithoutRunning) {
  const TemporaryFile good("pools: [{host: h, user: u, password: p, tls: {mode: verify_ca}}]");
  const TemporaryFile bad("pools: [{host: h, user: u, password: p, size: 0}]\nquux: 1");

  const Outcome ok = run({"--check-config", "--config", good.path().c_str()});
  EXPECT_EQ(ok.code, 0);
  EXPECT_EQ(ok.out, "ok\n");
  EXPECT_EQ(ok.releases, 1) << "it may be interrupted";
  EXPECT_THAT(ok.err, StartsWith("warning: " + good.path() + ":1:"));

  const Outcome problems = run({"--check-config", "--config", bad.path().c_str()});
  EXPECT_EQ(problems.code, 1);
  EXPECT_EQ(problems.out, "");
  EXPECT_THAT(problems.err, HasSubstr(bad.path() + ":1:47: pools[0].size: found \"0\""));
  EXPECT_THAT(problems.err, HasSubstr(bad.path() + ":2:1: quux: unknown key"));
  EXPECT_EQ(ok.runs + problems.runs, 0);
}

TEST(CommandLine, WrongConfigurationEndsTheStart) {
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, StartsWith("TIDB_URL: found nothing"));
  EXPECT_EQ(outcome.runs, 0);
}

TEST(CommandLine, WrongArgumentsEndTheStart) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"--quux"}, {"--config"}, {"--config", ""}, {"file.yaml"}}) {
    const Outcome outcome = run(arguments, {{"TIDB_URL", "mysql://u:p@h.example"}});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_NE(outcome.err, "");
    EXPECT_EQ(outcome.runs, 0);
  }
}

TEST(CommandLine, HelpExplainsTheEnvironmentAndTheExitCodes) {
  const Outcome outcome = run({"--help"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* part :
       {"--config", "--check-config", "TIDB_URL", "TIDEPOOL_LISTEN", "Exit codes"}) {
    EXPECT_THAT(outcome.out, HasSubstr(part));
  }
}

TEST(CommandLine, VersionIsOneLine) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, StartsWith("tidepool 0."));
}

}  // namespace
}  // namespace tidepool
