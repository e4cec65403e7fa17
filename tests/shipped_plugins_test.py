#!/usr/bin/python3
"""The plugins that ship, with what they are made for.
usage: shipped_plugins_test.py PM_SERVER PLUGIN_DIRECTORY [unittest's arguments]"""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

PM_SERVER, PLUGINS = (os.path.abspath(path) for path in sys.argv[1:3])
del sys.argv[1:3]


def eventually(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError("it did not come true in time")


class Service(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name
        self.file = os.path.join(self.directory, "server.json")

    def command(self, plugin):
        return [PM_SERVER, "--config-dir", self.directory, "--log-level", "error",
                "--plugin", os.path.join(PLUGINS, plugin)]

    def start(self, command, **more):
        server = subprocess.Popen(command, **more)
        self.addCleanup(lambda: (server.kill(), server.wait()))
        return server

    def published(self):
        def look():
            try:
                with open(self.file) as file:
                    return json.load(file)
            except FileNotFoundError:
                return None
        return eventually(look)


def health(port):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/health", timeout=20) as answer:
        return json.load(answer)


class Systemd(Service):
    def test_readiness_watchdog_and_the_end_are_told(self):
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(told.close)
        told.settimeout(20)
        address = os.path.join(self.directory, "notify")
        told.bind(address)
        server = self.start(self.command("libberth-systemd.so"),
                            env=dict(os.environ, NOTIFY_SOCKET=address, WATCHDOG_USEC="40000"))
        seen = []

        def until(line):
            while line not in seen:
                seen.extend(told.recv(4096).decode().splitlines())
        until("READY=1")
        self.assertIn(f"STATUS=Published in {self.file}", seen)
        self.assertEqual(self.published()["pid"], server.pid)
        for _ in range(5):
            del seen[:]
            until("WATCHDOG=1")
        # A service that is stuck is no longer heard of.
        server.send_signal(signal.SIGSTOP)
        told.settimeout(0.3)
        with self.assertRaises(socket.timeout):
            while True:
                told.recv(4096)
        told.settimeout(20)
        server.send_signal(signal.SIGCONT)
        server.terminate()
        until("STOPPING=1")
        self.assertEqual(server.wait(20), 0)

    def test_a_socket_that_is_handed_over_is_served_and_published(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        waiting = socket.create_connection(("127.0.0.1", port))
        waiting.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        # The protocol wants descriptor 3 and the pid of the process itself.
        script = f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{listener.fileno()}'
        server = self.start(["sh", "-c", script, "sh", *self.command("libberth-systemd.so")], pass_fds=[listener.fileno()])
        listener.close()
        self.assertEqual(self.published()["port"], port)
        self.assertTrue(waiting.makefile("rb").readline().startswith(b"HTTP/1.1 200"))
        waiting.close()
        self.assertEqual(health(port), {"status": "ok"})
        server.terminate()
        self.assertEqual(server.wait(20), 0)

    def test_what_is_handed_over_and_cannot_be_served_stops_the_start(self):
        for taken, reason in ((socket.socket(socket.AF_INET, socket.SOCK_DGRAM), "not a listening stream socket"),
                              (socket.socket(), "not a listening stream socket")):
            script = f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{taken.fileno()}'
            run = subprocess.run(["sh", "-c", script, "sh", *self.command("libberth-systemd.so")], pass_fds=[taken.fileno()],
                                 capture_output=True, text=True, timeout=60)
            taken.close()
            self.assertEqual(run.returncode, 1)
            self.assertIn(reason, run.stderr)
            self.assertFalse(os.path.exists(self.file))

    @unittest.skipUnless(shutil.which("systemd-socket-activate"), "systemd-socket-activate is not installed")
    def test_systemd_itself_activates_it(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        activator = self.start(["systemd-socket-activate", "-l", f"127.0.0.1:{port}", *self.command("libberth-systemd.so")],
                               stderr=subprocess.DEVNULL)

        def connected():
            try:
                return health(port)
            except OSError:
                return None
        self.assertEqual(eventually(connected), {"status": "ok"})
        self.assertEqual(self.published()["port"], port)
        activator.terminate()
        activator.wait(20)


class Prometheus(Service):
    def metrics(self):
        at = self.published()["endpoints"]["metrics"]
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{at['host']}:{at['port']}/metrics", timeout=20) as answer:
            self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4")
            text = answer.read().decode()
        from prometheus_client.parser import text_string_to_metric_families
        values = {}
        for family in text_string_to_metric_families(text):
            self.assertTrue(family.documentation)
            for sample in family.samples:
                self.assertEqual(sample.labels, {"application": "pm"})
                values[sample.name] = sample.value
        return values

    def test_a_real_parser_reads_what_happened(self):
        server = self.start(self.command("libberth-prometheus.so"))
        port = self.published()["port"]
        eventually(lambda: self.metrics()["berth_publishes_total"] == 1)
        before = self.metrics()
        self.assertEqual(before["berth_connections_total"], 0)
        self.assertEqual(before["berth_drains_total"], 0)
        health(port)
        held = socket.create_connection(("127.0.0.1", port))
        held.sendall(b"GET ")
        eventually(lambda: self.metrics()["berth_connections"] == 1)
        after = self.metrics()
        self.assertEqual(after["berth_connections_total"], 2)
        self.assertGreater(after["berth_received_bytes_total"], 40)
        self.assertGreater(after["berth_sent_bytes_total"], 40)
        self.assertEqual(after["berth_hook_failures_total"], 0)
        self.assertGreaterEqual(after["berth_hook_calls_total"], 1)
        self.assertGreater(after["berth_hook_seconds_total"], 0)
        eventually(lambda: self.metrics()["berth_loop_lag_measurements_total"] > 0)
        os.unlink(self.file)
        eventually(lambda: os.path.exists(self.file) and self.metrics()["berth_publishes_total"] == 2)
        held.close()
        server.terminate()
        self.assertEqual(server.wait(20), 0)

    def test_the_metrics_need_the_token_and_an_address(self):
        self.start(self.command("libberth-prometheus.so") + ["--require-token"])
        at = self.published()["endpoints"]["metrics"]
        token = self.published()["token"]
        for host, path, header, status in (
                ("localhost", "/metrics", {}, 401), ("127.0.0.1", "/metrics?token=wrong", {}, 401),
                ("127.0.0.1", f"/metrics?token={token}", {}, 200), ("[::1]", "/metrics", {"Authorization": f"Bearer {token}"}, 200),
                ("rebound.example", f"/metrics?token={token}", {}, 403)):
            client = http.client.HTTPConnection(at["host"], at["port"], timeout=20)
            client.request("GET", path, headers={"Host": f"{host}:{at['port']}", **header})
            self.assertEqual(client.getresponse().status, status)
            client.close()

    def test_a_dns_name_will_do_where_the_network_reaches_it_and_a_token_protects_it(self):
        def status(at, host, token):
            client = http.client.HTTPConnection("127.0.0.1", at["port"], timeout=20)
            client.request("GET", "/metrics", headers={"Host": host, "Authorization": f"Bearer {token}"})
            self.addCleanup(client.close)
            return client.getresponse().status
        command = self.command("libberth-prometheus.so=host=0.0.0.0")
        server = self.start(command + ["--require-token"])
        published = self.published()
        at, token = published["endpoints"]["metrics"], published["token"]
        self.assertEqual(status(at, f"metrics.example:{at['port']}", token), 200)
        self.assertEqual(status(at, f"metrics.example:{at['port']}", "wrong"), 401)
        server.terminate()
        self.assertEqual(server.wait(20), 0)
        self.start(command)
        at = self.published()["endpoints"]["metrics"]
        self.assertEqual(status(at, f"metrics.example:{at['port']}", ""), 403)

    def test_bad_requests_harm_nothing(self):
        self.start(self.command("libberth-prometheus.so"))
        at = self.published()["endpoints"]["metrics"]
        for request, answer in ((b"POST / HTTP/1.1\r\n\r\n", b"HTTP/1.1 405"), (b"\r\n\r\n", b"HTTP/1.1 405"), (b"GET /" + b"x" * 20000, b""), (b"", b"")):
            client = socket.create_connection((at["host"], at["port"]))
            client.settimeout(20)
            try:
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                self.assertTrue(client.recv(4096).startswith(answer))
            except OSError:  # it has closed already
                self.assertEqual(answer, b"")
            client.close()
        self.assertEqual(self.metrics()["berth_connections_total"], 0)


unittest.main()
