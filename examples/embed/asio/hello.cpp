// Says hello on Asio's loop. Files are handled by a thread of their own, so that the loop never
// waits for a disk: it publishes, checks now and then that its file is still there, and removes it
// at the end. "hello-asio find" is a client on the same loop.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include <asio.hpp>
#include <berth/config/directory.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/liveness/this_process.hpp>

using asio::ip::tcp;

asio::awaitable<void> serve(tcp::acceptor& listener) {
  for (;;) {
    tcp::socket client = co_await listener.async_accept(asio::use_awaitable);
    co_await asio::async_write(client, asio::buffer("hello\n", 6), asio::use_awaitable);
  }
}

asio::awaitable<void> keep_published(berth::claim& published, const berth::record& server) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    timer.expires_after(std::chrono::seconds(2));
    co_await timer.async_wait(asio::use_awaitable);
    if (!published.intact()) published.publish(server);
  }
}

int find(const berth::location& where) {
  asio::io_context loop;
  asio::thread_pool files(1);
  int status = 3;
  asio::post(files, [&] {
    const auto found = berth::read_live(where);
    asio::post(loop, [&, found] {
      if (!found) return;
      status = 0;
      tcp::socket server(loop);
      server.connect({asio::ip::make_address(found->host), found->port});
      char text[6];
      asio::read(server, asio::buffer(text));
      std::printf("%s says %.5s\n", berth::url_of(*found).c_str(), text);
    });
  });
  files.join();
  loop.run();
  return status;
}

int serve_until_signal(const berth::location& where) {
  asio::io_context loop;
  tcp::acceptor listener(loop, {asio::ip::address_v4::loopback(), 0});
  auto server = berth::describe_this_process("127.0.0.1", listener.local_endpoint().port(), "1.0");
  server.scheme = "tcp";
  berth::claim published(where, server);  // before the loop runs, after the port accepts

  asio::thread_pool files(1);
  asio::co_spawn(loop, serve(listener), asio::detached);
  asio::co_spawn(files, keep_published(published, server), [&](std::exception_ptr failed) {
    if (failed) loop.stop();  // another server came in our place
  });
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([&](auto, int) { loop.stop(); });
  loop.run();
  files.stop();
  files.join();
  published.remove();
  return 0;
}

int main(int argc, char** argv) {
  try {
    const berth::location where("hello", berth::config_directory("hello"));
    const bool finds = argc > 1 && std::strcmp(argv[1], "find") == 0;
    return finds ? find(where) : serve_until_signal(where);
  } catch (const std::exception& refused) {
    std::fprintf(stderr, "hello-asio: %s\n", refused.what());
    return 1;
  }
}
