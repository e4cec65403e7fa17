// Any text as config.toml, any text in the environment: refused in words, or settings in range.
#include <cstdint>
#include <cstdlib>
#include <string>

#include <berth/base/error.hpp>
#include <berth/base/log.hpp>
#include <berth/config/settings.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  berth::log::set_level(berth::log::level::off);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto value = text.substr(0, text.find('\0'));
  ::setenv("FUZZ_SERVER_PORT", value.c_str(), 1);
  try {
    berth::server_settings settings = berth::load_settings("fuzz", "/nonexistent");
    berth::validate(settings);
    if (settings.port != 0 && (settings.port < 1024 || settings.port > 65535)) std::abort();
  } catch (const berth::invalid_value&) {
  }
  try {
    berth::server_settings settings;
    berth::read_settings(text, "config.toml", settings);
    berth::validate(settings);
    if (settings.host.empty() || settings.max_connections < 1) std::abort();
  } catch (const berth::invalid_value&) {
  }
  return 0;
}
