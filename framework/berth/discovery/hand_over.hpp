// Hand-over: a successor replaces the port file of a live server, which then drains and ends.
//
// 1. A server that can hand over says so in its metadata, under hands_over_key.
// 2. The successor claims with `claim_options::replaces`, the old server's instance id, and renames
//    its file over the old one without holding the *owner* lock.
// 3. The old server sees another file in place of its own, drains, and releases *owner*.
// 4. The successor takes *owner*: claim waits for it for ten seconds, and claim::intact tries again
//    at each call after that. Until then the lock on its file keeps other servers away.
#pragma once

#include <string>

#include <berth/record/record.hpp>

namespace berth {

/// The metadata key of a server that can hand over to a successor.
inline constexpr const char* hands_over_key = "hands_over";
/// The metadata key of a successor: the instance id of the server that it replaces.
inline constexpr const char* replaces_key = "replaces";

/// Whether a successor may replace the server's file: it watches the file, and can be named.
bool can_hand_over(const record& server);
/// Writes into the metadata that the server can hand over, and which one it replaces, if any.
void describe_hand_over(record& server, const std::string& replaced_id);
/// Whether `successor` says that it took the place of `server`.
bool has_replaced(const record& successor, const record& server);
/// Throws berth::error if the server cannot hand over; the message says what to do.
void check_hands_over(const record& server);

}  // namespace berth
