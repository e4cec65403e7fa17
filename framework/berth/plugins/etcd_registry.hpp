// The servers that the etcd plugin registered, from any machine; a lease that is kept alive is
// their sign of life.
#pragma once

#include <berth/client/registry.hpp>
#include <berth/plugins/etcd_client.hpp>

namespace berth {

/// The parts of "etcd://[USER:PASSWORD@]HOST:PORT[,HOST:PORT...][/PREFIX]", and over TLS
/// "etcds://...", which may end with "?ca=FILE&certificate=FILE&key=FILE"; the prefix is "/berth"
/// if none is given. "?password_file=FILE" keeps the password out of the URL. Throws invalid_value.
struct etcd_location {
  explicit etcd_location(const std::string& url);

  etcd_options options;
  std::string prefix;
};

class etcd_registry final : public registry {
 public:
  etcd_registry(event_loop& loop, etcd_location where)
      : client_(loop, std::move(where.options)), prefix_(std::move(where.prefix)) {}

  task<result<std::vector<record>>> list(std::string application, deadline until) override;
  task<result<void>> changed(std::string application, deadline until) override;
  std::string last_failure() const override { return client_.last_failure(); }
  std::string reason() const override { return "its lease in etcd is kept alive"; }

 private:
  /// The prefix of the keys of the application's servers.
  std::string prefix_of(const std::string& application) const {
    return prefix_ + "/" + application + "/";
  }

  etcd_client client_;
  std::string prefix_;
};

/// Adds the schemes "etcd" and "etcds".
void add_etcd(registry_factories& to);

}  // namespace berth
