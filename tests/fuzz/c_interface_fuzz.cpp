// The C interface called with any texts and with NULL: each call gives a status that it documents,
// with a message and nothing else where it failed. It publishes in a directory of its own alone,
// and starts no program.
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <berth/berth.h>

#include "lines.hpp"

namespace {

namespace fs = std::filesystem;

struct temporary_directory {
  temporary_directory() : name((fs::temp_directory_path() / "berth-fuzz-XXXXXX").string()) {
    if (!::mkdtemp(name.data())) std::abort();
    ::setenv("BERTH_LIST_DIR", name.c_str(), 1);
  }
  ~temporary_directory() { fs::remove_all(name); }

  std::string name;
};

const std::string& own_directory() {
  static const temporary_directory made;
  return made.name;
}

bool succeeded(berth_status status) {
  if (status < BERTH_DONE || status > BERTH_START_FAILED) std::abort();
  if ((status == BERTH_DONE) != (std::strlen(berth_message()) == 0)) std::abort();
  return status == BERTH_DONE;
}

template <typename T>
void check_given(berth_status status, const T* given) {
  if (succeeded(status) != (given != nullptr)) std::abort();
}

/// The lines, one after the other; NULL for one that is "\x01", and after the last.
class texts {
 public:
  texts(const std::uint8_t* data, std::size_t size) : lines_(lines_of(data, size)) {}
  const char* next() {
    if (at_ == lines_.size()) return nullptr;
    const auto& line = lines_[at_++];
    return line == "\x01" ? nullptr : line.c_str();
  }
  int number() {
    const char* const text = next();
    return text ? std::atoi(text) : 0;
  }

 private:
  std::vector<std::string> lines_;
  std::size_t at_ = 0;
};

void read_all(const berth_record* record, const char* name) {
  for (const auto get :
       {berth_record_host, berth_record_url, berth_record_started_at, berth_record_version,
        berth_record_scheme, berth_record_instance_id, berth_record_token})
    if ((get(record) == nullptr) != (record == nullptr)) std::abort();
  (void)berth_record_pid(record);
  (void)berth_record_port(record);
  (void)berth_record_metadata(record, name);
  (void)berth_record_endpoint_url(record, name);
}

void look(const berth_location* where) {
  berth_record* found = nullptr;
  check_given(berth_read(where, &found), found);
  read_all(found, "name");
  berth_record_free(found);
  check_given(berth_wait(where, 0, &found), found);
  berth_record_free(found);
  const char* const nothing[] = {nullptr};
  check_given(berth_ensure(where, nothing, nullptr, 0, &found), found);
  berth_record_free(found);
  check_given(berth_ensure(where, nullptr, "1", 0, &found), found);
  berth_record_free(found);
}

void publish(const berth_location* where, const berth_record* record) {
  berth_publication* made = nullptr;
  check_given(berth_publish(where, record, &made), made);
  if (!made) return;
  (void)succeeded(berth_check(made));
  look(where);
  if (!succeeded(berth_remove(made))) std::abort();
}

berth_record* make_record(texts& from) {
  berth_record* record = nullptr;
  const char* const host = from.next();
  const int port = from.number();
  check_given(berth_record_new(host, port, from.next(), &record), record);
  (void)succeeded(berth_record_set_scheme(record, from.next()));
  (void)succeeded(berth_record_set_token(record, from.next()));
  const char* const name = from.next();
  (void)succeeded(berth_record_set_metadata(record, name, from.next()));
  const char* const scheme = from.next();
  const char* const other = from.next();
  (void)succeeded(berth_record_set_endpoint(record, name, scheme, other, from.number()));
  read_all(record, name);
  return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  texts given(data, size);
  const std::string& own = own_directory();
  const char* const publishes = given.next();
  const char* const application = given.next();
  const char* const instance = given.next();
  berth_location* where = nullptr;
  check_given(berth_locate(application, own.c_str(), instance, &where), where);
  if ((berth_location_port_file(where) == nullptr) != (where == nullptr)) std::abort();
  look(where);
  berth_record* const record = make_record(given);
  // Costs a thread, so now and then.
  if (publishes && publishes[0] == 'p') publish(where, record);
  berth_record_free(record);
  berth_location_free(where);

  berth_location* elsewhere = nullptr;
  check_given(berth_locate(application, given.next(), instance, &elsewhere), elsewhere);
  berth_record* found = nullptr;
  check_given(berth_read(elsewhere, &found), found);
  berth_record_free(found);
  berth_location_free(elsewhere);
  // Nowhere to put what is asked for.
  if (succeeded(berth_locate(application, own.c_str(), instance, nullptr))) std::abort();
  if (succeeded(berth_read(nullptr, nullptr)) || succeeded(berth_record_new("h", 1, "", nullptr)))
    std::abort();
  if (succeeded(berth_publish(nullptr, nullptr, nullptr))) std::abort();
  return 0;
}
