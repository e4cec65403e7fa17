// Calls list_running_servers of jupyter_server in a Python that has loaded it, as a notebook's
// tools do to find the server.
#include <stdio.h>

#include <fmt/format.h>

#include "others.hpp"

namespace bench {
namespace {

constexpr const char* script = R"(
import json, os, sys, time
os.environ["JUPYTER_RUNTIME_DIR"] = sys.argv[1]
from jupyter_server.serverapp import list_running_servers
for i in range(int(sys.argv[2])):
    with open(f"{sys.argv[1]}/jpserver-{i}.json", "w") as file:
        json.dump({"pid": os.getpid(), "port": 8888, "url": "http://localhost:8888/", "token": "",
                   "root_dir": "/", "password": False, "secure": False, "sock": "",
                   "hostname": "localhost", "base_url": "/", "version": "2"}, file)
print("ready", flush=True)
for line in sys.stdin:
    begun = time.perf_counter_ns()
    found = len(list(list_running_servers()))
    print(time.perf_counter_ns() - begun if found == int(sys.argv[2]) else "wrong", flush=True)
)";

/// A Python process that runs the script and is asked through a pair of pipes.
class lister {
 public:
  lister(const std::string& python, const fs::path& directory, int files) {
    int to[2], from[2];
    must(::pipe2(to, O_CLOEXEC) == 0 && ::pipe2(from, O_CLOEXEC) == 0);
    const std::string count = std::to_string(files);
    if (::fork() == 0) {
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      ::dup2(::open("/dev/null", O_WRONLY), 2);
      ::execl(python.c_str(), "python3", "-c", script, directory.c_str(), count.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    requests_ = ::fdopen(to[1], "w");
    answers_ = ::fdopen(from[0], "r");
  }
  lister(const lister&) = delete;
  lister& operator=(const lister&) = delete;
  ~lister() {  // which ends it
    ::fclose(requests_);
    ::fclose(answers_);
  }

  std::string next() {
    char line[64] = "";
    if (!::fgets(line, sizeof line, answers_)) return {};
    return line;
  }
  double microseconds_of_one() {
    must(::fputs("\n", requests_) > 0 && ::fflush(requests_) == 0);
    const std::string answer = next();
    must(!answer.empty() && answer[0] != 'w');
    return std::stod(answer) / 1000;
  }

 private:
  FILE* requests_;
  FILE* answers_;
};

}  // namespace

void add_jupyter(kept& servers, const fs::path& scratch) {
  const std::string python = "/usr/bin/python3";  // which sees the packages of the system
  for (const int files : {1, 100}) {
    const fs::path directory = scratch / fmt::format("jupyter-{}", files);
    fs::create_directory(directory);
    const auto jupyter = std::make_shared<lister>(python, directory, files);
    if (jupyter->next() != "ready\n")
      return add_skipped("others/Jupyter",
                         "jupyter_server is not installed (apt-get install jupyter-server)");
    servers.push_back(jupyter);
    add_timed(
        fmt::format("others/Jupyter list_running_servers, {} file{}", files, files == 1 ? "" : "s"),
        100, [jupyter](samples& taken) { taken.add(jupyter->microseconds_of_one()); });
  }
}

}  // namespace bench
