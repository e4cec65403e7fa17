// Which directories are trusted, by owner, mode and access control list.
#include <unistd.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/user_configuration.hpp"
#include "trust/place.hpp"

using namespace berth;
using namespace trust_test;
namespace fs = std::filesystem;

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
