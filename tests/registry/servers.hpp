// Records of servers in a registry.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <berth/liveness/this_process.hpp>
#include <berth/record/record.hpp>

namespace registry_test {

using namespace berth;

inline record server(const std::string& id) {
  record made = describe_this_process("127.0.0.1", 8080, "1");
  made.instance_id = id;
  return made;
}

inline std::vector<record> servers(std::initializer_list<const char*> ids) {
  std::vector<record> all;
  for (const char* const id : ids) all.push_back(server(id));
  return all;
}

}  // namespace registry_test
