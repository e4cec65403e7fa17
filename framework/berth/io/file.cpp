#include <berth/io/file.hpp>

#include <algorithm>

#include <uv.h>

#include <berth/io/offload.hpp>
#include <berth/io/uv_error.hpp>

namespace berth {
namespace {

// libuv's file calls without a callback run at once, on whatever thread calls them.
class open_file {
 public:
  open_file(const std::string& path, int flags) : path_(path) {
    uv_fs_t request;
    descriptor_ = uv_fs_open(nullptr, &request, path.c_str(), flags, 0666, nullptr);
    uv_fs_req_cleanup(&request);
    check_uv(descriptor_, "open", path_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    uv_fs_t request;
    uv_fs_close(nullptr, &request, descriptor_, nullptr);
    uv_fs_req_cleanup(&request);
  }

  std::size_t read(char* into, std::size_t size) {
    uv_fs_t request;
    const uv_buf_t buffer = uv_buf_init(into, static_cast<unsigned>(size));
    const int length = uv_fs_read(nullptr, &request, descriptor_, &buffer, 1, -1, nullptr);
    uv_fs_req_cleanup(&request);
    check_uv(length, "read", path_);
    return static_cast<std::size_t>(length);
  }
  std::size_t write(const char* from, std::size_t size) {
    uv_fs_t request;
    const uv_buf_t buffer = uv_buf_init(const_cast<char*>(from), static_cast<unsigned>(size));
    const int length = uv_fs_write(nullptr, &request, descriptor_, &buffer, 1, -1, nullptr);
    uv_fs_req_cleanup(&request);
    check_uv(length, "write", path_);
    return static_cast<std::size_t>(length);
  }

 private:
  std::string path_;
  uv_file descriptor_;
};

constexpr std::size_t piece = 1u << 20;

}  // namespace

task<result<std::string>> read_file(std::filesystem::path path, std::size_t most) {
  auto job = [&path, most] {
    open_file file(path.string(), UV_FS_O_RDONLY);
    std::string content;
    for (;;) {
      const std::size_t have = content.size();
      content.resize(have + std::min(piece, most + 1 - have));
      content.resize(have + file.read(content.data() + have, content.size() - have));
      if (content.size() == have) return content;
      if (content.size() > most)
        throw error(std::make_error_code(std::errc::file_too_large), "read", path.string());
    }
  };
  auto content = co_await offload(std::move(job));
  co_return content;
}

task<result<void>> write_file(std::filesystem::path path, std::string content) {
  auto job = [&path, &content] {
    open_file file(path.string(), UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_TRUNC);
    for (std::size_t written = 0; written < content.size();)
      written += file.write(content.data() + written, std::min(piece, content.size() - written));
  };
  const auto written = co_await offload(std::move(job));
  co_return written;
}

}  // namespace berth
