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
        eventually(lambda: etcd.keys() == {})

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
        server.terminate()
        self.assertEqual(server.wait(20), 0)

    def test_a_service_starts_without_etcd(self):
        etcd = Etcd(self.directory)
        self.addCleanup(etcd.stop)
        server = self.service([etcd])
        self.assertTrue(self.answers(server))
        etcd.start([etcd])
        self.assertEqual(eventually(etcd.keys), {server.key: server.record})

    def test_a_service_on_every_address_is_registered_under_one_that_others_reach(self):
        etcd, = self.cluster()
        self.service([etcd], host="0.0.0.0")
        self.assertEqual([each["host"] for each in eventually(etcd.keys).values()], [socket.gethostname()])
        told = self.service([etcd], host="0.0.0.0", **{"reached_at": "example.org"})
        self.assertEqual(eventually(lambda: etcd.keys().get(told.key))["host"], "example.org")

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

    def berth(self, *words, registry=None, **more):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PM_")}
        environment["XDG_CONFIG_HOME"] = os.path.join(self.directory, "config")
        if registry:
            environment["PM_REGISTRY"] = registry
        return subprocess.run([BERTH, *words], capture_output=True, text=True, timeout=60, cwd=self.directory, env=environment, **more)

    def test_the_command_line_asks_etcd_as_it_asks_the_file_system(self):
        etcd, = self.cluster()
        registry = etcd.client.replace("http", "etcd")
        for command in ("url", "status"):
            none = self.berth("--registry", registry, command)
            self.assertEqual(none.returncode, 3)
            self.assertIn(f"No running pm-server found (checked {registry}).", none.stderr)
        self.assertEqual(self.berth("--registry", registry, "list").stdout, "")
        self.assertEqual(self.berth("--registry", registry, "--json", "list").stdout, "[]\n")
        late = self.berth("--registry", registry, "wait", "--timeout", "0.3")
        self.assertEqual(late.returncode, 5)
        waiting = subprocess.Popen([BERTH, "--registry", registry, "wait", "--timeout", "30"], stdout=subprocess.PIPE, text=True)
        server = self.service([etcd])
        url = f"http://127.0.0.1:{server.record['port']}\n"
        self.assertEqual(waiting.communicate(timeout=40)[0], url)
        self.assertEqual(self.berth("--registry", registry, "url").stdout, url)
        self.assertEqual(self.berth("url", registry=registry).stdout, url)
        os.makedirs(os.path.join(self.directory, "config", "pm"))
        with open(os.path.join(self.directory, "config", "pm", "config.toml"), "w") as file:
            file.write(f'registry = "{registry}"\n')
        self.assertEqual(self.berth("url").stdout, url)
        self.assertEqual(self.berth("--registry", "file", "url").returncode, 3)
        status = json.loads(self.berth("--json", "status", registry=registry).stdout)
        self.assertEqual(status["verdict"], "alive")
        self.assertEqual({key: status[key] for key in server.record}, server.record)
        self.assertIn("alive (its lease in etcd is kept alive)", self.berth("status").stdout)
        other = self.service([etcd])
        eventually(lambda: len(etcd.keys()) == 2)
        spread = subprocess.run([os.path.join(os.path.dirname(PM_SERVER), "spread"), registry, "pm"], capture_output=True, text=True, timeout=60)
        turns = spread.stdout.splitlines()
        self.assertEqual(len(turns), 10, spread.stderr)
        self.assertEqual({turns.count(each) for each in turns}, {5})
        listed = json.loads(self.berth("--json", "list").stdout)
        self.assertEqual({each["instance"] for each in listed}, {server.record["instance_id"], other.record["instance_id"]})
        # Those who ask are spread.
        eventually(lambda: self.berth("url").stdout == f"http://127.0.0.1:{other.record['port']}\n")
        eventually(lambda: self.berth("url").stdout == url)

    def test_list_watches_etcd_as_it_watches_the_file_system(self):
        etcd, = self.cluster()
        registry = etcd.client.replace("http", "etcd")
        watching = subprocess.Popen([BERTH, "--registry", registry, "--json", "list", "--watch"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (watching.kill(), watching.wait(), watching.stdout.close()))
        server = self.service([etcd])
        live = json.loads(watching.stdout.readline())
        self.assertEqual((live["event"], live["instance"]), ("live", server.record["instance_id"]))
        self.assertEqual(live["path"], registry)
        server.terminate()
        self.assertEqual(json.loads(watching.stdout.readline()), live | {"event": "gone"})
        refused = self.berth("--registry", registry, "list", "--all")
        self.assertIn("--all is for the file system", refused.stderr)

    def test_a_registry_that_cannot_be_asked_is_an_error_that_says_why(self):
        for registry, reason in (("http://x", "is not a registry: this program knows etcd, etcds, file"), ("etcd://", "names no host"),
                                 (f"etcd://127.0.0.1:{free_port()}", "Couldn't connect")):
            run = self.berth("--registry", registry, "url")
            self.assertEqual(run.returncode, 1)
            self.assertIn(reason, run.stderr)
        self.assertEqual(self.berth("--registry", "etcd://x:1", "stop").returncode, 2)

    def test_who_waits_for_an_etcd_that_is_away_uses_no_processor_time(self):
        import resource
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        late = self.berth("--registry", f"etcd://127.0.0.1:{free_port()}", "wait", "--timeout", "2")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertEqual(late.returncode, 5)
        self.assertLess(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 0.5)

    def test_a_thousand_services_are_watched_by_one_client(self):
        etcd, = self.cluster()
        record = {"pid": 1, "port": 1024, "host": "127.0.0.1", "started_at": "2026-01-01T00:00:00Z", "version": "1",
                  "instance_id": ""}

        def put(i):
            value = dict(record, port=1024 + i, instance_id=f"id-{i:04}")
            etcd.post("/v3/kv/put", key=base64.b64encode(f"/berth/pm/id-{i:04}".encode()).decode(),
                      value=base64.b64encode(json.dumps(value).encode()).decode())
        for i in range(1000):
            put(i)
        watching = subprocess.Popen([BERTH, "--registry", etcd.client.replace("http", "etcd"), "list", "--watch"],
                                    stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (watching.kill(), watching.wait(), watching.stdout.close()))
        for _ in range(1000):
            self.assertTrue(watching.stdout.readline().startswith("live"))
        slowest = 0
        for i in range(1000, 1100):
            begun = time.monotonic()
            put(i)
            self.assertIn(f"id-{i:04}", watching.stdout.readline())
            slowest = max(slowest, time.monotonic() - begun)
        print(f"\na change among 1,000 services was seen after {slowest * 1000:.0f} ms at most", file=sys.stderr)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("ip"), "needs root and ip (apt-get install iproute2)")
    def test_a_service_is_found_from_another_network_namespace(self):
        name = f"berth-{os.getpid()}"
        pair = (f"bt{os.getpid() % 100000}a", f"bt{os.getpid() % 100000}b")
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True)
        if made.returncode != 0:
            self.skipTest("network namespaces cannot be made here")
        self.addCleanup(subprocess.run, ["ip", "netns", "del", name])
        for words in (f"link add {pair[0]} type veth peer name {pair[1]} netns {name}", f"addr add 10.213.0.1/24 dev {pair[0]}",
                      f"link set {pair[0]} up", f"-n {name} addr add 10.213.0.2/24 dev {pair[1]}", f"-n {name} link set {pair[1]} up",
                      f"-n {name} link set lo up"):
            subprocess.run(["ip", *words.split()], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", pair[0]], stderr=subprocess.DEVNULL)
        etcd = Etcd(self.directory)
        etcd.client = f"http://10.213.0.1:{free_port()}"
        self.addCleanup(etcd.stop)
        etcd.start([etcd])
        eventually(etcd.answers)
        server = self.service([etcd], host="10.213.0.1")
        eventually(etcd.keys)
        found = subprocess.run(["ip", "netns", "exec", name, BERTH, "--registry", etcd.client.replace("http", "etcd"), "url"],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(found.stdout, f"http://10.213.0.1:{server.record['port']}\n", found.stderr)
        answer = subprocess.run(["ip", "netns", "exec", name, "curl", "-sS", "--noproxy", "*", found.stdout.strip() + "/health"],
                                capture_output=True, text=True, timeout=60)
        self.assertEqual(json.loads(answer.stdout), {"status": "ok"}, answer.stderr)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_tls(self):
        certificate, key = os.path.join(self.directory, "c.pem"), os.path.join(self.directory, "k.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        etcd = Etcd(self.directory)
        etcd.client = etcd.client.replace("http", "https")
        self.addCleanup(etcd.stop)
        etcd.start([etcd], "--cert-file", certificate, "--key-file", key)
        registry = etcd.client.replace("https", "etcds")
        server = self.service([etcd], ca=certificate)
        url = f"http://127.0.0.1:{server.record['port']}\n"
        eventually(lambda: self.berth("--registry", f"{registry}?ca={certificate}", "url").stdout == url)
        refused = self.berth("--registry", registry, "url")  # nobody vouches for that certificate
        self.assertEqual(refused.returncode, 1)
        self.assertIn("certificate", refused.stderr)

    def test_users_and_passwords(self):
        etcd, = self.cluster()
        etcd.post("/v3/auth/user/add", name="root", password="se\"cret")
        etcd.post("/v3/auth/role/add", name="root")
        etcd.post("/v3/auth/user/grant", user="root", role="root")
        etcd.post("/v3/auth/enable")
        refused = self.service([etcd])
        password = os.path.join(self.directory, "password")
        with open(password, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write("se\"cret\n")
        server = self.service([etcd], user="root", password_file=password)

        def said(one, text):
            with open(one.log) as log:
                return text in log.read()
        eventually(lambda: said(server, f"registered as {server.key}"))
        eventually(lambda: said(refused, "not registered, trying again: etcd answered to /v3/kv/put with status 400: etcdserver: user name is empty"))
        # Neither a log nor the list of processes ever has the password, and clients read the same file.
        address = etcd.client.removeprefix("http://")
        url = f"http://127.0.0.1:{server.record['port']}\n"
        self.assertEqual(self.berth("--registry", f"etcd://root@{address}?password_file={password}", "url").stdout, url)
        told = self.berth("status", registry=f"etcd://root:se\"cret@{address}")
        self.assertIn(url, told.stdout)
        self.assertIn("etcd://root:***@", told.stdout)
        self.assertNotIn("se\"cret", told.stdout)

    def test_settings_that_cannot_be_stop_the_start(self):
        for words, reason in (("ttl=0", "ttl must be 1-86400 seconds, got \"0\""), ("ttl=x,endpoints=http://x", "ttl must be"),
                              ("prefix=/x", "etcd needs an endpoint"), ("endpoints=x:1", "\"x:1\" is not an endpoint of etcd")):
            run = subprocess.run([PM_SERVER, "--config-dir", self.directory, "--plugin", f"{PLUGINS}/libberth-etcd.so={words}"],
                                 capture_output=True, text=True, timeout=60)
            self.assertEqual(run.returncode, 1)
            self.assertIn(reason, run.stderr)


unittest.main()
