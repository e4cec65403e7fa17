// Which directories and files are believed, and what a workspace may not decide.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif
#include <unistd.h>

#include <berth/base/error.hpp>
#include <berth/config/directory.hpp>
#include <berth/config/settings.hpp>
#include <berth/discovery/claim.hpp>
#include <berth/discovery/instance_list.hpp>
#include <berth/liveness/this_process.hpp>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/user_configuration.hpp"

using namespace berth;
namespace fs = std::filesystem;

namespace {

constexpr unsigned stranger = 12345;

/// A directory that every user can enter, and commands that are run in it.
struct place {
  place() { fs::permissions(here, fs::perms(0755)); }

  test::ended berth(const fs::path& in, std::vector<std::string> words,
                    std::map<std::string, std::string> environment = {}) const {
    words.insert(words.begin(), BERTH_COMMAND);
    environment.emplace("HOME", "/nonexistent");
    return test::run(words, in, environment);
  }
  /// As another user, whom only root can become.
  test::ended berth_as_stranger(const fs::path& in, std::vector<std::string> words) const {
    std::vector<std::string> whole{"setpriv",
                                   "--reuid",
                                   std::to_string(stranger),
                                   "--regid",
                                   std::to_string(stranger),
                                   "--clear-groups",
                                   BERTH_COMMAND};
    whole.insert(whole.end(), words.begin(), words.end());
    return test::run(whole, in, {{"HOME", "/nonexistent"}});
  }
  fs::path make(const fs::path& relative, unsigned mode = 0755) const {
    fs::create_directories(here / relative);
    fs::permissions(here / relative, fs::perms(mode));
    return here / relative;
  }

  test::temporary_directory directory;
  fs::path here = fs::canonical(directory.path());
};

bool is_root() { return ::geteuid() == 0; }

void give_to_stranger(const fs::path& path) {
  REQUIRE(::chown(path.c_str(), stranger, stranger) == 0);
}

/// Another user who holds a read lock on all of each file for as long as this exists.
class reading_stranger {
 public:
  explicit reading_stranger(const std::vector<fs::path>& files) {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    pid_ = ::fork();
    if (pid_ == 0) hold(files, ready[1]);
    ::close(ready[1]);
    char done = 0;
    const bool told = ::read(ready[0], &done, 1) == 1;
    ::close(ready[0]);
    REQUIRE(told);
  }
  reading_stranger(const reading_stranger&) = delete;
  reading_stranger& operator=(const reading_stranger&) = delete;
  ~reading_stranger() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  [[noreturn]] static void hold(const std::vector<fs::path>& files, int ready) {
    if (::setgid(stranger) != 0 || ::setuid(stranger) != 0) ::_exit(1);
    for (const auto& each : files) {
      struct flock lock{};
      lock.l_type = F_RDLCK;
      if (::fcntl(::open(each.c_str(), O_RDONLY), F_OFD_SETLK, &lock) != 0) ::_exit(2);
    }
    if (::write(ready, "x", 1) != 1) ::_exit(3);
    for (;;) ::pause();
  }

