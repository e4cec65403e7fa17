#include <berth/liveness/process.hpp>

namespace berth {

// A boot id is of one boot of one kernel, which containers share whatever they call themselves.
// Without one on either side (Windows) the machine is all there is to compare.
record_system system_of(const process_origin& origin) noexcept {
  const process_origin& here = origin_of_this_system();
  const bool boots_known = !origin.boot_id.empty() && !here.boot_id.empty();
  if (boots_known && origin.boot_id == here.boot_id) return record_system::this_one;
  const bool machines_known = !origin.host_id.empty() && !here.host_id.empty();
  if (machines_known && origin.host_id != here.host_id) return record_system::another;
  if (boots_known) return machines_known ? record_system::rebooted : record_system::another;
  const bool boots_never_known = origin.boot_id.empty() && here.boot_id.empty();
  return machines_known && boots_never_known ? record_system::this_one : record_system::unknown;
}

}  // namespace berth
