#include <berth/cli/registry_hint.hpp>

#include <berth/base/error.hpp>
#include <berth/config/environment.hpp>
#include <berth/discovery/file_text.hpp>

namespace berth::cli {

bool may_ask_registry(const location& where) {
  if (variable(where.application, "REGISTRY")) return true;
  try {
    const auto file = open_file::to_read(where.directory / "config.toml");
    if (!file) return false;
    const std::string_view text = read_text(*file, file->status(), read_mode::may_block);
    return text.find("registry") != std::string_view::npos;
  } catch (const error&) {
    return true;  // who reads all of it says what is wrong with it
  }
}

}  // namespace berth::cli
