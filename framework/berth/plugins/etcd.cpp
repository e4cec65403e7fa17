// Registers the service in etcd, so that it is found from other machines: its record under
// PREFIX/APPLICATION/INSTANCE_ID, with a lease that is kept alive for as long as it serves. A
// killed service disappears when its lease ends; one that lost its lease, or whose etcd was
// restarted, registers again. No failure of etcd stops the service.
//
// Settings: endpoints (http://HOST:PORT, several with ';' between), prefix (/berth), ttl (seconds,
// 10), host (at which others reach the service; the machine's name if it listens on every address),
// user, password or password_file, ca, certificate, key.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/plugin/plugin.hpp>
#include <berth/plugins/etcd_client.hpp>
#include <berth/record/record_check.hpp>
#include <berth/record/record_codec.hpp>

namespace {

using namespace berth;
using namespace std::chrono_literals;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream rest(text);
  for (std::string each; std::getline(rest, each, ';');)
    if (!each.empty()) parts.push_back(each);
  return parts;
}

std::chrono::seconds seconds_of(const std::string& text) {
  if (text.empty()) return 10s;
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 1 || value > 86400)
    throw invalid_value(fmt::format("ttl must be 1-86400 seconds, got \"{}\"", text));
  return std::chrono::seconds(value);
}

record read(std::string text) {
  const std::size_t size = text.size();
  text.append(parse_padding, '\0');
  return parse_record({text.data(), size});
}

std::string name_of_machine() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0)
    throw error(last_system_error(), "find the name of this machine");
  return name;
}

class etcd final : public plugin {
  void start() override {
    etcd_options options;
    options.endpoints = split(setting("endpoints"));
    options.user = setting("user");
    options.password = setting("password");
    if (const auto file = setting("password_file"); !file.empty()) {
      if (!options.password.empty())
        throw invalid_value("etcd takes a password or a password_file, not both: remove one");
      options.password = password_of_file(file);
    }
    options.http = {setting("ca"), setting("certificate"), setting("key")};
    prefix_ = setting("prefix").empty() ? "/berth" : setting("prefix");
    host_ = setting("host");
    if (!host_.empty()) check_host(host_, "host");
    time_ = seconds_of(setting("ttl"));
    client_.emplace(loop(), std::move(options));
    registering_.emplace(loop().context());
    on("published", [this](plugin_event event) { return begin(*this, event); });
    on("draining", [this](plugin_event) { return leave(*this); }, 0, 3s);
  }
  task<> stop() override {
    co_await end_registering();
    client_.reset();
  }

  static task<> begin(etcd& self, plugin_event event) {
    record server = read(event.text("record"));
    if (!self.host_.empty())
      server.host = self.host_;
    else if (reachable_host(server.host) != server.host)
      server.host = name_of_machine();
    self.record_ = format_record(server);
    self.key_ =
        fmt::format("{}/{}/{}", self.prefix_, event.text("application"), server.instance_id);
    self.registering_->spawn(keep_registered(self));
    co_return;
  }

  static task<> keep_registered(etcd& self) {
    const auto between = std::max<std::chrono::milliseconds>(self.time_ / 3, 300ms);
    bool known = true;  // the previous result, so that a change is logged once
    for (;;) {
      const bool holds = co_await self.keep();
      if (holds != known || (holds && !self.told_)) self.tell(holds);
      known = holds;
      const auto slept = co_await sleep_for(holds ? between : 300ms);
      if (!slept) co_return;
    }
  }

  /// Keeps the lease alive, or registers again if it has ended.
  task<bool> keep() {
    const auto until = deadline::after(std::max<std::chrono::milliseconds>(time_, 2s));
    if (!lease_.empty()) {
      const auto alive = co_await client_->keep_alive(lease_, until);
      if (!alive) co_return false;
      if (*alive) co_return true;
      lease_.clear();
    }
    auto granted = co_await client_->grant(time_, until);
    if (!granted) co_return false;
    lease_ = std::move(*granted);
    const auto put = co_await client_->put(key_, record_, lease_, until);
    if (put) co_return true;
    lease_.clear();  // it ends by itself
    co_return false;
  }

  void tell(bool holds) {
    told_ = holds;
    if (holds)
      log(BERTH_LOG_INFO, "registered as " + key_);
    else
      log(BERTH_LOG_WARNING, "not registered, trying again: " + client_->last_failure());
  }

  task<> end_registering() {
    registering_->cancel(stop_reason::shutdown);
    co_await registering_->join();
  }

  static task<> leave(etcd& self) {
    co_await self.end_registering();
    if (self.lease_.empty()) co_return;
    const auto gone = co_await self.client_->revoke(self.lease_, deadline::after(2s));
    if (!gone)
      self.log(BERTH_LOG_WARNING,
               "could not deregister; its lease ends by itself: " + self.client_->last_failure());
  }

  std::optional<etcd_client> client_;
  std::optional<scope> registering_;
  std::chrono::seconds time_{10};
  std::string prefix_, host_, key_, record_, lease_;
  bool told_ = false;
};

}  // namespace

BERTH_DEFINE_PLUGIN(etcd, "etcd", "1.0.0")
