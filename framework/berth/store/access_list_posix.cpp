#ifdef __linux__
#include <sys/xattr.h>
#endif

#include <cerrno>
#include <cstring>

#include <berth/base/error.hpp>
#include <berth/store/access_list_posix.hpp>

namespace berth {

#ifdef __linux__
namespace {

// linux/posix_acl_xattr.h: a version, then entries; all numbers are little-endian.
constexpr std::size_t header_size = 4, entry_size = 8;
constexpr std::uint32_t known_version = 2;
constexpr std::uint32_t write_permission = 2;
enum tag : std::uint32_t {
  named_user = 0x02,
  owning_group = 0x04,
  named_group = 0x08,
  mask = 0x10
};

std::uint32_t number_at(std::string_view bytes, std::size_t begin, std::size_t length) {
  std::uint32_t number = 0;
  for (std::size_t i = length; i-- > 0;)
    number = number << 8 | static_cast<unsigned char>(bytes[begin + i]);
  return number;
}

/// Empty if there is none.
std::string attribute_of(const std::filesystem::path& path) {
  std::string value(64 * 1024, '\0');  // the largest that Linux stores (xattr(7))
  const auto size = ::getxattr(path.c_str(), "system.posix_acl_access", value.data(), value.size());
  if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ENOSYS)
    throw error(last_system_error(), "read the access control list of", path.native());
  value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return value;
}

}  // namespace

listed_writers listed_writers_of(const std::filesystem::path& path) {
  const std::string list = attribute_of(path);
  listed_writers writers;
  if (list.empty()) return writers;
  if (list.size() % entry_size != header_size || number_at(list, 0, 4) != known_version)
    throw error(std::make_error_code(std::errc::not_supported), "read the access control list of",
                path.native());
  writers.owning_group = false;
  bool masked = false;
  for (std::size_t at = header_size; at < list.size(); at += entry_size) {
    const bool writes = number_at(list, at + 2, 2) & write_permission;
    const auto id = number_at(list, at + 4, 4);
    switch (number_at(list, at, 2)) {
      case named_user:
        if (writes) writers.users.push_back(id);
        break;
      case named_group:
        if (writes) writers.groups.push_back(id);
        break;
      case owning_group: writers.owning_group = writes; break;
      case mask: masked = !writes; break;
      default: break;
    }
  }
  return masked ? listed_writers{{}, {}, false} : writers;
}
#else
listed_writers listed_writers_of(const std::filesystem::path&) { return {}; }
#endif

}  // namespace berth