  pid_t pid_;
};

std::string refusal_of(const fs::path& directory) {
  try {
    (void)load_settings("pm", directory);
  } catch (const error& refused) {
    return refused.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the search for a directory ends at the workspace root and starts .pm there") {
  place at;
  const auto src = at.make("checkout/src/deep");
  at.make("checkout/.git");
  at.make(".pm");
  const auto expected = (at.here / "checkout/.pm/server.json\n").string();
  REQUIRE(at.berth(src, {"path"}).out == expected);
  REQUIRE(at.berth(at.here / "checkout", {"path"}).out == expected);
  at.make("checkout/src/.pm");
  REQUIRE(at.berth(src, {"path"}).out == (at.here / "checkout/src/.pm/server.json\n").string());
}

TEST_CASE("a worktree inside a checkout is a workspace of its own") {
  place at;
  at.make("checkout/.git");
  at.make("checkout/.pm");
  const auto worktree = at.make("checkout/.worktrees/fix/src");
  test::write_text(at.here / "checkout/.worktrees/fix/.git", "gitdir: elsewhere\n");
  REQUIRE(at.berth(worktree, {"path"}).out ==
          (at.here / "checkout/.worktrees/fix/.pm/server.json\n").string());
}

TEST_CASE("a server that is started in a subdirectory belongs to the whole checkout") {
  place at;
  const auto src = at.make("checkout/src");
  at.make("checkout/.git");
  test::process server({PM_SERVER}, src, {{"HOME", "/nonexistent"}});
  const auto url = at.berth(at.here / "checkout", {"wait", "--timeout", "20"});
  REQUIRE(url.status == 0);
  REQUIRE(at.berth(src, {"url"}).out == url.out);
  REQUIRE_FALSE(fs::exists(src / ".pm"));
}

TEST_CASE("the application is named by --app, else BERTH_APP, else the build") {
  place at;
  REQUIRE(at.berth(at.here, {"path"}, {{"BERTH_APP", "other"}}).out ==
          (at.here / ".other/server.json\n").string());
  REQUIRE(at.berth(at.here, {"--app", "third", "path"}, {{"BERTH_APP", "other"}}).out ==
          (at.here / ".third/server.json\n").string());
  REQUIRE(at.berth(at.here, {"path"}, {{"BERTH_APP", ""}}).out ==
          (at.here / ".pm/server.json\n").string());
  REQUIRE(at.berth(at.here, {"path"}, {{"BERTH_APP", "../x"}}).status != 0);
}

TEST_CASE("a new directory gets a .gitignore, one that was there does not") {
  place at;
  const claim made(location("pm", at.here / "new" / ".pm"));
  REQUIRE(test::read_text(at.here / "new/.pm/.gitignore") == "*\n");
  REQUIRE_FALSE(fs::exists(at.here / "new/.gitignore"));
  const claim old(location("pm", at.make("old")));
  REQUIRE_FALSE(fs::exists(at.here / "old/.gitignore"));
}

TEST_CASE("a directory that a search finds and others can change is refused with the remedy") {
  place at;
  for (const unsigned mode : {0777u, 01777u, 0757u}) {
    const auto found = at.make(".pm", mode);
    const auto refused = at.berth(at.here, {"url"});
    INFO(mode);
    REQUIRE(refused.status == 1);
    REQUIRE_THAT(refused.err, Catch::Contains(found.string() + " is writable by everybody") &&
                                  Catch::Contains("chmod go-w " + found.string()));
  }
  at.make(".pm", 0775);
  REQUIRE(at.berth(at.here, {"url"}).status == 3);  // the group is the user's own
}

TEST_CASE("a directory that is writable by a group that is not the user's own is refused") {
  if (!is_root()) return;
  place at;
  const auto found = at.make(".pm", 0775);
  REQUIRE(::chown(found.c_str(), 0, 50) == 0);
  const auto refused = at.berth(at.here, {"url"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("writable by group 50"));
}

TEST_CASE("a link that a search finds is not followed") {
  place at;
  at.make("elsewhere", 0700);
  for (const std::string target : {"elsewhere", "/nowhere"}) {
    fs::create_directory_symlink(target, at.here / ".pm");
    for (const std::string command : {"url", "path", "clean", "list"}) {
      if (command == "list") continue;
      const auto refused = at.berth(at.here, {command});
      REQUIRE(refused.status == 1);
      REQUIRE_THAT(refused.err, Catch::Contains("is a symbolic link"));
    }
    const auto examined = at.berth(at.here, {"doctor"});
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("is a symbolic link"));
    const auto server = test::run({PM_SERVER}, at.here, {{"HOME", "/nonexistent"}});
    REQUIRE(server.status == 1);
    fs::remove(at.here / ".pm");
  }
  REQUIRE(fs::is_empty(at.here / "elsewhere"));
}

TEST_CASE(
    "a directory of another user that a search finds is refused, naming both and the remedy") {
  if (!is_root()) return;
  place at;
  give_to_stranger(at.make(".pm"));
  const auto deep = at.make("a/b");
  const auto refused = at.berth(deep, {"url"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains((at.here / ".pm").string() + " belongs to uid 12345") &&
                                Catch::Contains("not to you (root (uid 0))") &&
                                Catch::Contains("--config-dir"));
  SECTION("under sudo the user is also the one who called it") {
    REQUIRE(at.berth(deep, {"url"}, {{"SUDO_UID", "12345"}}).status == 3);
    REQUIRE(at.berth(deep, {"url"}, {{"SUDO_UID", "12345x"}}).status == 1);
    REQUIRE(at.berth(deep, {"url"}, {{"SUDO_UID", "12346"}}).status == 1);
  }
  SECTION("SUDO_UID means nothing where sudo has not made the user root") {
    const auto mine = at.make("c");
    at.make("c/.pm");
    const auto other = test::run({"setpriv", "--reuid", "12345", "--regid", "12345",
                                  "--clear-groups", "env", "SUDO_UID=0", BERTH_COMMAND, "url"},
                                 mine, {{"HOME", "/nonexistent"}});
    REQUIRE(other.status == 1);
    REQUIRE_THAT(other.err, Catch::Contains("belongs to root (uid 0)"));
  }
  SECTION("doctor says so") {
    const auto examined = at.berth(deep, {"doctor"});
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("belongs to uid 12345"));
  }
  SECTION("named, it may belong to another") {
    REQUIRE(at.berth(deep, {"--config-dir", "../../.pm", "url"}).status == 3);
  }
}

TEST_CASE("doctor names the owner, and what keeps servers from publishing") {
  place at;
  at.make(".pm", 0700);
  const auto good = at.berth(at.here, {"doctor"});
  INFO(good.out);
  REQUIRE(good.status == 0);
  REQUIRE_THAT(good.out, Catch::Contains(fmt::format("(uid {})", ::geteuid())));
  if (!is_root()) return;
  const auto hidden = at.make("named", 0700);
  const auto unreadable = at.berth_as_stranger(at.here, {"--config-dir", hidden, "doctor"});
  REQUIRE(unreadable.status == 1);
  REQUIRE_THAT(unreadable.out, Catch::Contains("cannot publish in " + hidden.string()) &&
                                   Catch::Contains("Permission denied"));
  const auto missing = at.berth_as_stranger(at.here, {"--config-dir", at.here / "new", "doctor"});
  REQUIRE(missing.status == 1);
  REQUIRE_THAT(missing.out, Catch::Contains("cannot publish in " + at.here.string()));
}

TEST_CASE("a named directory that everybody can change is refused, unless it is sticky") {
  place at;
  const auto open = at.make("open", 0777);
  const auto refused = at.berth(at.here, {"--config-dir", open, "url"});
  REQUIRE(refused.status == 1);
  REQUIRE_THAT(refused.err, Catch::Contains("chmod go-w " + open.string()));
  REQUIRE(at.berth(at.here, {"url"}, {{"PM_CONFIG_DIR", open}}).status == 1);
  const auto sticky = at.make("sticky", 01777);
  REQUIRE(at.berth(at.here, {"--config-dir", sticky, "url"}).status == 3);
}

TEST_CASE("a current directory that was deleted is an error that says what to do") {
  place at;
  const auto gone = at.make("gone");
  for (const std::string command : {"url", "status", "path", "doctor", "ensure -- true"}) {
    const auto ended =
        test::run({"sh", "-c", "rmdir $PWD; exec " BERTH_COMMAND " " + command}, at.make("gone"));
    INFO(command << ": " << ended.err);
    REQUIRE(ended.status == 1);
    REQUIRE_THAT(ended.err + ended.out, Catch::Contains("cannot find the current directory"));
  }
}

TEST_CASE("the workspace's settings go before the user's, the environment before both") {
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  test::write_text(own.file, "[server]\nport = 2000\nmax_connections = 7\nhost = \"::1\"\n");
  const auto workspace = at.make("ws");
  test::write_text(workspace / "config.toml", "[server]\nport = 3000\nhost = \"localhost\"\n");
  ::setenv("PM_SERVER_HOST", "127.0.0.2", 1);
  const auto settings = load_settings("pm", workspace);
  ::unsetenv("PM_SERVER_HOST");
  REQUIRE(settings.max_connections == 7);
  REQUIRE(settings.port == 3000);
  REQUIRE(settings.host == "127.0.0.2");
}

TEST_CASE("a workspace's file may neither run code nor send clients elsewhere") {
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  const auto workspace = at.make(".pm");
  const std::pair<std::string, std::string> lines[] = {
      {"[server]\nport = 0\n[[plugin]]\npath = \"evil.so\"\n", ":3: plugin runs code"},
      {"registry = \"etcd://127.0.0.1:1\"\n", ":1: registry sends clients elsewhere"}};
  for (const auto& [text, reason] : lines) {
    test::write_text(workspace / "config.toml", text);
    const auto refused = refusal_of(workspace);
    REQUIRE_THAT(refused, Catch::StartsWith((workspace / "config.toml").string() + reason) &&
                              Catch::Contains("put it into " + own.file.string()));
    test::write_text(own.file, text);
    REQUIRE(refusal_of(at.make("other")) == "accepted");
    REQUIRE_THAT(refusal_of(own.file.parent_path()), Catch::Contains("keep the two apart"));
    fs::remove(own.file);
  }
  test::write_text(workspace / "config.toml", "[[plugin]]\npath = \"evil.so\"\n");
  fs::copy_file(PLUGIN_STAMP, workspace / "evil.so");
  const auto ensured = at.berth(at.here, {"ensure", "--", PM_SERVER});
  REQUIRE(ensured.status == 1);
  REQUIRE_THAT(ensured.err, Catch::Contains("plugin runs code"));
  test::write_text(workspace / "config.toml", "registry = \"etcd://127.0.0.1:1\"\n");
  for (const std::string command : {"url", "status", "list", "wait"})
    REQUIRE(at.berth(at.here, {command}).status == 1);
}

TEST_CASE(
    "what is no small regular file of the user's is no configuration, and the cause is kept") {
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  const auto workspace = at.make("ws");
  const auto file = workspace / "config.toml";
  fs::create_symlink("/proc/self/mem", file);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("a symbolic link is not followed"));
  fs::remove(file);
  REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("it is not a regular file"));
  fs::remove(file);
  test::write_text(file, "");
  fs::resize_file(file, 600u << 20);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("it is larger than 64 KiB"));
  fs::remove(file);
  if (!is_root()) return;
  test::write_text(file, "[server]\nport = 0\n");
  fs::permissions(file, fs::perms(0600));
  const auto unreadable = at.berth_as_stranger(at.here, {"--config-dir", workspace, "doctor"});
  REQUIRE_THAT(unreadable.out, Catch::Contains("cannot open " + file.string() + ": Permission"));
  give_to_stranger(file);
  REQUIRE_THAT(refusal_of(workspace), Catch::Contains("belongs to uid 12345"));
}

