#!/usr/bin/python3
"""Services in a real etcd, started here on loopback.
usage: etcd_test.py PM_SERVER PLUGIN_DIRECTORY BERTH [unittest's arguments]"""
import base64
import contextlib
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

PM_SERVER, PLUGINS, BERTH = (os.path.abspath(path) for path in sys.argv[1:4])
del sys.argv[1:4]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def eventually(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("it did not come true in time")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Etcd:
    """One member of a cluster."""

    def __init__(self, directory, name="default"):
        self.directory, self.name = os.path.join(directory, name), name
        self.client, self.peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self.process = None

    def start(self, cluster):
        members = ",".join(f"{each.name}={each.peer}" for each in cluster)
        self.process = subprocess.Popen(
            ["etcd", "--name", self.name, "--data-dir", self.directory, "--listen-client-urls", self.client,
             "--advertise-client-urls", self.client, "--listen-peer-urls", self.peer,
             "--initial-advertise-peer-urls", self.peer, "--initial-cluster", members, "--unsafe-no-fsync",
             "--heartbeat-interval", "50", "--election-timeout", "500"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def post(self, path, **body):
        request = urllib.request.Request(self.client + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with OPENER.open(request, timeout=5) as answer:
            return json.load(answer)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.post("/v3/maintenance/status")

    def keys(self, prefix="/berth/"):
        """What is registered, by key; nothing where it does not answer."""
        with contextlib.suppress(OSError):
            found = self.post("/v3/kv/range", key=base64.b64encode(prefix.encode()).decode(),
                              range_end=base64.b64encode(prefix[:-1].encode() + b"0").decode())
            return {base64.b64decode(each["key"]).decode(): json.loads(base64.b64decode(each["value"]))
                    for each in found.get("kvs", [])}


@unittest.skipUnless(shutil.which("etcd"), "etcd is not installed (apt-get install etcd-server)")
class Registered(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = scratch.name
        self.count = 0

    def cluster(self, size=1):
        members = [Etcd(self.directory, f"m{i}") for i in range(size)]
        for each in members:
            self.addCleanup(each.stop)
            each.start(members)
        eventually(lambda: all(each.answers() for each in members))
        return members

    def service(self, members, **settings):
        self.count += 1
        directory = os.path.join(self.directory, f"service-{self.count}")
        settings = {"endpoints": ";".join(each.client for each in members), "ttl": "2", **settings}
        words = ",".join(f"{key}={value}" for key, value in settings.items())
        log = open(directory + ".log", "w")
        self.addCleanup(log.close)
        server = subprocess.Popen([PM_SERVER, "--config-dir", directory, "--plugin",
                                   f"{PLUGINS}/libberth-etcd.so={words}"], stderr=log)
        self.addCleanup(lambda: (server.kill(), server.wait()))
        server.directory, server.log = directory, log.name

        def look():
            with contextlib.suppress(OSError), open(os.path.join(directory, "server.json")) as file:
                return json.load(file)
        server.record = eventually(look)
        server.key = f"/berth/pm/{server.record['instance_id']}"
        return server

    def answers(self, server):
        with OPENER.open(f"http://127.0.0.1:{server.record['port']}/health", timeout=20) as answer:
            return json.load(answer) == {"status": "ok"}

    def test_a_service_registers_its_record_and_deregisters_when_it_drains(self):
        etcd, = self.cluster()
        server = self.service([etcd])
        self.assertEqual(eventually(etcd.keys), {server.key: server.record})
        server.terminate()
        self.assertEqual(server.wait(20), 0)
        self.assertEqual(etcd.keys(), {})

    def test_a_service_that_is_killed_is_gone_when_its_lease_ends(self):
        etcd, = self.cluster()
        server = self.service([etcd])
        eventually(etcd.keys)
        time.sleep(3)  # longer than the lease: it is kept alive
        self.assertIn(server.key, etcd.keys())
        server.kill()
        begun = time.monotonic()
        eventually(lambda: etcd.keys() == {})
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_service_goes_on_without_etcd_and_registers_again(self):
        etcd, = self.cluster()
        server = self.service([etcd])
        eventually(etcd.keys)
        etcd.stop()
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.assertTrue(self.answers(server))
            time.sleep(0.1)
        # One that has forgotten everything.
        shutil.rmtree(etcd.directory)
        etcd.start([etcd])
        self.assertEqual(eventually(etcd.keys), {server.key: server.record})
        with open(server.log) as log:
            self.assertEqual(log.read().count("not registered, trying again"), 1)
        # And with none at all it stops in time.
        etcd.stop()
        begun = time.monotonic()
        server.terminate()
        self.assertEqual(server.wait(20), 0)
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_service_starts_without_etcd(self):
        etcd = Etcd(self.directory)
        self.addCleanup(etcd.stop)
        server = self.service([etcd])
        self.assertTrue(self.answers(server))
        etcd.start([etcd])
        self.assertEqual(eventually(etcd.keys), {server.key: server.record})

    def test_one_that_accepts_and_does_not_answer_blocks_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            etcd = Etcd(self.directory)
            etcd.client = f"http://127.0.0.1:{silent.getsockname()[1]}"
            server = self.service([etcd])
            self.assertTrue(self.answers(server))
            server.terminate()
            self.assertEqual(server.wait(20), 0)

    def test_bad_answers_harm_nothing(self):
        import http.server
        import threading
        answers = iter([b"", b"{", b"[]", b"{\"ID\":7}", b"null", b"{\"ID\":\"\"}", b"\xff" * 1000] * 1000)

        class Bad(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = next(answers)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        bad = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bad)
        threading.Thread(target=bad.serve_forever, daemon=True).start()
        self.addCleanup(bad.shutdown)
        etcd = Etcd(self.directory)
        etcd.client = f"http://127.0.0.1:{bad.server_address[1]}"
        server = self.service([etcd], ttl="1")
        for _ in range(20):
            self.assertTrue(self.answers(server))
            time.sleep(0.1)
        server.terminate()
        self.assertEqual(server.wait(20), 0)

    def test_the_next_member_is_asked_when_the_leader_is_killed(self):
        members = self.cluster(3)
        server = self.service(members, ttl="5")
        eventually(members[0].keys)
        status = members[0].answers()
        leader = next(each for each in members if each.answers()["header"]["member_id"] == status["leader"])
        leader.stop()
        left = [each for each in members if each is not leader]
        time.sleep(7)  # longer than the lease
        self.assertEqual(eventually(left[0].keys), {server.key: server.record})
        server.terminate()
        self.assertEqual(server.wait(20), 0)
        eventually(lambda: left[0].keys() == {})

    def test_users_and_passwords(self):
        etcd, = self.cluster()
        etcd.post("/v3/auth/user/add", name="root", password="se\"cret")
        etcd.post("/v3/auth/role/add", name="root")
        etcd.post("/v3/auth/user/grant", user="root", role="root")
        etcd.post("/v3/auth/enable")
        refused = self.service([etcd])
        server = self.service([etcd], user="root", password="se\"cret")

        def said(one, text):
            with open(one.log) as log:
                return text in log.read()
        eventually(lambda: said(server, f"registered as {server.key}"))
        eventually(lambda: said(refused, "not registered, trying again: etcd answered to /v3/kv/put with status 400: etcdserver: user name is empty"))

    def test_settings_that_cannot_be_stop_the_start(self):
        for words, reason in (("ttl=0", "ttl must be 1-86400 seconds, got \"0\""), ("ttl=x,endpoints=http://x", "ttl must be"),
                              ("prefix=/x", "etcd needs an endpoint"), ("endpoints=x:1", "\"x:1\" is no endpoint of etcd")):
            run = subprocess.run([PM_SERVER, "--config-dir", self.directory, "--plugin", f"{PLUGINS}/libberth-etcd.so={words}"],
                                 capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 1)
            self.assertIn(reason, run.stderr)


unittest.main()
