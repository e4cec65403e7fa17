// Asks the Avahi daemon of this machine; nothing goes over the network, since the service is
// published here.
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>
#include <avahi-common/simple-watch.h>

#include "others.hpp"

namespace bench {
namespace {

constexpr const char *service = "berth-bench", *type = "_http._tcp";

void on_group(AvahiEntryGroup*, AvahiEntryGroupState state, void* established) {
  if (state == AVAHI_ENTRY_GROUP_ESTABLISHED) *static_cast<bool*>(established) = true;
}

void on_resolved(AvahiServiceResolver*, AvahiIfIndex, AvahiProtocol, AvahiResolverEvent event,
                 const char*, const char*, const char*, const char*, const AvahiAddress*, uint16_t,
                 AvahiStringList*, AvahiLookupResultFlags, void* found) {
  *static_cast<int*>(found) = event == AVAHI_RESOLVER_FOUND ? 1 : -1;
}

struct published_service {
  AvahiSimplePoll* poll = ::avahi_simple_poll_new();
  AvahiClient* client = nullptr;
  bool established = false;

  /// Returns false if no daemon runs.
  bool publish() {
    client = ::avahi_client_new(
        ::avahi_simple_poll_get(poll), {}, [](AvahiClient*, AvahiClientState, void*) {}, nullptr,
        nullptr);
    if (!client) return false;
    AvahiEntryGroup* const group = ::avahi_entry_group_new(client, on_group, &established);
    return group &&
           ::avahi_entry_group_add_service(group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, {}, service,
                                           type, nullptr, nullptr, 8080, nullptr) == 0 &&
           ::avahi_entry_group_commit(group) == 0 && comes_true([this] {
             ::avahi_simple_poll_iterate(poll, 10);
             return established;
           });
  }

  bool resolve() {
    int found = 0;
    AvahiServiceResolver* const resolver =
        ::avahi_service_resolver_new(client, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, service, type,
                                     "local", AVAHI_PROTO_UNSPEC, {}, on_resolved, &found);
    if (!resolver) return false;
    while (found == 0) ::avahi_simple_poll_iterate(poll, -1);
    ::avahi_service_resolver_free(resolver);
    return found == 1;
  }
};

}  // namespace

void add_avahi(kept& servers) {
  const auto published = std::make_shared<published_service>();
  if (!published->publish() || !published->resolve())
    return add_skipped("others/Avahi",
                       "no avahi-daemon runs here (apt-get install avahi-daemon, and start it)");
  servers.push_back(published);
  add("others/Avahi resolve", 200, [published] { must(published->resolve()); });
}

}  // namespace bench
