// HTTP requests by libcurl, on the loop. Connections are kept open; nothing blocks the loop, not
// even the look-up of names, for which libcurl has a thread. On the loop's thread; all requests
// must end before it is destroyed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include <berth/base/result.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task.hpp>
#include <berth/io/event_loop.hpp>

namespace berth {

/// TLS files in PEM format; the system's authorities if `ca` is empty.
struct http_options {
  std::string ca, certificate, key;
};

struct http_answer {
  long status = 0;
  std::string body;
};

class http_client {
 public:
  http_client(event_loop& loop, http_options options);
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;
  ~http_client();

  /// Posts JSON. Fails if there is no complete answer by the deadline; an answer with any status is
  /// a success.
  task<result<http_answer>> post(std::string url, std::string body, deadline until);
  /// The same for an answer that comes line by line: calls `line` for each. Ends when the server
  /// ends the answer.
  task<result<void>> stream(std::string url, std::string body,
                            std::function<void(std::string_view)> line);
  /// Sets the Authorization header of the following requests; none if empty.
  void authorize(std::string with) { authorization_ = std::move(with); }
  /// The last failure, in libcurl's words.
  const std::string& last_failure() const noexcept { return last_failure_; }

 private:
  struct multi;
  class exchange;

  std::unique_ptr<multi> multi_;
  http_options options_;
  std::string authorization_;
  std::string last_failure_;
};

}  // namespace berth
