// The outcome of an operation that may fail in the ordinary course: a value, or a failure with its
// code and, if it was cancelled, the reason. A look-up that finds nothing fails as absent. Reading
// the value of a failure throws berth::error.
#pragma once

#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include <berth/base/error.hpp>
#include <berth/base/stop_reason.hpp>

namespace berth {

/// Why there is no value.
struct failure {
  std::error_code code;
  stop_reason reason = stop_reason::none;

  failure(std::error_code error) noexcept : code(error) {}  // NOLINT: implicit on purpose
  failure(std::error_code error, stop_reason why) noexcept : code(error), reason(why) {}

  /// The failure of a wait that was given up for `why`.
  static failure cancelled(stop_reason why) noexcept {
    const auto code =
        why == stop_reason::deadline ? std::errc::timed_out : std::errc::operation_canceled;
    return {std::make_error_code(code), why};
  }
  /// The failure of a look-up that found nothing.
  static failure absent() noexcept { return {std::make_error_code(std::errc::no_such_process)}; }
};

template <typename T>
class [[nodiscard]] result {
 public:
  using value_type = T;

  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}               // NOLINT
  result(berth::failure failed) noexcept : state_(std::in_place_index<1>, failed) {}  // NOLINT

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }

  /// The value; throws berth::error("cannot OPERATION …") if there is none.
  T value(std::string_view operation = "go on") && {
    if (!has_value()) throw berth::error(error(), operation);
    return std::move(**this);
  }

  std::error_code error() const noexcept { return has_value() ? std::error_code{} : failed().code; }
  stop_reason reason() const noexcept { return has_value() ? stop_reason::none : failed().reason; }
  /// Why there is no value, to hand on: `if (!server) co_return server.failure();`. Without an
  /// error code if there is a value.
  berth::failure failure() const noexcept { return {error(), reason()}; }
  bool cancelled() const noexcept { return error() == std::errc::operation_canceled; }
  bool timed_out() const noexcept { return error() == std::errc::timed_out; }
  bool absent() const noexcept { return error() == std::errc::no_such_process; }

 private:
  const berth::failure& failed() const noexcept { return *std::get_if<1>(&state_); }
  std::variant<T, berth::failure> state_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() noexcept = default;
  result(berth::failure failed) noexcept : failed_(failed) {}  // NOLINT

  bool has_value() const noexcept { return !failed_; }
  explicit operator bool() const noexcept { return has_value(); }
  void value(std::string_view operation = "go on") const {
    if (failed_) throw berth::error(failed_->code, operation);
  }

  std::error_code error() const noexcept { return failed_ ? failed_->code : std::error_code{}; }
  stop_reason reason() const noexcept { return failed_ ? failed_->reason : stop_reason::none; }
  /// Why there is no value, to hand on: `if (!server) co_return server.failure();`. Without an
  /// error code if there is a value.
  berth::failure failure() const noexcept { return {error(), reason()}; }
  bool cancelled() const noexcept { return error() == std::errc::operation_canceled; }
  bool timed_out() const noexcept { return error() == std::errc::timed_out; }
  bool absent() const noexcept { return error() == std::errc::no_such_process; }

 private:
  std::optional<berth::failure> failed_;
};

template <typename T>
inline constexpr bool is_result = false;
template <typename T>
inline constexpr bool is_result<result<T>> = true;

}  // namespace berth
