// Control calls: the library's _start/_cont functions, driven by the stream's poll. One at a time.
//
//   ping, reset   kPing | kReset ──► done
//   query         kQuery ──► kStore (reads the rows) ──► done
#include <utility>

#include <openssl/err.h>

#include "connection_state.h"
#include "dial_error.h"
#include "tidepool/backend/connection.h"
#include "tidepool/base/check.h"
#include "tidepool/net/timer.h"

namespace tidepool::backend {
namespace {

constexpr unsigned char kOkHeader = 0;  // page_protocol_basic_ok_packet

}  // namespace

struct ControlOperation {
  enum class Step : std::uint8_t { kPing, kReset, kQuery, kStore };
  using OnDone = Connection::OnResult;

  ControlOperation(Connection::State& connection, Step first, std::string statement,
                   OnDone callback)
      : state(connection),
        step(first),
        sql(std::move(statement)),
        done(std::move(callback)),
        timer(connection.stream->loop()),
        soon(connection.stream->loop()) {}
  ControlOperation(const ControlOperation&) = delete;
  ControlOperation& operator=(const ControlOperation&) = delete;
  ~ControlOperation();

  void start(Duration timeout);
  void moved_to(ControlCall* call) { owner = call; }

  Connection::State& state;
  Step step;
  std::string sql;
  OnDone done;  // null: not wanted any more
  ControlCall* owner = nullptr;
  int failed = 0;
  MYSQL_RES* rows = nullptr;
  net::Timer timer;
  net::Deferred soon;

