#include <berth/base/log.hpp>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

namespace berth::log {
namespace {

constexpr std::string_view names[] = {"off", "error", "warning", "info", "debug"};

std::atomic<level> highest_level{level::info};
std::mutex name_mutex;
std::string& program_name() {
  static std::string name = "berth";
  return name;
}

}  // namespace

std::optional<level> parse_level(std::string_view name) noexcept {
  for (int i = 0; i < 5; ++i)
    if (names[i] == name) return static_cast<level>(i);
  return std::nullopt;
}

void set_level(level highest) noexcept { highest_level.store(highest, std::memory_order_relaxed); }

bool enabled(level at) noexcept { return at <= highest_level.load(std::memory_order_relaxed); }

void set_name(std::string_view name) {
  const std::scoped_lock lock(name_mutex);
  program_name() = name;
}

void write_line(std::string_view line) noexcept {
  std::string whole(line);
  whole += '\n';
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void write(level at, std::string_view message) noexcept {
  std::string line;
  {
    const std::scoped_lock lock(name_mutex);
    line = program_name();
  }
  line += ": ";
  line += names[static_cast<int>(at)];
  line += ": ";
  line += message;
  write_line(line);
}

}  // namespace berth::log
