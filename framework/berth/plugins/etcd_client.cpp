#include <berth/plugins/etcd_client.hpp>

#include <fmt/format.h>

#include <berth/base/redact.hpp>
#include <berth/coro/event.hpp>
#include <berth/coro/sleep.hpp>
#include <berth/coro/when_any.hpp>
#include <berth/plugins/base64.hpp>
#include <berth/plugins/etcd_answer.hpp>
#include <berth/record/json_object.hpp>
#include <berth/store/file_text.hpp>

namespace berth {
namespace {

using namespace std::chrono_literals;

/// How long one endpoint has to answer, so that there is time for the next.
constexpr auto patience = 2s;

failure bad_answer() { return std::make_error_code(std::errc::bad_message); }

/// The end of the range of all keys with this prefix: etcd's documentation, "Key ranges".
std::string after_prefix(std::string prefix) {
  while (!prefix.empty()) {
    auto& last = prefix.back();
    if (static_cast<unsigned char>(last) < 0xFF) {
      last = static_cast<char>(last + 1);
      return prefix;
    }
    prefix.pop_back();
  }
  return std::string(1, '\0');
}

std::string json_text(std::string_view text) {
  fmt::memory_buffer out;
  write_json_string(out, text);
  return fmt::to_string(out);
}

task<result<void>> until_set(event& awaited, deadline until) {
  const auto told = co_await awaited.wait(until);
  co_return told;
}

}  // namespace

std::string password_of_file(const std::string& path) {
  const auto file = open_file::to_read(path);
  if (!file) throw error(std::make_error_code(std::errc::no_such_file_or_directory), "read", path);
  std::error_code failed;
  const auto mode = std::filesystem::status(path, failed).permissions();
  using std::filesystem::perms;
  if (failed || (mode & (perms::group_all | perms::others_all)) != perms::none)
    throw invalid_value(fmt::format(
        "the password file {} can be read by others than its owner; fix that with: chmod 600 {}",
        path, path));
  const std::string_view text = read_text(*file, file->status());
  const auto line = text.substr(0, text.find_first_of("\r\n"));
  if (line.empty()) throw invalid_value(fmt::format("the password file {} is empty", path));
  return std::string(line);
}

etcd_client::etcd_client(event_loop& loop, etcd_options options)
    : http_(loop, options.http), options_(std::move(options)) {
  if (options_.endpoints.empty()) throw invalid_value("etcd needs an endpoint");
  for (const auto& each : options_.endpoints)
    if (!each.starts_with("http://") && !each.starts_with("https://"))
      throw invalid_value(fmt::format("\"{}\" is not an endpoint of etcd: use http://HOST:PORT",
                                      without_password(each)));
}

/// Returns the first answer of an endpoint; a server error (5xx) does not count as one.
task<result<http_answer>> etcd_client::ask(std::string path, std::string body, deadline until) {
  failure failed = bad_answer();
  for (std::size_t turn = 0; turn < options_.endpoints.size(); ++turn) {
    const std::string url = options_.endpoints[current_] + path;
    const auto mine = std::min(until, deadline::after(patience));
    auto answer = co_await http_.post(url, body, mine);
    if (answer && answer->status < 500) co_return answer;
    if (answer) {
      last_failure_ =
          fmt::format("{} answered with status {}", without_password(url), answer->status);
    } else {
      if (answer.cancelled()) co_return answer;
      last_failure_ = http_.last_failure();
      failed = failure(answer.error(), answer.reason());
    }
    current_ = (current_ + 1) % options_.endpoints.size();
  }
  co_return failed;
}

task<bool> etcd_client::authenticate(deadline until) {
  http_.authorize({});
  std::string body = fmt::format("{{\"name\":{},\"password\":{}}}", json_text(options_.user),
                                 json_text(options_.password));
  const auto answer = co_await ask("/v3/auth/authenticate", std::move(body), until);
  if (!answer || answer->status != 200) co_return false;
  const std::string token = text_at(answer->body, "/token");
  http_.authorize(token);
  co_return !token.empty();
}

/// Returns the body of an answer with status 200.
task<result<std::string>> etcd_client::call(std::string path, std::string body, deadline until) {
  for (int attempt = 0;; ++attempt) {
    auto answer = co_await ask(path, body, until);
    if (!answer) co_return failure(answer.error(), answer.reason());
    if (answer->status == 200) co_return std::move(answer->body);
    last_failure_ = fmt::format("etcd answered to {} with status {}: {}", path, answer->status,
                                text_at(answer->body, "/error"));
    // Without a token, or with one that has expired.
    const bool denied = answer->status == 401 || answer->status == 403 || answer->status == 400;
    if (!denied || options_.user.empty() || attempt > 0) co_return bad_answer();
    const bool authenticated = co_await authenticate(until);
    if (!authenticated) co_return std::make_error_code(std::errc::permission_denied);
  }
}

task<result<std::string>> etcd_client::grant(std::chrono::seconds time, deadline until) {
  auto answer =
      co_await call("/v3/lease/grant", fmt::format("{{\"TTL\":{}}}", time.count()), until);
  if (!answer) co_return answer;
  auto lease = text_at(*answer, "/ID");
  if (lease.empty()) co_return bad_answer();
  co_return std::move(lease);
}

task<result<bool>> etcd_client::keep_alive(std::string lease, deadline until) {
  const auto answer = co_await call("/v3/lease/keepalive", "{\"ID\":" + lease + "}", until);
  if (!answer) co_return failure(answer.error(), answer.reason());
  const auto left = text_at(*answer, "/result/TTL");
  co_return !left.empty() && left != "0";
}

task<result<void>> etcd_client::revoke(std::string lease, deadline until) {
  const auto answer = co_await call("/v3/lease/revoke", "{\"ID\":" + lease + "}", until);
  if (!answer) co_return failure(answer.error(), answer.reason());
  co_return result<void>();
}

task<result<void>> etcd_client::put(std::string key, std::string value, std::string lease,
                                    deadline until) {
  std::string body = fmt::format("{{\"key\":\"{}\",\"value\":\"{}\",\"lease\":{}}}", to_base64(key),
                                 to_base64(value), lease);
  const auto answer = co_await call("/v3/kv/put", std::move(body), until);
  if (!answer) co_return failure(answer.error(), answer.reason());
  co_return result<void>();
}

task<result<std::vector<etcd_client::entry>>> etcd_client::range(std::string prefix,
                                                                 deadline until) {
  std::string body = fmt::format("{{\"key\":\"{}\",\"range_end\":\"{}\"}}", to_base64(prefix),
                                 to_base64(after_prefix(prefix)));
  const auto answer = co_await call("/v3/kv/range", std::move(body), until);
  if (!answer) co_return failure(answer.error(), answer.reason());
  auto found = parse_range(*answer);
  if (!found) co_return bad_answer();
  if (found->revision) revision_ = *found->revision;
  co_return std::move(found->entries);
}

// The answer has one line per batch of changes and does not end by itself; the first line only says
// that the watch was created.
task<result<void>> etcd_client::changed(std::string prefix, deadline until) {
  event seen;
  const auto line = [&seen](std::string_view text) {
    if (tells_of_change(text)) seen.set();
  };
  std::string body = fmt::format(
      "{{\"create_request\":{{\"key\":\"{}\",\"range_end\":\"{}\",\"start_revision\":{}}}}}",
      to_base64(prefix), to_base64(after_prefix(prefix)), revision_ + 1);
  auto watching = http_.stream(options_.endpoints[current_] + "/v3/watch", std::move(body), line);
  auto first = co_await when_any(std::move(watching), until_set(seen, until));
  if (first.index() == 1) co_return std::get<1>(first);
  const auto& ended = std::get<0>(first);
  if (ended || ended.cancelled()) co_return ended;
  last_failure_ = http_.last_failure();
  current_ = (current_ + 1) % options_.endpoints.size();
  const auto paused = co_await sleep_for(300ms);  // avoids a busy retry loop
  (void)paused;
  co_return ended;
}

}  // namespace berth
