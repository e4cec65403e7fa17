#include <algorithm>
#include <random>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/cli/registry_module.hpp>
#include <berth/cli/server_source.hpp>
#include <berth/client/registry.hpp>
#include <berth/io/event_loop.hpp>

namespace berth::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_timeout = 5s;

/// One of several, so that clients are spread over them.
record any_of(const std::vector<record>& servers) {
  std::random_device random;
  return servers[random() % servers.size()];
}

task<std::optional<record>> wait_for_any(registry& source, std::string application,
                                         deadline until) {
  for (;;) {
    auto servers =
        co_await source.list(application, std::min(until, deadline::after(answer_timeout)));
    if (servers && !servers->empty()) co_return any_of(*servers);
    const auto changed = co_await source.changed(application, until);
    (void)changed;
    if (until.passed(std::chrono::steady_clock::now())) co_return std::nullopt;
  }
}

class registry_source final : public server_source {
 public:
  explicit registry_source(const options& options)
      : application_(options.application), name_(options.registry_name()) {
    if (options.all)
      throw invalid_value("--all is for the file system: a registry is asked by name");
    registry_factories factories;
    add_loaded_registries(factories);
    registry_ = factories.open(loop_, options.registry_url());
  }

  std::string name() const override { return name_; }

  std::optional<record> find() override {
    const auto servers = records();
    if (servers.empty()) return std::nullopt;
    return any_of(servers);
  }

  std::vector<published_server> examine() override {
    std::vector<published_server> published;
    for (auto& each : records())
      published.push_back({{liveness::alive, registry_->reason()}, std::move(each)});
    return published;
  }

  std::optional<record> wait(deadline until) override {
    return loop_.run(wait_for_any(*registry_, application_, until));
  }

  std::vector<listed_server> list() override { return as_listed(records()); }

  std::optional<std::vector<listed_server>> next_list() override {
    if (is_watching_)
      (void)loop_.run(registry_->changed(application_, deadline::after(answer_timeout)));
    is_watching_ = true;
    auto servers = ask();
    if (!servers) return std::nullopt;
    return as_listed(std::move(*servers));
  }

 private:
  result<std::vector<record>> ask() {
    return loop_.run(registry_->list(application_, deadline::after(answer_timeout)));
  }

  std::vector<record> records() {
    auto servers = ask();
    if (servers) return std::move(*servers);
    const std::string reason = registry_->last_failure();
    throw error(fmt::format("cannot ask {}: {}", name_,
                            reason.empty() ? servers.error().message() : reason),
                servers.error());
  }

  std::vector<listed_server> as_listed(std::vector<record> servers) const {
    std::vector<listed_server> listed;
    for (auto& each : servers)
      listed.push_back({application_, each.instance_id, std::string(), std::move(each)});
    return listed;
  }

  std::string application_;
  std::string name_;
  event_loop loop_;
  std::unique_ptr<registry> registry_;
  bool is_watching_ = false;
};

}  // namespace

std::unique_ptr<server_source> open_registry_source(const options& options) {
  return std::make_unique<registry_source>(options);
}

}  // namespace berth::cli
