#include <berth/plugins/http_client.hpp>

#include <curl/curl.h>

#include <berth/base/error.hpp>
#include <berth/base/redact.hpp>
#include <berth/coro/event.hpp>
#include <berth/io/descriptor_watch.hpp>

namespace berth {
namespace {

std::error_code code_of(CURLcode failed) {
  switch (failed) {
    case CURLE_COULDNT_CONNECT: return std::make_error_code(std::errc::connection_refused);
    case CURLE_OPERATION_TIMEDOUT: return std::make_error_code(std::errc::timed_out);
    default: return std::make_error_code(std::errc::io_error);
  }
}

constexpr std::size_t largest_answer = 64 * 1024 * 1024;

}  // namespace

/// One request, while it is under way.
class http_client::exchange {
 public:
  exchange(const http_options& options, const std::string& authorization, const std::string& url,
           const std::string& body)
      : curl_(::curl_easy_init()) {
    if (!curl_) throw std::bad_alloc();
    headers_ = ::curl_slist_append(nullptr, "Content-Type: application/json");
    headers_ = ::curl_slist_append(headers_, "Expect:");
    if (!authorization.empty())
      headers_ = ::curl_slist_append(headers_, ("Authorization: " + authorization).c_str());
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_HTTPHEADER, headers_);
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    set(CURLOPT_COPYPOSTFIELDS, body.c_str());
    set(CURLOPT_WRITEFUNCTION, &exchange::receive);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_ERRORBUFFER, failure_);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, 2000L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set_if(CURLOPT_CAINFO, options.ca);
    set_if(CURLOPT_SSLCERT, options.certificate);
    set_if(CURLOPT_SSLKEY, options.key);
  }
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;
  ~exchange() {
    if (multi_) ::curl_multi_remove_handle(multi_, curl_);
    ::curl_easy_cleanup(curl_);
    ::curl_slist_free_all(headers_);
  }

  void begin(CURLM* multi) {
    multi_ = multi;
    ::curl_multi_add_handle(multi, curl_);
  }
  void end(CURLcode outcome) {
    outcome_ = outcome;
    ended.set();
  }

  CURLcode outcome() const noexcept { return outcome_; }
  std::string failure() const { return failure_[0] ? failure_ : ::curl_easy_strerror(outcome_); }
  http_answer answer() {
    http_answer made;
    ::curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &made.status);
    made.body = std::move(received_);
    return made;
  }

  event ended;
  std::function<void(std::string_view)> line;  // set if the answer comes in lines

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    ::curl_easy_setopt(curl_, option, value);
  }
  void set_if(CURLoption option, const std::string& value) {
    if (!value.empty()) set(option, value.c_str());
  }

  static std::size_t receive(char* data, std::size_t, std::size_t size, void* to) {
    auto& self = *static_cast<exchange*>(to);
    self.received_.append(data, size);
    if (self.received_.size() > largest_answer) return 0;  // which fails the request
    if (!self.line) return size;
    std::size_t begin = 0;
    for (;;) {
      const auto end = self.received_.find('\n', begin);
      if (end == std::string::npos) break;
      self.line(std::string_view(self.received_).substr(begin, end - begin));
      begin = end + 1;
    }
    self.received_.erase(0, begin);
    return size;
  }

  CURL* curl_;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string received_;
  char failure_[CURL_ERROR_SIZE] = "";
  CURLcode outcome_ = CURLE_OK;
};

/// libcurl's connections, which the loop serves by curl_multi_socket_action(3).
struct http_client::multi final : private timer_item {
  explicit multi(event_loop& of) : loop(of), native(::curl_multi_init()) {
    if (!native) throw std::bad_alloc();
    const auto socket = [](CURL*, curl_socket_t descriptor, int what, void* self, void*) {
      static_cast<multi*>(self)->watch(descriptor, what);
      return 0;
    };
    const auto timer = [](CURLM*, long milliseconds, void* self) {
      static_cast<multi*>(self)->set_timer(milliseconds);
      return 0;
    };
    ::curl_multi_setopt(native, CURLMOPT_SOCKETFUNCTION, static_cast<curl_socket_callback>(socket));
    ::curl_multi_setopt(native, CURLMOPT_SOCKETDATA, this);
    ::curl_multi_setopt(native, CURLMOPT_TIMERFUNCTION,
                        static_cast<curl_multi_timer_callback>(timer));
    ::curl_multi_setopt(native, CURLMOPT_TIMERDATA, this);
  }
  ~multi() {
    ::curl_multi_cleanup(native);
    loop.disarm(*this);
  }

  void watch(curl_socket_t descriptor, int what) {
    if (what == CURL_POLL_REMOVE) {
      watches.erase(descriptor);
      return;
    }
    auto& one = watches[descriptor];
    if (!one)
      one = std::make_unique<descriptor_watch>(
          loop, descriptor, [this, descriptor](descriptor_watch::readiness ready, bool failed) {
            act(descriptor, (ready.readable ? CURL_CSELECT_IN : 0) |
                                (ready.writable ? CURL_CSELECT_OUT : 0) |
                                (failed ? CURL_CSELECT_ERR : 0));
          });
    one->tell({(what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0});
  }

  void set_timer(long milliseconds) {
    loop.disarm(*this);
    if (milliseconds >= 0) loop.arm(*this, loop.now() + std::chrono::milliseconds(milliseconds));
  }
  void expired() noexcept override { act(CURL_SOCKET_TIMEOUT, 0); }

  void act(curl_socket_t descriptor, int ready) {
    int running = 0;
    ::curl_multi_socket_action(native, descriptor, ready, &running);
    int left = 0;
    while (const CURLMsg* const message = ::curl_multi_info_read(native, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      exchange* of = nullptr;
      ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &of);
      of->end(message->data.result);
    }
  }

  event_loop& loop;
  CURLM* native;
  std::map<curl_socket_t, std::unique_ptr<descriptor_watch>> watches;
};

http_client::http_client(event_loop& loop, http_options options)
    : multi_(std::make_unique<multi>(loop)), options_(std::move(options)) {}

http_client::~http_client() = default;

task<result<http_answer>> http_client::post(std::string url, std::string body, deadline until) {
  exchange one(options_, authorization_, url, body);
  one.begin(multi_->native);
  const auto ended = co_await one.ended.wait(until);
  if (!ended) {
    last_failure_ = "no answer from " + without_password(url);
    co_return failure(ended.error(), ended.reason());
  }
  if (one.outcome() != CURLE_OK) {
    last_failure_ = one.failure();
    co_return failure(code_of(one.outcome()));
  }
  co_return one.answer();
}

task<result<void>> http_client::stream(std::string url, std::string body,
                                       std::function<void(std::string_view)> line) {
  exchange one(options_, authorization_, url, body);
  one.line = std::move(line);
  one.begin(multi_->native);
  const auto ended = co_await one.ended.wait();
  if (!ended) co_return failure(ended.error(), ended.reason());
  if (one.outcome() != CURLE_OK) {
    last_failure_ = one.failure();
    co_return failure(code_of(one.outcome()));
  }
  co_return result<void>();
}

}  // namespace berth
