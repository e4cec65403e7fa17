#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include <berth/discovery/instance_list.hpp>
#include <berth/discovery/instance_list_places.hpp>
#include <berth/liveness/process.hpp>
#include <berth/store/users_posix.hpp>

namespace berth {
namespace {

namespace fs = std::filesystem;

bool is_own_home(const fs::path& path) {
  struct stat status;
  return path.is_absolute() && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == ::geteuid();
}

}  // namespace

// $XDG_RUNTIME_DIR and $TMPDIR differ between the shells of one user, so neither is used. systemd
// creates /run/user/UID (pam_systemd(8)), where no other user can take the name. In /tmp one can;
// then there is the home directory, which may be on a file system of another machine.
std::vector<instance_list::place> instance_list::places() {
  const std::string user = this_user();
  std::vector<place> all{
      {"/run/user/" + user + "/berth"}, {"/tmp/berth-" + user}, {"/var/tmp/berth-" + user}};
  const char* const home = std::getenv("HOME");
  for (const auto& each : {home_of(::geteuid()), fs::path(home ? home : "")})
    if (is_own_home(each)) all.push_back({each / ".local/state/berth", parents::are_made});
  return all;
}

}  // namespace berth
