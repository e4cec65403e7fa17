#include "board.hpp"

#include <simdjson.h>

#include <fmt/format.h>
#include <stdexcept>

#include <berth/record/json_object.hpp>

namespace pm {
namespace {

void append(fmt::memory_buffer& out, std::string_view text) {
  out.append(text.data(), text.data() + text.size());
}

void write(fmt::memory_buffer& out, const project& one) {
  append(out, fmt::format("{{\"id\":{},\"name\":", one.id));
  berth::write_json_string(out, one.name);
  append(out, ",\"status\":");
  berth::write_json_string(out, one.status);
  out.push_back('}');
}

}  // namespace

std::string board::to_json() const {
  fmt::memory_buffer out;
  append(out, "{\"projects\":[");
  for (const auto& each : projects_) {
    if (&each != &projects_.front()) out.push_back(',');
    write(out, each);
  }
  append(out, "]}");
  return fmt::to_string(out);
}

std::string board::add(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view name;
  if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS)
    throw std::invalid_argument("the body is not JSON");
  if (document["name"].get(name) != simdjson::SUCCESS || name.empty() || name.size() > 200)
    throw std::invalid_argument("a project needs a \"name\" of 1 to 200 characters");
  const int id = static_cast<int>(projects_.size()) + 1;
  projects_.push_back({id, std::string(name), "planned"});
  fmt::memory_buffer out;
  write(out, projects_.back());
  return fmt::to_string(out);
}

}  // namespace pm
