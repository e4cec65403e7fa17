#include <windows.h>

#include <atomic>
#include <string>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/store/open_file.hpp>

namespace berth {
namespace {

[[noreturn]] void fail(std::string_view operation, const std::filesystem::path& path) {
  throw error(last_system_error(), operation, path.string());
}

bool missing() noexcept {
  const DWORD why = ::GetLastError();
  return why == ERROR_FILE_NOT_FOUND || why == ERROR_PATH_NOT_FOUND;
}

// A program that examines every new file (a virus scanner, an indexer) may have it open for a
// moment without sharing it.
template <typename Call>
bool retry_while_shared(Call call) {
  constexpr DWORD turns = 50, milliseconds = 2;
  for (DWORD turn = 0;; ++turn) {
    if (call()) return true;
    const DWORD why = ::GetLastError();
    const bool may_pass = why == ERROR_SHARING_VIOLATION || why == ERROR_ACCESS_DENIED;
    if (!may_pass || turn == turns) return false;
    ::Sleep(milliseconds);
  }
}

constexpr DWORD share_all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

// Does not follow links. Opens directories too: status() shows that.
unique_handle open_native(const std::filesystem::path& path, DWORD access, DWORD disposition) {
  return unique_handle(::CreateFileW(path.c_str(), access, share_all, nullptr, disposition,
                                     FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS,
                                     nullptr));
}

// A file and what is renamed over it are on one volume, where the index tells them apart.
file_id id_of(const BY_HANDLE_FILE_INFORMATION& known) noexcept {
  return {0, std::uint64_t{known.nFileIndexHigh} << 32 | known.nFileIndexLow};
}

// The name of an open file is free only when every process has closed it, but the file can be
// renamed at any time: it is moved aside first, and removed then.
std::filesystem::path name_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned> count{0};
  std::filesystem::path beside = path;
  beside += fmt::format(".{}-{}.tmp", ::GetCurrentProcessId(), ++count);
  return beside;
}

bool is_name_beside(const std::filesystem::path& path, const std::string& name) {
  const std::string begin = path.filename().string() + ".", end = ".tmp";
  return name.size() > begin.size() + end.size() && name.starts_with(begin) &&
         name.ends_with(end) &&
         name.find_first_not_of("0123456789-", begin.size()) == name.size() - end.size();
}

/// Removes the files that a killed process had moved aside from `path`.
void sweep(const std::filesystem::path& path) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), ignored))
    if (is_name_beside(path, entry.path().filename().string())) ::DeleteFileW(entry.path().c_str());
}

/// Moves the file aside; returns its new path, or nullopt if there was no file.
std::optional<std::filesystem::path> put_beside(const std::filesystem::path& path) {
  auto beside = name_beside(path);
  if (retry_while_shared([&] { return ::MoveFileExW(path.c_str(), beside.c_str(), 0); }))
    return beside;
  if (missing()) return std::nullopt;
  fail("move away", path);
}

}  // namespace

const bool replaces_at_once = false;

std::optional<open_file> open_file::to_read(path_name name, read_mode how) {
  if (how == read_mode::cached) throw would_block{};
  unique_handle file = open_native(name, GENERIC_READ, OPEN_EXISTING);
  if (file) return open_file(std::move(file), std::move(name));
  if (missing()) return std::nullopt;
  fail("open", name);
}

open_file open_file::to_lock(path_name name) {
  unique_handle file = open_native(name, GENERIC_READ | GENERIC_WRITE, OPEN_ALWAYS);
  if (!file) fail("open", name);
  return open_file(std::move(file), std::move(name));
}

std::optional<open_file> open_file::to_lock_existing(path_name name) {
  unique_handle file = open_native(name, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING);
  if (file) return open_file(std::move(file), std::move(name));
  if (missing() || ::GetLastError() == ERROR_ACCESS_DENIED) return std::nullopt;
  fail("open", name);
}

