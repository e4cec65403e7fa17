#include <berth/store/temporary_file.hpp>

#include <string>

#include <fmt/format.h>

#include <berth/base/error.hpp>
#include <berth/base/exception_message.hpp>

namespace berth {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".tmp";

std::string prefix_of(const location& where) { return fmt::format(".{}.", where.instance); }

open_file create(const fs::path& path) {
  for (;;) {
    if (auto made = open_file::to_create(path.native())) return std::move(*made);
    remove_file(path);
  }
}

bool is_temporary(const location& where, const std::string& name) {
  const std::string prefix = prefix_of(where);
  if (name.size() <= prefix.size() + ending.size()) return false;
  if (!name.starts_with(prefix) || !name.ends_with(ending)) return false;
  return name.find_first_not_of("0123456789", prefix.size()) == name.size() - ending.size();
}

}  // namespace

temporary_file::temporary_file(const location& where, std::uint64_t lock_id)
    : file_(create(where.directory / fmt::format("{}{}{}", prefix_of(where), lock_id, ending))) {}

temporary_file::~temporary_file() {
  if (renamed_) return;
  try {
    remove_file(file_.path());
  } catch (const error&) {
    // The next publish finds the file and removes it.
    log_ignored_exception("removing a temporary file");
  }
}

open_file temporary_file::release() noexcept {
  renamed_ = true;
  return std::move(file_);
}

void remove_temporary_files(const location& where) {
  std::error_code ignored;
  fs::directory_iterator entry(where.directory, ignored);
  for (; !ignored && entry != fs::directory_iterator(); entry.increment(ignored))
    if (is_temporary(where, entry->path().filename().string())) remove_file(entry->path());
}

}  // namespace berth
