// Rows for work on the thread pool: jobs, name resolution and files.
#include <array>
#include <cstddef>
#include <optional>

#include <berth/io/endpoint.hpp>
#include <berth/io/file.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/resolve.hpp>

#include "cancel_matrix/pool_row.hpp"

using namespace berth;
using namespace cancel_matrix_test;

namespace {

ROW(offload_row, pool_row, "offload") {
  using pool_row::pool_row;
  int ran = 0;
  task<outcome> wait() override {
    auto job = [this] { ++ran; };
    const auto ended = co_await offload(std::move(job));
    co_return outcome_of(ended);
  }
};

ROW(resolve_row, pool_row, "resolve") {
  using pool_row::pool_row;
  endpoint named{"LocalHost", 1};  // so written, the system is asked
  task<outcome> wait() override {
    const auto ended = co_await resolve(named);
    auto how = outcome_of(ended);
    how.came = !ended.cancelled();  // a system without such a name says so: an answer as well
    co_return how;
  }
};

ROW(read_file_row, pool_row, "read_file") {
  using pool_row::pool_row;
  AWAIT(read_file(path))
};

ROW(write_file_row, pool_row, "write_file") {
  using pool_row::pool_row;
  AWAIT(write_file(path, "other"))
};

ROW(file_open_row, pool_row, "file::open") {
  using pool_row::pool_row;
  AWAIT(file::open(path))
};

struct file_row : pool_row {
  using pool_row::pool_row;
  std::optional<file> opened;
  std::array<std::byte, 16> buffer{};
  task<> prepare_more() override {
    auto made = co_await file::open(path, file_mode::write);
    opened.emplace(std::move(*made));
  }
};

ROW(file_read_row, file_row, "file::read_at") {
  using file_row::file_row;
  AWAIT(opened->read_at(0, buffer))
};

ROW(file_write_row, file_row, "file::write_at") {
  using file_row::file_row;
  AWAIT(opened->write_at(0, buffer))
};

ROW(file_size_row, file_row, "file::size") {
  using file_row::file_row;
  AWAIT(opened->size())
};

ROW(file_sync_row, file_row, "file::sync") {
  using file_row::file_row;
  AWAIT(opened->sync())
};

}  // namespace
