#include <curl/curl.h>

#include <berth/plugins/base64.hpp>

#include <fmt/format.h>

#include "others.hpp"

namespace bench {
namespace {

/// One connection, kept open.
class client {
 public:
  explicit client(std::string url) : url_(std::move(url)), curl_(::curl_easy_init()) {
    ::curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &client::receive);
    ::curl_easy_setopt(curl_, CURLOPT_WRITEDATA, this);
    ::curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");
    ::curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  ~client() { ::curl_easy_cleanup(curl_); }

  bool post(const char* path, const std::string& body) {
    received_.clear();
    ::curl_easy_setopt(curl_, CURLOPT_URL, (url_ + path).c_str());
    ::curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.c_str());
    long status = 0;
    return ::curl_easy_perform(curl_) == CURLE_OK &&
           ::curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200;
  }
  const std::string& received() const { return received_; }

 private:
  static std::size_t receive(char* data, std::size_t, std::size_t size, void* self) {
    static_cast<client*>(self)->received_.append(data, size);
    return size;
  }

  std::string url_;
  CURL* curl_;
  std::string received_;
};

}  // namespace

void add_etcd(kept& servers, const fs::path& scratch, const std::string& text) {
  const std::string server = program("etcd");
  if (server.empty())
    return add_skipped("others/etcd", "etcd is not installed (apt-get install etcd-server)");
  const std::string url = fmt::format("http://127.0.0.1:{}", free_port());
  const std::string peers = fmt::format("http://127.0.0.1:{}", free_port());
  servers.push_back(std::make_shared<server_process>(std::vector<std::string>{
      server, "--data-dir", (scratch / "etcd").string(), "--listen-client-urls", url,
      "--advertise-client-urls", url, "--listen-peer-urls", peers, "--initial-advertise-peer-urls",
      peers, "--initial-cluster", "default=" + peers, "--unsafe-no-fsync"}));
  const auto etcd = std::make_shared<client>(url);
  const std::string key = berth::to_base64("/berth/pm/1");
  const std::string put =
      fmt::format(R"({{"key":"{}","value":"{}"}})", key, berth::to_base64(text));
  if (!comes_true([&] { return etcd->post("/v3/kv/put", put); }))
    return add_skipped("others/etcd", "etcd did not start");
  const std::string range = fmt::format(R"({{"key":"{}"}})", key);
  add("others/etcd range, HTTP kept open", 300,
      [etcd, range] { must(etcd->post("/v3/kv/range", range) && etcd->received().size() > 300); });
}

}  // namespace bench
