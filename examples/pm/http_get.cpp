#include "http_get.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <stdexcept>

namespace pm {
namespace {

std::size_t collect(char* text, std::size_t, std::size_t size, void* into) {
  static_cast<std::string*>(into)->append(text, size);
  return size;
}

// libcurl speaks some thirty protocols, file among them. "HOST:PORT" alone means http.
void require_http(const std::string& url) {
  const auto end = url.find("://");
  if (end == std::string::npos) return;
  std::string scheme = url.substr(0, end);
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (scheme != "http" && scheme != "https")
    throw std::runtime_error(
        "only http and https are spoken here, as in http://127.0.0.1:8080; got " + url);
}

}  // namespace

std::string http_get(const std::string& url, const std::string& token) {
  require_http(url);
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(),
                                                                  curl_easy_cleanup);
  CURL* const curl = owner.get();
  std::string body;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_DEFAULT_PROTOCOL, "http");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_slist* headers = nullptr;
  if (!token.empty())
    headers = curl_slist_append(headers, ("Authorization: Bearer " + token).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> kept(headers,
                                                                         curl_slist_free_all);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  const CURLcode status = curl_easy_perform(curl);
  const std::string shown = url.substr(0, url.find('?'));  // the query may hold a token
  long answered = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answered);
  if (status == CURLE_HTTP_RETURNED_ERROR)
    throw std::runtime_error("cannot get " + shown + ": the server answered with status " +
                             std::to_string(answered));
  if (status != CURLE_OK)
    throw std::runtime_error("cannot get " + shown + ": " + curl_easy_strerror(status));
  return body;
}

}  // namespace pm
