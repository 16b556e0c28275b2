#include "tidepool/base/log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "tidepool/base/utf8.h"

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

// C0, DEL and C1: a terminal may obey them.
bool is_control(char32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
}

// As a string of JSON. What is no UTF-8 becomes the replacement character: names of users and texts
// of servers may hold any bytes, and a line that is no JSON would be lost.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    const std::string_view bytes = text.substr(0, std::max<std::size_t>(next.bytes, 1));
    text.remove_prefix(bytes.size());
    if (next.bytes == 0) {
      out += "\\ufffd";
    } else if (bytes == "\n") {
      out += "\\n";
    } else if (is_control(next.code_point)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(next.code_point));
    } else {
      if (bytes == "\"" || bytes == "\\") out += '\\';
      out += bytes;
    }
  }
  out += '"';
}

bool needs_quotes(std::string_view text) {
  if (text.empty() || text.find_first_of(" \"\\=") != std::string_view::npos) return true;
  while (!text.empty()) {
    const Utf8Character next = first_character(text);
    if (next.bytes == 0 || is_control(next.code_point)) return true;
    text.remove_prefix(next.bytes);
  }
  return false;
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
