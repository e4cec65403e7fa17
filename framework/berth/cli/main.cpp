// The berth command: words in, one command called, its status out.
#include <berth/base/log.hpp>
#include <berth/cli/command_line.hpp>
#include <berth/cli/other_part.hpp>
#include <berth/cli/output.hpp>
#include <berth/discovery/claim.hpp>

int main(int argc, char** argv) {
  using namespace berth;
  log::set_name("berth");
  const auto line = cli::parse_command_line(argc, argv);
  if (line.exit_status) return *line.exit_status;
  try {
    if (!line.asks_registry) return line.chosen(line.given);
#ifdef BERTH_LIBEXEC
    cli::become("berth-registry", argv);
#endif
    cli::complain("this build knows no registry but the file system");
    return cli::failed;
  } catch (const already_running& other) {
    cli::complain(other.what());
    return cli::another_is_live;
  } catch (const std::exception& refused) {
    cli::complain(refused.what());
    return cli::failed;
  }
}
