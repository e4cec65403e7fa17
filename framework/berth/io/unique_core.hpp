// Owns the core of a stream, a listener or a socket: the part that libuv uses until it has closed
// the handle. The owner begins to close the core, which deletes itself when libuv is done. On the
// loop's thread. A class that holds one needs no destructor and no moves of its own.
//
//   struct core;  // has close() noexcept
//   unique_core<core> core_;
//   …
//   extern template struct core_closer<socket::core>;  // after the class
//   template struct core_closer<socket::core>;         // in the source, with close_core.hpp
#pragma once

#include <memory>

namespace berth {

template <typename Core>
struct core_closer {
  /// Defined in close_core.hpp, since the core is incomplete where its owner is declared.
  void operator()(Core* core) const noexcept;
};

template <typename Core>
using unique_core = std::unique_ptr<Core, core_closer<Core>>;

}  // namespace berth
