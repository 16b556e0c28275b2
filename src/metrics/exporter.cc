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
    const auto get = [&](const Stats& stats) -> const T& { return (stats.*member)[key]; };
    result.emplace_back(to_string(key), static_cast<std::int64_t>(sum(each(parts, get))));
  }
  return result;
}

PoolSummary summary_of(const PoolSource& source) {
  PoolSummary summary;
  summary.pool = source.pool;
  summary.cap = source.stats->cap.value();
  summary.size = source.stats->size.value();
  summary.waiters = source.stats->waiters.value();
  summary.backends = named({source.stats}, &pool::PoolStats::backends);
  summary.sessions = named(source.sessions, &session::SessionStats::sessions);
  summary.pinned = named(source.sessions, &session::SessionStats::pinned);
  std::erase_if(summary.pinned, [](const auto& entry) { return entry.second <= 0; });
  summary.last_dial_error_time = source.stats->last_dial_error_time.value();
  return summary;
}

template <class Stats>
Subjects<Stats> the_process(const Stats& stats) {
  return {{{}, {&stats}}};
}

Labels labels_of(const CertificateFile& file) {
  const Label whose =
      file.pool.empty() ? Label{"listener", file.listener} : Label{"pool", file.pool};
  return {whose, {"key", file.key}};
}

// Pools, and what belongs to them, as the tables want them.
struct PoolSubjects {
  Subjects<pool::PoolStats> pools;
  Subjects<pool::EndpointStats> endpoints;
  Subjects<session::SessionStats> sessions;

  void add(const PoolSource& source) {
    const Labels labels = {{"pool", source.pool}};
    pools.push_back({labels, {source.stats}});
    for (const auto& endpoint : source.stats->endpoints)
      endpoints.push_back({with(labels, "endpoint", endpoint->endpoint), {endpoint.get()}});
    sessions.push_back({labels, source.sessions});
  }
};

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
        mutex_);  // held throughout: after remove_pool() the pool is not read any more
    PoolSubjects of;
    for (const PoolSource& source : pools_)
      of.add(source);
    Subjects<CertificateFile> certificates;
    for (const CertificateFile& file : certificates_)
      certificates.push_back({labels_of(file), {&file}});
    const ProcessInfo process = info();
    Page page;
    add(page, pool_families(), of.pools);
    add(page, endpoint_families(), of.endpoints);
    add(page, backend_families(), of.pools);
    add(page, session_families(), of.sessions);
    add(page, login_families(), the_process(*sources_.logins));
    add(page, certificate_families(), certificates);
    add(page, proof_families(), the_process(*sources_.proofs));
    add(page, command_families(), the_process(*sources_.commands));
    add(page, build_families(), the_process(process));
    add(page, process_families(), the_process(*sources_.process));
    add(page, kernel_families(), the_process(process));
    return page.take();
  }

 private:
  std::vector<PoolSource>::iterator find(const std::string& pool) {
    return std::find_if(pools_.begin(), pools_.end(),
                        [&](const PoolSource& source) { return source.pool == pool; });
  }

  ProcessInfo info() const {
    using Seconds = std::chrono::duration<double>;
    ProcessInfo now;
    now.version = sources_.version;
    now.start_time_seconds = Seconds(started_.time_since_epoch()).count();
    now.uptime_seconds = Seconds(Clock::now() - started_steady_).count();
    ask_kernel(now);
    return now;
  }

  const Sources sources_;
  const std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  const TimePoint started_steady_ = Clock::now();

  mutable std::mutex mutex_;
  std::vector<PoolSource> pools_;              // guarded by mutex_
  std::vector<CertificateFile> certificates_;  // guarded by mutex_
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
