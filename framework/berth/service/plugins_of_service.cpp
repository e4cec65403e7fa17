// What a service has to do with its plugins.
#include <berth/service/view_of_plugins.hpp>

namespace berth {

void service::start_plugins() {
  listening_.reset();
  if (settings_.plugins.empty() && wanted_plugins_.empty()) return;
  plugins_ = std::make_unique<view_of_plugins>(*this);
  for (const auto& each : settings_.plugins) plugins_->host.load(each);
  for (const auto& each : wanted_plugins_) plugins_->host.load(each);
  plugins_->host.start(*loop_.load());
}

task<> service::stop_plugins() {
  co_await plugins_->host.stop();
  plugins_.reset();
}

}  // namespace berth