TEST_CASE("what runs code is taken from the user's own file alone") {
  if (!is_root()) return;
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  test::write_text(own.file, "[server]\nport = 0\n");
  fs::permissions(own.file, fs::perms(0666));
  REQUIRE_THAT(refusal_of(at.make("ws")), Catch::Contains("chmod go-w " + own.file.string()));
  fs::permissions(own.file, fs::perms(0644));
  REQUIRE(refusal_of(at.make("ws")) == "accepted");
  give_to_stranger(own.file);
  REQUIRE_THAT(refusal_of(at.make("ws")), Catch::Contains("belongs to uid 12345"));
  ::setenv("SUDO_UID", "12345", 1);
  REQUIRE_THAT(refusal_of(at.make("ws")), Catch::Contains("belongs to uid 12345"));
  ::unsetenv("SUDO_UID");
}

TEST_CASE("keys that are nested too deeply are refused before they are parsed") {
  std::string dots = "a";
  for (int i = 0; i < 30'000; ++i) dots += ".a";
  const std::string deep[] = {dots + " = 1\n", "[" + dots + "]\n",
                              "x = '''\n\n'''\n" + dots + " = 1\n"};
  const std::size_t lines[] = {1, 1, 4};
  for (int i = 0; i < 3; ++i) {
    server_settings settings;
    REQUIRE_THROWS_WITH(read_settings(deep[i], "config.toml", settings),
                        fmt::format("config.toml:{}: the keys are nested too deeply", lines[i]));
  }
  const std::string dots_in_text = std::string(100, '.');
  for (const auto& text : {"# " + dots_in_text, "x = \"" + dots_in_text + "\"",
                           "x = '" + dots_in_text + "'", "x = \"\\\"" + dots_in_text + "\""}) {
    server_settings settings;
    REQUIRE_NOTHROW(read_settings(text, "config.toml", settings));
  }
}

TEST_CASE("nothing relative is executed, even where /proc is not there") {
  if (!is_root()) return;
  place at;
  const auto evil = at.here / "berth-full";
  test::write_text(evil, "#!/bin/sh\necho EVIL\n");
  fs::permissions(evil, fs::perms(0755));
  const auto script = "mount -t tmpfs none /proc && exec -a berth " BERTH_COMMAND " status";
  const auto ran = test::run({"unshare", "-m", "bash", "-c", script}, at.here, {{"HOME", "/x"}});
  if (ran.err.find("unshare failed") != std::string::npos) return;
  INFO(ran.err);
  REQUIRE_THAT(ran.out, !Catch::Contains("EVIL"));
  // Not its status: without /proc the leak sanitizer fails.
  REQUIRE_THAT(ran.err, Catch::Contains("No running pm-server found"));
  fs::copy_file(BERTH_COMMAND, at.here / "berth");
  const auto relative = test::run(
      {"unshare", "-m", "bash", "-c", "mount -t tmpfs none /proc && ./berth status"}, at.here);
  REQUIRE_THAT(relative.out, !Catch::Contains("EVIL"));
  REQUIRE(relative.status != 0);  // 1; under the thread sanitizer, which starts it anew, 3
}

#ifdef F_OFD_SETLK
TEST_CASE("a read lock of another user neither keeps a server from starting nor a dead one alive") {
  if (!is_root() || lock_mechanism != "ofd") return;
  place at;
  const auto directory = at.make(".pm");
  const location where("pm", directory);
  {
    const claim owned(where, describe_this_process("127.0.0.1", 8080, "1"));
    fs::copy_file(where.port_file(), at.here / "copy");
  }
  fs::rename(at.here / "copy", where.port_file());
  for (const auto& each : {where.port_file(), where.lock_file()})
    fs::permissions(each, fs::perms(0644));
  const reading_stranger other({where.port_file(), where.lock_file()});
  REQUIRE(at.berth(at.here, {"status"}).status == 3);
  const auto started = at.berth(at.here, {"ensure", "--timeout", "20", "--", PM_SERVER});
  INFO(started.err);
  REQUIRE(started.status == 0);
  REQUIRE(at.berth(at.here, {"stop", "--timeout", "20"}).status == 0);
}
#endif

TEST_CASE("a place for the list that another user has taken is passed over, and that is said") {
  if (!is_root()) return;
  place at;
  const auto squatted = fmt::format("/tmp/berth-{}", stranger);
  std::error_code ignored;
  if (!fs::create_directory(squatted, ignored)) return;
  give_to_stranger(at.here);
  const std::vector<std::string> words{
      "setpriv",       "--reuid", std::to_string(stranger), "--regid", std::to_string(stranger),
      "--clear-groups"};
  const auto as_stranger = [&](std::vector<std::string> command) {
    command.insert(command.begin(), words.begin(), words.end());
    return command;
  };
  const std::map<std::string, std::string> home{{"HOME", "/nonexistent"}};
  {
    test::process server(as_stranger({PM_SERVER}), at.here, home);
    const auto waited =
        test::run(as_stranger({BERTH_COMMAND, "wait", "--timeout", "20"}), at.here, home);
    const auto listed = test::run(as_stranger({BERTH_COMMAND, "list"}), at.here, home);
    CHECK(test::eventually([&] {
      return test::run(as_stranger({BERTH_COMMAND, "list"}), at.here, home)
                 .out.find(waited.out.substr(0, waited.out.size() - 1)) != std::string::npos;
    }));
    CHECK_THAT(server.err(), Catch::Contains(squatted + " is not a directory of yours"));
    const auto examined = test::run(as_stranger({BERTH_COMMAND, "doctor"}), at.here, home);
    CHECK_THAT(examined.out, Catch::Contains(squatted + " is not a directory of yours"));
    server.signal(SIGTERM);
    server.wait();
  }
  fs::remove_all(squatted, ignored);
  fs::remove_all(fmt::format("/var/tmp/berth-{}", stranger), ignored);
}

TEST_CASE("the list is the same whatever XDG_RUNTIME_DIR and TMPDIR say") {
  place at;
  test::process server(
      {PM_SERVER, "--config-dir", at.make("d", 0700)}, at.here,
      {{"XDG_RUNTIME_DIR", at.make("one", 0700)}, {"TMPDIR", at.make("two", 0700)}});
  const auto port_file = (at.here / "d/server.json").string();
  REQUIRE(test::eventually(
      [&] { return at.berth(at.here, {"list"}).out.find(port_file) != std::string::npos; }));
  REQUIRE_THAT(at.berth(at.here, {"list"}, {{"XDG_RUNTIME_DIR", "/nonexistent"}}).out,
               Catch::Contains(port_file));
  server.signal(SIGTERM);
  REQUIRE(server.wait().status == 0);
  REQUIRE_THAT(at.berth(at.here, {"list"}).out, !Catch::Contains(port_file));
}

TEST_CASE("a live server enters the list again after a cleaner removed it") {
  place at;
  const std::map<std::string, std::string> environment{{"BERTH_LIST_DIR", at.here / "list"},
                                                       {"HOME", "/nonexistent"}};
  test::process server({PM_SERVER}, at.here, environment);
  const auto listed = [&] {
    return !test::run({BERTH_COMMAND, "list"}, at.here, environment).out.empty();
  };
  REQUIRE(test::eventually(listed));
  fs::remove_all(at.here / "list");
  REQUIRE_FALSE(listed());
  // A change in its directory has it look at once; without one it looks twice per minute.
  fs::last_write_time(at.here / ".pm/server.json", fs::file_time_type::clock::now());
  REQUIRE(test::eventually(listed));
}

#ifdef __linux__
namespace {

struct access_entry {
  std::uint16_t tag;
  std::uint16_t permissions;
  std::uint32_t id;
};

constexpr std::uint16_t named_user = 0x02, named_group = 0x08;
constexpr std::uint32_t nobody_named = 0xffffffff;

/// Gives the file or directory an access control list (acl(5)) with one entry beside those that
/// the mode has; false where the file system has none.
bool set_access_list(const fs::path& path, access_entry named, std::uint16_t group = 5,
                     std::uint16_t mask = 7) {
  std::vector<access_entry> entries{{0x01, 7, nobody_named},
                                    {0x04, group, nobody_named},
                                    {0x10, mask, nobody_named},
                                    {0x20, 0, nobody_named}};
  entries.insert(entries.begin() + (named.tag == named_user ? 1 : 2), named);
  const std::uint32_t version = 2;
  std::string value(reinterpret_cast<const char*>(&version), sizeof version);
  value.append(reinterpret_cast<const char*>(entries.data()), entries.size() * sizeof entries[0]);
  return ::setxattr(path.c_str(), "system.posix_acl_access", value.data(), value.size(), 0) == 0;
}

}  // namespace

TEST_CASE("a directory that an access control list opens to others is refused with the remedy") {
  place at;
  const auto found = at.make(".pm", 0700);
  if (!set_access_list(found, {named_user, 7, 4242})) return;
  const auto refused = [&](const std::string& who) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"url"}, {"--config-dir", found.string(), "url"}}) {
      const auto ended = at.berth(at.here, words);
      INFO(ended.err);
      REQUIRE(ended.status == 1);
      REQUIRE_THAT(ended.err, Catch::Contains(found.string() + " is writable by " + who) &&
                                  Catch::Contains("setfacl -b " + found.string()));
    }
    REQUIRE_THAT(at.berth(at.here, {"doctor"}).out, Catch::Contains("is writable by " + who));
  };
  refused("uid 4242 through its access control list");
  REQUIRE(set_access_list(found, {named_user, 2, 4242}));
  refused("uid 4242 through its access control list");
  REQUIRE(set_access_list(found, {named_group, 7, 4242}));
  refused("group 4242 through its access control list");

  const auto accepted = [&] { return at.berth(at.here, {"url"}).status == 3; };
  REQUIRE(set_access_list(found, {named_user, 7, 4242}, 5, 5));  // the mask takes it away
  REQUIRE(accepted());
  REQUIRE(set_access_list(found, {named_user, 5, 4242}));
  REQUIRE(accepted());
  REQUIRE(set_access_list(found, {named_user, 7, ::geteuid()}));
  REQUIRE(accepted());
  REQUIRE(set_access_list(found, {named_user, 7, 0}));
  REQUIRE(accepted());
  REQUIRE(set_access_list(found, {named_group, 7, ::getegid()}));
  REQUIRE(accepted());
  if (!is_root()) return;
  // The mode shows the mask in the place of the group's permissions.
  REQUIRE(::chown(found.c_str(), 0, 50) == 0);
  REQUIRE(set_access_list(found, {named_user, 7, 0}, 5));
  REQUIRE(accepted());
  REQUIRE(set_access_list(found, {named_user, 7, 0}, 7));
  const auto by_group = at.berth(at.here, {"url"});
  REQUIRE(by_group.status == 1);
  REQUIRE_THAT(by_group.err, Catch::Contains("writable by group 50"));
}

