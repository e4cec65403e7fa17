// Which descriptors a child inherits. One file per platform. Private to io/.
#pragma once

namespace berth {

/// Marks all open descriptors but the standard three as not inherited, however they were opened: no
/// program that this process starts from now on gets them.
void keep_descriptors_from_children() noexcept;

}  // namespace berth
