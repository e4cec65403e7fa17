// Where the commands look servers up: in the directory of the workspace, or in a registry that
// several machines share. The commands are written once over this interface. Calls block; only
// those that wait run an event loop, so that a look-up in the file system works where the system
// has no descriptors left for one. On one thread.
//
//   const auto source = open_server_source(options);
//   if (const auto server = source->find()) …
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <berth/cli/options.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/liveness/liveness.hpp>

namespace berth::cli {

/// What is published, and the verdict on its server.
struct published_server {
  verdict judged;
  record server;
};

struct listed_server {
  std::string application;
  std::string instance;
  std::string path;  ///< of the port file; empty if it is listed in a registry
  record server;
};

class server_source {
 public:
  virtual ~server_source() = default;

  /// The place that was checked, for messages: the port file, or the registry's URL.
  virtual std::string name() const = 0;
  /// A live server; of several, one at random, so that clients are spread over them.
  virtual std::optional<record> find() = 0;
  /// Everything that is published, whether its server is alive or not.
  virtual std::vector<published_server> examine() = 0;
  /// The first live server that is published in time.
  virtual std::optional<record> wait(deadline until) = 0;
  virtual std::vector<listed_server> list() = 0;
  /// The list again, at once in the first call and then whenever it may have changed; nullopt if it
  /// cannot be had at the moment.
  virtual std::optional<std::vector<listed_server>> next_list() = 0;
};

/// The source that the options, the environment or the configuration name. Throws berth::error.
std::unique_ptr<server_source> open_server_source(const options& options);

/// One for the directory of the workspace.
std::unique_ptr<server_source> open_workspace_source(const options& options);
/// One for a registry. Loads the module of registries, and libcurl with it, when it is called.
std::unique_ptr<server_source> open_registry_source(const options& options);

}  // namespace berth::cli
