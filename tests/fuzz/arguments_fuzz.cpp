// Any words as a command line: understood, or refused with status 2 (0 for help). Run it with
// -close_fd_mask=3, for what is refused is said.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <berth/cli/command_line.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words{"berth"};
  words.emplace_back();
  for (std::size_t i = 0; i < size && words.size() < 20; ++i) {
    const char c = static_cast<char>(data[i]);
    if (c == '\n')
      words.emplace_back();
    else if (c != '\0')
      words.back() += c;
  }
  std::vector<const char*> arguments;
  for (const auto& word : words) arguments.push_back(word.c_str());
  const auto line =
      berth::cli::parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  if (line.exit_status && *line.exit_status != 0 && *line.exit_status != 2) std::abort();
  if (!line.exit_status && !line.chosen) std::abort();
  return 0;
}
