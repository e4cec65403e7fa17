#include "request_parser.hpp"

#include <algorithm>

#ifdef PM_LLHTTP
#include <llhttp.h>
using parser_type = llhttp_t;
using settings_type = llhttp_settings_t;
#else
#include <http_parser.h>
using parser_type = http_parser;
using settings_type = http_parser_settings;
#endif

namespace pm {

struct request_parser::core {
  parser_type parser;
  settings_type settings{};
  request current;
  std::string target, field, value;
  std::size_t head_size = 0;
  bool in_value = false;
  bool in_body = false;
  bool begun = false;
  bool ended = false;
  bool overflow = false;
};

namespace {

template <typename Core>
Core& core_of(parser_type* parser) {
  return *static_cast<Core*>(parser->data);
}

bool same_but_for_case(std::string_view one, std::string_view lower) {
  return std::equal(one.begin(), one.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string token_of_query(std::string_view target) {
  constexpr std::string_view name = "token=";
  const auto query = target.find('?');
  if (query == std::string_view::npos) return {};
  for (auto at = query; at != std::string_view::npos; at = target.find('&', at + 1)) {
    const std::string_view rest = target.substr(at + 1);
    if (rest.starts_with(name))
      return std::string(rest.substr(name.size(), rest.find('&') - name.size()));
  }
  return {};
}

/// Appends a piece of the head; the parser fails if this returns anything but 0.
template <typename Core>
int append_to(std::string& part, Core& self, const char* text, std::size_t size) {
  self.head_size += size;
  self.overflow = self.head_size > request_parser::largest_head;
  if (self.overflow) return 1;
  part.append(text, size);
  return 0;
}

/// Keeps a header field that we know.
void keep_field(request& of, std::string_view name, std::string value) {
  constexpr std::string_view bearer = "Bearer ";
  if (same_but_for_case(name, "host"))
    of.hosts.push_back(std::move(value));
  else if (same_but_for_case(name, "origin"))
    of.origins.push_back(std::move(value));
  else if (same_but_for_case(name, "authorization") && value.starts_with(bearer))
    of.token = value.substr(bearer.size());
}

/// A header field has ended. Fields after the body are not kept (RFC 9110, 6.5.1).
template <typename Core>
void end_field(Core& self) {
  self.value.resize(self.value.find_last_not_of(" \t") + 1);
  if (!self.in_body) keep_field(self.current, self.field, std::move(self.value));
  self.field.clear();
  self.value.clear();
  self.in_value = false;
}

}  // namespace

request_parser::request_parser() : core_(std::make_unique<core>()) {
  auto& settings = core_->settings;
  settings.on_message_begin = [](parser_type* parser) {
    core& self = core_of<core>(parser);
    self.current = {};
    self.target.clear();
    self.field.clear();
    self.value.clear();
    self.head_size = 0;
    self.in_value = false;
    self.in_body = false;
    self.begun = true;
    return 0;
  };
  settings.on_url = [](parser_type* parser, const char* text, std::size_t size) {
    core& self = core_of<core>(parser);
    return append_to(self.target, self, text, size);
  };
  settings.on_header_field = [](parser_type* parser, const char* text, std::size_t size) {
    core& self = core_of<core>(parser);
    if (self.in_value) end_field(self);
    return append_to(self.field, self, text, size);
  };
  settings.on_header_value = [](parser_type* parser, const char* text, std::size_t size) {
    core& self = core_of<core>(parser);
    self.in_value = true;
    return append_to(self.value, self, text, size);
  };
  settings.on_body = [](parser_type* parser, const char* text, std::size_t size) {
    core& self = core_of<core>(parser);
    self.overflow = self.current.body.size() + size > largest_body;
    if (self.overflow) return 1;
    self.current.body.append(text, size);
    return 0;
  };
  settings.on_headers_complete = [](parser_type* parser) {
    core& self = core_of<core>(parser);
    end_field(self);
    self.in_body = true;
    self.current.version_1_0 =
        parser->http_major < 1 || (parser->http_major == 1 && parser->http_minor == 0);
    self.overflow = parser->content_length != static_cast<std::uint64_t>(-1) &&
                    parser->content_length > largest_body;
    return self.overflow ? -1 : 0;
  };
#ifdef PM_LLHTTP
  settings.on_message_complete = [](llhttp_t* parser) -> int {
    core& self = core_of<core>(parser);
    self.ended = true;
    self.current.keep_alive = llhttp_should_keep_alive(parser) != 0;
    self.current.method = llhttp_method_name(static_cast<llhttp_method_t>(parser->method));
    return HPE_PAUSED;
  };
  llhttp_init(&core_->parser, HTTP_REQUEST, &settings);
#else
  settings.on_message_complete = [](http_parser* parser) {
    core& self = core_of<core>(parser);
    self.ended = true;
    self.current.keep_alive = http_should_keep_alive(parser) != 0;
    self.current.method = http_method_str(static_cast<http_method>(parser->method));
    http_parser_pause(parser, 1);
    return 0;
  };
  http_parser_init(&core_->parser, HTTP_REQUEST);
#endif
  core_->parser.data = core_.get();
}

request_parser::~request_parser() = default;

parse_state request_parser::feed(std::string_view& bytes) {
  core& self = *core_;
  self.ended = false;
#ifdef PM_LLHTTP
  if (llhttp_get_errno(&self.parser) == HPE_PAUSED) llhttp_resume(&self.parser);
  const auto status = llhttp_execute(&self.parser, bytes.data(), bytes.size());
  const bool paused = status == HPE_PAUSED;
  const bool failed = status != HPE_OK && !paused;
  const bool header_overflow = false;
  bytes.remove_prefix(
      paused ? static_cast<std::size_t>(llhttp_get_error_pos(&self.parser) - bytes.data())
             : bytes.size());
#else
  http_parser_pause(&self.parser, 0);
  const std::size_t taken =
      http_parser_execute(&self.parser, &self.settings, bytes.data(), bytes.size());
  const auto status = HTTP_PARSER_ERRNO(&self.parser);
  // A request for another protocol ends early as well; it is answered like any other.
  const bool failed = status != HPE_OK && status != HPE_PAUSED;
  const bool header_overflow = status == HPE_HEADER_OVERFLOW;
  bytes.remove_prefix(taken);
#endif
  if (self.overflow || header_overflow) return parse_state::too_large;
  if (failed) return parse_state::malformed;
  if (!self.ended) return parse_state::incomplete;
  self.begun = false;
  self.current.path = self.target.substr(0, self.target.find('?'));
  if (self.current.token.empty()) self.current.token = token_of_query(self.target);
  return parse_state::complete;
}

bool request_parser::begun() const noexcept { return core_->begun; }

const request& request_parser::complete() const noexcept { return core_->current; }

}  // namespace pm
