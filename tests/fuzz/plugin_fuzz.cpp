// Any lines as the values of --plugin: understood, or refused with status 2. Run it with
// -close_fd_mask=3.
#include <cstdlib>

#include <berth/service/arguments.hpp>

#include "lines.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words{"server"};
  for (const auto& each : lines_of(data, size))
    if (!each.empty()) words.push_back("--plugin=" + each);  // else the next is its value
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  const auto parsed =
      berth::parse_arguments(static_cast<int>(arguments.size()), arguments.data(), "server", "1");
  if (parsed.exit_status && *parsed.exit_status != 2) std::abort();
  if (parsed.exit_status) return 0;
  if (parsed.plugins.size() != words.size() - 1) std::abort();
  for (const auto& each : parsed.plugins) {
    if (each.path.empty()) std::abort();
    for (const auto& [name, value] : each.values)
      if (name.empty()) std::abort();
  }
  return 0;
}
