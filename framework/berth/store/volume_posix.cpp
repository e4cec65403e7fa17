#include <berth/store/volume.hpp>

#include <sys/statvfs.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include <cerrno>
#include <cstring>
#include <mutex>

#include <fmt/format.h>

namespace berth {

#ifdef __linux__
namespace {

// From linux/magic.h and statfs(2). Any other type is a file system of this kernel alone.
constexpr struct {
  std::uint32_t type;
  volume_kind kind;
  bool may_wait;  ///< for another machine or process
} file_systems[] = {{0x794c7630 /* overlayfs */, volume_kind::layered, false},
                    {0xf15f /* ecryptfs */, volume_kind::layered, false},
                    {0x65735546 /* fuse */, volume_kind::layered, true},
                    {0x6969 /* nfs */, volume_kind::remote, true},
                    {0xff534d42 /* cifs */, volume_kind::remote, true},
                    {0xfe534d42 /* smb2 */, volume_kind::remote, true},
                    {0x517b /* smb */, volume_kind::remote, true},
                    {0x01021997 /* 9p */, volume_kind::remote, true},
                    {0x6a656a63 /* virtiofs */, volume_kind::remote, true},
                    {0x00c36400 /* ceph */, volume_kind::remote, true},
                    {0x5346414f /* afs */, volume_kind::remote, true},
                    {0x73757245 /* coda */, volume_kind::remote, true},
                    {0x0bd00bd0 /* lustre */, volume_kind::remote, true},
                    {0x01161970 /* gfs2 */, volume_kind::remote, true},
                    {0x7461636f /* ocfs2 */, volume_kind::remote, true},
                    {0x786f4256 /* vboxsf */, volume_kind::remote, true},
                    {0x0187 /* autofs */, volume_kind::remote, true}};

bool may_wait(const struct statfs& status) noexcept {
  for (const auto& other : file_systems)
    if (static_cast<std::uint32_t>(status.f_type) == other.type) return other.may_wait;
  return false;
}

// Since Linux 6.6 an overlay has an identity of its own, kept with its upper layer; before, it
// shows the one of the file system of its upper layer.
volume describe(const struct statfs& status) {
  const auto type = static_cast<std::uint32_t>(status.f_type);
  volume made;
  for (const auto& other : file_systems)
    if (type == other.type) made.kind = other.kind;
  if (made.kind != volume_kind::layered) return made;
  std::uint64_t identity = 0;
  static_assert(sizeof status.f_fsid == sizeof identity);
  std::memcpy(&identity, &status.f_fsid, sizeof identity);
  made.id = fmt::format("{:x}-{:x}", type, identity);
  return made;
}

}  // namespace

volume volume_of(native_handle file) {
  struct statfs status;
  return ::fstatfs(file, &status) == 0 ? describe(status) : volume{volume_kind::remote, {}};
}

bool is_local(const std::filesystem::path& directory) noexcept {
  struct statfs status;
  return ::statfs(directory.c_str(), &status) == 0 && !may_wait(status);
}

std::string volume_id_of(const std::filesystem::path& directory) {
  static std::mutex mutex;
  static std::filesystem::path::string_type last;
  static std::string last_id;
  const std::scoped_lock lock(mutex);
  if (last == directory.native()) return last_id;
  struct statfs status;
  if (::statfs(directory.c_str(), &status) != 0) return {};
  last = directory.native();
  return last_id = describe(status).id;
}
#else
volume volume_of(native_handle) { return {}; }
bool is_local(const std::filesystem::path&) noexcept { return false; }
std::string volume_id_of(const std::filesystem::path&) { return {}; }
#endif

// File systems that make inodes as they need them say that there are 0 in all.
std::string shortage_on(const std::filesystem::path& directory) {
  struct statvfs status;
  if (::statvfs(directory.c_str(), &status) != 0) return {};
  if (status.f_blocks > 0 && status.f_bavail == 0)
    return fmt::format("the file system of {} is full: free some space, or use another directory",
                       directory.native());
  if (status.f_files > 0 && status.f_favail == 0)
    return fmt::format(
        "the file system of {} has no inodes left: remove some files, or use another directory",
        directory.native());
  return {};
}

}  // namespace berth
