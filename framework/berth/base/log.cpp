#include <berth/base/log.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

#include <berth/base/printable.hpp>

namespace berth::log {
namespace {

constexpr std::string_view names[] = {"off", "error", "warning", "info", "debug"};

std::atomic<level> highest_level{level::info};
std::atomic<bool> timestamps{false};
std::mutex name_mutex;
std::string& program_name() {
  static std::string name = "berth";
  return name;
}

/// The time now, by RFC 3339 with milliseconds, and a space.
std::string timestamp() {
  namespace ch = std::chrono;
  const auto now = ch::floor<ch::milliseconds>(ch::system_clock::now());
  const auto today = ch::floor<ch::days>(now);
  const ch::year_month_day date(today);
  const ch::hh_mm_ss time(now - today);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text;
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

void set_timestamps(bool on) noexcept { timestamps.store(on, std::memory_order_relaxed); }

void write_line(std::string_view line) noexcept {
  std::string whole = printable(line);
  whole += '\n';
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void write(level at, std::string_view message) noexcept {
  std::string line = timestamps.load(std::memory_order_relaxed) ? timestamp() : std::string();
  {
    const std::scoped_lock lock(name_mutex);
    line += program_name();
  }
  line += ": ";
  line += names[static_cast<int>(at)];
  line += ": ";
  line += message;
  write_line(line);
}

void argument::append_to(std::string& message) const {
  switch (kind_) {
    case kind::text: message += text_; break;
    case kind::whole: message += std::to_string(whole_); break;
    case kind::natural: message += std::to_string(natural_); break;
    case kind::real: message += std::to_string(real_); break;
  }
}

void write_formatted(level at, std::string_view format,
                     std::initializer_list<argument> arguments) noexcept {
  if (!enabled(at)) return;
  try {
    std::string message;
    for (const auto& each : arguments) {
      const auto place = format.find("{}");
      message += format.substr(0, place);
      each.append_to(message);
      format.remove_prefix(place + 2);
    }
    message += format;
    write(at, message);
  } catch (...) {
    write_line("a message is lost: out of memory");
  }
}

}  // namespace berth::log
