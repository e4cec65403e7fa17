#include <algorithm>

#include <fmt/format.h>

#include <berth/cli/commands.hpp>
#include <berth/cli/output.hpp>
#include <berth/cli/server_source.hpp>
#include <berth/io/terminal.hpp>
#include <berth/record/json_object.hpp>
#include <berth/record/record_codec.hpp>

namespace berth::cli {
namespace {

using server_table = std::vector<listed_server>;

std::string as_json(const server_source& source, const listed_server& one,
                    std::string_view event = {}) {
  fmt::memory_buffer out;
  json_object object(out);
  object.member_if("event", event);
  object.member("application", one.application);
  object.member("instance", one.instance);
  object.member("path", one.path.empty() ? source.name() : one.path);
  object.member("url", url_of(one.server));
  object.member("pid", one.server.pid);
  object.member("version", one.server.version);
  object.member("started_at", one.server.started_at);
  object.end();
  return fmt::to_string(out);
}

/// The instances of a registry have long names, and no path.
std::string as_line(const listed_server& one) {
  if (one.path.empty())
    return fmt::format("{:<12} {:<32} {:>8}  {}", one.application, one.instance, one.server.pid,
                       url_of(one.server));
  return fmt::format("{:<12} {:<10} {:>8}  {:<28} {}", one.application, one.instance,
                     one.server.pid, url_of(one.server), one.path);
}

/// The document without its newlines and indentation.
std::string on_one_line(const std::string& document) {
  std::string line;
  for (std::size_t i = 0; i < document.size(); ++i) {
    if (document[i] != '\n') {
      line += document[i];
      continue;
    }
    while (i + 1 < document.size() && document[i + 1] == ' ') ++i;
    if (line.back() == ',') line += ' ';
  }
  return line;
}

std::vector<std::string> as_table(const server_table& all) {
  std::vector<std::string> lines;
  for (const auto& one : all) lines.push_back(as_line(one));
  return lines;
}

/// Replaces the table on the terminal (ECMA-48: cursor home, erase below).
void print_in_place(const server_table& all) {
  print_lines(all.empty() ? std::vector<std::string>{"no live server"} : as_table(all),
              "\033[H\033[J");
}

bool contains(const server_table& all, const listed_server& one) {
  return std::any_of(all.begin(), all.end(), [&](const listed_server& other) {
    return other.path == one.path && other.server == one.server;
  });
}

/// Prints "gone" for the servers that are in `before` alone and "live" for those in `now` alone.
void print_changes(const options& options, const server_source& source, const server_table& before,
                   const server_table& now) {
  const auto print_missing = [&](const server_table& from, const server_table& in,
                                 std::string_view event) {
    for (const auto& one : from) {
      if (contains(in, one)) continue;
      if (options.json)
        print_json(on_one_line(as_json(source, one, event)));
      else
        print(fmt::format("{:<5} {}", event, as_line(one)));
    }
  };
  print_missing(before, now, "gone");
  print_missing(now, before, "live");
}

/// Prints each change, or the whole table in its place on a terminal. Does not return.
int watch_list(const options& options, server_source& source) {
  const bool in_place = !options.json && output_is_terminal();
  server_table known;
  if (in_place) print_in_place(known);
  for (;;) {
    auto now = source.next_list();
    if (!now) continue;
    const auto is_known = [&](const listed_server& one) { return contains(known, one); };
    const bool differs =
        now->size() != known.size() || !std::all_of(now->begin(), now->end(), is_known);
    if (in_place && differs) print_in_place(*now);
    if (!in_place) print_changes(options, source, known, *now);
    known = std::move(*now);
  }
}

}  // namespace

int list(const options& options) {
  const auto source = open_server_source(options);
  if (options.watch) return watch_list(options, *source);
  const auto all = source->list();
  if (!options.json) {
    if (!all.empty()) print_lines(as_table(all));
    return done;
  }
  std::vector<std::string> objects;
  for (const auto& one : all) objects.push_back(as_json(*source, one));
  print_json_array(objects);
  return done;
}

}  // namespace berth::cli
