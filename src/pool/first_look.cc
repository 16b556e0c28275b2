#include "first_look.h"

#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>

namespace tidepool::pool {
namespace {

// Every TiDB has it, whatever its version and the account's privileges. It comes first in the
// statement: MySQL and MariaDB name the first variable that they do not know.
constexpr std::string_view kVariable = "tidb_mem_quota_query";
constexpr std::size_t kColumns = 6;

Error not_tidb(const backend::ServerInfo& server, const std::string& why) {
  constexpr std::uint16_t kCannotConnect = 2003;  // CR_CONN_HOST_ERROR
  const std::string port = std::to_string(server.endpoint.port);
  return Error{Code::kNotTidb,
               "the server at " + server.endpoint.host + " port " + port + " is no TiDB: it " +
                   why + ", and greets as '" + server.version + "'",
               kCannotConnect, "HY000"};
}

bool lacks_variable(const Error& error) {
  constexpr std::uint16_t kUnknownVariable = 1193;
  return error.mysql_errno == kUnknownVariable &&
         error.message.find(kVariable) != std::string::npos;
}

}  // namespace

const char* const FirstLook::kStatement =
    "SELECT @@global.tidb_mem_quota_query, @@global.autocommit, @@global.sql_mode, "
    "@@global.default_collation_for_utf8mb4, @@global.collation_database, CONNECTION_ID()";

Result<FirstLook> FirstLook::read(const Result<backend::QueryResult>& answer,
                                  const backend::ServerInfo& server) {
  if (!answer && lacks_variable(answer.error()))
    return tl::unexpected(not_tidb(server, "says \"" + answer.error().message + "\""));
  if (!answer) return tl::unexpected(answer.error());
  if (answer->rows.size() != 1 || answer->rows[0].size() != kColumns || !answer->rows[0][0])
    return tl::unexpected(not_tidb(server, "does not tell @@" + std::string(kVariable)));
  const auto value = [&](std::size_t column) { return answer->rows[0][column].value_or(""); };
  const bool autocommit = value(1) == "1" || value(1) == "ON";
  return FirstLook{sql::make_baseline(autocommit, value(2), value(3), value(4)),
                   std::strtoull(value(5).c_str(), nullptr, 10)};
}

}  // namespace tidepool::pool
