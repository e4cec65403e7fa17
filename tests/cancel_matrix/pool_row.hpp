// Rows whose wait needs a thread of the pool; all of these are busy until the row completes.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <berth/io/offload.hpp>

#include "cancel_matrix/row.hpp"
#include "support/temporary_directory.hpp"

namespace cancel_matrix_test {

using namespace berth;

/// Keeps all threads of the pool busy until it is opened, so that jobs wait for one.
class pool_gate {
 public:
  static constexpr int threads = 4;  // libuv's number

  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  task<> occupy() {
    auto job = [this] {
      std::unique_lock lock(mutex_);
      ++inside_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return open_; });
    };
    const auto done = co_await offload(std::move(job));
    (void)done;
  }
  void await_full() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_ == threads; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  bool open_ = false;
};

struct pool_row : row {
  using row::row;
  pool_gate gate;
  test::temporary_directory directory;
  std::filesystem::path path = directory.path() / "file";
  task<> prepare() override {
    test::write_text(path, "content");
    co_await prepare_more();
    for (int i = 0; i < pool_gate::threads; ++i) help(gate.occupy());
    gate.await_full();
  }
  virtual task<> prepare_more() { co_return; }
  void complete() override { gate.open(); }
  task<> tidy() override {
    gate.open();
    co_await row::tidy();
  }
};

}  // namespace cancel_matrix_test
