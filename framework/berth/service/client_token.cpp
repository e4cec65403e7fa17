#include <berth/service/client_token.hpp>

#include <berth/base/secret.hpp>

namespace berth {

void client_token::renew(bool required) { text_ = required ? random_token() : std::string(); }

bool client_token::matches(std::string_view presented) const noexcept {
  return text_.empty() || same_secret(text_, presented);
}

}  // namespace berth
