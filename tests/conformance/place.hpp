// A directory, and records published in it.
#pragma once

#include <cstdint>
#include <filesystem>

#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/record/started_at.hpp>
#include <berth/store/location.hpp>

#include <fmt/format.h>

#include "support/temporary_directory.hpp"

namespace conformance_test {

using namespace berth;
namespace fs = std::filesystem;

struct place {
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  fs::path file = where.port_file();
};

inline record ours(std::uint16_t port = 8080) {
  return describe_this_process("127.0.0.1", port, "1.0");
}

/// The file of a writer that knows only the five fields and locks nothing.
inline void write_foreign(const place& at, std::uint32_t pid, std::uint16_t port = 8080) {
  test::write_text(at.file, fmt::format("{{\"pid\": {}, \"port\": {}, \"host\": \"127.0.0.1\", "
                                        "\"started_at\": \"{}\", \"version\": \"1\"}}",
                                        pid, port, rfc3339_now()));
}

inline constexpr std::uint32_t no_process = 999999;

}  // namespace conformance_test
