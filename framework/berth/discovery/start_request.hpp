// The request that a starter passes to its server: where to publish, which server to replace, and
// which log its output goes to.
// It travels in the environment, so it reaches a service through any wrapper. The service removes
// it from its environment, so that its own children do not see it. Call it before other threads
// read the environment; later calls are thread-safe and give the same answer.
//
//   take_start_request().complete(directory, instance);  // fills in what is empty
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace berth {

/// The path of the port file to publish.
inline constexpr const char* publish_variable = "BERTH_PUBLISH";
/// The instance id of the live server to replace.
inline constexpr const char* replaces_variable = "BERTH_REPLACES";
/// The path of the log that the output goes to.
inline constexpr const char* log_variable = "BERTH_START_LOG";

struct start_request {
  std::filesystem::path port_file;  ///< absolute; empty if nobody asked
  std::string replaces;             ///< empty if no server is replaced
  std::filesystem::path log;        ///< absolute; the server keeps it bounded

  /// Fills in whichever argument is empty. Throws berth::error if the server would then publish
  /// another file than its starter waits for.
  void complete(std::filesystem::path& directory, std::string& instance) const;
};

/// The request to this process.
const start_request& take_start_request();

/// `environment` ("NAME=VALUE" each) with the request in it, and with no other request.
std::vector<std::string> environment_with(const start_request& request,
                                          std::vector<std::string> environment);

}  // namespace berth
