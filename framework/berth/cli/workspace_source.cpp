#include <berth/cli/output.hpp>
#include <berth/cli/server_source.hpp>
#include <berth/client/async.hpp>
#include <berth/client/change_watch.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/port_file.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/store/trust.hpp>

namespace berth::cli {
namespace {

struct list_watch {
  event_loop loop;
  change_watch changes{loop, instance_list::directory()};
};

class workspace_source final : public server_source {
 public:
  explicit workspace_source(const options& options)
      : location_(options.server_location()),
        listed_application_(options.all ? std::string() : options.application) {}

  std::string name() const override { return location_.port_file().string(); }

  std::optional<record> find() override { return read_live(location_); }

  std::vector<published_server> examine() override {
    auto found = berth::examine(location_);
    if (!found) return {};
    return {{std::move(found->judged), std::move(found->server)}};
  }

  std::optional<record> wait(deadline until) override {
    auto server = run(async::wait_live(location_, until));
    if (!server) return std::nullopt;
    return std::move(*server);
  }

  std::vector<listed_server> list() override {
    auto servers = live_servers();
    try {
      (void)instance_list::directory();
    } catch (const error& unavailable) {
      complain(unavailable);  // no server could enter itself
    }
    return servers;
  }

  std::optional<std::vector<listed_server>> next_list() override {
    if (watch_) {
      // A killed server changes nothing in the directory of entries: look again after a second.
      (void)watch_->loop.run(
          watch_->changes.next(deadline::after(watch_->loop.now(), std::chrono::seconds(1))));
    } else {
      prepare_directory(instance_list::directory());
      watch_.emplace();
    }
    return live_servers();
  }

 private:
  std::vector<listed_server> live_servers() const {
    std::vector<listed_server> servers;
    for (auto& each : instance_list::live(listed_application_))
      servers.push_back({each.where.application, each.where.instance,
                         each.where.port_file().string(), std::move(each.found.server)});
    return servers;
  }

  location location_;
  std::string listed_application_;
  std::optional<list_watch> watch_;
};

}  // namespace

std::unique_ptr<server_source> open_workspace_source(const options& options) {
  return std::make_unique<workspace_source>(options);
}

std::unique_ptr<server_source> open_server_source(const options& options) {
  return options.registry_url().empty() ? open_workspace_source(options)
                                        : open_registry_source(options);
}

}  // namespace berth::cli
