// Two ends of a connection on this machine.
#pragma once

#include <berth/coro/when_all.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/tcp.hpp>

namespace test {

using namespace berth;

inline const endpoint any_port{"127.0.0.1", 0};

struct pair_of_streams {
  tcp_stream server;
  tcp_stream client;
};

inline task<pair_of_streams> connect_pair(endpoint at = any_port) {
  const auto here = co_await current_context();
  tcp_listener listener(event_loop::of(here), at);
  auto both = co_await when_all(listener.accept(), tcp_connect(listener.bound()));
  co_return pair_of_streams{std::move(std::get<0>(both)).value("accept"),
                            std::move(std::get<1>(both)).value("connect")};
}

}  // namespace test
