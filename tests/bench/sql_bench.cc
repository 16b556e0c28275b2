// Prints what classification and restore planning cost. Figures for humans, not a test.
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "tidepool/sql/parse/statement.h"
#include "tidepool/sql/restore/restore.h"
#include "tidepool/sql/state/session_state.h"

namespace {

using Clock = std::chrono::steady_clock;

// Keeps the optimiser from dropping the work.
volatile std::size_t sink = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

template <class Work>
double nanoseconds_each(int times, Work work) {
  const auto start = Clock::now();
  for (int count = 0; count < times; ++count)
    sink = sink + work();
  const std::chrono::duration<double, std::nano> spent = Clock::now() - start;
  return spent.count() / times;
}

void bench_statement(const char* name, std::string_view text) {
  const double each =
      nanoseconds_each(200'000, [text] { return tidepool::sql::classify(text, {}).size(); });
  std::printf("classify %-24s %8.0f ns\n", name, each);
}

void bench_insert(const char* name, const std::string& text) {
  const double each =
      nanoseconds_each(50, [&text] { return tidepool::sql::classify(text, {}).size(); });
  std::printf("classify %-24s %8.0f MB/s\n", name, static_cast<double>(text.size()) * 1e3 / each);
}

void bench_restore() {
  tidepool::sql::SessionState desired;
  desired.apply(tidepool::sql::classify("SET NAMES utf8mb4, autocommit=0", {}).front().changes);
  const tidepool::sql::SessionState actual;
  std::printf("compare equal states          %8.1f ns\n", nanoseconds_each(1'000'000, [&] {
                return static_cast<std::size_t>(desired == desired);
              }));
  std::printf("plan one variable             %8.0f ns\n", nanoseconds_each(200'000, [&] {
                return tidepool::sql::plan_restore(actual, desired).steps.size();
              }));
}

}  // namespace

int main() {
  bench_statement("point select", "SELECT c FROM sbtest1 WHERE id = 4711");
  bench_statement("prepared select", "SELECT c FROM sbtest1 WHERE id = ?");
  bench_statement("update", "UPDATE sbtest1 SET k = k + 1 WHERE id = 4711");
  bench_statement("begin", "BEGIN");
  bench_statement("set names", "SET NAMES utf8mb4");
  bench_insert("1 MiB in one string",
               "INSERT INTO t VALUES ('" + std::string(1U << 20U, 'x') + "')");
  std::string rows = "INSERT INTO t VALUES ";
  while (rows.size() < (1U << 20U))
    rows += "(12345,'a short string','and another one',NULL),";
  bench_insert("1 MiB of short rows", rows + "(1,'','',NULL)");
  bench_restore();
  return 0;
}
