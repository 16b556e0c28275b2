#include "answer_text.h"

#include <array>
#include <cstdio>
#include <ostream>  // Boost 1.74 forgets it

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <zlib.h>

namespace tidepool::admin {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kWorthIt = 1024;
constexpr int kLevel = 6;
constexpr int kGzip = 15 + 16;  // the largest window, and gzip's header
constexpr int kMemory = 8;

std::string reason_of(int status) {
  const auto text = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {text.data(), text.size()};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "br, gzip;q=0.5"
bool takes_gzip(const HttpRequest& request) {
  const std::string* accepted = request.header("accept-encoding");
  std::string_view rest = accepted == nullptr ? std::string_view() : *accepted;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view one = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    const std::string_view name = trimmed(one.substr(0, one.find(';')));
    if (!boost::beast::iequals({name.data(), name.size()}, "gzip")) continue;
    const std::size_t quality = one.find("q=");
    return quality == std::string_view::npos ||
           one.substr(quality + 2).find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

// Empty: it did not work.
std::string gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string into(deflateBound(&stream, text.size()), 0);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(into.data());
  stream.avail_out = static_cast<uInt>(into.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  into.resize(done ? stream.total_out : 0);
  deflateEnd(&stream);
  return into;
}

}  // namespace

std::string head_text(const HttpAnswer& answer, Framing framing) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " " + reason_of(answer.status) +
                     "\r\nConnection: close\r\nCache-Control: no-store\r\n"
                     "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
                     "X-Content-Type-Options: nosniff\r\n";
  for (const auto& [name, value] : answer.headers)
    text.append(name).append(": ").append(value).append("\r\n");
  if (!answer.type.empty()) text += "Content-Type: " + answer.type + "\r\n";
  if (framing == Framing::kLength)
    text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  if (framing == Framing::kChunks) text += "Transfer-Encoding: chunked\r\n";
  return text + "\r\n";
}

std::string chunk_text(std::string_view piece) {
  std::array<char, 24> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
  return std::string(size.data()).append(piece).append("\r\n");
}

HttpAnswer packed(HttpAnswer answer, const HttpRequest& request) {
  if (answer.body.size() < kWorthIt) return answer;
  answer.headers.emplace_back("Vary", "Accept-Encoding");
  if (!takes_gzip(request)) return answer;
  std::string body = gzip(answer.body);
  if (body.empty()) return answer;
  answer.body = std::move(body);
  answer.headers.emplace_back("Content-Encoding", "gzip");
  return answer;
}

}  // namespace tidepool::admin
