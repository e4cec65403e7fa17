#include <berth/discovery/record_plain.hpp>

#include <bit>
#include <cstring>
#include <limits>

namespace berth {
namespace {

bool is_plain(char c) noexcept { return c >= ' ' && c != '"' && c != '\\'; }

/// The top bit of the lowest byte of `word` that is no plain character is set, and none below it.
/// For zero among eight bytes: Warren, Hacker's Delight, 6-1.
std::uint64_t special_bytes(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = ones * 0x80;
  const auto zero_or_beyond = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes; };
  const std::uint64_t below_space = (word - ones * ' ') & ~word;
  return (word | below_space | zero_or_beyond(word ^ ones * '"') |
          zero_or_beyond(word ^ ones * '\\')) &
         tops;
}

/// How many plain characters the text begins with: ASCII, no control, quote or backslash.
std::size_t plain_length(std::string_view text) noexcept {
  std::size_t length = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::uint64_t word;
    for (; length + sizeof word <= text.size(); length += sizeof word) {
      std::memcpy(&word, text.data() + length, sizeof word);
      if (const auto special = special_bytes(word))
        return length + static_cast<std::size_t>(std::countr_zero(special)) / 8;
    }
  }
  while (length < text.size() && is_plain(text[length])) ++length;
  return length;
}

/// What is left of the text. Each call takes what it names from its front, or nothing and is false.
class scanner {
 public:
  explicit scanner(std::string_view text) : text_(text) {}

  bool ended() const noexcept { return text_.empty(); }

  bool literal(std::string_view expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(expected.size());
    return true;
  }

  /// A string of ASCII without escapes, and its quotes.
  bool string(std::string_view& into) {
    if (!literal("\"")) return false;
    const std::size_t length = plain_length(text_);
    into = text_.substr(0, length);
    text_.remove_prefix(length);
    return literal("\"");
  }

  bool string(std::string& into) {
    std::string_view text;
    if (!string(text)) return false;
    into = text;
    return true;
  }

  template <typename Integer>
  bool number(Integer& into) {
    constexpr std::uint64_t most = std::numeric_limits<Integer>::max();
    constexpr std::size_t most_digits = 18;  // of which every number fits
    std::uint64_t value = 0;
    std::size_t length = 0;
    for (; length < text_.size() && text_[length] >= '0' && text_[length] <= '9'; ++length) {
      if (length == most_digits) return false;
      value = value * 10 + static_cast<std::uint64_t>(text_[length] - '0');
    }
    if (length == 0 || text_.front() == '0' || value > most) return false;
    into = static_cast<Integer>(value);
    text_.remove_prefix(length);
    return true;
  }

  /// An object whose members are `depth` steps in; `member` takes the value of the one it is given
  /// the name of.
  template <typename Member>
  bool object(int depth, Member member) {
    if (!literal("{")) return false;
    for (bool first = true;; first = false) {
      if (!first && !literal(",")) return line(depth - 1) && literal("}");
      std::string_view name;
      if (!line(depth) || !string(name) || !literal(": ") || !member(name)) return false;
    }
  }

  bool line(int depth) {
    if (!literal("\n")) return false;
    for (int i = 0; i < depth; ++i)
      if (!literal("  ")) return false;
    return true;
  }

 private:
  std::string_view text_;
};

bool required(scanner& text, record& into) {
  return text.literal("{\n  \"pid\": ") && text.number(into.pid) &&
         text.literal(",\n  \"port\": ") && text.number(into.port) &&
         text.literal(",\n  \"host\": ") && text.string(into.host) && !into.host.empty() &&
         text.literal(",\n  \"started_at\": ") && text.string(into.started_at) &&
         text.literal(",\n  \"version\": ") && text.string(into.version);
}

bool origin(scanner& text, process_origin& into) {
  return text.object(2, [&](std::string_view name) {
    if (name == "start_time") return text.number(into.start_time);
    if (name == "pid_namespace") return text.number(into.pid_namespace);
    if (name == "boot_id") return text.string(into.boot_id);
    if (name == "host_id") return text.string(into.host_id);
    return false;
  });
}

bool endpoints(scanner& text, record& into) {
  return text.object(2, [&](std::string_view name) {
    named_endpoint& one = into.endpoints[std::string(name)];
    one = {};
    const bool read = text.object(3, [&](std::string_view part) {
      if (part == "host") return text.string(one.host);
      if (part == "port") return text.number(one.port);
      if (part == "scheme") return text.string(one.scheme);
      return false;
    });
    return read && !one.host.empty() && one.port != 0;
  });
}

bool metadata(scanner& text, record& into) {
  return text.object(
      2, [&](std::string_view name) { return text.string(into.metadata[std::string(name)]); });
}

bool extension(scanner& text, record& into) {
  std::string_view name;
  if (!text.line(1) || !text.string(name) || !text.literal(": ")) return false;
  if (name == "instance_id") return text.string(into.instance_id);
  if (name == "lock") return text.string(into.lock);
  if (name == "process") return origin(text, into.origin);
  if (name == "scheme") return text.string(into.scheme);
  if (name == "endpoints") return endpoints(text, into);
  if (name == "token") return text.string(into.token);
  if (name == "metadata") return metadata(text, into);
  return false;
}

}  // namespace

std::optional<record> parse_plain_record(std::string_view from) {
  scanner text(from);
  std::optional<record> made(std::in_place);
  if (!required(text, *made)) return std::nullopt;
  while (text.literal(","))
    if (!extension(text, *made)) return std::nullopt;
  if (!text.literal("\n}\n") || !text.ended()) return std::nullopt;
  return made;
}

}  // namespace berth
