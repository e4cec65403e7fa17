// Parses the answers of etcd's JSON gateway, which come from another machine. No I/O; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace berth {

struct etcd_entry {
  std::string key, value;
};

struct etcd_range {
  std::optional<std::int64_t> revision;
  std::vector<etcd_entry> entries;
};

/// The string at the JSON pointer `path`, or another value as JSON; empty if there is none or the
/// document is not JSON.
std::string text_at(const std::string& json, std::string_view path);
/// Returns nullopt if the document is not JSON. Malformed entries are left out.
std::optional<etcd_range> parse_range(const std::string& json);
/// Whether a line of a watch says that something changed, or that the watch has ended.
bool tells_of_change(std::string_view line);

}  // namespace berth