TEST_CASE("a file that runs code is refused if an access control list opens it to others") {
  place at;
  const test::user_configuration own(at.here / "home", "pm");
  test::write_text(own.file, "[server]\nport = 0\n");
  fs::permissions(own.file, fs::perms(0600));
  if (!set_access_list(own.file, {named_user, 6, 4242})) return;
  REQUIRE_THAT(refusal_of(at.make("ws")), Catch::Contains(own.file.string() + " is writable by") &&
                                              Catch::Contains("setfacl -b " + own.file.string()));
  REQUIRE(set_access_list(own.file, {named_user, 6, 4242}, 4, 4));
  REQUIRE(refusal_of(at.make("ws")) == "accepted");
}
#endif

TEST_CASE("doctor says who can change a directory") {
  place at;
  at.make(".pm", 0700);
  REQUIRE_THAT(at.berth(at.here, {"doctor"}).out, Catch::Contains("alone can change it"));
  at.make(".pm", 0775);
  REQUIRE_THAT(at.berth(at.here, {"doctor"}).out,
               Catch::Contains(fmt::format("and group {} can change it", ::getegid())));
  const auto sticky = at.make("sticky", 01777);
  const auto told = at.berth(at.here, {"--config-dir", sticky, "doctor"}).out;
  REQUIRE_THAT(told, Catch::Contains("everybody can create files in it") &&
                         !Catch::Contains("alone can change it"));
}

