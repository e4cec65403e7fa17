// C locations, records and publications that free themselves.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include <berth/berth.h>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

namespace c_interface_test {

namespace fs = std::filesystem;

struct freed {
  void operator()(berth_location* which) const { berth_location_free(which); }
  void operator()(berth_record* which) const { berth_record_free(which); }
};
using place = std::unique_ptr<berth_location, freed>;
using found = std::unique_ptr<berth_record, freed>;

/// Fails the test where the call does.
inline place locate(const fs::path& directory, const char* instance = nullptr) {
  berth_location* made = nullptr;
  REQUIRE(berth_locate("pm", directory.c_str(), instance, &made) == BERTH_DONE);
  return place(made);
}

inline found make_record(int port = 8080) {
  berth_record* made = nullptr;
  REQUIRE(berth_record_new("127.0.0.1", port, "1.2", &made) == BERTH_DONE);
  return found(made);
}

/// Removed at the end unless it was before.
struct published {
  published(const place& where, const found& record) {
    status = berth_publish(where.get(), record.get(), &kept);
    message = berth_message();
  }
  published(const published&) = delete;
  published& operator=(const published&) = delete;
  ~published() {
    if (kept) berth_remove(kept);
  }

  berth_status status;
  std::string message;
  berth_publication* kept = nullptr;
};

struct workspace {
  workspace() { ::setenv("BERTH_LIST_DIR", (runtime.path() / "berth").c_str(), 1); }
  ~workspace() { ::unsetenv("BERTH_LIST_DIR"); }

  test::temporary_directory runtime, directory;
  fs::path here = fs::canonical(directory.path());
  place where = locate(here);
};

inline std::string says() { return berth_message(); }

}  // namespace c_interface_test
