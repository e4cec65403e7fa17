// Measures how soon a waiting client has the record of a server that publishes, and declares what
// other benchmarks of processes share with that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <berth/coro/task.hpp>
#include <berth/record/record.hpp>
#include <berth/store/location.hpp>

namespace bench {

/// A record of this process.
berth::record ours();
/// A new directory of that name, which only this user may enter.
berth::location below(const std::filesystem::path& root, const char* name);

/// Waits for a live server; returns the moment at which it had the record, in nanoseconds.
berth::task<std::int64_t> moment_of_live(berth::location where);

/// Runs in the other process: waits for a live server whenever standard input says so, and answers
/// with the moment at which it had the record.
int wait_for_publications(const std::string& how, const berth::location& where);

void add_waits(const std::filesystem::path& root);

}  // namespace bench
