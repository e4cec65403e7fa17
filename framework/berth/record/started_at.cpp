#include <berth/record/started_at.hpp>

#include <fmt/chrono.h>

namespace berth {
namespace {

/// Takes fixed-width pieces from the front of a text.
class digits_reader {
 public:
  explicit digits_reader(std::string_view text) : text_(text) {}

  bool one_of(std::string_view characters) noexcept {
    if (text_.empty() || characters.find(text_.front()) == std::string_view::npos) return false;
    last_ = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  bool number(std::size_t width, int& into) noexcept {
    if (text_.size() < width) return false;
    into = 0;
    for (const char c : text_.substr(0, width)) {
      if (c < '0' || c > '9') return false;
      into = into * 10 + (c - '0');
    }
    text_.remove_prefix(width);
    return true;
  }
  bool fraction() noexcept {
    if (!one_of(".")) return true;
    const auto end = text_.find_first_not_of("0123456789");
    const std::size_t length = end == std::string_view::npos ? text_.size() : end;
    text_.remove_prefix(length);
    return length > 0;
  }
  bool ended() const noexcept { return text_.empty(); }
  /// The character that one_of took last.
  char last() const noexcept { return last_; }

 private:
  std::string_view text_;
  char last_ = 0;
};

bool read_offset(digits_reader& text, std::chrono::minutes& into) noexcept {
  if (text.one_of("Zz")) return true;
  int hours = 0, minutes = 0;
  if (!text.one_of("+-")) return false;
  const int sign = text.last() == '-' ? -1 : 1;
  if (!text.number(2, hours) || !text.one_of(":") || !text.number(2, minutes)) return false;
  into = std::chrono::minutes(sign * (hours * 60 + minutes));
  return hours < 24 && minutes < 60;
}

}  // namespace

std::string rfc3339_now() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

std::optional<std::chrono::sys_seconds> parse_rfc3339(std::string_view from) noexcept {
  using namespace std::chrono;
  digits_reader text(from);
  int y = 0, m = 0, d = 0, hour = 0, minute = 0, second = 0;
  minutes offset{0};
  if (!text.number(4, y) || !text.one_of("-") || !text.number(2, m) || !text.one_of("-") ||
      !text.number(2, d) || !text.one_of("Tt ") || !text.number(2, hour) || !text.one_of(":") ||
      !text.number(2, minute) || !text.one_of(":") || !text.number(2, second) || !text.fraction() ||
      !read_offset(text, offset) || !text.ended())
    return std::nullopt;
  const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
}

}  // namespace berth
