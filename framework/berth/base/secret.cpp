#include <berth/base/secret.hpp>

#include <random>

#include <fmt/format.h>

namespace berth {

std::string random_token() {
  std::random_device source;
  std::string token;
  for (int i = 0; i < 8; ++i) token += fmt::format("{:08x}", source());
  return token;
}

bool same_secret(std::string_view secret, std::string_view given) noexcept {
  unsigned difference = secret.size() == given.size() && !secret.empty() ? 0u : 1u;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char expected = i < secret.size() ? secret[i] : '\0';
    difference |= static_cast<unsigned char>(expected) ^ static_cast<unsigned char>(given[i]);
  }
  return difference == 0;
}

}  // namespace berth
