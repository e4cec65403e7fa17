// The exception for misuse by the caller and for refusals by the system. Ordinary outcomes of I/O
// are values instead: see result.hpp. Errors are plain values after construction: copy them freely,
// throw them across threads.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace berth {

/// An error whose message says what failed, on what, why, and what to do about it. The message is
/// safe to print: control characters in names and texts are escaped.
class error : public std::system_error {
 public:
  /// "cannot OPERATION PATH: REASON (ADVICE)". The reason and the advice follow from the code.
  error(std::error_code code, std::string_view operation, std::string_view path = {});
  /// A complete message, if an error code alone does not explain the failure. `lines` follow it on
  /// lines of their own: the end of a log, for example.
  error(std::string_view message, std::error_code code, std::string_view lines = {});

  const char* what() const noexcept override { return message_.c_str(); }

  /// The operation that failed ("open", "bind to"); empty if only a message was given.
  const std::string& operation() const noexcept { return operation_; }
  /// The file, address or name it was tried on; may be empty.
  const std::string& path() const noexcept { return path_; }

 private:
  std::string operation_;
  std::string path_;
  std::string message_;
};

/// A value from a user (argument, environment variable, file) that cannot be used.
class invalid_value : public error {
 public:
  explicit invalid_value(std::string_view message)
      : error(message, std::make_error_code(std::errc::invalid_argument)) {}
};

/// The last error of the operating system, as a code.
std::error_code last_system_error() noexcept;

/// One clause on what a user can do about `code`; empty if there is nothing useful to say.
std::string_view advice_for(std::error_code code) noexcept;

}  // namespace berth
