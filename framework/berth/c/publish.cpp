#include <atomic>
#include <exception>
#include <future>
#include <memory>
#include <thread>

#include <berth/c/handles.hpp>
#include <berth/c/signals.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/scope.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/service/publication.hpp>
#include <berth/service/started_log.hpp>

using namespace berth;
using namespace berth::c;

// Its thread runs a loop of its own from the publish to the removal.
struct berth_publication {
  berth_publication(location where, record server)
      : thread(quiet_thread([this, where = std::move(where), server = std::move(server)] {
          loop.run(keep(where, server));
        })) {}

  task<> keep(location where, record server) {
    bool is_published = false;
    try {
      auto published = co_await publication::publish(std::move(where), std::move(server));
      is_published = true;
      outcome.set_value();
      co_await keep(published);
    } catch (...) {
      if (is_published)
        not_removed = std::current_exception();
      else
        outcome.set_exception(std::current_exception());
    }
  }

  task<> keep(publication& published) {
    const auto here = co_await current_context();
    scope keeping(here);
    keeping.spawn(published.keep([this](const error& why, const already_running*) {
      another = why.what();
      lost = true;
    }));
    keeping.spawn(keep_log_bounded());
    (void)co_await over.wait();
    keeping.cancel();
    co_await keeping.join();
    co_await published.remove();
  }

  event_loop loop;
  event over;
  std::promise<void> outcome;
  std::string another;  // written once, before `lost`
  std::atomic<bool> lost = false;
  std::exception_ptr not_removed;
  std::thread thread;
};

extern "C" {

berth_status berth_publish(const berth_location* where, const berth_record* record,
                           berth_publication** made) {
  return guarded([&] {
    auto& place = cleared(made, "made");
    auto publishing = std::make_unique<berth_publication>(given(where, "where").where,
                                                          given(record, "record").server);
    try {
      publishing->outcome.get_future().get();
    } catch (...) {
      publishing->thread.join();
      throw;
    }
    place = publishing.release();
    return BERTH_DONE;
  });
}

berth_status berth_check(const berth_publication* publication) {
  return guarded([&] {
    const auto& kept = given(publication, "publication");
    return kept.lost ? fail(BERTH_ANOTHER_IS_LIVE, kept.another) : BERTH_DONE;
  });
}

berth_status berth_remove(berth_publication* publication) {
  return guarded([&] {
    const std::unique_ptr<berth_publication> kept(&given(publication, "publication"));
    kept->loop.submit([&kept] { kept->over.set(); });
    kept->thread.join();
    if (kept->not_removed) std::rethrow_exception(kept->not_removed);
    return BERTH_DONE;
  });
}
}