 private:
  int begin_step();
  int continue_step(int ready);
  void on_ready(net::Readiness readiness);
  // The library closes the socket and frees its TLS session as soon as it loses the connection.
  bool is_lost() const { return state.mysql->net.pvio == nullptr; }
  bool is_other_than_ok() const;
  bool advance(int waits_for);  // false: the last step is through
  Result<QueryResult> outcome();
  Result<QueryResult> break_with(Code code, const std::string& message);
  void finish(Result<QueryResult> result);
};

void ControlOperationDelete::operator()(ControlOperation* operation) const noexcept {
  delete operation;
}

namespace {

QueryResult diagnostics_of(MYSQL* mysql) {
  QueryResult result;
  result.affected_rows = mysql_affected_rows(mysql);
  result.insert_id = mysql_insert_id(mysql);
  result.warnings = static_cast<std::uint16_t>(mysql_warning_count(mysql));
  result.status = static_cast<std::uint16_t>(mysql->server_status);
  return result;
}

void append_rows(MYSQL_RES* rows, QueryResult& result) {
  const unsigned count = mysql_num_fields(rows);
  const MYSQL_FIELD* fields = mysql_fetch_fields(rows);
  for (unsigned i = 0; i < count; ++i) {
    const MYSQL_FIELD& field = fields[i];
    result.columns.push_back(
        Column{std::string(field.name, field.name_length), static_cast<std::uint8_t>(field.type),
               static_cast<std::uint16_t>(field.flags), static_cast<std::uint16_t>(field.charsetnr),
               static_cast<std::uint8_t>(field.decimals)});
  }
  while (MYSQL_ROW row = mysql_fetch_row(rows)) {
    const unsigned long* lengths = mysql_fetch_lengths(rows);
    auto& values = result.rows.emplace_back();
    for (unsigned i = 0; i < count; ++i) {
      values.push_back(row[i] == nullptr
                           ? std::nullopt
                           : std::optional<std::string>(std::in_place, row[i], lengths[i]));
    }
  }
}

int mysql_ready(net::Readiness readiness) {
  const auto bits = static_cast<unsigned>(readiness);
  return ((bits & 1U) != 0 ? MYSQL_WAIT_READ : 0) | ((bits & 2U) != 0 ? MYSQL_WAIT_WRITE : 0);
}

net::Readiness readiness_of(int waits_for) {
  return static_cast<net::Readiness>(((waits_for & MYSQL_WAIT_READ) != 0 ? 1U : 0U) |
                                     ((waits_for & MYSQL_WAIT_WRITE) != 0 ? 2U : 0U));
}

}  // namespace

ControlOperation::~ControlOperation() {
  if (owner != nullptr) owner->operation_ = nullptr;
  if (rows != nullptr) mysql_free_result(rows);
  if (state.stream && state.stream->is_watching()) state.stream->stop_watching();
}

void ControlOperation::start(Duration timeout) {
  state.stream->start_watching([this](net::Readiness readiness) { on_ready(readiness); });
  timer.start(timeout,
              [this] { finish(break_with(Code::kTimeout, "the server did not answer in time")); });
  if (!advance(begin_step())) soon.schedule([this] { finish(outcome()); });
}

// The library asks SSL_get_error() why a read must wait, and that looks at this thread's queue of
// errors first: what another connection left there would end this one (SSL_get_error(3)).
int ControlOperation::begin_step() {
  ERR_clear_error();
  MYSQL* mysql = state.mysql.get();
  switch (step) {
    case Step::kPing: return mysql_ping_start(&failed, mysql);
    case Step::kReset: return mysql_reset_connection_start(&failed, mysql);
    case Step::kQuery: return mysql_real_query_start(&failed, mysql, sql.data(), sql.size());
    case Step::kStore: return mysql_store_result_start(&rows, mysql);
  }
  check_failed("a known step", __FILE__, __LINE__);
}

int ControlOperation::continue_step(int ready) {
  ERR_clear_error();
  MYSQL* mysql = state.mysql.get();
  switch (step) {
    case Step::kPing: return mysql_ping_cont(&failed, mysql, ready);
    case Step::kReset: return mysql_reset_connection_cont(&failed, mysql, ready);
    case Step::kQuery: return mysql_real_query_cont(&failed, mysql, ready);
    case Step::kStore: return mysql_store_result_cont(&rows, mysql, ready);
  }
  check_failed("a known step", __FILE__, __LINE__);
}

// The library takes whatever is no error for the answer to a ping or reset: a server that asks for
// a file instead waits for it, and takes the next command for that.
bool ControlOperation::is_other_than_ok() const {
  return (step == Step::kPing || step == Step::kReset) && *state.mysql->net.read_pos != kOkHeader;
}

bool ControlOperation::advance(int waits_for) {
  if (waits_for == 0 && step == Step::kQuery && failed == 0 && !is_lost()) {
    step = Step::kStore;
    waits_for = begin_step();
  }
  if (is_lost()) {
    state.stream->abandon();
    state.broken = true;
    state.fd = -1;
    return false;
  }
  state.stream->watch_for(readiness_of(waits_for));
  return waits_for != 0;
}

void ControlOperation::on_ready(net::Readiness readiness) {
  if (!advance(continue_step(mysql_ready(readiness)))) finish(outcome());
}

Result<QueryResult> ControlOperation::break_with(Code code, const std::string& message) {
  state.broken = true;
  return fail(code, state.info.peer + ": " + message);
}

Result<QueryResult> ControlOperation::outcome() {
  MYSQL* mysql = state.mysql.get();
  if (const unsigned number = mysql_errno(mysql); number != 0) {
    const std::string text = mysql_error(mysql);
    if (is_library_error(number)) {
      const bool lost = number == kServerGone || number == kServerLost || number == kTlsFailed;
      return break_with(lost ? Code::kClosed : Code::kProtocol, text);
    }
    return tl::unexpected(
        Error{Code::kBackend, text, static_cast<std::uint16_t>(number), mysql_sqlstate(mysql)});
  }
  if (failed != 0) return break_with(Code::kClosed, "the connection was lost");
  if (is_other_than_ok()) return break_with(Code::kProtocol, "the server answered with no OK");
  QueryResult result = diagnostics_of(mysql);
  if (rows != nullptr) append_rows(rows, result);
  if (mysql_more_results(mysql) != 0)
    return break_with(Code::kProtocol, "a control statement gave several results");
  if (has_read_ahead(mysql))
    return break_with(Code::kProtocol, "the server sent more than the answer");
  return result;
}

// Ends this operation; the callback may destroy the connection.
void ControlOperation::finish(Result<QueryResult> result) {
  const OnDone callback = std::move(done);
  state.operation.reset();  // this object
  if (callback) callback(std::move(result));
}

ControlCall::ControlCall(ControlOperation* operation) : operation_(operation) {
  operation_->moved_to(this);
}

ControlCall::ControlCall(ControlCall&& other) noexcept
    : operation_(std::exchange(other.operation_, nullptr)) {
  if (operation_ != nullptr) operation_->moved_to(this);
}

ControlCall& ControlCall::operator=(ControlCall&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  operation_ = std::exchange(other.operation_, nullptr);
  if (operation_ != nullptr) operation_->moved_to(this);
  return *this;
}

void ControlCall::cancel() {
  if (operation_ == nullptr) return;
  ControlOperation* operation = std::exchange(operation_, nullptr);
  operation->moved_to(nullptr);
  operation->done = nullptr;
}

namespace {

Connection::OnResult without_rows(Connection::OnDone done) {
  return [done = std::move(done)](const Result<QueryResult>& result) {
    done(result ? Result<void>() : tl::unexpected(result.error()));
  };
}

}  // namespace

ControlCall Connection::ping(Duration timeout, OnDone done) {
  return control(int(ControlOperation::Step::kPing), {}, timeout, without_rows(std::move(done)));
}

ControlCall Connection::reset(Duration timeout, OnDone done) {
  return control(int(ControlOperation::Step::kReset), {}, timeout, without_rows(std::move(done)));
}

ControlCall Connection::query(std::string sql, Duration timeout, OnResult done) {
  return control(int(ControlOperation::Step::kQuery), std::move(sql), timeout, std::move(done));
}

ControlCall Connection::control(int step, std::string sql, Duration timeout, OnResult done) {
  TIDEPOOL_CHECK(state_->stream && !state_->operation);
  state_->operation.reset(new ControlOperation(*state_, static_cast<ControlOperation::Step>(step),
                                               std::move(sql), std::move(done)));
  ControlCall call(state_->operation.get());
  state_->operation->start(timeout);
  return call;
}

}  // namespace tidepool::backend
