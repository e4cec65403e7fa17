// What the opaque types of <berth/berth.h> hold, and how its functions call C++: what is thrown
// becomes a status and the thread's message. Any thread.
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
  /// After a change: the texts that are made of the rest.
  void derive();

  berth::record server;
  std::string url;
  std::map<std::string, std::string, std::less<>> endpoint_urls;
};

namespace berth::c {

/// Sets the thread's message.
berth_status fail(berth_status why, std::string message) noexcept;
/// The status and message of the exception that is being handled.
berth_status fail_by_exception() noexcept;
/// No message, for a call that succeeds so far.
void begin() noexcept;

/// Throws invalid_value if it is null.
template <typename T>
T& given(T* pointer, const char* name) {
  if (!pointer) throw invalid_value(std::string(name) + " is NULL");
  return *pointer;
}
/// As a text, which must be there.
inline const char* text(const char* pointer, const char* name) { return &given(pointer, name); }
/// As a port; throws invalid_value.
std::uint16_t port_of(int number);
/// From now; below 0 never.
deadline deadline_in(std::int64_t milliseconds) noexcept;

/// What a call gives is null until it has succeeded.
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

/// Gives a found record, or says that there is none.
berth_status give(berth_record*& place, const berth::location& where, const record* found);

}  // namespace berth::c
