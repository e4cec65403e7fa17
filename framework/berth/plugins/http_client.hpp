// Requests over HTTP by libcurl, on the loop: connections are kept, nothing blocks but the look-up
// of names, which libcurl does on a thread of its own. On the loop's thread; end all requests
// before it ends.
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

/// For TLS: files in PEM; the system's authorities where `ca` is empty.
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

  /// Posts JSON. A failure where there is no whole answer by then; one of any status is an answer.
  task<result<http_answer>> post(std::string url, std::string body, deadline until);
  /// The same, whose answer comes in lines for as long as the server has something to say: calls
  /// `line` for each. Ends when the server ends it.
  task<result<void>> stream(std::string url, std::string body,
                            std::function<void(std::string_view)> line);
  /// Sent as the header Authorization from now on; nothing where empty.
  void authorize(std::string with) { authorization_ = std::move(with); }
  /// What failed last, in libcurl's words.
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
