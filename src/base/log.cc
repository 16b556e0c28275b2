#include "tidepool/base/log.h"

#include <atomic>
#include <chrono>
#include <memory>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tidepool::log {
namespace {

// spdlog does the locking and the writing; the line itself is ours, because fields need escaping.
struct Sink {
  std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>(
      "tidepool", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  std::atomic<Level> level = Level::kInfo;
  std::atomic<Format> format = Format::kText;

  Sink() {
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
  }
};

Sink& sink() {
  static Sink the_sink;
  return the_sink;
}

std::string_view name_of(Level level) {
  switch (level) {
    case Level::kTrace: return "trace";
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
  }
  return "?";
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kTrace: return spdlog::level::trace;
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char raw : text) {
    const auto byte = static_cast<unsigned char>(raw);
    if (raw == '"' || raw == '\\') {
      out += '\\';
      out += raw;
    } else if (raw == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += raw;
    }
  }
  out += '"';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" \t\n\r\"\\=") != std::string_view::npos;
}

std::string text_line(Level level, std::string_view message, Fields fields) {
  std::string line = fmt::format("{:<5} {}", name_of(level), message);
  for (const Field& field : fields) {
    line += fmt::format(" {}=", field.key);
    if (needs_quotes(field.value)) {
      append_quoted(line, field.value);
    } else {
      line += field.value;
    }
  }
  return line;
}

std::string json_members(Level level, std::string_view message, Fields fields) {
  std::string line = fmt::format(R"("level":"{}","message":)", name_of(level));
  append_quoted(line, message);
  for (const Field& field : fields) {
    line += fmt::format(",\"{}\":", field.key);
    if (field.is_number) {
      line += field.value;
    } else {
      append_quoted(line, field.value);
    }
  }
  return line;
}

std::string now_utc() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), ms);
}

}  // namespace

void configure(Level level, Format format) {
  sink().level = level;
  sink().format = format;
}

void set_level(Level level) {
  sink().level = level;
}

bool enabled(Level level) {
  return level >= sink().level.load(std::memory_order_relaxed);
}

std::string format_line(Format format, Level level, std::string_view message, Fields fields) {
  if (format == Format::kText) return text_line(level, message, fields);
  return "{" + json_members(level, message, fields) + "}";
}

void write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) return;
  const std::string line =
      sink().format == Format::kText
          ? now_utc() + " " + text_line(level, message, fields)
          : R"({"time":")" + now_utc() + "\"," + json_members(level, message, fields) + "}";
  sink().logger->log(spdlog_level(level), "{}", line);
}

}  // namespace tidepool::log
