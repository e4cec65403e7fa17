// The commands of the berth command line. Each returns its exit status; failures are thrown.
#pragma once

#include <berth/cli/options.hpp>

namespace berth::cli {

int path(const options& options);
int url(const options& options);
int status(const options& options);
int wait(const options& options);
int announce(const options& options);
int ensure(const options& options);
int replace(const options& options);
int list(const options& options);
int stop(const options& options);
int clean(const options& options);
int doctor(const options& options);

}  // namespace berth::cli
