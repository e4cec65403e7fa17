#include <berth/c/handles.hpp>
#include <berth/c/signals.hpp>
#include <berth/client/async.hpp>
#include <berth/client/ensure.hpp>
#include <berth/config/directory.hpp>
#include <berth/io/event_loop.hpp>

using namespace berth;
using namespace berth::c;

namespace {

// Names of files are bytes on POSIX, and UTF-8 here on Windows.
std::filesystem::path path_of(const char* name) {
  const std::string_view bytes = name;
  return std::filesystem::path(std::u8string(bytes.begin(), bytes.end()));
}

berth_status give(berth_record** place, const berth_location* where,
                  std::optional<record> (*look)(const location&)) noexcept {
  return guarded([&] {
    auto& found = cleared(place, "found");
    const location& there = given(where, "where").where;
    const auto server = look(there);
    return c::give(found, there, server ? &*server : nullptr);
  });
}

std::vector<std::string> words_of(const char* const* command) {
  std::vector<std::string> words;
  given(command, "command");
  for (; *command; ++command) words.emplace_back(*command);
  if (words.empty()) throw invalid_value("the command is empty");
  return words;
}

berth_status in_time(berth_record*& place, const location& where, const result<record>& server) {
  if (server) return c::give(place, where, &*server);
  if (!server.timed_out()) throw error(server.error(), "wait for", where.port_file().string());
  return fail(BERTH_TIMED_OUT, "No running " + where.server_name() + " appeared in time (watched " +
                                   where.port_file().string() + ")");
}

}  // namespace

extern "C" {

berth_status berth_locate(const char* application, const char* directory, const char* instance,
                          berth_location** found) {
  return guarded([&] {
    auto& place = cleared(found, "found");
    const std::string name = application ? application : default_application();
    // Checked first, because the directory depends on it.
    if (!is_plain_name(name)) (void)location(name, {});
    location where(name, config_directory(name, path_of(directory ? directory : "")),
                   instance ? instance : std::string(default_instance));
    place = new berth_location(std::move(where));
    return BERTH_DONE;
  });
}

const char* berth_location_port_file(const berth_location* where) {
  return where ? where->port_file.c_str() : nullptr;
}
void berth_location_free(berth_location* where) { delete where; }

berth_status berth_read(const berth_location* where, berth_record** found) {
  return give(found, where, [](const location& there) { return read(there); });
}

berth_status berth_read_live(const berth_location* where, berth_record** found) {
  return give(found, where, [](const location& there) { return read_live(there); });
}

berth_status berth_remove_stale(const berth_location* where, berth_record** removed) {
  return give(removed, where, [](const location& there) { return remove_stale(there); });
}

berth_status berth_wait(const berth_location* where, int64_t timeout_ms, berth_record** found) {
  return guarded([&] {
    auto& place = cleared(found, "found");
    const location& there = given(where, "where").where;
    return in_time(place, there, run(async::wait_live(there, deadline_in(timeout_ms))));
  });
}

berth_status berth_ensure(const berth_location* where, const char* const* command,
                          const char* minimum_version, int64_t timeout_ms, berth_record** found) {
  return guarded([&] {
    auto& place = cleared(found, "found");
    const location& there = given(where, "where").where;
    ensure_options wanted;
    if (timeout_ms < 0)
      wanted.timeout = std::chrono::nanoseconds::max();
    else
      wanted.timeout = std::chrono::milliseconds(timeout_ms);
    if (minimum_version) wanted.minimum_version = minimum_version;
    const child_signal_guard handlers;
    return in_time(place, there, run(ensure(there, words_of(command), wanted)));
  });
}
}
