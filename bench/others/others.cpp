#include "others.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <sstream>

namespace bench {

std::string program(const std::string& name) {
  std::istringstream places(std::string(std::getenv("PATH")) + ":/usr/sbin");
  for (std::string place; std::getline(places, place, ':');)
    if (::access((place + "/" + name).c_str(), X_OK) == 0) return place + "/" + name;
  return {};
}

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  must(::bind(socket, any, size) == 0 && ::getsockname(socket, any, &size) == 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

kept add_others(const fs::path& scratch, const std::string& text) {
  kept servers;
#ifdef HAVE_HIREDIS
  add_redis(servers, scratch, text);
#else
  add_skipped("others/Redis", "hiredis is not installed (apt-get install libhiredis-dev)");
#endif
#ifdef HAVE_CURL
  add_etcd(servers, scratch, text);
#else
  add_skipped("others/etcd", "libcurl is not installed (apt-get install libcurl4-openssl-dev)");
#endif
#ifdef HAVE_DBUS
  add_dbus(servers, scratch);
#else
  add_skipped("others/D-Bus", "libdbus is not installed (apt-get install libdbus-1-dev)");
#endif
#ifdef HAVE_AVAHI
  add_avahi(servers);
#else
  add_skipped("others/Avahi", "its library is not installed (apt-get install libavahi-client-dev)");
#endif
  add_epmd(servers);
  add_jupyter(servers, scratch);
  return servers;
}

}  // namespace bench
