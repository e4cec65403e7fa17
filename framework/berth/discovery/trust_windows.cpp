#include <berth/base/error.hpp>
#include <berth/discovery/trust.hpp>

namespace berth {

// Who may write to a directory is a matter of its access control list, which a directory below
// the user's profile inherits: nothing more is checked here.
void check_owner(const path_name&, std::uint32_t) {}

void check_own(const std::filesystem::path&) {}

void prepare_directory(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) throw error(failed, "create directory", directory.string());
  if (!std::filesystem::is_directory(directory, failed))
    throw error(std::make_error_code(std::errc::not_a_directory), "use", directory.string());
}

}  // namespace berth