namespace {

/// A user of its own, both of whose shared places for the list root has taken; they are given back
/// at the end.
struct squatted_user {
  explicit squatted_user(const place& at, const fs::path& home_directory) : home(home_directory) {
    std::error_code ignored;
    for (const auto& each : taken) all_taken = fs::create_directory(each, ignored) && all_taken;
    REQUIRE(::chown(at.here.c_str(), id, id) == 0);
  }
  squatted_user(const squatted_user&) = delete;
  squatted_user& operator=(const squatted_user&) = delete;
  ~squatted_user() {
    std::error_code ignored;
    for (const auto& each : taken) fs::remove_all(each, ignored);
  }

  static std::vector<std::string> words(std::vector<std::string> command) {
    const std::vector<std::string> become{"setpriv", "--reuid",          std::to_string(id),
                                          "--regid", std::to_string(id), "--clear-groups"};
    command.insert(command.begin(), become.begin(), become.end());
    return command;
  }
  test::ended run(const place& at, std::vector<std::string> command) const {
    return test::run(words(std::move(command)), at.here, environment());
  }
  std::map<std::string, std::string> environment() const { return {{"HOME", home}}; }

  static constexpr unsigned id = 12398;
  const std::vector<std::string> taken{fmt::format("/tmp/berth-{}", id),
                                       fmt::format("/var/tmp/berth-{}", id)};
  fs::path home;
  bool all_taken = true;
};

}  // namespace

