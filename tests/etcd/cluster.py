"""A real etcd, started on loopback, and services that register there. Takes the arguments of etcd_test.py."""
import base64
import contextlib
import json
import os
import shutil
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

    def start(self, cluster, *more):
        members = ",".join(f"{each.name}={each.peer}" for each in cluster)
        self.process = subprocess.Popen(
            ["etcd", "--name", self.name, "--data-dir", self.directory, "--listen-client-urls", self.client,
             "--advertise-client-urls", self.client, "--listen-peer-urls", self.peer,
             "--initial-advertise-peer-urls", self.peer, "--initial-cluster", members, "--unsafe-no-fsync",
             "--heartbeat-interval", "50", "--election-timeout", "500", *more],
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
    """A case with clusters and services of its own."""

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

    def service(self, members, host="127.0.0.1", **settings):
        if "reached_at" in settings:
            settings["host"] = settings.pop("reached_at")
        self.count += 1
        directory = os.path.join(self.directory, f"service-{self.count}")
        settings = {"endpoints": ";".join(each.client for each in members), "ttl": "2", **settings}
        words = ",".join(f"{key}={value}" for key, value in settings.items())
        log = open(directory + ".log", "w")
        self.addCleanup(log.close)
        server = subprocess.Popen([PM_SERVER, "--config-dir", directory, "--host", host, "--plugin",
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
