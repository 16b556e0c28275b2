// The server: what run() builds, and keeps on the main thread until the process ends.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "file_watch.h"
#include "memory_watch.h"
#include "passthrough.h"
#include "reload.h"
#include "server_http.h"
#include "shared_state.h"
#include "takeover.h"
#include "tidepool/config/load.h"
#include "tidepool/net/loop.h"
#include "tidepool/net/signal.h"
#include "tidepool/net/timer.h"
#include "worker.h"

namespace tidepool::proxy {

class Server {
 public:
  // `config` is what the shared state was built for. `predecessor` may be null.
  Server(std::unique_ptr<SharedState> shared, config::Config config, const config::Source& source,
         Program program, std::unique_ptr<Predecessor> predecessor);

  Result<void> start();
  int run();  // the process's exit code

 private:
  // server.cc
  Result<void> listen();
  Result<void> start_http();
  void on_signal(int number, const char* name);
  void on_hang_up();
  void on_takeover_signal();
  void let_in();
  void hand_over();
  std::vector<Passed> sockets() const;
  void end();
  void drain();
  void poll_drain();
  void poll_pools();
  void stop_workers();
  Takeover::Events takeover_events();

  // server_reload.cc
  void watch_files(const config::Config& config);
  void poll_files();
  void reload(const char* why);
  Result<void> read_again();
  template <class Change>
  Result<void> apply(Change change);
  void watch_pools();
  Passthrough::Events passthrough_events();

  template <class Action>
  void for_all(Action action) {
    for (const auto& worker : workers_)
      action(*worker);
  }

  const config::Source& source_;
  std::unique_ptr<SharedState> shared_;
  net::Loop loop_;
  net::Timer drain_timer_{loop_};
  TimePoint deadline_{};
  net::Timer reload_timer_{loop_};
  FileWatch files_;
  Workers workers_;
  Passthrough passthrough_;
  Takeover takeover_;
  std::vector<std::unique_ptr<net::Signal>> signals_;
  MemoryWatch memory_;
  ServerHttp http_;
  bool is_told_ = false;     // to end, by a signal
  bool is_ending_ = false;   // so are those before it
  bool is_stopped_ = false;  // the workers have ended
  int exit_code_ = 0;
};

}  // namespace tidepool::proxy
