/* Serves "hello" in plain C, published until its first client has come. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <berth/berth.h>

static int complain(berth_status status) {
  fprintf(stderr, "hello-c: %s\n", berth_message());
  return (int)status;
}

int main(void) {
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  berth_location* where;
  berth_record* record;
  berth_publication* published;
  berth_status status;
  int client;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);

  memset(&at, 0, sizeof at); /* port 0: the system picks */
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr*)&at, sizeof at) != 0 || listen(listener, 16) != 0 ||
      getsockname(listener, (struct sockaddr*)&at, &size) != 0) {
    perror("hello-c");
    return 1;
  }

  status = berth_locate("hello", NULL, NULL, &where);
  if (status != BERTH_DONE) return complain(status);
  status = berth_record_new("127.0.0.1", ntohs(at.sin_port), "1.0.0", &record);
  if (status != BERTH_DONE) return complain(status);
  berth_record_set_scheme(record, "tcp");
  status = berth_publish(where, record, &published);
  if (status != BERTH_DONE) return complain(status);

  fprintf(stderr, "%s is in %s\n", berth_record_url(record), berth_location_port_file(where));
  client = accept(listener, NULL, NULL);
  if (client >= 0 && write(client, "hello\n", 6) == 6) close(client);

  status = berth_remove(published);
  berth_record_free(record);
  berth_location_free(where);
  return status == BERTH_DONE ? 0 : complain(status);
}
