#include "tidepool/metrics/exporter.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include "families.h"
#include "tidepool/base/check.h"
#include "tidepool/base/clock.h"

namespace tidepool::metrics {
namespace {

template <class Enum, class T, std::size_t N, class Stats>
std::vector<std::pair<std::string, std::int64_t>> named(const Parts<Stats>& parts,
                                                        EnumArray<Enum, T, N> Stats::*member) {
  std::vector<std::pair<std::string, std::int64_t>> result;
  for (std::size_t i = 0; i < N; ++i) {
    const Enum key = EnumArray<Enum, T, N>::key(i);
    const double total =
        sum(parts, [&](const Stats& stats) -> const T& { return (stats.*member)[key]; });
    result.emplace_back(to_string(key), static_cast<std::int64_t>(total));
  }
  return result;
}

PoolSummary summary_of(const PoolSource& source) {
  const Parts<pool::PoolStats> pool{source.pool, {source.stats}};
  const Parts<session::SessionStats> sessions{source.pool, source.sessions};
  PoolSummary summary;
  summary.pool = source.pool;
  summary.cap = source.stats->cap.value();
  summary.size = source.stats->size.value();
  summary.waiters = source.stats->waiters.value();
  summary.backends = named(pool, &pool::PoolStats::backends);
  summary.sessions = named(sessions, &session::SessionStats::sessions);
  summary.pinned = named(sessions, &session::SessionStats::pinned);
  std::erase_if(summary.pinned, [](const auto& entry) { return entry.second <= 0; });
  summary.last_dial_error_time = source.stats->last_dial_error_time.value();
  return summary;
}

}  // namespace

class Exporter::Collector final : public prometheus::Collectable {
 public:
  explicit Collector(Sources sources) : sources_(std::move(sources)) {
    TIDEPOOL_CHECK(sources_.process != nullptr && sources_.logins != nullptr &&
                   sources_.proofs != nullptr && sources_.commands != nullptr);
  }

  void add_pool(PoolSource source) {
    const std::lock_guard lock(mutex_);
    TIDEPOOL_CHECK(source.stats != nullptr && find(source.pool) == pools_.end());
    pools_.push_back(std::move(source));
  }

  void remove_pool(const std::string& pool) {
    const std::lock_guard lock(mutex_);
    const auto found = find(pool);
    if (found != pools_.end()) pools_.erase(found);
  }

  void set_certificates(std::vector<CertificateFile> certificates) {
    const std::lock_guard lock(mutex_);
    certificates_ = std::move(certificates);
  }

  std::vector<PoolSummary> summaries() const {
    const std::lock_guard lock(mutex_);
    std::vector<PoolSummary> result;
    for (const PoolSource& source : pools_)
      result.push_back(summary_of(source));
    return result;
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard lock(
        mutex_);  // held throughout: remove_pool() promises that nobody reads any more
    AllParts<pool::PoolStats> pools;
    AllParts<session::SessionStats> sessions;
    for (const PoolSource& source : pools_) {
      pools.push_back({source.pool, {source.stats}});
      sessions.push_back({source.pool, source.sessions});
    }
    Page page;
    add_pool_families(page, pools);
    add_session_families(page, sessions);
    add_login_families(page, *sources_.logins);
    add_certificate_families(page, certificates_);
    add_proof_families(page, *sources_.proofs);
    add_command_families(page, *sources_.commands);
    add_process_families(page, *sources_.process, facts());
    return page.take();
  }

 private:
  std::vector<PoolSource>::iterator find(const std::string& pool) {
    return std::find_if(pools_.begin(), pools_.end(),
                        [&](const PoolSource& source) { return source.pool == pool; });
  }

  ProcessFacts facts() const {
    using Seconds = std::chrono::duration<double>;
    return {sources_.version, Seconds(started_.time_since_epoch()).count(),
            Seconds(Clock::now() - started_steady_).count()};
  }

  const Sources sources_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  const TimePoint started_steady_ = Clock::now();

  mutable std::mutex mutex_;
  std::vector<PoolSource> pools_;              // guarded by mutex_
  std::vector<CertificateFile> certificates_;  // likewise
};

Exporter::Exporter(Sources sources) : collector_(std::make_unique<Collector>(std::move(sources))) {}

Exporter::~Exporter() = default;

void Exporter::add_pool(PoolSource source) {
  collector_->add_pool(std::move(source));
}

void Exporter::remove_pool(const std::string& pool) {
  collector_->remove_pool(pool);
}

void Exporter::set_certificates(std::vector<CertificateFile> certificates) {
  collector_->set_certificates(std::move(certificates));
}

std::vector<PoolSummary> Exporter::summaries() const {
  return collector_->summaries();
}

std::string Exporter::render() const {
  return prometheus::TextSerializer().Serialize(collector_->Collect());
}

}  // namespace tidepool::metrics
