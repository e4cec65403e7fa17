// Any bytes as the requests of one connection: the same whether they come at once or byte by byte,
// within their bounds, and answered by JSON if they are refused. No request is served whose Host is
// of another machine.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <simdjson.h>

#include "../../examples/pm/guard.hpp"
#include "../../examples/pm/request_parser.hpp"

namespace {

std::string text_of(const pm::request& of) {
  std::string text;
  for (const auto* each : {&of.method, &of.path, &of.token, &of.body}) text += *each + '\n';
  for (const auto& each : of.hosts) text += "host " + each + '\n';
  for (const auto& each : of.origins) text += "origin " + each + '\n';
  return text + (of.keep_alive ? "k" : "c") + (of.version_1_0 ? "0" : "1");
}

const pm::guard& guard() {
  static const pm::guard made = [] {
    berth::record published;
    published.host = "127.0.0.1";
    published.port = 8080;
    published.scheme = "http";
    return pm::guard(published);
  }();
  return made;
}

void check(const pm::request& asked) {
  if (asked.body.size() > pm::request_parser::largest_body) std::abort();
  const auto refused = guard().refuse(asked);
  if (refused) {
    simdjson::dom::parser parser;
    const auto parsed = parser.parse(refused->body);
    if (parsed.error() != simdjson::SUCCESS || refused->status < 400) std::abort();
    return;
  }
  if (asked.hosts.empty() && asked.version_1_0) return;
  const auto host = pm::parse_authority(asked.hosts.at(0));
  if (!host || !pm::is_loopback(*host)) std::abort();
  for (const auto& each : asked.origins) {
    const auto page = pm::parse_authority(each.substr(std::min(each.size(), std::size_t{7})));
    if (!each.starts_with("http://") || !page || page->host != host->host) std::abort();
  }
}

/// What a connection would see: each request, and how the last one ended.
std::vector<std::string> requests_in(std::string_view all, std::size_t piece) {
  pm::request_parser parser;
  std::vector<std::string> seen;
  while (!all.empty()) {
    std::string_view bytes = all.substr(0, piece);
    all.remove_prefix(bytes.size());
    while (!bytes.empty()) {
      const auto state = parser.feed(bytes);
      if (state == pm::parse_state::incomplete) break;
      if (state != pm::parse_state::complete) {
        seen.push_back("refused");
        return seen;
      }
      check(parser.complete());
      seen.push_back(text_of(parser.complete()));
      if (!parser.complete().keep_alive) return seen;
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  if (requests_in(all, all.size()) != requests_in(all, 1)) std::abort();
  return 0;
}
