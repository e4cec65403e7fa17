"""Clients find services in etcd, by the command line and by a program."""
import base64
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

from etcd.cluster import PM_SERVER, BERTH, Etcd, Registered, eventually, free_port


class Clients(Registered):
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
