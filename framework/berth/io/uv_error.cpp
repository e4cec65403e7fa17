#include <berth/io/uv_error.hpp>

#include <uv.h>

#include <berth/io/misuse.hpp>

namespace berth {
namespace {

// Name look-ups have errors of their own, which no errno stands for.
class lookup_category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "name lookup"; }
  std::string message(int status) const override { return uv_strerror(status); }
};

const lookup_category lookup_errors;

struct mapping {
  int status;
  std::errc code;
};

// Except on POSIX systems, libuv's status numbers are its own.
constexpr mapping portable[] = {
    {UV_EACCES, std::errc::permission_denied},
    {UV_EADDRINUSE, std::errc::address_in_use},
    {UV_EADDRNOTAVAIL, std::errc::address_not_available},
    {UV_EAGAIN, std::errc::resource_unavailable_try_again},
    {UV_EBADF, std::errc::bad_file_descriptor},
    {UV_ECANCELED, std::errc::operation_canceled},
    {UV_ECONNABORTED, std::errc::connection_aborted},
    {UV_ECONNREFUSED, std::errc::connection_refused},
    {UV_ECONNRESET, std::errc::connection_reset},
    {UV_EEXIST, std::errc::file_exists},
    {UV_EHOSTUNREACH, std::errc::host_unreachable},
    {UV_EINVAL, std::errc::invalid_argument},
    {UV_EIO, std::errc::io_error},
    {UV_EISDIR, std::errc::is_a_directory},
    {UV_EMFILE, std::errc::too_many_files_open},
    {UV_ENETUNREACH, std::errc::network_unreachable},
    {UV_ENOBUFS, std::errc::no_buffer_space},
    {UV_ENOENT, std::errc::no_such_file_or_directory},
    {UV_ENOMEM, std::errc::not_enough_memory},
    {UV_ENOSPC, std::errc::no_space_on_device},
    {UV_ENOTCONN, std::errc::not_connected},
    {UV_ENOTDIR, std::errc::not_a_directory},
    {UV_ENOTSUP, std::errc::not_supported},
    {UV_EPERM, std::errc::operation_not_permitted},
    {UV_EPIPE, std::errc::broken_pipe},
    {UV_EROFS, std::errc::read_only_file_system},
    {UV_ETIMEDOUT, std::errc::timed_out},
};

}  // namespace

std::error_code uv_error_code(int status) noexcept {
  for (const auto& entry : portable)
    if (entry.status == status) return std::make_error_code(entry.code);
#ifndef _WIN32
  if (status > -3000) return {-status, std::system_category()};
#endif
  return {status, lookup_errors};
}

void throw_closed(std::string_view operation) {
  throw error("cannot " + std::string(operation) + ": it was closed or moved from before",
              std::make_error_code(std::errc::bad_file_descriptor));
}

void check_uv(int status, std::string_view operation, std::string_view path) {
  if (status < 0) throw error(uv_error_code(status), operation, path);
}

}  // namespace berth
