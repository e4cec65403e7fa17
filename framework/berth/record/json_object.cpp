#include <berth/record/json_object.hpp>

#include <iterator>

#include <berth/base/printable.hpp>

namespace berth {
namespace {

void append(fmt::memory_buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

/// Whether JSON may hold the character unescaped.
bool needs_no_escape(char c) noexcept { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; }

/// Writes the first character of the text and returns its length in bytes.
std::size_t write_special(fmt::memory_buffer& out, std::string_view text) {
  constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
  switch (text.front()) {
    case '"': append(out, "\\\""); return 1;
    case '\\': append(out, "\\\\"); return 1;
    case '\n': append(out, "\\n"); return 1;
    case '\r': append(out, "\\r"); return 1;
    case '\t': append(out, "\\t"); return 1;
    default: break;
  }
  const auto one = first_character(text);
  if (!one.is_valid)
    append(out, replacement_character);
  else if (is_unprintable(one.code))
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(one.code));
  else
    append(out, text.substr(0, one.length));
  return one.length;
}

}  // namespace

void write_json_string(fmt::memory_buffer& out, std::string_view text) {
  out.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    if (needs_no_escape(text[at]))
      out.push_back(text[at++]);
    else
      at += write_special(out, text.substr(at));
  }
  out.push_back('"');
}

json_object::json_object(fmt::memory_buffer& out, int depth) : out_(out), depth_(depth) {
  out_.push_back('{');
}

void json_object::member(std::string_view name, std::string_view text) {
  begin(name);
  write_json_string(out_, text);
}

void json_object::member(std::string_view name, std::uint64_t number) {
  begin(name);
  fmt::format_to(std::back_inserter(out_), "{}", number);
}

void json_object::member(std::string_view name, const std::vector<std::string>& texts) {
  begin(name);
  out_.push_back('[');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) append(out_, ", ");
    write_json_string(out_, texts[i]);
  }
  out_.push_back(']');
}

void json_object::member_if(std::string_view name, std::string_view text) {
  if (!text.empty()) member(name, text);
}

void json_object::member_if(std::string_view name, std::uint64_t number) {
  if (number != 0) member(name, number);
}

json_object json_object::object(std::string_view name) {
  begin(name);
  return {out_, depth_ + 1};
}

void json_object::end() {
  if (!empty_) line(depth_ - 1);
  out_.push_back('}');
}

void json_object::line(int depth) {
  out_.push_back('\n');
  for (int i = 0; i < depth; ++i) append(out_, "  ");
}

void json_object::begin(std::string_view name) {
  if (!empty_) out_.push_back(',');
  empty_ = false;
  line(depth_);
  write_json_string(out_, name);
  append(out_, ": ");
}

}  // namespace berth
