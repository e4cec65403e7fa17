/* An echo server on libuv as introductions have it: a buffer is allocated for each read and a
 * request for each write. Prints its port. */
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

typedef struct {
  uv_write_t request;
  uv_buf_t buffer;
} write_request;

static void closed(uv_handle_t* handle) { free(handle); }

static void allocate(uv_handle_t* handle, size_t size, uv_buf_t* into) {
  (void)handle;
  *into = uv_buf_init(malloc(size), (unsigned)size);
}

static void written(uv_write_t* request, int status) {
  write_request* done = (write_request*)request;
  (void)status;
  free(done->buffer.base);
  free(done);
}

static void received(uv_stream_t* stream, ssize_t length, const uv_buf_t* buffer) {
  if (length > 0) {
    write_request* made = malloc(sizeof *made);
    made->buffer = uv_buf_init(buffer->base, (unsigned)length);
    uv_write(&made->request, stream, &made->buffer, 1, written);
    return;
  }
  free(buffer->base);
  if (length < 0) uv_close((uv_handle_t*)stream, closed);
}

static void arrived(uv_stream_t* listener, int status) {
  uv_tcp_t* made;
  if (status < 0) return;
  made = malloc(sizeof *made);
  uv_tcp_init(listener->loop, made);
  uv_accept(listener, (uv_stream_t*)made);
  uv_tcp_nodelay(made, 1);
  uv_read_start((uv_stream_t*)made, allocate, received);
}

int main(void) {
  uv_tcp_t listener;
  struct sockaddr_in address;
  int size = sizeof address;
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(uv_default_loop(), &listener);
  if (uv_tcp_bind(&listener, (struct sockaddr*)&address, 0) != 0 ||
      uv_listen((uv_stream_t*)&listener, 1024, arrived) != 0)
    return 1;
  uv_tcp_getsockname(&listener, (struct sockaddr*)&address, &size);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
