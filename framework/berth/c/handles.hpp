// The contents of the opaque types of <berth/berth.h>, and the calls from its functions into C++:
// an exception becomes a status and the thread's message. Thread-safe.
#pragma once

#include <map>
#include <string>

#include <berth/berth.h>
#include <berth/base/error.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

struct berth_location {
  explicit berth_location(berth::location meant);

  berth::location where;
  std::string port_file;
};

struct berth_record {
  explicit berth_record(berth::record of);
  /// Computes the texts that depend on the record; call it after each change.
  void derive();

  berth::record server;
  std::string url;
  std::map<std::string, std::string, std::less<>> endpoint_urls;
};

namespace berth::c {

/// Sets the thread's message.
berth_status fail(berth_status why, std::string message) noexcept;
/// Sets the thread's message to that of the exception being handled, and returns its status.
berth_status fail_by_exception() noexcept;
/// Clears the thread's message, at the beginning of a call.
void begin() noexcept;

/// Throws invalid_value if it is null.
template <typename T>
T& given(T* pointer, const char* name) {
  if (!pointer) throw invalid_value(std::string(name) + " is NULL");
  return *pointer;
}
/// The same for a text.
inline const char* text(const char* pointer, const char* name) { return &given(pointer, name); }
/// Throws invalid_value unless the number is a port.
std::uint16_t port_of(int number);
/// Counts from now; a negative duration means never.
deadline deadline_in(std::int64_t milliseconds) noexcept;

/// Sets the caller's pointer to null, which it stays unless the call succeeds.
template <typename T>
T*& cleared(T** place, const char* name) {
  given(place, name) = nullptr;
  return *place;
}

template <typename Call>
berth_status guarded(Call call) noexcept {
  begin();
  try {
    return call();
  } catch (...) {
    return fail_by_exception();
  }
}

/// Gives the caller a copy of `found`, or fails with the message that there is no live server.
berth_status give(berth_record*& place, const berth::location& where, const record* found);

}  // namespace berth::c
