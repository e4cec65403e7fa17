// Any text as a registry's URL: refused with a reason, or endpoints that libcurl takes.
#include <cstdint>
#include <cstdlib>

#include <berth/base/error.hpp>
#include <berth/plugins/etcd_registry.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const berth::etcd_location where(std::string(reinterpret_cast<const char*>(data), size));
    if (where.options.endpoints.empty() || where.prefix.empty()) std::abort();
    for (const auto& each : where.options.endpoints)
      if (!each.starts_with("http://") && !each.starts_with("https://")) std::abort();
  } catch (const berth::invalid_value& invalid) {
    if (std::string_view(invalid.what()).empty()) std::abort();
  }
  return 0;
}
