#include <berth/record/record_plain.hpp>

#include <bit>
#include <concepts>
#include <cstring>
#include <limits>

#include <berth/record/record_check.hpp>

namespace berth {
namespace {

bool is_plain_character(char c) noexcept { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; }

/// Marks the lowest byte of `word` that is not a plain character: its top bit is the lowest bit of
/// the result. The test for a zero byte: Warren, Hacker's Delight, 6-1.
std::uint64_t special_bytes(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = ones * 0x80;
  const auto zero_or_beyond = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes; };
  const std::uint64_t below_space = (word - ones * ' ') & ~word;
  const std::uint64_t delete_or_beyond = word + ones;  // 0x7F + 1 has the top bit
  return (word | delete_or_beyond | below_space | zero_or_beyond(word ^ ones * '"') |
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
  while (length < text.size() && is_plain_character(text[length])) ++length;
  return length;
}

/// The rest of the text. Each call takes its item from the front, or takes nothing and returns
/// false.
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
    constexpr std::size_t most_digits = 18;  // every number of so many digits fits
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

  /// The member that begins with `key`, if it is next. Returns false if its value is not plain.
  template <typename Value>
  bool member_if(std::string_view key, Value& into) {
    return !literal(key) || value(into);
  }

  bool value(std::string& into) { return string(into); }
  bool value(std::string_view& into) { return string(into); }
  template <std::unsigned_integral Number>
  bool value(Number& into) {
    return number(into);
  }

  /// Members with names of their own, each after `before`, up to `end`; `one` takes a value.
  template <typename One>
  bool named(std::string_view before, std::string_view end, One one) {
    for (bool first = true; !literal(end); first = false) {
      std::string_view name;
      if ((!first && !literal(",")) || !literal(before) || !string(name) || !literal(": ") ||
          !one(name))
        return false;
    }
    return true;
  }

 private:
  std::string_view text_;
};

// Comparing with the usual host is cheaper than checking the grammar.
bool is_plain_host(std::string_view text) { return text == "127.0.0.1" || is_host(text); }
bool is_plain_scheme(std::string_view text) { return text == "http" || is_scheme(text); }

bool required(scanner& text, record& into) {
  return text.literal("{\n  \"pid\": ") && text.number(into.pid) &&
         text.literal(",\n  \"port\": ") && text.number(into.port) &&
         text.literal(",\n  \"host\": ") && text.string(into.host) && is_plain_host(into.host) &&
         text.literal(",\n  \"started_at\": ") && text.string(into.started_at) &&
         text.literal(",\n  \"version\": ") && text.string(into.version);
}

bool origin_if(scanner& text, process_origin& into) {
  if (!text.literal(",\n  \"process\": {\n    \"start_time\": ")) return true;
  return text.number(into.start_time) &&
         text.member_if(",\n    \"pid_namespace\": ", into.pid_namespace) &&
         text.member_if(",\n    \"boot_id\": ", into.boot_id) &&
         text.member_if(",\n    \"host_id\": ", into.host_id) && text.literal("\n  }");
}

bool endpoints_if(scanner& text, record& into) {
  if (!text.literal(",\n  \"endpoints\": {")) return true;
  return text.named("\n    ", "\n  }", [&](std::string_view name) {
    named_endpoint one;
    const bool read = text.literal("{\n      \"host\": ") && text.string(one.host) &&
                      text.literal(",\n      \"port\": ") && text.number(one.port) &&
                      text.literal(",\n      \"scheme\": ") && text.string(one.scheme) &&
                      text.literal("\n    }") && is_plain_host(one.host) &&
                      is_plain_scheme(one.scheme);
    into.endpoints[std::string(name)] = std::move(one);
    return read;
  });
}

/// The URL follows from the other fields, and is not kept.
bool scheme_if(scanner& text, record& into) {
  std::string_view url;
  return text.member_if(",\n  \"scheme\": ", into.scheme) && is_plain_scheme(into.scheme) &&
         text.member_if(",\n  \"url\": ", url);
}

bool metadata_if(scanner& text, record& into) {
  if (!text.literal(",\n  \"metadata\": {")) return true;
  return text.named("\n    ", "\n  }", [&](std::string_view name) {
    return text.string(into.metadata[std::string(name)]);
  });
}

}  // namespace

bool parse_plain_record(std::string_view from, record& into) {
  scanner text(from);
  return required(text, into) && text.member_if(",\n  \"instance_id\": ", into.instance_id) &&
         text.member_if(",\n  \"lock\": ", into.lock) &&
         text.member_if(",\n  \"volume\": ", into.volume) && origin_if(text, into.origin) &&
         scheme_if(text, into) && endpoints_if(text, into) &&
         text.member_if(",\n  \"token\": ", into.token) && metadata_if(text, into) &&
         text.literal("\n}\n") && text.ended();
}

}  // namespace berth
