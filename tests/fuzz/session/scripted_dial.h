// backend::dial() of a fuzz target: no threads and no waiting. The login runs within one call, with
// both sides of its Unix socket here, and its outcome is scripted. Linked in the place of the
// backend layer's own dial.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "tidepool/backend/dial.h"
#include "tidepool/base/error.h"
#include "tidepool/net/fd.h"

namespace tidepool::fuzz {

// What becomes of a dial.
enum class DialFate : std::uint8_t { kOk, kRefused, kTimeout, kAuth, kBusy, kNever };
inline constexpr unsigned kDialFates = 6;

class Dialler {
 public:
  // Takes the server's end of a connection that was opened.
  using OnServer = std::function<void(net::UniqueFd server)>;

  explicit Dialler(OnServer on_server);
  Dialler(const Dialler&) = delete;
  Dialler& operator=(const Dialler&) = delete;
  ~Dialler();

  void plan(DialFate fate);  // of the next dial that is to end; kOk when nothing is planned
  void forget_plans();       // those that hang go on, too
  void run();                // ends what is under way

  struct Pending;
  void add(std::shared_ptr<Pending> pending) { pending_.push_back(std::move(pending)); }

 private:
  OnServer on_server_;
  std::deque<DialFate> plans_;
  std::vector<std::shared_ptr<Pending>> pending_;
  std::vector<std::shared_ptr<Pending>> hanging_;
};

}  // namespace tidepool::fuzz
