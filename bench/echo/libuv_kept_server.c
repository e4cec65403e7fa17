/* The yardstick: an echo server on libuv, written as well as it can be. One kept buffer a
 * connection, reading stays on, uv_try_write first; what the kernel does not take waits in the
 * same buffer while reading is off. Prints its port. With HTTP defined it answers whatever comes
 * with one and the same response: the least that an HTTP server can do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

enum { buffer_size = 64 * 1024 };

#ifdef HTTP
static const char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
    "Connection: keep-alive\r\n\r\n{\"status\":\"ok\"}";
#endif

typedef struct {
  uv_tcp_t tcp;
  uv_write_t request;
  char buffer[buffer_size];
} connection;

static void closed(uv_handle_t* handle) { free(handle->data); }

static void hang_up(connection* of) {
  if (!uv_is_closing((uv_handle_t*)&of->tcp)) uv_close((uv_handle_t*)&of->tcp, closed);
}

static void allocate(uv_handle_t* handle, size_t size, uv_buf_t* into) {
  (void)size;
  *into = uv_buf_init(((connection*)handle->data)->buffer, buffer_size);
}

static void received(uv_stream_t* stream, ssize_t length, const uv_buf_t* buffer);

static void written(uv_write_t* request, int status) {
  connection* of = request->handle->data;
  if (status < 0)
    hang_up(of);
  else
    uv_read_start((uv_stream_t*)&of->tcp, allocate, received);
}

static void received(uv_stream_t* stream, ssize_t length, const uv_buf_t* buffer) {
  connection* of = stream->data;
  uv_buf_t rest;
  int sent;
  if (length < 0) {
    hang_up(of);
    return;
  }
  if (length == 0) return;
#ifdef HTTP
  memcpy(buffer->base, response, sizeof response - 1);
  length = sizeof response - 1;
#endif
  rest = uv_buf_init(buffer->base, (unsigned)length);
  sent = uv_try_write(stream, &rest, 1);
  if (sent == length) return;
  if (sent < 0 && sent != UV_EAGAIN) {
    hang_up(of);
    return;
  }
  if (sent > 0) rest = uv_buf_init(buffer->base + sent, (unsigned)(length - sent));
  uv_read_stop(stream);
  uv_write(&of->request, stream, &rest, 1, written);
}

static void arrived(uv_stream_t* listener, int status) {
  connection* made;
  if (status < 0) return;
  made = malloc(sizeof *made);
  uv_tcp_init(listener->loop, &made->tcp);
  made->tcp.data = made;
  uv_accept(listener, (uv_stream_t*)&made->tcp);
  uv_tcp_nodelay(&made->tcp, 1);
  uv_read_start((uv_stream_t*)&made->tcp, allocate, received);
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
