#include <berth/discovery/start_log.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <system_error>

#include <berth/store/volume.hpp>

namespace berth {

std::uintmax_t start_log::size() const noexcept {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return 0;
  const auto bytes = std::filesystem::file_size(path, failed);
  return failed ? 0 : bytes;
}

std::string start_log::tail(std::uintmax_t begin) const {
  constexpr std::uintmax_t max_bytes = 16 * 1024;
  constexpr int max_lines = 20;
  const std::uintmax_t end = size();
  if (begin > end) begin = 0;  // it was rolled meanwhile
  if (begin == end) return shortage_on(path.has_parent_path() ? path.parent_path() : ".");
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(std::max(begin, end > max_bytes ? end - max_bytes : 0)));
  std::string text(max_bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (text.ends_with('\n')) text.pop_back();
  auto first = text.size();
  for (int lines = 0; lines < max_lines && first != std::string::npos; ++lines)
    first = first == 0 ? std::string::npos : text.rfind('\n', first - 1);
  return first == std::string::npos ? text : text.substr(first + 1);
}

}  // namespace berth
