#include <algorithm>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/json_object.hpp>
#include <berth/discovery/record_codec.hpp>
#include <berth/discovery/trust.hpp>
#include <berth/io/directory_watch.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/terminal.hpp>

namespace berth::cli {
namespace {

using namespace std::chrono_literals;

std::vector<listed_instance> listed(const options& given) {
  return instance_list::live(given.all ? std::string() : given.application);
}

std::string as_json(const listed_instance& one, std::string_view event = {}) {
  fmt::memory_buffer out;
  json_object object(out);
  object.member_if("event", event);
  object.member("application", one.where.application);
  object.member("instance", one.where.instance);
  object.member("path", one.where.port_file().string());
  object.member("url", url_of(one.found.server));
  object.member("pid", one.found.server.pid);
  object.member("version", one.found.server.version);
  object.member("started_at", one.found.server.started_at);
  object.end();
  return fmt::to_string(out);
}

std::string as_line(const listed_instance& one) {
  return fmt::format("{:<12} {:<10} {:>8}  {:<28} {}", one.where.application, one.where.instance,
                     one.found.server.pid, url_of(one.found.server),
                     one.where.port_file().string());
}

/// One line, whatever is in it.
std::string on_one_line(std::string text) {
  std::string line;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\n') {
      line += text[i];
      continue;
    }
    while (i + 1 < text.size() && text[i + 1] == ' ') ++i;
    if (line.back() == ',') line += ' ';
  }
  return line;
}

void print_event(const options& given, const listed_instance& one, std::string_view event) {
  if (given.json)
    print(on_one_line(as_json(one, event)));
  else
    print(fmt::format("{:<5} {}", event, as_line(one)));
}

std::string as_table(const std::vector<listed_instance>& all) {
  std::string lines;
  for (const auto& one : all) lines += (lines.empty() ? "" : "\n") + as_line(one);
  return lines;
}

/// Prints what there is in the place of what was there before (ECMA-48: cursor home, erase below).
void print_in_place(const std::vector<listed_instance>& all) {
  print("\033[H\033[J" + (all.empty() ? std::string("no live server") : as_table(all)));
}

/// Prints the difference each time that there is one, or all of it anew on a terminal. A server
/// that is killed changes nothing in the directory of entries: look again from time to time.
task<int> watch_list(const options& given) {
  const auto here = co_await current_context();
  prepare_directory(instance_list::directory());
  directory_watch watch(event_loop::of(here), instance_list::directory());
  const bool in_place = !given.json && output_is_terminal();
  std::vector<listed_instance> known;
  if (in_place) print_in_place(known);
  const auto is_in = [](const std::vector<listed_instance>& all, const listed_instance& one) {
    return std::any_of(all.begin(), all.end(), [&](const listed_instance& other) {
      return other.where.port_file() == one.where.port_file() &&
             other.found.server == one.found.server;
    });
  };
  for (;;) {
    auto now = listed(given);
    bool differs = false;
    const auto tell = [&](const listed_instance& one, std::string_view event) {
      differs = true;
      if (!in_place) print_event(given, one, event);
    };
    for (const auto& one : known)
      if (!is_in(now, one)) tell(one, "gone");
    for (const auto& one : now)
      if (!is_in(known, one)) tell(one, "live");
    if (differs && in_place) print_in_place(now);
    known = std::move(now);
    const auto changed = co_await watch.next(deadline::after(here.loop->now(), 1s));
    if (changed.cancelled()) co_return done;
  }
}

}  // namespace

int list(const options& given) {
  if (given.watch) return run(watch_list(given));
  const auto all = listed(given);
  if (!given.json) {
    if (!all.empty()) print(as_table(all));
    return done;
  }
  std::string array = "[";
  for (const auto& one : all) array += (array.size() == 1 ? "\n" : ",\n") + as_json(one);
  print(array + (all.empty() ? "]" : "\n]"));
  return done;
}

}  // namespace berth::cli
