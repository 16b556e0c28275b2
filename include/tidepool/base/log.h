// Structured logging: a sentence and key=value fields, as text or as one JSON object a line, to
// standard error.
//
// Any thread may log. Until configure() is called: level info, text. Never log a secret, nor SQL
// text at info or above.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace tidepool::log {

enum class Level : std::uint8_t { kTrace, kDebug, kInfo, kWarn, kError };
enum class Format : std::uint8_t { kText, kJson };

struct Field {
  std::string_view key;  // a literal: not copied
  std::string value;
  bool is_number = false;

  Field(std::string_view name, std::string text) : key(name), value(std::move(text)) {}
  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(text) {}
  template <std::integral T>
  Field(std::string_view name, T number)
      : key(name), value(std::to_string(number)), is_number(true) {}
};

using Fields = std::initializer_list<Field>;

void configure(Level level, Format format);

// Changes the level alone, live.
void set_level(Level level);

// Whether a line of this level would be written; ask before building costly fields.
bool enabled(Level level);

void write(Level level, std::string_view message, Fields fields);

inline void error(std::string_view message, Fields fields = {}) {
  write(Level::kError, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::kWarn, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::kInfo, message, fields);
}
inline void debug(std::string_view message, Fields fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, message, fields);
}
inline void trace(std::string_view message, Fields fields = {}) {
  if (enabled(Level::kTrace)) write(Level::kTrace, message, fields);
}

// One line without its time stamp, as write() prints it; for tests.
std::string format_line(Format format, Level level, std::string_view message, Fields fields);

}  // namespace tidepool::log
