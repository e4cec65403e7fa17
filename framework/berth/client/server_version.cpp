// Which versions of a server satisfy a caller, and what happens if two callers disagree.
#include <algorithm>
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include <berth/client/ensure.hpp>
#include <berth/record/started_at.hpp>
#include <berth/store/digest.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

/// The numbers in "1.10.2-rc", as far as there are any.
std::vector<unsigned> numbers_of(const std::string& version) {
  std::vector<unsigned> numbers;
  const char* at = version.data();
  const char* const end = at + version.size();
  for (;;) {
    unsigned number = 0;
    const auto read = std::from_chars(at, end, number);
    if (read.ec != std::errc()) return numbers;
    numbers.push_back(number);
    if (read.ptr == end || *read.ptr != '.') return numbers;
    at = read.ptr + 1;
  }
}

/// The time since the server started; nullopt if its file does not tell.
std::optional<std::chrono::seconds> age_of(const record& server) {
  const auto started = parse_rfc3339(server.started_at);
  if (!started) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) - *started;
}

}  // namespace

bool will_do(const std::string& version, const ensure_options& options) {
  if (!options.exact_version.empty() && version != options.exact_version) return false;
  return options.minimum_version.empty() ||
         numbers_of(version) >= numbers_of(options.minimum_version);
}

// A clock that was set back makes a server seem to start in the future: that one is young as well.
void check_not_contested(const location& where, const record& server,
                         const ensure_options& options) {
  constexpr auto min_age = 10s;
  if (options.exact_version.empty() || server.version == options.exact_version) return;
  const auto age = age_of(server);
  if (!age || *age >= min_age || *age <= -min_age) return;
  throw version_contested(fmt::format(
      "{} of version {} (PID {}) was started less than ten seconds ago, and version {} is asked "
      "for: it is not replaced, so that two callers do not replace each other's servers for ever. "
      "Agree on a version, run each version beside the others with --per-version, or try again "
      "in ten seconds.",
      where.server_name(), server.version, server.pid, options.exact_version));
}

location location_for_version(location where, const std::string& version) {
  constexpr std::size_t max_name = 64, digest_size = 8;
  std::string name = where.instance + "-" + version;
  if (!is_plain_name(name)) {
    const auto is_plain = [](char c) { return is_plain_name(std::string("x") + c); };
    std::replace_if(name.begin(), name.end(), std::not_fn(is_plain), '-');
    name = name.substr(0, max_name - 1 - digest_size) + "-" +
           digest(where.instance + "-" + version).substr(0, digest_size);
  }
  return {std::move(where.application), std::move(where.directory), std::move(name)};
}

}  // namespace berth