TEST_CASE("a user whose shared places for the list are taken has one in the home directory") {
  if (!is_root()) return;
  place at;
  const auto home = at.make("home", 0700);
  REQUIRE(::chown(home.c_str(), squatted_user::id, squatted_user::id) == 0);
  const squatted_user user(at, home);
  if (!user.all_taken) return;
  test::process server(user.words({PM_SERVER}), at.here, user.environment());
  const auto waited = user.run(at, {BERTH_COMMAND, "wait", "--timeout", "20"});
  REQUIRE(waited.status == 0);
  const auto url = waited.out.substr(0, waited.out.size() - 1);
  REQUIRE(test::eventually(
      [&] { return user.run(at, {BERTH_COMMAND, "list"}).out.find(url) != std::string::npos; }));
  const auto place_at_home = home / ".local/state/berth";
  REQUIRE((fs::status(place_at_home).permissions() & fs::perms(0777)) == fs::perms(0700));
  for (const auto& said : {server.err(), user.run(at, {BERTH_COMMAND, "doctor"}).out}) {
    // Root is who can remove it; the user cannot, in a sticky directory.
    REQUIRE_THAT(said, Catch::Contains(user.taken[0] + " is not a directory of yours") &&
                           Catch::Contains("it belongs to root (uid 0)") &&
                           Catch::Contains("ask root (uid 0) to remove it; servers are listed in " +
                                           place_at_home.string() + " meanwhile"));
  }
  server.signal(SIGTERM);
  REQUIRE(server.wait().status == 0);
  REQUIRE(user.run(at, {BERTH_COMMAND, "list"}).out.empty());
}

TEST_CASE("without any place for the list, a server says so at its start, and so does list") {
  if (!is_root()) return;
  place at;
  const squatted_user user(at, "/nonexistent");
  if (!user.all_taken) return;
  test::process server(user.words({PM_SERVER}), at.here, user.environment());
  REQUIRE(user.run(at, {BERTH_COMMAND, "wait", "--timeout", "20"}).status == 0);
  REQUIRE(test::eventually([&] { return server.err().find("listening on") != std::string::npos; }));
  REQUIRE_THAT(server.err(), Catch::Contains("there is no place for the list of instances"));
  const auto listed = user.run(at, {BERTH_COMMAND, "list"});
  REQUIRE(listed.status == 0);
  REQUIRE(listed.out.empty());
  REQUIRE_THAT(listed.err, Catch::Contains("there is no place for the list of instances") &&
                               Catch::Contains("BERTH_LIST_DIR"));
  REQUIRE(user.run(at, {BERTH_COMMAND, "list", "--json"}).out == "[]\n");
}

