#include <berth/store/trust.hpp>

#include <fmt/format.h>

#include <berth/base/error.hpp>

namespace berth {
namespace {

template <typename Check>
std::optional<std::string> read_checked(const std::filesystem::path& path, std::uint64_t max_size,
                                        Check check) {
  const auto file = open_file::to_read(path);
  if (!file) return std::nullopt;
  const file_status status = file->status();
  if (const auto reason = unreadable_reason(status, max_size); !reason.empty())
    throw invalid_value(fmt::format("cannot read {}: {}", path.string(), reason));
  check(file->name(), status);
  std::string text(static_cast<std::size_t>(status.size), '\0');
  std::size_t length = 0;
  for (;;) {
    const std::size_t read = file->read(std::span(text).subspan(length));
    length += read;
    if (read == 0 || length == text.size()) break;
  }
  text.resize(length);
  return text;
}

}  // namespace

std::string unreadable_reason(const file_status& status, std::uint64_t max_size) {
  if (!status.regular) return "it is not a regular file";
  if (status.size > max_size) return fmt::format("it is larger than {} KiB", max_size / 1024);
  return {};
}

std::optional<std::string> read_trusted_file(const std::filesystem::path& path,
                                             std::uint64_t max_size) {
  return read_checked(path, max_size, [](const path_name& name, const file_status& status) {
    check_owner(name, status.owner);
  });
}

std::optional<std::string> read_code_file(const std::filesystem::path& path,
                                          std::uint64_t max_size) {
  return read_checked(path, max_size, check_code_owner);
}

}  // namespace berth
