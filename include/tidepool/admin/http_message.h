// What is asked and answered over HTTP, as plain values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidepool::admin {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method{};  // "GET"
  std::string path{};    // as it was sent, without the query
  std::string query{};   // behind the question mark
  int minor_version = 1;
  HttpHeaders headers{};  // names in lower case
  std::string body{};

  // Of the first header of that name, which is given in lower case; null: there is none.
  const std::string* header(std::string_view name) const;
};

struct HttpAnswer {
  int status = 200;
  std::string type = "text/plain";
  std::string body{};
  HttpHeaders headers{};  // besides those that every answer has
};

}  // namespace tidepool::admin
