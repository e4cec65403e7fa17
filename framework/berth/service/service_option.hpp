// A setting of a service's own, as its code sees it. A handle: copy it freely. It has the default
// until the service is configured, and its value from the hook `configured` on; any thread may read
// it while the service runs.
//
//   const auto greeting = service.option("greeting", "hello", "What it says first");
//   … co_await client.write_all(*greeting);
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>

#include <berth/config/declared_option.hpp>

namespace berth {

template <typename T>
class service_option {
 public:
  const T& value() const noexcept { return *std::get_if<T>(&option_->value); }
  const T& operator*() const noexcept { return value(); }
  const T* operator->() const noexcept { return &value(); }

 private:
  friend class service;
  explicit service_option(std::shared_ptr<const declared_option> option)
      : option_(std::move(option)) {}
  std::shared_ptr<const declared_option> option_;
};

/// The type of an option with a default of type T: one of those of option_value.
template <typename T>
struct option_type {
  static_assert(std::is_convertible_v<T, std::string> ||
                    std::is_convertible_v<T, std::chrono::milliseconds>,
                "an option is a string, a number, a boolean or a duration in milliseconds");
  using type = std::conditional_t<std::is_convertible_v<T, std::chrono::milliseconds>,
                                  std::chrono::milliseconds, std::string>;
};
template <>
struct option_type<bool> {
  using type = bool;
};
template <std::integral T>
struct option_type<T> {
  using type = std::int64_t;
};
template <std::floating_point T>
struct option_type<T> {
  using type = double;
};
template <typename T>
using option_type_t = typename option_type<T>::type;

}  // namespace berth
