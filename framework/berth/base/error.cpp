#include <berth/base/error.hpp>

#include <cerrno>

#include <berth/base/printable.hpp>

namespace berth {
namespace {

std::string compose(std::error_code code, std::string_view operation, std::string_view path) {
  std::string text = "cannot ";
  text += operation;
  if (!path.empty()) {
    text += ' ';
    text += path;
  }
  text += ": ";
  text += code.message();
  if (const auto advice = advice_for(code); !advice.empty()) {
    text += " (";
    text += advice;
    text += ')';
  }
  return text;
}

struct advice_entry {
  std::errc code;
  std::string_view text;
};

constexpr advice_entry advice[] = {
    {std::errc::permission_denied, "check the owner and mode of the path and its directories"},
    {std::errc::operation_not_permitted, "it belongs to another user, or is immutable"},
    {std::errc::no_space_on_device, "free some space, or use another directory"},
    {std::errc::file_too_large, "the file-size limit of this process is too low; see ulimit -f"},
    {std::errc::read_only_file_system, "use a directory on a writable file system"},
    {std::errc::too_many_files_open, "raise the limit of open files; see ulimit -n"},
    {std::errc::too_many_files_open_in_system, "the whole system has too many files open"},
    {std::errc::io_error, "the device reported a fault; see the kernel's log"},
    {std::errc::too_many_symbolic_link_levels, "a symbolic link is not followed here; remove it"},
    {std::errc::not_a_directory, "a part of the path is a file"},
    {std::errc::filename_too_long, "use a shorter path"},
    {std::errc::no_lock_available, "the file system or the system ran out of locks"},
    {std::errc::address_in_use, "another program uses this port; port 0 lets the system pick"},
    {std::errc::address_not_available, "this machine has no such address"},
    {std::errc::connection_refused, "nothing listens there"},
};

}  // namespace

error::error(std::error_code code, std::string_view operation, std::string_view path)
    : std::system_error(code),
      operation_(operation),
      path_(path),
      message_(printable(compose(code, operation, path))) {}

error::error(std::string_view message, std::error_code code, std::string_view lines)
    : std::system_error(code), message_(printable(message)) {
  if (!lines.empty()) message_ += '\n' + printable_lines(lines);
}

std::string_view advice_for(std::error_code code) noexcept {
#ifdef EDQUOT
  if (code == std::error_code(EDQUOT, std::system_category()))
    return "the disk quota of this user is used up";
#endif
  for (const auto& entry : advice)
    if (code == entry.code) return entry.text;
  return {};
}

}  // namespace berth
