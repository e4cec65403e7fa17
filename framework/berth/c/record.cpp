#include <berth/c/handles.hpp>

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
    place = new berth_record(describe_this_process(at, port_of(port), text(version, "version")));
    return BERTH_DONE;
  });
}

berth_status berth_record_set_scheme(berth_record* record, const char* scheme) {
  return change(record, [&](auto& server) { server.scheme = text(scheme, "scheme"); });
}

berth_status berth_record_set_token(berth_record* record, const char* token) {
  return change(record, [&](auto& server) { server.token = text(token, "token"); });
}

berth_status berth_record_set_metadata(berth_record* record, const char* name, const char* value) {
  return change(record,
                [&](auto& server) { server.metadata[text(name, "name")] = text(value, "text"); });
}

berth_status berth_record_set_endpoint(berth_record* record, const char* name, const char* scheme,
                                       const char* host, int port) {
  return change(record, [&](auto& server) {
    const named_endpoint one{text(host, "host"), port_of(port), text(scheme, "scheme")};
    if (one.host.empty()) throw invalid_value("an endpoint needs a host");
    server.endpoints[text(name, "name")] = one;
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
