#include <array>
#include <ctime>
#include <string_view>

#include "tidepool/admin/status.h"

namespace tidepool::admin {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width"><title>Tidepool</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { font-weight: 600; } h2 { margin-top: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem 1.5rem .2rem 0; border-bottom: 1px solid #8884; }
.ok { color: #1a7f37; } .bad { color: #cf222e; } .quiet { opacity: .7; }
</style></head><body>
)";

constexpr std::string_view kFoot =
    "<p class=\"quiet\"><a href=\"/status.json\">status.json</a> · <a "
    "href=\"/metrics\">metrics</a> · "
    "<a href=\"/readyz\">readyz</a></p>\n</body></html>\n";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string time_text(std::int64_t unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm fields{};
  std::array<char, 32> text{};
  if (gmtime_r(&seconds, &fields) == nullptr) return "?";
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &fields);
  return {text.data(), length};
}

std::string uptime_text(std::chrono::seconds uptime) {
  const auto total = uptime.count();
  const auto two_digits = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  std::string text = total >= 86400 ? std::to_string(total / 86400) + " d " : "";
  return text + two_digits(total / 3600 % 24) + ":" + two_digits(total / 60 % 60) + ":" +
         two_digits(total % 60);
}

std::string row(std::string_view name, const std::string& cell) {
  return "<tr><th>" + std::string(name) + "</th><td>" + cell + "</td></tr>\n";
}

// "3 idle · 2 leased": what is zero is left out.
std::string figures_text(const std::vector<std::pair<std::string, std::int64_t>>& figures) {
  std::string text;
  for (const auto& [name, value] : figures) {
    if (value == 0) continue;
    if (!text.empty()) text += " · ";
    text += std::to_string(value) + " " + escaped(name);
  }
  return text.empty() ? "none" : text;
}

std::string dial_error_text(const PoolStatus& pool) {
  if (pool.last_dial_error.empty()) return "none";
  return "<span class=\"bad\">" + escaped(pool.last_dial_error) + "</span> <span class=\"quiet\">" +
         time_text(pool.figures.last_dial_error_time) + "</span>";
}

std::string pool_section(const PoolStatus& pool) {
  const metrics::PoolSummary& figures = pool.figures;
  return "<h2>" + escaped(figures.pool) + " <span class=\"quiet\">" + escaped(pool.address) +
         "</span></h2>\n<table>\n" +
         row("Size", std::to_string(figures.size) + ", at most " + std::to_string(figures.cap)) +
         row("Backends", figures_text(figures.backends)) +
         row("Waiting for a lease", std::to_string(figures.waiters)) +
         row("Sessions", figures_text(figures.sessions)) +
         row("Pinned", figures_text(figures.pinned)) +
         row("Last dial error", dial_error_text(pool)) + "</table>\n";
}

std::string readiness_text(const Readiness& readiness) {
  if (readiness.ready) return "<span class=\"ok\">ready</span>";
  return "<span class=\"bad\">not ready: " + escaped(readiness.reason) + "</span>";
}

}  // namespace

std::string to_html(const Status& status) {
  std::string page(kHead);
  page +=
      "<h1>Tidepool <span class=\"quiet\">" + escaped(status.version) + "</span></h1>\n<table>\n";
  page += row("State", readiness_text(status.readiness));
  page += row("Up for", uptime_text(status.uptime));
  page += row("Clients",
              std::to_string(status.clients) + ", at most " + std::to_string(status.max_clients));
  page += row("Workers", std::to_string(status.workers));
  page += "</table>\n";
  for (const PoolStatus& pool : status.pools)
    page += pool_section(pool);
  page += kFoot;
  return page;
}

}  // namespace tidepool::admin
