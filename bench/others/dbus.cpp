#include <dbus/dbus.h>

#include <fstream>

#include "others.hpp"

namespace bench {
namespace {

DBusConnection* connect(const std::string& address) {
  DBusConnection* const bus = ::dbus_connection_open_private(address.c_str(), nullptr);
  if (bus && !::dbus_bus_register(bus, nullptr)) return nullptr;
  return bus;
}

}  // namespace

void add_dbus(kept& servers, const fs::path& scratch) {
  const std::string server = program("dbus-daemon");
  if (server.empty())
    return add_skipped("others/D-Bus", "dbus-daemon is not installed (apt-get install it)");
  const fs::path configuration = scratch / "dbus.conf";
  const std::string address = "unix:path=" + (scratch / "dbus.sock").string();
  std::ofstream(configuration)
      << "<busconfig><type>session</type><listen>" << address
      << "</listen><policy context=\"default\"><allow send_destination=\"*\"/>"
         "<allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>";
  servers.push_back(std::make_shared<server_process>(
      std::vector<std::string>{server, "--nofork", "--config-file=" + configuration.string()}));
  DBusConnection *owner = nullptr, *asks = nullptr;
  if (!comes_true([&] { return (owner = connect(address)) && (asks = connect(address)); }))
    return add_skipped("others/D-Bus", "dbus-daemon did not start");
  must(::dbus_bus_request_name(owner, "org.example.Server", 0, nullptr) > 0);
  add("others/D-Bus NameHasOwner", 2000,
      [asks] { must(::dbus_bus_name_has_owner(asks, "org.example.Server", nullptr)); });
}

}  // namespace bench
