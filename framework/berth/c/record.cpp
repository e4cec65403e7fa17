#include <berth/c/handles.hpp>
#include <berth/liveness/this_process.hpp>
#include <berth/record/record_check.hpp>

using namespace berth;
using namespace berth::c;

namespace {

template <typename Change>
berth_status change(berth_record* record, Change how) noexcept {
  return guarded([&] {
    auto& changed = given(record, "record");
    how(changed.server);
    changed.derive();
    return BERTH_DONE;
  });
}

const char* plain_text(const char* pointer, const char* name) {
  check_plain_text(text(pointer, name), name);
  return pointer;
}

const char* scheme_of(const char* pointer) {
  check_scheme(text(pointer, "scheme"), "scheme");
  return pointer;
}

template <typename Map>
const char* text_in(const Map& texts, const char* name) {
  const auto found = name ? texts.find(name) : texts.end();
  return found == texts.end() ? nullptr : found->second.c_str();
}

}  // namespace

extern "C" {

berth_status berth_record_new(const char* host, int port, const char* version,
                              berth_record** made) {
  return guarded([&] {
    auto& place = cleared(made, "made");
    const std::string at = text(host, "host");
    if (at.empty()) throw invalid_value("a record needs a host");
    check_host(at, "host");
    place =
        new berth_record(describe_this_process(at, port_of(port), plain_text(version, "version")));
    return BERTH_DONE;
  });
}

berth_status berth_record_set_scheme(berth_record* record, const char* scheme) {
  return change(record, [&](auto& server) { server.scheme = scheme_of(scheme); });
}

berth_status berth_record_set_token(berth_record* record, const char* token) {
  return change(record, [&](auto& server) { server.token = plain_text(token, "token"); });
}

berth_status berth_record_set_metadata(berth_record* record, const char* name, const char* value) {
  return change(record, [&](auto& server) {
    const std::string plain = plain_text(value, "text");
    server.metadata[plain_text(name, "name")] = plain;
  });
}

berth_status berth_record_set_endpoint(berth_record* record, const char* name, const char* scheme,
                                       const char* host, int port) {
  return change(record, [&](auto& server) {
    const named_endpoint one{text(host, "host"), port_of(port), scheme_of(scheme)};
    if (one.host.empty()) throw invalid_value("an endpoint needs a host");
    check_host(one.host, "host");
    server.endpoints[plain_text(name, "name")] = one;
  });
}

uint32_t berth_record_pid(const berth_record* record) { return record ? record->server.pid : 0; }
int berth_record_port(const berth_record* record) { return record ? record->server.port : 0; }
const char* berth_record_host(const berth_record* record) {
  return record ? record->server.host.c_str() : nullptr;
}
const char* berth_record_url(const berth_record* record) {
  return record ? record->url.c_str() : nullptr;
}
const char* berth_record_started_at(const berth_record* record) {
  return record ? record->server.started_at.c_str() : nullptr;
}
const char* berth_record_version(const berth_record* record) {
  return record ? record->server.version.c_str() : nullptr;
}
const char* berth_record_scheme(const berth_record* record) {
  return record ? record->server.scheme.c_str() : nullptr;
}
const char* berth_record_instance_id(const berth_record* record) {
  return record ? record->server.instance_id.c_str() : nullptr;
}
const char* berth_record_token(const berth_record* record) {
  return record ? record->server.token.c_str() : nullptr;
}
const char* berth_record_metadata(const berth_record* record, const char* name) {
  return record ? text_in(record->server.metadata, name) : nullptr;
}
const char* berth_record_endpoint_url(const berth_record* record, const char* name) {
  return record ? text_in(record->endpoint_urls, name) : nullptr;
}
void berth_record_free(berth_record* record) { delete record; }
}
