#include <fmt/format.h>

#include <berth/discovery/claim.hpp>

namespace berth {
namespace {

std::string refusal(const location& where, const std::optional<record>& server) {
  const std::string who = server ? fmt::format(" on port {} (PID {})", server->port, server->pid)
                                 : fmt::format(" in {}", where.directory.string());
  return fmt::format(
      "Another {} is already running{}. Stop it first or use a different config directory.",
      where.server_name(), who);
}

}  // namespace

already_running::already_running(const location& where, std::optional<record> server)
    : error(refusal(where, server), std::make_error_code(std::errc::device_or_resource_busy)),
      server_(std::move(server)) {}

workspace_gone::workspace_gone(const location& where)
    : error(fmt::format("{} was removed, and so was {}: its server ends", where.directory.string(),
                        where.directory.parent_path().string()),
            std::make_error_code(std::errc::no_such_file_or_directory)) {}

}  // namespace berth
