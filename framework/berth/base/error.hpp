// What the caller did wrong or the system refused, as an exception. Ordinary outcomes of I/O are
// values instead: see result.hpp. Errors are plain values after construction: copy them freely,
// throw them across threads.
#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace berth {

/// An error that names what was tried, on what, why it failed and what to do about it.
class error : public std::system_error {
 public:
  /// "cannot OPERATION PATH: REASON (ADVICE)". The reason and the advice follow from the code.
  error(std::error_code code, std::string_view operation, std::string_view path = {});
  /// The message as it stands, for what is explained by more than an error code.
  error(std::string message, std::error_code code);

  const char* what() const noexcept override { return message_.c_str(); }

  /// What was tried ("open", "bind to"); empty where only a message was given.
  const std::string& operation() const noexcept { return operation_; }
  /// The file, address or name it was tried on; may be empty.
  const std::string& path() const noexcept { return path_; }

 private:
  std::string operation_;
  std::string path_;
  std::string message_;
};

/// A value that somebody typed (argument, environment variable, file) and that cannot be used.
class invalid_value : public error {
 public:
  explicit invalid_value(std::string message)
      : error(std::move(message), std::make_error_code(std::errc::invalid_argument)) {}
};

/// The last error of the operating system, as a code.
std::error_code last_system_error() noexcept;

/// One clause on what a user can do about `code`; empty where there is nothing useful to say.
std::string_view advice_for(std::error_code code) noexcept;

}  // namespace berth
