// A client of etcd 3.4 and later, through its JSON gateway: keys under a lease, and ranges of them.
// If one endpoint of a cluster does not answer, the next is asked. On the loop's thread; all calls
// must end before it is destroyed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <berth/plugins/etcd_answer.hpp>
#include <berth/plugins/http_client.hpp>

namespace berth {

struct etcd_options {
  std::vector<std::string> endpoints;  ///< "http://127.0.0.1:2379"; one at least
  std::string user, password;          ///< for etcd's own authentication; may be empty
  http_options http;
};

/// The first line of a file that only its owner can read. Throws berth::error.
std::string password_of_file(const std::string& path);

class etcd_client {
 public:
  /// Throws invalid_value if an endpoint is not an HTTP address.
  etcd_client(event_loop& loop, etcd_options options);

  using entry = etcd_entry;

  /// Creates a lease of that many seconds; returns its id.
  task<result<std::string>> grant(std::chrono::seconds time, deadline until);
  /// Returns false if the lease has ended.
  task<result<bool>> keep_alive(std::string lease, deadline until);
  task<result<void>> revoke(std::string lease, deadline until);
  task<result<void>> put(std::string key, std::string value, std::string lease, deadline until);
  /// All keys that begin with `prefix`.
  task<result<std::vector<entry>>> range(std::string prefix, deadline until);

  /// Waits until a key that begins with `prefix` has changed since the last range, or may have.
  task<result<void>> changed(std::string prefix, deadline until);

  /// Why the last call failed, in words.
  const std::string& last_failure() const noexcept { return last_failure_; }

 private:
  task<result<std::string>> call(std::string path, std::string body, deadline until);
  task<result<http_answer>> ask(std::string path, std::string body, deadline until);
  task<bool> authenticate(deadline until);

  http_client http_;
  etcd_options options_;
  std::size_t current_ = 0;  // the endpoint that answered last
  std::string last_failure_;
  std::int64_t revision_ = 0;  // of the last range
};

}  // namespace berth
