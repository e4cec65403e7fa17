// Which files and directories discovery trusts. Anybody may have made a directory that a search
// finds, so it must be the user's own; a directory that the user named may belong to another user,
// if nobody else can replace the files in it. A file must be regular, small, and owned by a trusted
// user. Under sudo, the user who called it counts as the user too. One file per platform;
// thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <berth/store/location.hpp>
#include <berth/store/open_file.hpp>

namespace berth {

/// Throws berth::error unless `owner` is the user, root or the owner of the file's directory.
void check_owner(const path_name& file, std::uint32_t owner);

/// Throws berth::error unless the file's owner is the user or root and nobody else may write to it:
/// for files that make this process run code or connect elsewhere.
void check_code_owner(const path_name& file, const file_status& status);

/// For an existing directory that a search found. Throws berth::error if it is a link or not a
/// directory, belongs to another user, or is writable by others, be it by an access control list.
void check_found_directory(const std::filesystem::path& directory);

/// For messages: "its owner mallory (uid 1001) alone can change it".
std::string who_can_change(const std::filesystem::path& directory);

/// Throws berth::error if anybody but the directory's owner can replace files in it.
void check_named_directory(const std::filesystem::path& directory);

enum class parents { are_made, must_exist };

/// Creates the directory with mode 0700 if it is missing, and its parents if `above` says so. A new
/// one gets a .gitignore, so that nobody commits it. Throws berth::error if it cannot be created,
/// is not a directory, or fails check_named_directory.
void prepare_directory(const std::filesystem::path& directory, parents above = parents::are_made);

/// Creates the directory if it is missing, and its parents if `above` says so. Returns false and
/// changes nothing if the name is taken by anything but a directory that only the user can change.
bool prepare_own_directory(const std::filesystem::path& directory,
                           parents above = parents::must_exist);

/// Why prepare_own_directory refuses that name, and what to do: "it belongs to root (uid 0): remove
/// it".
std::string why_not_own(const std::filesystem::path& directory);

/// Why an open file cannot be read as a small text ("it is not a regular file"); empty if it can.
std::string unreadable_reason(const file_status& status, std::uint64_t max_size);

/// The text of a file of at most `max_size` bytes; nullopt if there is no file. Throws
/// berth::error, whose message names the file and the reason, if it cannot be read or is not
/// trusted.
std::optional<std::string> read_trusted_file(const std::filesystem::path& path,
                                             std::uint64_t max_size);
/// The same, but with check_code_owner instead of check_owner.
std::optional<std::string> read_code_file(const std::filesystem::path& path,
                                          std::uint64_t max_size);

}  // namespace berth
