// A live server whose files are taken away at random moments is found again, as the same process,
// and keeps every other server out, be it at once (in every other round) or later. Counts how often
// that takes more than a second, which fails nothing: a busy machine can be that slow.
//   deletion-harness remove|clean|files|rename ROUNDS PM_SERVER BASE|overlay
// `remove` is rm -rf .pm, `clean` git clean -fdx, `files` deletes file by file, `rename` renames
// the directory away and back. Works below BASE, or on an overlay that it mounts (status 77 if it
// cannot).
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/port_file.hpp>
#include <chrono>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace berth;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr int skipped = 77;

std::minstd_rand& random_numbers() {
  static std::minstd_rand numbers(std::random_device{}());
  return numbers;
}

void pause_up_to(std::chrono::microseconds most) {
  std::this_thread::sleep_for(most * (random_numbers()() % 1000) / 1000);
}

pid_t start(const std::vector<std::string>& command, const fs::path& directory) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (int standard = 0; standard < 3; ++standard) ::dup2(nowhere, standard);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  if (::chdir(directory.c_str()) == 0) ::execvp(words.front(), words.data());
  ::_exit(127);
}

void run(const std::vector<std::string>& command, const fs::path& directory) {
  int status = 0;
  const pid_t child = start(command, directory);
  ::waitpid(child, &status, 0);
  if (status == 127 << 8) throw std::runtime_error("cannot run " + command.front());
}

/// A new workspace, removed in the end.
class workspace {
 public:
  explicit workspace(const std::string& base) {
    std::string name = base + "/berth-deletion-XXXXXX";
    if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make a directory in " + base);
    root_ = name;
  }
  workspace(const workspace&) = delete;
  workspace& operator=(const workspace&) = delete;
  ~workspace() {
    std::error_code ignored;
    if (mounted_) {
      ::umount2((root_ / "merged").c_str(), MNT_DETACH);
      ::umount2(root_.c_str(), MNT_DETACH);
    }
    fs::remove_all(root_, ignored);
  }

  /// The overlay is seen by this process and its children only. Its layers lie on a tmpfs.
  bool mount_overlay() {
    if (::unshare(CLONE_NEWNS) != 0) return false;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    if (::mount("tmpfs", root_.c_str(), "tmpfs", 0, nullptr) != 0) return false;
    mounted_ = true;
    for (const char* each : {"lower", "upper", "work", "merged"})
      fs::create_directory(root_ / each);
    const std::string options =
        fmt::format("lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work", root_.string());
    return ::mount("overlay", (root_ / "merged").c_str(), "overlay", 0, options.c_str()) == 0;
  }

  fs::path path() const { return mounted_ ? root_ / "merged" : root_; }

 private:
  fs::path root_;
  bool mounted_ = false;
};

// As rm does, a file that has come in between is left, and is removed in another attempt.
void remove_directory(const fs::path& directory) {
  std::error_code failed;
  do fs::remove_all(directory, failed);
  while (failed == std::errc::directory_not_empty);
}

void remove_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) files.push_back(entry);
  std::shuffle(files.begin(), files.end(), random_numbers());
  for (const auto& file : files) {
    fs::remove(file, ignored);
    pause_up_to(500us);
  }
}

void rename_away_and_back(const fs::path& directory) {
  const fs::path away = directory.string() + ".away";
  std::error_code failed;
  fs::rename(directory, away, failed);
  pause_up_to(50ms);
  fs::rename(away, directory, failed);
  if (failed) remove_directory(away);  // the server has made its directory anew meanwhile
}

void take_away(const std::string& kind, const fs::path& directory) {
  if (kind == "remove") return remove_directory(directory);
  if (kind == "clean") return run({"git", "clean", "-ffdxq"}, directory.parent_path());
  if (kind == "files") return remove_files(directory);
  if (kind == "rename") return rename_away_and_back(directory);
  throw std::invalid_argument("no such kind");
}

/// Until the server is found, for at most ten seconds.
std::optional<record> find(const location& where) {
  const auto give_up = steady::now() + 10s;
  while (steady::now() < give_up) {
    try {
      if (auto found = read_live(where)) return found;
    } catch (const error&) {
      // The directory may go while it is looked into.
    }
    std::this_thread::sleep_for(1ms);
  }
  return std::nullopt;
}

bool keeps_others_out(const location& where) {
  try {
    const claim other(where);
    return false;
  } catch (const already_running&) {
    return true;
  }
}

int test(const std::string& kind, int rounds, const std::string& server, const std::string& base) {
  workspace here(base == "overlay" ? "/tmp" : base);
  if (base == "overlay" && !here.mount_overlay()) {
    fmt::print("skipped: no overlay can be mounted\n");
    return skipped;
  }
  const location where("pm", here.path() / ".pm");
  const workspace list("/tmp");
  ::setenv("BERTH_LIST_DIR", (list.path() / "berth").c_str(), 1);
  if (kind == "clean") run({"git", "init", "-q"}, here.path());
  const pid_t child = start({server, "--config-dir", where.directory.string()}, here.path());
  int lost = find(where) ? 0 : 1, late = 0, others = 0;
  auto longest = steady::duration::zero();
  for (int round = 0; round < rounds && !lost; ++round) {
    pause_up_to(5ms);
    take_away(kind, where.directory);
    others += round % 2 && !keeps_others_out(where);
    const auto began = steady::now();
    const auto found = find(where);
    const auto took = steady::now() - began;
    longest = std::max(longest, took);
    late += took > 1s;
    lost += !found || static_cast<pid_t>(found->pid) != child;
    others += !keeps_others_out(where);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  fmt::print(
      "{}, {} rounds in {}: {} lost, {} found after more than a second, {} times another "
      "server could start; found after {} ms at most\n{} passed, {} failed\n",
      kind, rounds, base, lost, late, others,
      std::chrono::duration_cast<std::chrono::milliseconds>(longest).count(), lost + others ? 0 : 1,
      lost + others ? 1 : 0);
  return lost + others ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 5)
      return test(argv[1], std::stoi(argv[2]), fs::absolute(argv[3]).string(), argv[4]);
  } catch (const std::exception& failed) {
    fmt::print(stderr, "deletion-harness: {}\n", failed.what());
  }
  fmt::print(stderr,
             "usage: deletion-harness remove|clean|files|rename ROUNDS PM_SERVER BASE|overlay\n");
  return 2;
}
