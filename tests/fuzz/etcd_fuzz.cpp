// Any bytes as an answer of etcd: refused, or read without harm.
#include <cstdint>
#include <cstdlib>

#include <berth/plugins/etcd_answer.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string answer(reinterpret_cast<const char*>(data), size);
  const auto range = berth::parse_range(answer);
  for (const char* path : {"/ID", "/token", "/error", "/result/TTL"}) {
    const auto text = berth::text_at(answer, path);
    if (!range && !text.empty()) std::abort();
  }
  (void)berth::tells_of_change(answer);
  return 0;
}
