#include <berth/base/error.hpp>
#include <berth/cli/registry_module.hpp>
#ifdef BERTH_LIBEXEC
#include <berth/cli/other_part.hpp>
#include <berth/io/shared_library.hpp>
#endif

namespace berth::cli {

#ifdef BERTH_LIBEXEC

void add_loaded_registries(registry_factories& factories) {
  constexpr const char* name = "berth-registry.so";
  const auto path = find_part(name);
  if (path.empty())
    throw error("cannot find its other part, berth-registry.so: install berth again",
                std::make_error_code(std::errc::no_such_file_or_directory));
  // Never unloaded: libcurl leaves handlers behind that run when the process exits.
  static const auto& module = *new shared_library(path);
  const auto add =
      reinterpret_cast<decltype(&berth_add_registries)>(module.symbol(registry_module_function));
  if (!add)
    throw error(path.string() + " is of another version of berth: install berth again",
                std::make_error_code(std::errc::executable_format_error));
  add(factories);
}

#else

void add_loaded_registries(registry_factories&) {
  throw error("this build supports no registry but the file system",
              std::make_error_code(std::errc::not_supported));
}

#endif

}  // namespace berth::cli
