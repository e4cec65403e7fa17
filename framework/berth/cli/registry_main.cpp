// The berth command where a registry is asked: the same words, and the same answers.
#include <algorithm>
#include <iterator>
#include <random>

#include <fmt/format.h>

#include <berth/base/log.hpp>
#include <berth/cli/command_line.hpp>
#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/cli/record_output.hpp>
#include <berth/discovery/json_object.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/plugins/etcd_registry.hpp>

namespace berth::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 5s;

using servers = std::vector<record>;

[[noreturn]] void fail(const registry& asked, const std::string& url, std::error_code why) {
  const std::string told = asked.last_failure();
  throw error(fmt::format("cannot ask {}: {}", url, told.empty() ? why.message() : told), why);
}

task<servers> listed(const options& given, registry& asked) {
  auto found = co_await asked.list(given.application, deadline::after(patience));
  if (!found) fail(asked, given.registry_url(), found.error());
  co_return std::move(*found);
}

int complain_of_nobody(const options& given) {
  complain(fmt::format("No running {}-server found (checked {}).", given.application,
                       given.registry_url()));
  return no_live_server;
}

/// One of several, so that those who ask are spread over them.
const record& any_of(const servers& all) {
  std::random_device random;
  return all[random() % all.size()];
}

task<int> ask_url(const options& given, registry& asked) {
  const auto all = co_await listed(given, asked);
  if (all.empty()) co_return complain_of_nobody(given);
  answer(given, "url", url_for(given, any_of(all)));
  co_return done;
}

task<int> ask_status(const options& given, registry& asked) {
  const auto all = co_await listed(given, asked);
  if (all.empty()) co_return complain_of_nobody(given);
  const verdict judged{liveness::alive, asked.reason()};
  for (const auto& each : all) {
    if (&each != &all.front() && !given.json) print("");
    print_status(given, given.registry_url(), judged, each);
    if (given.json) break;  // one object
  }
  co_return done;
}

task<int> ask_wait(const options& given, registry& asked) {
  const auto until = given.timeout ? deadline::after(*given.timeout) : deadline::never();
  for (;;) {
    auto found = co_await asked.list(given.application, std::min(until, deadline::after(patience)));
    if (found && !found->empty()) {
      answer(given, "url", url_of(any_of(*found)));
      co_return done;
    }
    const auto changed = co_await asked.changed(given.application, until);
    (void)changed;
    if (!until.passed(std::chrono::steady_clock::now())) continue;
    complain(fmt::format("No running {}-server appeared in time (watched {}).", given.application,
                         given.registry_url()));
    co_return timed_out;
  }
}

std::string as_json(const options& given, const record& one) {
  fmt::memory_buffer out;
  json_object object(out);
  object.member("application", given.application);
  object.member("instance", one.instance_id);
  object.member("path", given.registry_url());
  object.member("url", url_of(one));
  object.member("pid", one.pid);
  object.member("version", one.version);
  object.member("started_at", one.started_at);
  object.end();
  return fmt::to_string(out);
}

std::string as_line(const options& given, const record& one) {
  return fmt::format("{:<12} {:<32} {:>8}  {}", given.application, one.instance_id, one.pid,
                     url_of(one));
}

/// Prints what comes and goes, for ever.
task<int> watch_list(const options& given, registry& asked) {
  servers known;
  const auto is_in = [](const servers& all, const record& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (;;) {
    auto now = co_await asked.list(given.application, deadline::after(patience));
    if (now) {
      for (const auto& one : known)
        if (!is_in(*now, one)) print("gone  " + as_line(given, one));
      for (const auto& one : *now)
        if (!is_in(known, one)) print("live  " + as_line(given, one));
      known = std::move(*now);
    }
    const auto changed = co_await asked.changed(given.application, deadline::after(patience));
    (void)changed;
  }
}

task<int> ask_list(const options& given, registry& asked) {
  if (given.all) throw invalid_value("--all is for the file system: a registry is asked by name");
  if (given.watch) co_return co_await watch_list(given, asked);
  const auto all = co_await listed(given, asked);
  std::string text;
  for (const auto& one : all) {
    text += text.empty() ? "" : given.json ? ",\n" : "\n";
    text += given.json ? as_json(given, one) : as_line(given, one);
  }
  if (given.json)
    print(all.empty() ? "[]" : "[\n" + text + "\n]");
  else if (!all.empty())
    print(text);
  co_return done;
}

task<int> ask(const command_line& line, registry& asked) {
  if (line.chosen == url) return ask_url(line.given, asked);
  if (line.chosen == status) return ask_status(line.given, asked);
  if (line.chosen == wait) return ask_wait(line.given, asked);
  return ask_list(line.given, asked);
}

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) {
  using namespace berth;
  log::set_name("berth");
  const auto line = cli::parse_command_line(argc, argv);
  if (line.exit_status) return *line.exit_status;
  try {
    event_loop loop;
    registry_factories factories;
    add_etcd(factories);
    const auto asked = factories.open(loop, line.given.registry_url());
    return loop.run(cli::ask(line, *asked));
  } catch (const std::exception& refused) {
    cli::complain(refused.what());
    return cli::failed;
  }
}
