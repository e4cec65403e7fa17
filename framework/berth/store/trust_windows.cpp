#include <berth/base/error.hpp>
#include <berth/store/trust.hpp>

namespace berth {

// An access control list decides who may write to a directory, and one below the user's profile
// inherits its list: nothing more is checked here.
void check_owner(const path_name&, std::uint32_t) {}

void check_code_owner(const path_name&, const file_status&) {}

std::string who_can_change(const std::filesystem::path&) {
  return "its access control list says who can change it";
}

void check_found_directory(const std::filesystem::path& directory) {
  check_named_directory(directory);
}

void check_named_directory(const std::filesystem::path& directory) {
  std::error_code failed;
  if (!std::filesystem::is_directory(directory, failed))
    throw error(std::make_error_code(std::errc::not_a_directory), "use", directory.string());
}

void prepare_directory(const std::filesystem::path& directory, parents above) {
  std::error_code failed;
  const bool made = above == parents::are_made
                        ? std::filesystem::create_directories(directory, failed)
                        : std::filesystem::create_directory(directory, failed);
  if (failed) throw error(failed, "create directory", directory.string());
  if (made)
    if (auto file = open_file::to_create((directory / ".gitignore").native())) file->write("*\n");
  check_named_directory(directory);
}

bool prepare_own_directory(const std::filesystem::path& directory, parents) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  return !failed && std::filesystem::is_directory(directory, failed);
}

std::string why_not_own(const std::filesystem::path&) { return "remove it"; }

}  // namespace berth
