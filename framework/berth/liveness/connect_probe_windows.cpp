#include <winsock2.h>
#include <ws2tcpip.h>

#include <memory>

#include <berth/liveness/connect_probe.hpp>

namespace berth {
namespace {

struct free_addresses {
  void operator()(addrinfo* found) const noexcept { ::freeaddrinfo(found); }
};

bool sockets_started() noexcept {
  static const bool started = [] {
    WSADATA ignored;
    return ::WSAStartup(MAKEWORD(2, 2), &ignored) == 0;
  }();
  return started;
}

probe_result try_one(const addrinfo& address, std::chrono::milliseconds longest) noexcept {
  const SOCKET socket = ::socket(address.ai_family, SOCK_STREAM, 0);
  if (socket == INVALID_SOCKET) return probe_result::no_answer;
  u_long nonblocking = 1;
  ::ioctlsocket(socket, FIONBIO, &nonblocking);
  probe_result outcome = probe_result::no_answer;
  if (::connect(socket, address.ai_addr, static_cast<int>(address.ai_addrlen)) == 0) {
    outcome = probe_result::answered;
  } else if (::WSAGetLastError() == WSAEWOULDBLOCK) {
    fd_set done, failed;
    FD_ZERO(&done);
    FD_ZERO(&failed);
    FD_SET(socket, &done);
    FD_SET(socket, &failed);
    timeval wait{static_cast<long>(longest.count() / 1000),
                 static_cast<long>(longest.count() % 1000 * 1000)};
    ::select(0, nullptr, &done, &failed, &wait);
    int failure = 0, size = sizeof failure;
    ::getsockopt(socket, SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&failure), &size);
    if (failure == WSAECONNREFUSED)
      outcome = probe_result::refused;
    else if (FD_ISSET(socket, &done))
      outcome = probe_result::answered;
  }
  ::closesocket(socket);
  return outcome;
}

}  // namespace

probe_result probe_port(const std::string& host, std::uint16_t port,
                        std::chrono::milliseconds longest) noexcept {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (!sockets_started() ||
      ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0)
    return probe_result::no_answer;
  const std::unique_ptr<addrinfo, free_addresses> addresses(found);
  bool refused = false;
  for (const addrinfo* each = found; each; each = each->ai_next) {
    const auto outcome = try_one(*each, longest);
    if (outcome == probe_result::answered) return outcome;
    refused = refused || outcome == probe_result::refused;
  }
  return refused ? probe_result::refused : probe_result::no_answer;
}

}  // namespace berth
