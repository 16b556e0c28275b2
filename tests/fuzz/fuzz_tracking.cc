// Two clients and three pooled connections, without sockets: what the tracking layer plans is sent
// to simulated TiDBs, whose answers it settles. A client must find all as on a connection of its
// own, the models must say what the connections really have, and every exchange must end.
#include <array>
#include <cstdint>
#include <memory>

#include "fuzz_input.h"
#include "tracking/tracked_session.h"

namespace tidepool::fuzz {
namespace {

constexpr std::size_t kSessions = 2;
constexpr std::size_t kBackends = 3;
constexpr int kMostTurns = 400;

class World {
 public:
  explicit World(std::string_view input) : choices_(input) {
    for (auto& session : sessions_)
      session = begin_session();
  }

  void run() {
    for (int i = 0; i < kMostTurns && !choices_.is_over(); ++i) {
      turn(sessions_[choices_.next(kSessions)]);
      check();
    }
  }

 private:
  using SessionPtr = std::unique_ptr<TrackedSession>;

  SessionPtr begin_session() { return std::make_unique<TrackedSession>(++last_session_, choices_); }

  // The one that it has, or one that nobody keeps.
  PooledBackend* find_backend(TrackedSession& session) {
    for (PooledBackend& backend : backends_)
      if (backend.holder == &session) return &backend;
    const unsigned first = choices_.next(kBackends);
    for (std::size_t i = 0; i < kBackends; ++i) {
      PooledBackend& backend = backends_[(first + i) % kBackends];
      if (backend.holder == nullptr || free(backend)) return &backend;
    }
    return nullptr;
  }

  // A session that has parked it gives it up, once it has been asked.
  bool free(PooledBackend& backend) {
    for (const SessionPtr& other : sessions_) {
      if (backend.holder != other.get() || other->is_bound()) continue;
      other->recall(backend);
      if (other->is_bound()) return false;
      backend.holder = nullptr;
      return true;
    }
    return false;
  }

  void turn(SessionPtr& session) {
    PooledBackend* backend = find_backend(*session);
    require(backend != nullptr, "backend != nullptr");
    const auto ending = session->turn(*backend);
    if (ending == TrackedSession::Ending::kClosed) {
      if (backend->holder == session.get()) session->leave(*backend);
      session = begin_session();
    }
    if (ending != TrackedSession::Ending::kDone || backend->holder != session.get()) return;
    if (session->rest(*backend)) backend->holder = nullptr;
  }

  void check() const {
    for (const SessionPtr& session : sessions_)
      session->check();
    for (const PooledBackend& backend : backends_) {
      if (is_known(backend.model().actual))
        require(same_state(backend.model().actual, backend.tidb.state()),
                "backend.model().actual == backend.tidb.state()");
      // What its session has made there since, the session asks for when it leaves.
      if (backend.holder == nullptr && backend.model().insert_id)
        require(*backend.model().insert_id == backend.tidb.last_insert_id(),
                "*backend.model().insert_id == backend.tidb.last_insert_id()");
      for (const auto& [name, statement] : backend.tidb.named())
        require(backend.model().named.contains(name), "backend.model().named.contains(name)");
    }
  }

  Choices choices_;
  std::uint32_t last_session_ = 0;
  std::array<PooledBackend, kBackends> backends_;
  std::array<SessionPtr, kSessions> sessions_;
};

}  // namespace
}  // namespace tidepool::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidepool::fuzz::World world(tidepool::fuzz::as_view(data, size));
  world.run();
  return 0;
}
