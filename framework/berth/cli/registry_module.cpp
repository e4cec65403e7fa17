// The module itself. It resolves berth's own functions in the program that loads it.
#include <berth/cli/registry_module.hpp>
#include <berth/plugins/etcd_registry.hpp>

void berth_add_registries(berth::registry_factories& factories) { berth::add_etcd(factories); }
