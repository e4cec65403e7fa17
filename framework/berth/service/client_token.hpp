// The token that a service may require of its clients: made for each run, checked by handlers. Any
// thread may check it while the service runs.
#pragma once

#include <string>
#include <string_view>

namespace berth {

class client_token {
 public:
  /// A new random token, or none.
  void renew(bool required);
  const std::string& text() const noexcept { return text_; }
  /// Always true if there is none. Its running time depends only on the length of `presented`.
  bool matches(std::string_view presented) const noexcept;

 private:
  std::string text_;
};

}  // namespace berth
