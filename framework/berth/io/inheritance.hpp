// Which descriptors a child gets. One file a platform. Private to io/.
#pragma once

namespace berth {

/// No program that this process starts from now on gets any of its descriptors but the standard
/// three, whatever was meant when they were opened.
void keep_descriptors_from_children() noexcept;

}  // namespace berth
