#include <berth/store/file_text.hpp>

#include <cstring>
#include <memory>

#include <fmt/format.h>

#include <berth/record/record_codec.hpp>
#include <berth/store/trust.hpp>

namespace berth {

invalid_port_file::invalid_port_file(const std::filesystem::path& path, std::string_view reason)
    : error(fmt::format("Invalid port file {}: {}", path.string(), reason),
            std::make_error_code(std::errc::bad_message)) {}

std::string_view read_text(const open_file& file, const file_status& status, read_mode how) {
  constexpr std::size_t capacity = max_port_file_size + 1 + parse_padding;
  thread_local const std::unique_ptr<char[]> buffer(new char[capacity]);
  if (const auto reason = unreadable_reason(status, max_port_file_size); !reason.empty())
    throw invalid_port_file(file.path(), reason);
  check_owner(file.name(), status.owner);
  const std::size_t length = file.read({buffer.get(), max_port_file_size + 1}, how);
  if (length > max_port_file_size) throw invalid_port_file(file.path(), "it is larger than 64 KiB");
  std::memset(buffer.get() + length, 0, parse_padding);
  return {buffer.get(), length};
}

}  // namespace berth
