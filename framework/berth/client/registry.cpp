#include <berth/client/registry.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/redact.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/offload.hpp>
#include <berth/store/trust.hpp>

namespace berth {

registry_factories::registry_factories() {
  add("file", [](event_loop&, const std::string&) { return std::make_unique<file_registry>(); });
}

std::unique_ptr<registry> registry_factories::open(event_loop& loop, const std::string& url) const {
  const auto found = factories_.find(url.substr(0, url.find(':')));
  if (found != factories_.end()) return found->second(loop, url);
  std::string known;
  for (const auto& [scheme, makes] : factories_) known += (known.empty() ? "" : ", ") + scheme;
  throw invalid_value(
      fmt::format("\"{}\" is not a registry: this program knows {}", without_password(url), known));
}

// The watch comes before the look, so that no change falls between.
task<result<std::vector<record>>> file_registry::list(std::string application, deadline) {
  const auto here = co_await current_context();
  if (!watch_) {
    prepare_directory(instance_list::directory());
    watch_.emplace(event_loop::of(here), instance_list::directory());
  }
  auto job = [&application] {
    std::vector<record> servers;
    for (auto& each : instance_list::live(application))
      servers.push_back(std::move(each.found.server));
    return servers;
  };
  auto found = co_await offload(std::move(job));
  co_return found;
}

// A server that is killed changes nothing in the directory of entries: look again from time to
// time.
task<result<void>> file_registry::changed(std::string, deadline until) {
  const auto here = co_await current_context();
  const auto soon = deadline::after(here.loop->now(), std::chrono::seconds(1));
  if (!watch_) co_return result<void>();
  const auto name = co_await watch_->next(std::min(soon, until));
  if (!name && (name.cancelled() || until.passed(here.loop->now()))) co_return name.failure();
  co_return result<void>();
}

}  // namespace berth