TEST_CASE("a file that is both the workspace's and the user's is the workspace's") {
  place at;
  const auto workspace = at.make(".pm", 0700);
  const auto x = at.make("x");
  fs::create_directory_symlink("../.pm", x / "pm");
  fs::create_directory_symlink(".pm", at.here / "pm");
  fs::copy_file(PLUGIN_STAMP, workspace / "evil.so");
  for (const std::string text :
       {"[[plugin]]\npath = \"evil.so\"\n", "registry = \"etcd://127.0.0.1:1\"\n"}) {
    test::write_text(workspace / "config.toml", text);
    for (const auto& base : {x.string(), std::string("/proc/self/cwd")}) {
      INFO(base);
      const auto refused =
          at.berth(at.here, {"ensure", "--", PM_SERVER}, {{"XDG_CONFIG_HOME", base}});
      CHECK(refused.status == 1);
      CHECK_THAT(refused.err, Catch::Contains("is not read from a workspace's file") &&
                                  Catch::Contains("keep the two apart"));
      CHECK(at.berth(at.here, {"stop"}, {{"XDG_CONFIG_HOME", base}}).status == 3);
    }
  }
  test::write_text(workspace / "config.toml", "[server]\nmax_connections = 7\n");
  ::setenv("XDG_CONFIG_HOME", x.c_str(), 1);
  const auto settings = load_settings("pm", workspace);
  ::unsetenv("XDG_CONFIG_HOME");
  REQUIRE(settings.max_connections == 7);
}

TEST_CASE("what has the name of the directory and is none is one fault, that says so") {
  place at;
  const auto name = at.here / ".pm";
  for (const bool fifo : {false, true}) {
    if (fifo)
      REQUIRE(::mkfifo(name.c_str(), 0600) == 0);
    else
      test::write_text(name, "");
    const auto examined = at.berth(at.here, {"doctor"});
    INFO(examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out,
                 Catch::Contains("FAULT  " + name.string() + " is not a directory: remove it"));
    REQUIRE(examined.out.find("FAULT") == examined.out.rfind("FAULT"));
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"url"}, {"ensure", "--", PM_SERVER}}) {
      const auto refused = at.berth(at.here, words);
      REQUIRE(refused.status == 1);
      REQUIRE_THAT(refused.err, Catch::Contains(name.string() + " is not a directory: remove it"));
    }
    const auto named = at.berth(at.here, {"--config-dir", name, "doctor"});
    REQUIRE_THAT(named.out, Catch::Contains(name.string() + " is not a directory"));
    REQUIRE(named.out.find("FAULT") == named.out.rfind("FAULT"));
    fs::remove(name);
  }
}

TEST_CASE("doctor examines the log that a start would open, and leaves it as it is") {
  place at;
  const auto log = at.make(".pm", 0700) / "server.log";
  const auto fault = [&](const std::string& reason) {
    const auto examined = at.berth(at.here, {"doctor"});
    INFO(examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("FAULT  the log " + log.string() + " is " + reason));
    fs::remove(log);
  };
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  fault("not a regular file");
  fs::create_symlink("/nowhere", log);
  fault("a symbolic link");
  test::write_text(at.here / "other", "");
  fs::create_hard_link(at.here / "other", log);
  fault("known by another name as well");
  test::write_text(log, "");
  fs::permissions(log, fs::perms(0644));
  REQUIRE(at.berth(at.here, {"doctor"}).status == 0);
  REQUIRE(fs::status(log).permissions() == fs::perms(0644));
}

TEST_CASE("doctor examines the registry that is configured") {
  place at;
  at.make(".pm", 0700);
  const auto fault = [&](const std::string& url, std::map<std::string, std::string> environment) {
    const auto examined = at.berth(at.here, {"doctor"}, std::move(environment));
    INFO(url << ": " << examined.out);
    REQUIRE(examined.status == 1);
    REQUIRE_THAT(examined.out, Catch::Contains("FAULT  the registry"));
    REQUIRE_THAT(examined.out, !Catch::Contains("secret"));
  };
  for (const std::string url : {"nonsense", "http://127.0.0.1:1", "etcd://", "etcd:///prefix",
                                "etcd://root:secret@", "etcd://root:secret@/x", "etcd://h:port",
                                "etcd://h:0", "etcd://h:65536", "etcd://a b", "etcd://h,,h:x"}) {
    fault(url, {{"PM_REGISTRY", url}});
    const test::user_configuration own(at.here / "home", "pm");
    test::write_text(own.file, "registry = \"" + url + "\"\n");
    fault(url, {{"XDG_CONFIG_HOME", at.here / "home"}});
  }
  for (const std::string url :
       {"file", "etcd://127.0.0.1:1", "etcds://root:secret@h,[::1]:2379/x?ca=/c", "etcd://[::1]"}) {
    const auto examined = at.berth(at.here, {"doctor"}, {{"PM_REGISTRY", url}});
    INFO(url << ": " << examined.out);
    REQUIRE(examined.status == 0);
    REQUIRE_THAT(examined.out, !Catch::Contains("secret"));
  }
}

