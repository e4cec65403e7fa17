#include <berth/io/file.hpp>

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <uv.h>

#include <berth/io/offload.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

constexpr std::size_t piece = 1u << 20;  // limits a read or write, which cannot be interrupted

// libuv's file calls without a callback run at once, on whatever thread calls them.
template <typename Call, typename... Args>
int call_now(std::string_view operation, const std::filesystem::path& path, Call call,
             Args... arguments) {
  uv_fs_t request;
  const int status = call(nullptr, &request, arguments..., nullptr);
  uv_fs_req_cleanup(&request);
  check_uv(status, operation, path.string());
  return status;
}

int open_now(const std::filesystem::path& path, int flags) {
  const std::string name = path.string();
  if (name.find('\0') != std::string::npos)
    throw error(std::make_error_code(std::errc::invalid_argument), "open", name);
  return call_now("open", path, uv_fs_open, name.c_str(), flags, 0666);
}

void close_now(int descriptor) noexcept {
  uv_fs_t request;
  uv_fs_close(nullptr, &request, descriptor, nullptr);
  uv_fs_req_cleanup(&request);
}

/// A file that is open for one job.
class file_for_now {
 public:
  file_for_now(const std::filesystem::path& path, int flags) : descriptor_(open_now(path, flags)) {}
  file_for_now(const file_for_now&) = delete;
  file_for_now& operator=(const file_for_now&) = delete;
  ~file_for_now() { close_now(descriptor_); }
  int descriptor() const noexcept { return descriptor_; }

  /// 0 for what is no regular file.
  std::uint64_t size(const std::filesystem::path& path) const {
    uv_fs_t request;
    const int status = uv_fs_fstat(nullptr, &request, descriptor_, nullptr);
    const auto size = request.statbuf.st_size;
    uv_fs_req_cleanup(&request);
    check_uv(status, "examine", path.string());
    return size;
  }

 private:
  int descriptor_;
};

/// The offset for libuv, to which a negative one means the current position.
std::int64_t native_offset(const std::filesystem::path& path, std::uint64_t offset,
                           std::uint64_t size) {
  constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
  if (size > largest || offset > largest - size)
    throw error(
        fmt::format("no file is as large as {} + {} bytes: {}", offset, size, path.string()),
        std::make_error_code(std::errc::file_too_large));
  return static_cast<std::int64_t>(offset);
}

std::size_t read_now(const std::filesystem::path& path, int descriptor, std::uint64_t offset,
                     std::span<char> into) {
  std::size_t have = 0;
  while (have < into.size()) {
    const std::size_t most = std::min(piece, into.size() - have);
    const uv_buf_t buffer = uv_buf_init(into.data() + have, static_cast<unsigned>(most));
    const int length = call_now("read", path, uv_fs_read, descriptor, &buffer, 1u,
                                native_offset(path, offset + have, most));
    if (length == 0) break;
    have += static_cast<std::size_t>(length);
  }
  return have;
}

void write_now(const std::filesystem::path& path, int descriptor, std::uint64_t offset,
               std::span<const char> content) {
  for (std::size_t written = 0; written < content.size();) {
    const std::size_t most = std::min(piece, content.size() - written);
    const uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(content.data()) + written, static_cast<unsigned>(most));
    written += static_cast<std::size_t>(call_now("write", path, uv_fs_write, descriptor, &buffer,
                                                 1u, native_offset(path, offset + written, most)));
  }
}

int flags_of(file_mode mode) {
  switch (mode) {
    case file_mode::read: return UV_FS_O_RDONLY;
    case file_mode::write: return UV_FS_O_RDWR | UV_FS_O_CREAT;
    case file_mode::write_new: return UV_FS_O_RDWR | UV_FS_O_CREAT | UV_FS_O_EXCL;
  }
  return UV_FS_O_RDONLY;
}

std::span<char> as_chars(std::span<std::byte> bytes) {
  return {reinterpret_cast<char*>(bytes.data()), bytes.size()};
}
std::span<const char> as_chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

namespace {

[[noreturn]] void throw_larger(const std::filesystem::path& path, std::size_t most) {
  throw error(fmt::format("cannot read {}: it is larger than {} bytes", path.string(), most),
              std::make_error_code(std::errc::file_too_large));
}

/// An empty string with room for the whole file, if it has a size that is known before it is read.
std::string room_for(const file_for_now& opened, const std::filesystem::path& path,
                     std::size_t most) {
  const std::uint64_t size = opened.size(path);
  if (size > most) throw_larger(path, most);
  std::string room;
  try {
    room.reserve(size);
  } catch (const std::exception&) {
    throw error(
        fmt::format("cannot read {}: there is no memory for its {} bytes", path.string(), size),
        std::make_error_code(std::errc::not_enough_memory));
  }
  return room;
}

}  // namespace

task<result<std::string>> read_file(std::filesystem::path path, std::size_t most, deadline until) {
  auto job = [&path, most] {
    const file_for_now opened(path, UV_FS_O_RDONLY);
    std::string content = room_for(opened, path, most);
    for (;;) {
      const std::size_t have = content.size();
      const std::size_t wanted = most - have < piece ? most - have + 1 : piece;
      content.resize(have + wanted);
      const std::span<char> into(content.data() + have, wanted);
      const std::size_t length = read_now(path, opened.descriptor(), have, into);
      content.resize(have + length);
      if (content.size() > most) throw_larger(path, most);
      if (length < wanted) return content;
    }
  };
  auto content = co_await offload(std::move(job), until);
  co_return content;
}

task<result<void>> write_file(std::filesystem::path path, std::string content, deadline until) {
  auto job = [&path, &content] {
    const file_for_now opened(path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_TRUNC);
    write_now(path, opened.descriptor(), 0, content);
  };
  const auto written = co_await offload(std::move(job), until);
  co_return written;
}

task<result<file>> file::open(std::filesystem::path path, file_mode mode, deadline until) {
  auto job = [&path, mode] { return file(path, open_now(path, flags_of(mode))); };
  auto opened = co_await offload(std::move(job), until);
  co_return opened;
}

file::~file() {
  if (descriptor_ >= 0) close_now(descriptor_);
}

task<result<std::size_t>> file::read_at(std::uint64_t offset, std::span<std::byte> into,
                                        deadline until) {
  auto job = [this, offset, into] { return read_now(path_, descriptor_, offset, as_chars(into)); };
  const auto length = co_await offload(std::move(job), until);
  co_return length;
}

task<result<void>> file::write_at(std::uint64_t offset, std::span<const std::byte> content,
                                  deadline until) {
  auto job = [this, offset, content] { write_now(path_, descriptor_, offset, as_chars(content)); };
  const auto written = co_await offload(std::move(job), until);
  co_return written;
}

task<result<std::uint64_t>> file::size(deadline until) {
  auto job = [this] {
    uv_fs_t request;
    const int status = uv_fs_fstat(nullptr, &request, descriptor_, nullptr);
    const std::uint64_t bytes = request.statbuf.st_size;
    uv_fs_req_cleanup(&request);
    check_uv(status, "examine", path_.string());
    return bytes;
  };
  const auto bytes = co_await offload(std::move(job), until);
  co_return bytes;
}

task<result<void>> file::sync(deadline until) {
  auto job = [this] { (void)call_now("sync", path_, uv_fs_fsync, descriptor_); };
  const auto synced = co_await offload(std::move(job), until);
  co_return synced;
}

}  // namespace berth
