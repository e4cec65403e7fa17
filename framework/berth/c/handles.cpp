#include <berth/c/handles.hpp>

#include <fmt/format.h>

#include <berth/base/exception_message.hpp>
#include <berth/client/ensure.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/record/record_codec.hpp>

berth_location::berth_location(berth::location meant) : where(std::move(meant)) {
  const auto name = where.port_file().u8string();
  port_file.assign(name.begin(), name.end());
}

berth_record::berth_record(berth::record of) : server(std::move(of)) { derive(); }

void berth_record::derive() {
  url = url_of(server);
  endpoint_urls.clear();
  for (const auto& [name, at] : server.endpoints)
    endpoint_urls[name] = berth::url_of(at.scheme, at.host, at.port);
}

namespace berth::c {
namespace {

thread_local std::string last_message;

}  // namespace

void begin() noexcept { last_message.clear(); }

berth_status fail(berth_status why, std::string message) noexcept {
  last_message = std::move(message);
  return why;
}

berth_status fail_by_exception() noexcept {
  try {
    throw;
  } catch (const already_running& other) {
    return fail(BERTH_ANOTHER_IS_LIVE, other.what());
  } catch (const invalid_port_file& invalid) {
    return fail(BERTH_INVALID_FILE, invalid.what());
  } catch (const start_failed& failed) {
    const bool late = failed.code() == std::errc::timed_out;
    return fail(late ? BERTH_TIMED_OUT : BERTH_START_FAILED, failed.what());
  } catch (const invalid_value& wrong) {
    return fail(BERTH_WRONG_USAGE, wrong.what());
  } catch (...) {
    return fail(BERTH_FAILED, exception_message());
  }
}

std::uint16_t port_of(int number) {
  if (number < 1 || number > 65535)
    throw invalid_value(fmt::format("a port must be 1-65535, got {}", number));
  return static_cast<std::uint16_t>(number);
}

deadline deadline_in(std::int64_t milliseconds) noexcept {
  constexpr std::int64_t longest = std::chrono::milliseconds(std::chrono::years(100)).count();
  if (milliseconds < 0 || milliseconds > longest) return deadline::never();
  return deadline::after(std::chrono::milliseconds(milliseconds));
}

berth_status give(berth_record*& place, const berth::location& where, const record* found) {
  if (!found)
    return fail(BERTH_NO_LIVE_SERVER, fmt::format("No running {} found (checked {})",
                                                  where.server_name(), where.port_file().string()));
  place = new berth_record(*found);
  return BERTH_DONE;
}

}  // namespace berth::c

extern "C" {

int berth_c_interface(void) { return BERTH_C_INTERFACE; }
const char* berth_version(void) { return BERTH_VERSION; }
const char* berth_message(void) { return berth::c::last_message.c_str(); }
}
