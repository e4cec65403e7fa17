// Everything that a service usually needs: the service, tasks, waits, TCP, look-ups and log lines.
// Include single headers if compile time matters.
#pragma once

#include <berth/base/error.hpp>
#include <berth/base/log.hpp>
#include <berth/base/result.hpp>
#include <berth/base/secret.hpp>
#include <berth/client/async.hpp>
#include <berth/coro/channel.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/generator.hpp>
#include <berth/coro/latch.hpp>
#include <berth/coro/mutex.hpp>
#include <berth/coro/named.hpp>
#include <berth/coro/scope.hpp>
#include <berth/coro/semaphore.hpp>
#include <berth/coro/shield.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/task.hpp>
#include <berth/coro/timeout.hpp>
#include <berth/coro/when_all.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/coro/with_scope.hpp>
#include <berth/coro/yield.hpp>
#include <berth/io/event_loop.hpp>
#include <berth/io/file.hpp>
#include <berth/io/framer.hpp>
#include <berth/io/offload.hpp>
#include <berth/io/tcp.hpp>
#include <berth/service/service.hpp>
