// Error messages, invalid arguments and threads in C.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <berth/berth.h>

#include "c_interface/workspace.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace c_interface_test;

TEST_CASE("what cannot be used is refused in C, named, whatever is NULL") {
  workspace at;
  berth_location* where = nullptr;
  berth_record* record = nullptr;
  berth_publication* publication = nullptr;
  const found made = make_record();
  const char* const nothing[] = {nullptr};
  const auto refused = [](berth_status status, const std::string& why) {
    INFO(says());
    CHECK(status == BERTH_WRONG_USAGE);
    CHECK_THAT(says(), Catch::Contains(why));
  };
  refused(berth_locate("a/b", nullptr, nullptr, &where),
          "\"a/b\" is not a valid name for an application");
  refused(berth_locate("pm", nullptr, "..", &where), "\"..\" is not a valid name for an instance");
  refused(berth_locate("pm", nullptr, nullptr, nullptr), "found is NULL");
  refused(berth_read(nullptr, &record), "where is NULL");
  refused(berth_read_live(at.where.get(), nullptr), "found is NULL");
  refused(berth_wait(nullptr, 0, &record), "where is NULL");
  refused(berth_ensure(at.where.get(), nullptr, nullptr, 0, &record), "command is NULL");
  refused(berth_ensure(at.where.get(), nothing, nullptr, 0, &record), "the command is empty");
  refused(berth_record_new(nullptr, 1, "1", &record), "host is NULL");
  refused(berth_record_new("", 1, "1", &record), "needs a host");
  refused(berth_record_new("a b", 1, "1", &record), "host must be");
  refused(berth_record_new("::1", 1, "\x1b", &record), "version must be");
  refused(berth_record_set_scheme(made.get(), "a b"), "scheme must be");
  refused(berth_record_set_scheme(made.get(), ""), "scheme must be");
  refused(berth_record_set_token(made.get(), "a\nb"), "token must be");
  refused(berth_record_set_metadata(made.get(), "x", "\x1b"), "text must be");
  refused(berth_record_set_metadata(made.get(), "\x1b", "x"), "name must be");
  refused(berth_record_set_endpoint(made.get(), "x", "http", "a b", 1), "host must be");
  refused(berth_record_set_endpoint(made.get(), "x", "a b", "::1", 1), "scheme must be");
  refused(berth_record_set_endpoint(made.get(), "\x1b", "http", "::1", 1), "name must be");
  refused(berth_record_new("::1", 0, "1", &record), "a port must be 1-65535, got 0");
  refused(berth_record_new("::1", 65536, "1", &record), "got 65536");
  refused(berth_record_new("::1", 1, nullptr, &record), "version is NULL");
  refused(berth_record_set_token(nullptr, "x"), "record is NULL");
  refused(berth_record_set_metadata(made.get(), "x", nullptr), "text is NULL");
  refused(berth_record_set_endpoint(made.get(), "x", "http", "", 1), "needs a host");
  refused(berth_publish(at.where.get(), nullptr, &publication), "record is NULL");
  refused(berth_check(nullptr), "publication is NULL");
  refused(berth_remove(nullptr), "publication is NULL");
  REQUIRE(where == nullptr);
  REQUIRE(record == nullptr);
  REQUIRE(berth_record_pid(nullptr) == 0);
  REQUIRE(berth_record_url(nullptr) == nullptr);
  REQUIRE(berth_location_port_file(nullptr) == nullptr);
  berth_record_free(nullptr);
  berth_location_free(nullptr);
}

TEST_CASE("the system's refusals have a message in C") {
  workspace at;
  test::write_text(at.here / "file", "");
  const place below = locate(at.here / "file" / "below");
  const found made = make_record();
  published running(below, made);
  REQUIRE(running.status == BERTH_FAILED);
  REQUIRE_THAT(running.message, Catch::Contains("file/below"));
}

TEST_CASE("calls from many threads at once keep to themselves, messages too") {
  workspace at;
  const found made = make_record();
  published running(at.where, made);
  REQUIRE(running.status == BERTH_DONE);
  const place none = locate(at.here, "none");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        berth_record* server = nullptr;
        const bool live = (round + i) % 2 == 0;
        const auto status = berth_read_live(live ? at.where.get() : none.get(), &server);
        if (status != (live ? BERTH_DONE : BERTH_NO_LIVE_SERVER) || says().empty() != live ||
            (live && berth_record_port(server) != 8080) || berth_check(running.kept) != BERTH_DONE)
          ++wrong;
        berth_record_free(server);
      }
    });
  for (auto& thread : threads) thread.join();
  REQUIRE(wrong == 0);
}

TEST_CASE("the library that is loaded says what it is") {
  REQUIRE(berth_c_interface() == BERTH_C_INTERFACE);
  REQUIRE(std::string(berth_version()) == BERTH_VERSION);
}
