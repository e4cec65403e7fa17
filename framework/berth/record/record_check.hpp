// Validates the texts of a record: one predicate per kind, shared by the writer, both readers,
// plugins, registries, the C interface, settings and the command line. No I/O; thread-safe.
#pragma once

#include <string_view>

namespace berth {

/// A DNS name (letters, digits, '-' and '_' in its labels), an IPv4 address of four decimal
/// numbers, or an IPv6 address with an optional zone ("fe80::1%eth0"), without brackets. A name
/// that ends in a number is not a DNS name: resolvers take "127.1" and "0x7f.1" for addresses.
bool is_host(std::string_view text) noexcept;
/// A URL scheme by RFC 3986, 3.1.
bool is_scheme(std::string_view text) noexcept;

/// These throw invalid_value, as in "server.host must be …, got …"; `what` names the value.
void check_host(std::string_view text, std::string_view what);
void check_scheme(std::string_view text, std::string_view what);
/// Requires valid UTF-8 without control characters.
void check_plain_text(std::string_view text, std::string_view what);

}  // namespace berth
