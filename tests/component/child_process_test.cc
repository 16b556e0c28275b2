#include "tidepool/net/child_process.h"

#include <array>
#include <csignal>
#include <optional>
#include <unistd.h>

#include <gtest/gtest.h>

#include "loop_run.h"
#include "tidepool/net/fd.h"
#include "tidepool/net/signal.h"

namespace tidepool::net {
namespace {

using testing::run_until;

class ChildProcessTest : public ::testing::Test {
 protected:
  ChildProcessTest() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::pipe(fds.data()), 0);
    reader = UniqueFd(fds[0]);
    writer = UniqueFd(fds[1]);
  }

  Result<std::unique_ptr<ChildProcess>> start(std::vector<std::string> arguments,
                                              std::vector<std::string> environment = {}) {
    return ChildProcess::start(loop, std::move(arguments), std::move(environment), writer.get(),
                               [this](int ended_with) { code = ended_with; });
  }
  // Until every writer is gone.
  std::string written() {
    writer.reset();
    std::string all;
    std::array<char, 256> some{};
    for (ssize_t bytes = 0; (bytes = ::read(reader.get(), some.data(), some.size())) > 0;)
      all.append(some.data(), static_cast<std::size_t>(bytes));
    return all;
  }

  Loop loop;
  UniqueFd reader;
  UniqueFd writer;
  std::optional<int> code;
};

TEST_F(ChildProcessTest, TellsTheExitCode) {
  const auto child = start({"/bin/sh", "-c", "exit 7"});
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_GT((*child)->pid(), 0);
  EXPECT_TRUE((*child)->is_running());
  EXPECT_TRUE(run_until(loop, [&] { return code.has_value(); }));
  EXPECT_EQ(code, 7);
  EXPECT_FALSE((*child)->is_running());
  (*child)->signal(SIGKILL);  // the number may be somebody else's by now
}

TEST_F(ChildProcessTest, TellsTheSignalAsShellsDo) {
  const auto child = start({"/bin/sh", "-c", "exec sleep 600"});
  (*child)->signal(SIGKILL);
  EXPECT_TRUE(run_until(loop, [&] { return code.has_value(); }));
  EXPECT_EQ(code, 128 + SIGKILL);
}

TEST_F(ChildProcessTest, HandsOverArgumentsEnvironmentAndDescriptor) {
  const auto child = start({"/bin/sh", "-c", "echo $0 $1 $GIVEN >&3", "a b", "c"}, {"GIVEN=d"});
  ASSERT_TRUE(child);
  EXPECT_EQ(written(), "a b c d\n");
  EXPECT_TRUE(run_until(loop, [&] { return code == 0; }));
}

TEST_F(ChildProcessTest, DoesNotInheritTheSignalsThatAreHeld) {
  hold_signals();
  const auto child = start({"/bin/sh", "-c", "grep -E 'Sig(Blk|Ign)' /proc/self/status >&3"});
  release_signals();
  ASSERT_TRUE(child);
  EXPECT_EQ(written(), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  EXPECT_TRUE(run_until(loop, [&] { return code == 0; }));
}

TEST_F(ChildProcessTest, LooksForTheProgramInThePath) {
  ASSERT_TRUE(start({"sh", "-c", "exit 3"}, {"PATH=/usr/bin:/bin"}));
}

TEST_F(ChildProcessTest, SaysThatThereIsNoSuchProgram) {
  const auto child = start({"/no/such/program"});
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message, "cannot start '/no/such/program': no such file or directory");
  EXPECT_FALSE(code);
}

}  // namespace
}  // namespace tidepool::net
