// Lists the live servers of an application by its name. The built-in registry is the file system,
// which holds those of this user on this machine; etcd holds those of many machines
// (plugins/etcd_registry). On the loop's thread; all calls must end before it is destroyed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <berth/base/result.hpp>
#include <berth/client/change_watch.hpp>
#include <berth/coro/deadline.hpp>
#include <berth/coro/task.hpp>
#include <berth/record/record.hpp>

namespace berth {

class registry {
 public:
  virtual ~registry() = default;

  /// Every live server of the application, in a stable order; a failure if it cannot be asked.
  virtual task<result<std::vector<record>>> list(std::string application, deadline until) = 0;
  /// Waits until the list may have changed since the last call of list().
  virtual task<result<void>> changed(std::string application, deadline until) = 0;
  /// Why the last call failed, in words; empty if its error code says it all.
  virtual std::string last_failure() const { return {}; }
  /// Why a server that is listed counts as live.
  virtual std::string reason() const = 0;
};

/// Creates registries by the scheme of their URL: "file" is built in, others are added.
class registry_factories {
 public:
  using factory =
      std::function<std::unique_ptr<registry>(event_loop& loop, const std::string& url)>;

  registry_factories();
  void add(std::string scheme, factory makes) { factories_[std::move(scheme)] = std::move(makes); }
  /// Throws invalid_value if the scheme is unknown, or its factory refuses the rest.
  std::unique_ptr<registry> open(event_loop& loop, const std::string& url) const;

 private:
  std::map<std::string, factory> factories_;
};

/// The servers of this user on this machine, wherever their directories are.
class file_registry final : public registry {
 public:
  task<result<std::vector<record>>> list(std::string application, deadline until) override;
  task<result<void>> changed(std::string application, deadline until) override;
  std::string reason() const override { return "its port file says so"; }

 private:
  std::optional<change_watch> watch_;
};

}  // namespace berth