TEST_CASE("doctor advises no removal on a file system that is read-only") {
  if (!is_root()) return;
  place at;
  const auto file = at.make(".pm", 0700) / "server.json";
  const auto script =
      "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && exec " BERTH_COMMAND
      " doctor";
  for (
      const std::string text :
      {R"({"pid": 999999, "port": 8080, "host": "127.0.0.1", "started_at": "2026-01-01T00:00:00Z",)"
       R"( "version": "1"})",
       "{"}) {
    test::write_text(file, text);
    const auto ran = test::run({"unshare", "-m", "sh", "-c", script}, at.here, {{"HOME", "/x"}});
    if (ran.err.find("unshare") != std::string::npos) return;
    INFO(ran.out << ran.err);
    REQUIRE(ran.status == 1);
    REQUIRE_THAT(ran.out, Catch::Contains("Read-only file system") &&
                              Catch::Contains("FAULT  port file") &&
                              !Catch::Contains("berth clean"));
    REQUIRE_THAT(at.berth(at.here, {"doctor"}).out, Catch::Contains("berth clean"));
  }
}

TEST_CASE("a file that another user has locked us out of names its owner and the remedy") {
  if (!is_root()) return;
  place at;
  const auto directory = at.make(".pm", 0700);
  give_to_stranger(directory);
  const auto names_root = [&](const test::ended& refused, const fs::path& file) {
    INFO(refused.err);
    REQUIRE(refused.status == 1);
    REQUIRE_THAT(refused.err,
                 Catch::Contains("cannot open " + file.string() + ": Permission denied") &&
                     Catch::Contains("it belongs to root (uid 0): remove it, or change its owner "
                                     "with: chown 12345 " +
                                     file.string()));
  };
  const auto lock = directory / "server.lock";
  test::write_text(lock, "");
  fs::permissions(lock, fs::perms(0600));
  names_root(at.berth_as_stranger(at.here, {"ensure", "--", PM_SERVER}), lock);
  fs::remove(lock);
  const auto port_file = directory / "server.json";
  test::write_text(port_file, "{}");
  fs::permissions(port_file, fs::perms(0600));
  names_root(at.berth_as_stranger(at.here, {"url"}), port_file);
}

TEST_CASE("what berth makes under sudo in a user's directory belongs to that user") {
  if (!is_root()) return;
  place at;
  give_to_stranger(at.here);
  ::setenv("BERTH_LIST_DIR", (at.here / "list").c_str(), 1);
  const std::map<std::string, std::string> sudo{{"SUDO_UID", "12345"}, {"SUDO_GID", "12346"}};
  const auto owner_of = [](const fs::path& path) {
    struct stat status{};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return std::pair<unsigned, unsigned>(status.st_uid, status.st_gid);
  };
  const std::pair<unsigned, unsigned> user(stranger, 12346), root(0, 0);
  const auto ensured = at.berth(at.here, {"ensure", "--timeout", "30", "--", PM_SERVER}, sudo);
  INFO(ensured.err);
  REQUIRE(ensured.status == 0);
  REQUIRE(owner_of(at.here / ".pm") == user);
  std::size_t files = 0;
  for (const auto& each : fs::directory_iterator(at.here / ".pm")) {
    INFO(each.path());
    REQUIRE(owner_of(each.path()) == user);
    ++files;
  }
  REQUIRE(files == 4);  // .gitignore, server.json, server.lock and server.log
  REQUIRE(at.berth_as_stranger(at.here, {"url"}).out == ensured.out);
  REQUIRE(at.berth(at.here, {"stop", "--timeout", "20"}, sudo).status == 0);
  REQUIRE(at.berth_as_stranger(at.here, {"ensure", "--timeout", "30", "--", PM_SERVER}).status ==
          0);
  REQUIRE(at.berth(at.here, {"stop", "--timeout", "20"}, sudo).status == 0);

  SECTION("a file that was there stays whose it is, also by another name") {
    const auto lock = at.here / ".pm/server.lock";
    fs::remove(lock);
    test::write_text(at.here / "root's", "");
    fs::create_hard_link(at.here / "root's", lock);
    REQUIRE(at.berth(at.here, {"announce", "--port", "9", "--", "true"}, sudo).status == 0);
    REQUIRE(owner_of(at.here / "root's") == root);
  }
  SECTION("what is made in a directory of root's stays root's") {
    const auto other = at.make("other", 0755);
    const auto named = other / "named";
    REQUIRE(
        at.berth(at.here, {"--config-dir", named, "announce", "--port", "9", "--", "true"}, sudo)
            .status == 0);
    REQUIRE(owner_of(named) == root);
    REQUIRE(owner_of(named / "server.lock") == root);
  }
  SECTION("without sudo, the variable means nothing") {
    REQUIRE(at.berth(at.here, {"--config-dir", "new", "announce", "--port", "9", "--", "true"},
                     {{"SUDO_UID", "x"}})
                .status == 0);
    REQUIRE(owner_of(at.here / "new") == root);
  }
  ::unsetenv("BERTH_LIST_DIR");
}
