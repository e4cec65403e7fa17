#include <berth/plugins/etcd_registry.hpp>

#include <sstream>

#include <fmt/format.h>

#include <berth/base/log.hpp>
#include <berth/base/redact.hpp>
#include <berth/client/registry_url.hpp>
#include <berth/record/record_codec.hpp>

namespace berth {

namespace {

// An unknown parameter may be a password: the error shows only its name.
void read_files(const std::string& query, etcd_options& into) {
  std::istringstream parts(query);
  for (std::string each; std::getline(parts, each, '&');) {
    const auto middle = each.find('=');
    const std::string name = each.substr(0, middle);
    const std::string file = middle == std::string::npos ? "" : each.substr(middle + 1);
    if (file.empty())
      throw invalid_value(fmt::format("the registry's URL names no file for \"{}\"", name));
    if (name == "ca")
      into.http.ca = file;
    else if (name == "certificate")
      into.http.certificate = file;
    else if (name == "key")
      into.http.key = file;
    else if (name == "password_file")
      into.password = password_of_file(file);
    else
      throw invalid_value(
          fmt::format("the registry's URL has a parameter \"{}\": it takes ca, "
                      "certificate, key and password_file, each a file",
                      name));
  }
}

}  // namespace

etcd_location::etcd_location(const std::string& url) {
  const bool secure = url.starts_with("etcds://");
  if (!secure && !url.starts_with("etcd://"))
    throw invalid_value(
        fmt::format("\"{}\" is not an etcd registry: use etcd://HOST:PORT[,HOST:PORT][/PREFIX]",
                    without_password(url)));
  check_registry_url(url);
  std::string rest = url.substr(secure ? 8 : 7);
  if (const auto query = rest.find('?'); query != std::string::npos) {
    read_files(rest.substr(query + 1), options);
    rest = rest.substr(0, query);
  }
  const auto slash = rest.find('/');
  prefix = slash == std::string::npos ? "" : rest.substr(slash);
  while (prefix.ends_with('/')) prefix.pop_back();
  if (prefix.empty()) prefix = "/berth";
  rest = rest.substr(0, slash);
  if (const auto at = rest.rfind('@'); at != std::string::npos) {
    const std::string who = rest.substr(0, at);
    const auto colon = who.find(':');
    options.user = who.substr(0, colon);
    if (colon != std::string::npos && !options.password.empty())
      throw invalid_value(fmt::format("the registry \"{}\" has a password and a password_file",
                                      without_password(url)));
    if (colon != std::string::npos) options.password = who.substr(colon + 1);
    rest = rest.substr(at + 1);
  }
  std::istringstream hosts(rest);
  for (std::string each; std::getline(hosts, each, ',');)
    if (!each.empty()) options.endpoints.push_back((secure ? "https://" : "http://") + each);
}

void add_etcd(registry_factories& to) {
  for (const char* const scheme : {"etcd", "etcds"})
    to.add(scheme, [](event_loop& loop, const std::string& url) {
      return std::make_unique<etcd_registry>(loop, etcd_location(url));
    });
}

task<result<std::vector<record>>> etcd_registry::list(std::string application, deadline until) {
  auto found = co_await client_.range(prefix_of(application), until);
  if (!found) co_return failure(found.error(), found.reason());
  std::vector<record> servers;
  for (auto& each : *found) {
    const std::size_t size = each.value.size();
    each.value.append(parse_padding, '\0');
    try {
      servers.push_back(parse_record({each.value.data(), size}));
    } catch (const invalid_record& invalid) {
      log::warning("{} in etcd is not a valid record: {}", each.key, invalid.what());
    }
  }
  co_return servers;
}

task<result<void>> etcd_registry::changed(std::string application, deadline until) {
  return client_.changed(prefix_of(application), until);
}

}  // namespace berth
