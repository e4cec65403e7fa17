// Rows that wait for a published server.
#pragma once

#include <optional>

#include <berth/discovery/claim.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

#include "cancel_matrix/pool_row.hpp"
#include "support/temporary_directory.hpp"

namespace cancel_matrix_test {

using namespace berth;

struct discovery_row : pool_row {
  using pool_row::pool_row;
  location where{"pm", directory.path()};
  static record ours() { return describe_this_process("127.0.0.1", 8080, "1"); }
};

struct published_row : row {
  using row::row;
  test::temporary_directory directory;
  location where{"pm", directory.path()};
  std::optional<claim> owned;
};

}  // namespace cancel_matrix_test
