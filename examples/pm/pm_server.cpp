// A service as a user would write one: a board of projects over HTTP.
#include <stdexcept>

#include "board.hpp"
#include "guard.hpp"
#include "http.hpp"

namespace {

pm::response answer(pm::board& projects, const pm::request& asked) {
  if (asked.path == "/health" && asked.method == "GET") return {200, R"({"status":"ok"})"};
  if (asked.path == "/health") return pm::refusal(405, "use GET");
  if (asked.path != "/api/v1/projects") return pm::refusal(404, "there is no " + asked.path);
  if (asked.method == "GET") return {200, projects.to_json()};
  if (asked.method != "POST") return pm::refusal(405, "use GET or POST");
  try {
    return {201, projects.add(asked.body)};
  } catch (const std::invalid_argument& wrong) {
    return pm::refusal(400, wrong.what());
  }
}

berth::task<> protect(pm::guard& guard, const berth::record& published) {
  guard = pm::guard(published);
  co_return;
}

berth::task<pm::response> respond(pm::board& projects, const berth::service& service,
                                  const pm::guard& guard, pm::request asked) {
  if (auto refused = guard.refuse(asked)) co_return std::move(*refused);
  if (!service.token_matches(asked.token))
    co_return pm::refusal(401, "bring the token, as in: berth url --with-token");
  co_return answer(projects, asked);
}

}  // namespace

int main(int argc, char** argv) {
  pm::board projects;
  pm::guard guard;
  berth::service service("pm", "1.0.0");
  service.hooks().published.add(
      "guard", [&guard](const berth::record& server) { return protect(guard, server); });
  const auto serve = [&](berth::tcp_stream client) {
    auto responder = [&](pm::request asked) {
      return respond(projects, service, guard, std::move(asked));
    };
    return pm::serve_http(std::move(client), responder, service.draining());
  };
  service.on_connection(serve, berth::token_check::by_handler);
  return service.run(argc, argv);
}
