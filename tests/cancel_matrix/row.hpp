// One row of the matrix: an awaitable in a situation in which it has to wait.
//
// Whenever it is cancelled, it ends once, says `cancelled` with the reason, loses nothing that the
// next wait would get, and leaves no handle. The tree test checks that no awaitable lacks a row.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <berth/base/result.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/task.hpp>
#include <berth/io/event_loop.hpp>

namespace cancel_matrix_test {

using namespace berth;

/// How one wait ended.
struct outcome {
  bool came = false;
  std::error_code code;
  stop_reason reason = stop_reason::none;
};

template <typename T>
outcome outcome_of(const result<T>& of) {
  return {of.has_value(), of.error(), of.reason()};
}

/// An awaitable in a situation in which it has to wait.
class row {
 public:
  explicit row(event_loop& on) : loop(on) {
    without_stop.loop = &on;
    helpers.emplace(without_stop);
  }
  row(const row&) = delete;
  row& operator=(const row&) = delete;
  virtual ~row() = default;

  virtual task<> prepare() { co_return; }
  virtual task<outcome> wait() = 0;
  /// Brings about what is waited for.
  virtual void complete() = 0;
  /// What was lost, if anything was, would be missed by another wait.
  virtual bool can_wait_again() const { return true; }
  /// Whether a stop makes it end; what must finish does not.
  virtual bool can_be_cancelled() const { return true; }
  virtual task<> tidy() {
    helpers->cancel();
    co_await helpers->join();
  }

  event_loop& loop;

 protected:
  /// The other end, beside the wait.
  void help(task<> with) { helpers->spawn(std::move(with)); }

 private:
  execution_context without_stop;
  std::optional<scope> helpers;
};

using factory = std::function<std::unique_ptr<row>(event_loop&)>;
inline std::map<std::string, factory>& rows() {
  static std::map<std::string, factory> all;
  return all;
}

template <typename Row>
bool add(const char* name) {
  rows()[name] = [](event_loop& loop) { return std::make_unique<Row>(loop); };
  return true;
}

// One row: a class by its members, under the name that the tree test looks for.
#define ROW(id, base, name)              \
  struct id;                             \
  const bool added_##id = add<id>(name); \
  struct id final : base
#define AWAIT(...)                           \
  task<outcome> wait() override {            \
    const auto ended = co_await __VA_ARGS__; \
    co_return outcome_of(ended);             \
  }

}  // namespace cancel_matrix_test