std::optional<open_file> open_file::to_create(path_name name) {
  unique_handle file = open_native(name, GENERIC_READ | GENERIC_WRITE, CREATE_NEW);
  if (file) return open_file(std::move(file), std::move(name));
  if (::GetLastError() == ERROR_FILE_EXISTS) return std::nullopt;
  fail("create", name);
}

namespace {

/// FILETIME counts 100 ns from 1601-01-01, which is 11,644,473,600 s before 1970-01-01.
std::chrono::sys_seconds moment_of(const FILETIME& time) {
  const auto ticks = std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime;
  return std::chrono::sys_seconds(
      std::chrono::seconds(static_cast<std::int64_t>(ticks / 10'000'000) - 11'644'473'600));
}

}  // namespace

file_status open_file::status() const {
  BY_HANDLE_FILE_INFORMATION known;
  FILE_STANDARD_INFO more;
  if (!::GetFileInformationByHandle(handle_.get(), &known) ||
      !::GetFileInformationByHandleEx(handle_.get(), FileStandardInfo, &more, sizeof more))
    fail("examine", name_);
  constexpr DWORD no_file = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT;
  return {id_of(known),
          std::uint64_t{known.nFileSizeHigh} << 32 | known.nFileSizeLow,
          0,
          ::GetFileType(handle_.get()) == FILE_TYPE_DISK && !(known.dwFileAttributes & no_file),
          more.NumberOfLinks > 0 && !more.DeletePending,
          0,
          0,
          moment_of(known.ftLastWriteTime)};
}

std::size_t open_file::read(std::span<char> into, read_mode how) const {
  if (how == read_mode::cached) throw would_block{};
  DWORD length = 0;
  if (!::ReadFile(handle_.get(), into.data(), static_cast<DWORD>(into.size()), &length, nullptr))
    fail("read", name_);
  return length;
}

void open_file::write(std::string_view content) {
  DWORD length = 0;
  const auto size = static_cast<DWORD>(content.size());
  if (!::WriteFile(handle_.get(), content.data(), size, &length, nullptr)) fail("write", name_);
  if (length == size) return;
  ::SetLastError(ERROR_DISK_FULL);
  fail("write", name_);
}

// A directory is not moved while a file in it is open.
std::optional<std::filesystem::path> open_file::find() const { return std::nullopt; }

void open_file::touch() {
  FILETIME now;
  ::GetSystemTimeAsFileTime(&now);
  if (!::SetFileTime(handle_.get(), nullptr, nullptr, &now)) fail("touch", name_);
}

void open_file::sync() {
  if (!::FlushFileBuffers(handle_.get())) fail("sync", name_);
}

std::optional<file_id> identify(const std::filesystem::path& path) {
  const unique_handle file = open_native(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING);
  BY_HANDLE_FILE_INFORMATION known;
  if (file && ::GetFileInformationByHandle(file.get(), &known)) return id_of(known);
  if (missing()) return std::nullopt;
  fail("examine", path);
}

bool rename_over(const std::filesystem::path& from, const std::filesystem::path& to) {
  sweep(to);
  const auto beside = put_beside(to);
  if (retry_while_shared([&] { return ::MoveFileExW(from.c_str(), to.c_str(), 0); })) {
    if (beside) ::DeleteFileW(beside->c_str());
    return true;
  }
  const bool vanished = missing();
  const auto why = last_system_error();
  if (beside) ::MoveFileExW(beside->c_str(), to.c_str(), 0);
  if (vanished) return false;
  throw error(why, "replace", to.string());
}

bool rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  sweep(to);
  if (retry_while_shared([&] { return ::MoveFileExW(from.c_str(), to.c_str(), 0); })) return true;
  const DWORD why = ::GetLastError();
  if (missing() || why == ERROR_ALREADY_EXISTS || why == ERROR_FILE_EXISTS) return false;
  fail("publish", to);
}

bool remove_file(const std::filesystem::path& path) {
  const auto beside = put_beside(path);
  if (beside && !::DeleteFileW(beside->c_str())) fail("remove", *beside);
  return beside.has_value();
}

}  // namespace berth
