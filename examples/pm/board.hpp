// The projects that pm-server keeps, in memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pm {

struct project {
  int id;
  std::string name;
  std::string status;
};

class board {
 public:
  std::string to_json() const;
  /// Takes {"name": …}; returns the new project. Throws std::invalid_argument.
  std::string add(std::string_view json);

 private:
  std::vector<project> projects_ = {
      {1, "Harbour wall", "active"}, {2, "Crane overhaul", "planned"}, {3, "Lighthouse", "done"}};
};

}  // namespace pm
