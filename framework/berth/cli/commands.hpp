// The commands of the berth command line; each gives the exit status and throws what failed.
#pragma once

#include <berth/cli/options.hpp>

namespace berth::cli {

int path(const options& given);
int url(const options& given);
int status(const options& given);
int wait(const options& given);
int announce(const options& given);
int ensure(const options& given);
int replace(const options& given);
int list(const options& given);
int stop(const options& given);
int clean(const options& given);
int doctor(const options& given);

}  // namespace berth::cli
