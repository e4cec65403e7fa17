#include <berth/discovery/hand_over.hpp>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {

bool can_hand_over(const record& server) {
  return server.metadata.contains(hands_over_key) && !server.instance_id.empty();
}

void describe_hand_over(record& server, const std::string& replaced_id) {
  server.metadata[hands_over_key] = "yes";
  if (!replaced_id.empty()) server.metadata[replaces_key] = replaced_id;
}

bool has_replaced(const record& successor, const record& server) {
  const auto replaced = successor.metadata.find(replaces_key);
  return replaced != successor.metadata.end() && replaced->second == server.instance_id;
}

void check_hands_over(const record& server) {
  if (can_hand_over(server)) return;
  throw error(fmt::format("the server (PID {}, version {}) cannot hand over, because it is not a "
                          "service made with this berth: stop it first, then start the new one",
                          server.pid, server.version),
              std::make_error_code(std::errc::not_supported));
}

}  // namespace berth
