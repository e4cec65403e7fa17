#include "http_get.hpp"

#include <curl/curl.h>

#include <memory>
#include <stdexcept>

namespace pm {
namespace {

std::size_t collect(char* text, std::size_t, std::size_t size, void* into) {
  static_cast<std::string*>(into)->append(text, size);
  return size;
}

}  // namespace

std::string http_get(const std::string& url, const std::string& token) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> owner(curl_easy_init(),
                                                                  curl_easy_cleanup);
  CURL* const curl = owner.get();
  std::string body;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
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
  if (status != CURLE_OK)
    throw std::runtime_error("cannot get " + url + ": " + curl_easy_strerror(status));
  return body;
}

}  // namespace pm
